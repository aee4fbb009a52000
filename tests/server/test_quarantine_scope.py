"""A quarantined edit belongs to the supervisor of the record's scope; nobody reads a record by releasing an entry."""

from __future__ import annotations

import pytest

from tests.server.indoors import indoors
from tests.wire import a_finding, granted, refused

HERE, THERE, FAR = "320412100", "320412102", "320404001"


@pytest.fixture(scope="module")
def bureau(tmp_path_factory):
    with indoors(tmp_path_factory.mktemp("quarantine")) as found:
        yield found


def test_an_edit_from_outside_goes_to_the_supervisor_of_the_record(bureau):
    insider, outsider = bureau.handheld(THERE), bureau.handheld(HERE)
    finding = insider.report(THERE, text="机密")
    outcome, = outsider.deliver(outsider.edit("finding", finding, 1, set={"text": "外人"}, scope=HERE))
    assert outcome["problem"]["code"] == "out_of_scope"
    entry, = granted(outsider.get("/quarantine"))["items"]
    assert entry["scope"] == THERE
    here, there = (bureau.person("supervisor", scopes=(scope,)) for scope in (HERE, THERE))
    refused(here.get(f"/quarantine/{entry['id']}"), 404)
    refused(here.post(f"/quarantine/{entry['id']}/release"), 404)
    assert entry["id"] in [one["id"] for one in granted(there.get("/quarantine"))["items"]]
    released = granted(there.post(f"/quarantine/{entry['id']}/release"))
    assert released["outcome"] == "applied" and "record" not in released  # it lies elsewhere now


def test_new_work_in_a_scope_that_was_one_s_own_goes_to_the_supervisor_of_that_scope(bureau):
    device = bureau.handheld(owner=bureau.newcomer("inspector", scopes=(HERE,)))
    granted(bureau.admin.patch(f"/users/{device.user['id']}", {"scopes": [FAR]}))
    for _ in range(2):
        device.catch_up()
    outcomes = device.deliver(device.create("finding", HERE, a_finding()), device.create("finding", THERE, a_finding()))
    assert [outcome["problem"]["code"] for outcome in outcomes] == ["out_of_scope"] * 2
    late, strange = granted(device.get("/quarantine"))["items"]
    assert (late["scope"], strange["scope"]) == (HERE, FAR)
    here = bureau.person("supervisor", scopes=(HERE,))
    assert granted(here.post(f"/quarantine/{late['id']}/release"))["outcome"] == "applied"
    assert here.record("finding", late["mutation"]["record_id"])["created_by"] == device.user["id"]


def test_who_does_not_cover_the_record_any_more_releases_nothing(bureau):
    device = bureau.handheld(HERE)
    finding = device.report(HERE)
    outcome, = device.deliver(device.edit("finding", finding, 1, set={"class_code": "9999"}))
    assert outcome["outcome"] == "quarantined"
    entry, = granted(device.get("/quarantine"))["items"]
    city, here = (bureau.person("supervisor", scopes=(scope,)) for scope in ("3204", HERE))
    granted(city.command("finding", finding, "move", {"scope": THERE, "reason": "划界"}))
    refused(here.post(f"/quarantine/{entry['id']}/release", {"set": {"class_code": "0504"}}), 403, "out_of_scope")
