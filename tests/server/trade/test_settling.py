"""Conflicts settled under the trade's rules: who may, and what the record becomes."""

from __future__ import annotations

import pytest

from tests.server.indoors import indoors
from tests.wire import granted, refused

SCOPE = "320412100"


@pytest.fixture(scope="module")
def bureau(tmp_path_factory):
    with indoors(tmp_path_factory.mktemp("settling")) as found:
        yield found


@pytest.fixture
def left(bureau):
    return bureau.handheld(SCOPE, who="left")


@pytest.fixture
def right(bureau):
    return bureau.handheld(SCOPE, who="right")


def test_settling_a_deletion_closes_no_finding(left, right):
    finding = left.report(SCOPE)
    right.deliver(right.remove("finding", finding, 1))
    late, = left.deliver(left.edit("finding", finding, 1, set={"text": "还在", "status": "closed"}))
    granted(left.owner.command("conflict", late["conflicts"][0], "resolve", {"choice": "mine"}))
    fields = left.owner.record("finding", finding)["fields"]
    assert (fields["text"], fields["status"]) == ("还在", "reported")


def test_settling_a_deletion_takes_only_known_classes(left, right):
    finding = left.report(SCOPE)
    right.deliver(right.remove("finding", finding, 1))
    late, = left.deliver(left.edit("finding", finding, 1, set={"class_code": "9999"}))
    refused(left.owner.command("conflict", late["conflicts"][0], "resolve", {"choice": "mine"}), 422, "class_unknown")


@pytest.mark.parametrize("who", ["left", "right"])
def test_either_writer_settles_on_the_web(bureau, left, right, who):
    maker = bureau.handheld(SCOPE, who="maker")
    finding = maker.report(SCOPE)
    left.deliver(left.edit("finding", finding, 1, set={"text": "左"}))
    late, = right.deliver(right.edit("finding", finding, 1, set={"text": "右"}))
    conflict = right.owner.record("conflict", late["conflicts"][0])
    assert conflict["fields"]["theirs_by"]["user_id"] == left.user["id"]
    writer = {"left": left, "right": right}[who]
    granted(writer.owner.command("conflict", conflict["id"], "resolve", {"choice": "theirs"}))
    assert writer.owner.record("finding", finding)["fields"]["text"] == "左"


def test_nobody_else_settles(bureau, left, right):
    finding = left.report(SCOPE)
    left.deliver(left.edit("finding", finding, 1, set={"text": "左"}))
    late, = right.deliver(right.edit("finding", finding, 1, set={"text": "右"}))
    stranger = bureau.person("inspector", scopes=(SCOPE,), who="stranger")
    refused(stranger.command("conflict", late["conflicts"][0], "resolve", {"choice": "theirs"}), 403, "role_forbidden")
