"""A reply after a failed check, or after a reopening, needs a photo that is newer than that."""

from __future__ import annotations

import pytest

from tests.bureau import a_photo
from tests.server.indoors import indoors
from tests.wire import granted, refused

SCOPE = "320412100"


@pytest.fixture(scope="module")
def bureau(tmp_path_factory):
    with indoors(tmp_path_factory.mktemp("rework")) as found:
        yield found


@pytest.fixture
def case(bureau):
    """(supervisor, worker, finding) of a case that is being handled, with an after photo."""
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    finder, worker = bureau.handheld(SCOPE), bureau.handheld(SCOPE, who="worker")
    finding = finder.report(SCOPE, condition="店外经营")
    granted(supervisor.command("finding", finding, "file"))
    granted(supervisor.command("finding", finding, "dispatch", {"unit": worker.user["id"]}))
    granted(worker.owner.command("finding", finding, "handle"))
    worker.deliver(worker.capture(SCOPE, a_photo(), ("finding", finding), role="after"))
    granted(worker.owner.command("finding", finding, "handle"))
    return supervisor, worker, finding


def test_rework_is_not_shown_by_the_old_photo(bureau, case):
    supervisor, worker, finding = case
    bureau.clock.put_on(seconds=2)
    granted(supervisor.command("finding", finding, "check_fail", {"reason": "未整改"}))
    granted(worker.owner.command("finding", finding, "handle"))
    problem = refused(worker.owner.command("finding", finding, "handle"), 422, "need_missing")
    assert problem["need"] == "after_photo_on_reply"
    bureau.clock.put_on(seconds=2)
    worker.deliver(worker.capture(SCOPE, a_photo(), ("finding", finding), role="after"))
    replied = granted(worker.owner.command("finding", finding, "handle"))
    assert replied["record"]["fields"]["status"] == "checking"


def test_a_reopened_case_is_not_shown_by_the_old_photo(bureau, case):
    supervisor, worker, finding = case
    granted(supervisor.command("finding", finding, "check_pass"))
    granted(supervisor.command("finding", finding, "close"))
    bureau.clock.put_on(seconds=2)
    granted(supervisor.command("finding", finding, "reopen", {"reason": "复发"}))
    granted(supervisor.command("finding", finding, "dispatch", {"unit": worker.user["id"]}))
    granted(worker.owner.command("finding", finding, "handle"))
    refused(worker.owner.command("finding", finding, "handle"), 422, "need_missing")
