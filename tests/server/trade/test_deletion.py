"""What may be deleted: no case that is under way, and by an auxiliary nothing of somebody else."""

from __future__ import annotations

import pytest

from tests.server.indoors import indoors
from tests.wire import granted, moment

SCOPE = "320412100"


@pytest.fixture(scope="module")
def bureau(tmp_path_factory):
    with indoors(tmp_path_factory.mktemp("deletion")) as found:
        yield found


@pytest.fixture
def device(bureau):
    return bureau.handheld(SCOPE)


@pytest.fixture
def helper(bureau):
    return bureau.handheld(SCOPE, roles=("auxiliary",))


def test_a_case_under_way_is_never_deleted(bureau, device):
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    finding = device.report(SCOPE, condition="店外经营")
    granted(supervisor.command("finding", finding, "file", {"condition": "店外经营"}))
    granted(supervisor.command("finding", finding, "dispatch", {"unit": "A"}))
    for version in (1, 3):
        outcome, = device.deliver(device.remove("finding", finding, version))
        assert (outcome["outcome"], outcome["problem"]["code"]) == ("quarantined", "state_moved")
    assert device.owner.record("finding", finding)["fields"]["status"] == "dispatched"


@pytest.mark.parametrize("state", ["reported", "not_filed"])
def test_what_is_not_under_way_is_deleted_by_any_inspector(bureau, device, state):
    other = bureau.handheld(SCOPE, who="other")
    finding = device.report(SCOPE)
    if state == "not_filed":
        granted(bureau.person("reviewer", scopes=(SCOPE,)).command("finding", finding, "refuse", {"reason": "无"}))
    outcome, = other.deliver(other.remove("finding", finding, 2 if state == "not_filed" else 1))
    assert outcome["outcome"] == "applied"


def test_an_auxiliary_deletes_only_what_is_his(device, helper):
    own, others = helper.report(SCOPE), device.report(SCOPE)
    mine, theirs = helper.deliver(helper.remove("finding", own, 1), helper.remove("finding", others, 1))
    assert (mine["outcome"], theirs["outcome"]) == ("applied", "quarantined")
    assert theirs["problem"]["code"] == "role_forbidden"


def test_an_auxiliary_deletes_no_inspection_of_somebody_else(device, helper):
    mutation = device.create("inspection", SCOPE, {"started_at": moment()})
    device.deliver(mutation)
    outcome, = helper.deliver(helper.remove("inspection", mutation["record_id"], 1))
    assert outcome["problem"]["code"] == "role_forbidden"


def test_what_a_reviewer_decided_on_is_never_deleted(bureau, device):
    finding = device.report(SCOPE)
    reviewer = bureau.person("reviewer", scopes=(SCOPE,))
    decision = {"decision": "return", "version": 1, "reasons": ["模糊"], "note": "", "photos": []}
    granted(reviewer.post(f"/reviews/{finding}/decisions", decision), 201)
    outcome, = device.deliver(device.remove("finding", finding, 1))
    assert (outcome["outcome"], outcome["problem"]["code"]) == ("quarantined", "state_moved")


def test_what_a_spot_check_drew_is_never_deleted(bureau, device):
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    finding = device.report(SCOPE)
    frame = {"type": "finding", "from": moment(-3600), "to": moment(60), "scopes": [SCOPE]}
    check = granted(supervisor.post("/spot-checks", {"title": "抽查", "frame": frame, "strata": [], "size": 1000}), 201)
    sample = granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))["sample"]
    assert finding in [each["record_id"] for each in sample]
    outcome, = device.deliver(device.remove("finding", finding, 1))
    assert (outcome["outcome"], outcome["problem"]["code"]) == ("quarantined", "state_moved")


def test_a_sample_stays_readable_when_its_record_was_deleted_before_the_draw(bureau, device):
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    findings = [device.report(SCOPE) for _ in range(3)]
    frame = {"type": "finding", "from": moment(-3600), "to": moment(60), "scopes": [SCOPE]}
    check = granted(supervisor.post("/spot-checks", {"title": "抽查", "frame": frame, "strata": [], "size": 3}), 201)
    device.deliver(*(device.remove("finding", finding, 1) for finding in findings))
    drawn = granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))["sample"]
    assert drawn
    proof = granted(supervisor.get(f"/spot-checks/{check['id']}/proof"))
    assert proof["sample"] == drawn
    assert len(granted(supervisor.get(f"/spot-checks/{check['id']}"))["samples"]) == len(drawn)
    assert granted(supervisor.get(f"/spot-checks/{check['id']}/report"))["drawn"] == len(drawn)
