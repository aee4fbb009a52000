"""Filters name what they do not know; numbers, bodies and parameters are held to what a call says it takes."""

from __future__ import annotations

import pytest

from tests.server.indoors import indoors
from tests.wire import granted, moment, new_id, refused

SCOPE = "320412100"


@pytest.fixture(scope="module")
def bureau(tmp_path_factory):
    with indoors(tmp_path_factory.mktemp("filters")) as found:
        yield found


@pytest.fixture
def supervisor(bureau):
    return bureau.person("supervisor", scopes=(SCOPE,))


@pytest.mark.parametrize(("path", "code"), [
    ("/records?scope=999999", "scope_unknown"), ("/records?scope=nonsense", "scope_unknown"),
    ("/records?status=nonsense", "status_unknown"), ("/records?type=finding&status=issued", "status_unknown"),
    ("/records?type=notice&status=open", "status_unknown"), ("/reviews?scope=999999", "scope_unknown"),
    ("/zones.geojson?bboxx=1", "unknown_field"), ("/zones/attribute?sticker_serial=x&scope=1", "unknown_field")],
    ids=range(8))
def test_an_unknown_filter_is_named_as_such(supervisor, path, code):
    refused(supervisor.get(path), 422, code)


@pytest.mark.parametrize("path", [
    "/records", "/conflicts", "/quarantine", "/users", "/devices", "/spot-checks", "/reviews", "/legal-holds",
    "/disposals", "/erasures", "/retention", "/journal/entries", "/journal/timestamps",
    f"/media/{'0' * 64}/derivatives"])
def test_a_parameter_that_no_call_knows_is_refused_by_name(bureau, path):
    admin = bureau.person("admin", "supervisor", "auditor", scopes=(SCOPE,))
    assert "colour" in str(refused(admin.get(f"{path}?colour=red"), 422, "unknown_field")["errors"])


@pytest.mark.parametrize("path", ["/sync/receipt/changes", "/sync/receipt/photos"])
def test_a_device_is_told_of_an_unknown_parameter_too(bureau, path):
    refused(bureau.handheld(SCOPE).get(f"{path}?colour=red"), 422, "unknown_field")


@pytest.mark.parametrize("path", ["/hello", "/sync/pull"])
def test_what_gives_one_thing_gives_it_whatever_else_is_said(bureau, path):
    granted(bureau.handheld(SCOPE).get(f"{path}?colour=red"))


def test_quarantine_is_listed_by_state(bureau):
    device, supervisor = bureau.handheld(SCOPE), bureau.person("supervisor", scopes=(SCOPE,))
    wrong = [device.create("finding", SCOPE, {"observed_at": moment(), "class_code": "9999"}) for _ in range(2)]
    device.deliver(*wrong)
    kept, closed = (row["id"] for row in granted(device.get("/quarantine"))["items"])
    granted(supervisor.post(f"/quarantine/{closed}/dismiss", {"reason": "试填"}))
    for state, one, other in (("open", kept, closed), ("dismissed", closed, kept)):
        listed = {row["id"] for row in granted(device.get("/quarantine", params={"state": state}))["items"]}
        assert one in listed and other not in listed
    refused(supervisor.get("/quarantine?state=gone"), 422, "status_unknown")


@pytest.mark.parametrize("path", [
    "/records?scope=3204", "/records?status=open", "/records?type=finding&status=rework", "/reviews?scope=320412",
    "/records?type=enforcement&status=issued", "/records?scope=320412100&type=conflict&status=resolved"],
    ids=range(6))
def test_known_filters_are_taken(supervisor, path):
    granted(supervisor.get(path))


@pytest.mark.parametrize("status", ["nonsense", ["reported", "nonsense"]], ids=range(2))
def test_a_frame_names_an_unknown_status(supervisor, status):
    frame = {"type": "finding", "from": moment(-3600), "to": moment(), "scopes": [SCOPE], "status": status}
    refused(supervisor.post("/spot-checks", {"title": "x", "frame": frame, "strata": [], "size": 1}), 422,
            "status_unknown")


def test_calls_that_ask_nothing_refuse_what_is_given(bureau, supervisor):
    reviewer = bureau.person("reviewer", scopes=(SCOPE,))
    refused(supervisor.post(f"/spot-checks/{new_id()}/draw", {"x": 1}), 422, "unknown_field")
    refused(reviewer.post(f"/reviews/{new_id()}/claim", {"x": 1}), 422, "unknown_field")
    for body in (b"", b"{}"):
        refused(supervisor.http.post(supervisor.url(f"/spot-checks/{new_id()}/draw"), content=body), 404)


@pytest.mark.parametrize("limit", ["1" + "0" * 18, "9" * 5000, "0" * 30 + "5"], ids=range(3))
def test_a_very_large_limit_counts_as_the_most(bureau, limit):
    device = bureau.handheld(SCOPE)
    granted(device.get("/sync/pull", params={"limit": limit}))


@pytest.mark.parametrize("limit", ["0", "00", "-1", "1.5", "", "١"], ids=range(6))
def test_a_limit_that_is_none_is_refused(bureau, limit):
    device = bureau.handheld(SCOPE)
    refused(device.get("/sync/pull", params={"limit": limit}), 422, "invalid_request")


def test_a_task_goes_to_somebody_who_works_there(bureau, supervisor):
    away = bureau.person("inspector", scopes=("320412102",), who="away")
    refused(supervisor.create("task", SCOPE, {"title": "复查", "assignee": away.id}), 422, "assignee_out_of_scope")


@pytest.mark.parametrize(("place", "outcome"), [
    ({"address": " "}, "quarantined"), ({"address": "　\t"}, "quarantined"), ({"sticker_serial": " "}, "quarantined"),
    ({"address": " 武宜路"}, "applied")], ids=range(4))
def test_a_blank_place_is_none(bureau, place, outcome):
    device = bureau.handheld(SCOPE)
    found, = device.deliver(device.create("finding", SCOPE, {"observed_at": moment(), **place}))
    assert found["outcome"] == outcome
    assert outcome == "applied" or found["problem"]["code"] == "field_missing"


def test_a_finding_with_an_unknown_sticker_alone_was_asked_of_the_sticker(bureau):
    device = bureau.handheld(SCOPE)
    zone = device.owner.record("finding", device.report(SCOPE, sticker_serial="NONE-1"))["fields"]["zone"]
    assert (zone["method"], zone["decision"], zone["zone_id"]) == ("sticker", "none", None)


@pytest.mark.parametrize(("point", "sound"), [
    ({"lon": 119.9, "lat": 31.7}, True), ({}, True), ({"lon": "119"}, False), ({"lon": 181}, False),
    ({"lat": -91}, False), ({"accuracy_m": -1}, False), ({"lat": True}, False), ({"accuracy_m": []}, False)],
    ids=range(8))
def test_a_point_without_crs_is_in_range_all_the_same(bureau, point, sound):
    device = bureau.handheld(SCOPE)
    outcome, = device.deliver(device.create("track", SCOPE, {"points": [{"id": "p", **point}]}))
    assert outcome["outcome"] == ("applied" if sound else "quarantined")
