"""Scope handover: work made before a record or a scope was withdrawn is applied; what came after is quarantined."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import Person, a_finding, granted, moment, new_id, refused, sha256

OLD, NEW = "320412100", "320412102"


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(owner=bureau.newcomer("inspector", scopes=(OLD,)))


@pytest.fixture
def colleague(bureau: Bureau) -> Handheld:
    """Whose scope a record is moved to."""
    return bureau.handheld(NEW)


@pytest.fixture
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=("320412",))


def reassign(admin: Person, device: Handheld, *scopes: str) -> None:
    granted(admin.patch(f"/users/{device.user['id']}", {"scopes": list(scopes)}))


def row_of(reader: Person, device: Handheld, query: str = "") -> dict[str, Any]:
    found = [row for row in granted(reader.get(f"/devices{query}"))["items"] if row["id"] == device.id]
    return found[0] if found else {}


def note_of(supervisor: Person, finding: str) -> Any:
    return granted(supervisor.get(f"/records/finding/{finding}/history"))["items"][-1].get("note")


def pull_once(device: Handheld, unsent: int | None = None) -> dict[str, Any]:
    """All that there is, kept, and the last page of it; the header says how many mutations wait."""
    headers = {"Menqian-Health": f"unsent={unsent}"} if unsent is not None else {}
    page: dict[str, Any] = {"more": True}
    while page["more"]:
        params = {"cursor": device.cursor} if device.cursor else {}
        page = granted(device.get("/sync/pull", params=params, headers=headers))
        device.cursor = page["cursor"]
    return page


def test_late_work_for_a_record_that_was_moved_is_applied(device: Handheld, colleague: Handheld,
                                                          supervisor: Person) -> None:
    finding = device.report(OLD)
    device.catch_up()
    granted(supervisor.command("finding", finding, "move", {"scope": NEW, "reason": "区划调整"}))
    outcome, = device.deliver(device.edit("finding", finding, 1, set={"text": "离线时改的"}))
    assert outcome["outcome"] == "merged", outcome
    assert note_of(supervisor, finding)["late_scope"] is True
    assert ("forget", finding) in {(change["op"], change["id"]) for change in device.catch_up()}
    colleague.catch_up()
    assert colleague.rows["finding", finding]["fields"]["text"] == "离线时改的"
    assert colleague.rows["finding", finding]["scope"] == NEW


def test_work_on_the_version_after_the_move_is_not_in_scope(device: Handheld, supervisor: Person) -> None:
    finding = device.report(OLD)
    granted(supervisor.command("finding", finding, "move", {"scope": NEW, "reason": "区划调整"}))
    outcome, = device.deliver(device.edit("finding", finding, 2, set={"text": "看不见的"}))
    assert outcome["outcome"] == "quarantined" and outcome["problem"]["code"] == "out_of_scope"


def test_what_is_about_a_record_goes_with_it_and_late_photos_follow(device: Handheld, colleague: Handheld,
                                                                    supervisor: Person) -> None:
    finding = device.report(OLD)
    first = device.capture(OLD, b"first", ("finding", finding))
    device.deliver(first)
    granted(supervisor.command("finding", finding, "move", {"scope": NEW, "reason": "区划调整"}))
    late = device.capture(OLD, b"late", ("finding", finding))
    assert device.deliver(late)[0]["outcome"] == "applied"
    colleague.catch_up()
    assert {("finding", finding), ("evidence", first["record_id"]), ("evidence", late["record_id"])} <= set(
        colleague.rows)


def test_a_device_that_does_not_know_yet_works_under_its_old_scopes(device: Handheld, colleague: Handheld,
                                                                    admin: Person, supervisor: Person) -> None:
    device.catch_up()
    reassign(admin, device, NEW)
    new, edited = device.create("finding", OLD, a_finding()), new_id()
    outcomes = device.deliver(new, device.create("finding", NEW, a_finding(), id=edited))
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "applied"]
    assert note_of(supervisor, new["record_id"])["late_scope"] is True
    assert note_of(supervisor, edited) is None
    seen = row_of(supervisor, device)
    assert seen["scopes_acknowledged"]["version"] == 1 and seen["scopes"]["version"] == 2
    assert {"scopes_unacknowledged", "holds_withdrawn"} <= set(seen["attention"])
    assert [one["scope"] for one in seen["holding"]] == [OLD]


def test_what_was_made_before_the_device_learned_of_it_may_come_after(device: Handheld, admin: Person,
                                                                      supervisor: Person) -> None:
    device.catch_up()
    reassign(admin, device, NEW)
    before = [device.create("finding", OLD, a_finding()) for _ in range(2)]
    pull_once(device, unsent=2)                       # learns its new scopes
    assert row_of(supervisor, device)["scopes_acknowledged"]["version"] == 1
    pull_once(device, unsent=2)                       # shows that it has them
    assert row_of(supervisor, device)["scopes_acknowledged"]["version"] == 2
    assert row_of(supervisor, device, f"?holding={OLD}")["attention"] == ["holds_withdrawn"]
    after = device.create("finding", OLD, a_finding())
    outcomes = device.deliver(*before, after)
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "applied", "quarantined"]
    assert row_of(supervisor, device, f"?holding={OLD}") == {}
    assert row_of(supervisor, device)["attention"] == []


def test_a_client_that_never_tells_its_health_has_what_it_was_sent(device: Handheld, admin: Person,
                                                                   supervisor: Person) -> None:
    device.catch_up()
    reassign(admin, device, NEW)
    device.catch_up()
    assert row_of(supervisor, device)["scopes_acknowledged"]["version"] == 2
    outcome, = device.deliver(device.create("finding", OLD, a_finding()))
    assert outcome["outcome"] == "quarantined" and outcome["problem"]["code"] == "out_of_scope"


def test_a_scope_that_is_given_back_needs_no_acknowledgement_of_what_was_between(device: Handheld, admin: Person,
                                                                               supervisor: Person) -> None:
    device.catch_up()
    reassign(admin, device, NEW)
    reassign(admin, device, OLD)
    made = device.create("finding", NEW, a_finding())
    assert device.deliver(made)[0]["outcome"] == "applied"    # it may have been told, its answer lost
    pull_once(device)
    assert row_of(supervisor, device)["scopes_acknowledged"]["version"] == 3
    assert device.deliver(device.create("finding", NEW, a_finding()))[0]["outcome"] == "quarantined"


def test_a_foreign_cursor_acknowledges_nothing(device: Handheld, colleague: Handheld, admin: Person,
                                               supervisor: Person) -> None:
    device.catch_up()
    colleague.catch_up()
    reassign(admin, device, NEW)
    refused(device.pull(colleague.cursor), 400, "cursor_invalid")
    assert row_of(supervisor, device)["scopes_acknowledged"]["version"] == 1


def test_late_work_that_waits_for_another_record_is_applied_when_that_comes(device: Handheld, admin: Person) -> None:
    device.catch_up()
    reassign(admin, device, NEW)
    finding = new_id()
    held = device.create("evidence", OLD, {
        "sha256": sha256(b"held"), "bytes": 4, "media_type": "image/jpeg", "role": "scene", "captured_at": moment(),
        "about": {"type": "finding", "id": finding}})
    assert device.deliver(held)[0]["outcome"] == "held"
    device.deliver(device.create("finding", OLD, a_finding(), id=finding))
    device.catch_up()
    assert [one["outcome"] for one in device.settled] == ["applied"]


def test_a_supervisor_sees_who_left_with_work_of_his_scope(bureau: Bureau, device: Handheld, admin: Person) -> None:
    device.catch_up()
    supervisor = bureau.person("supervisor", scopes=(OLD,))
    reassign(admin, device, "320402001")
    granted(device.get("/hello", headers={"Menqian-Health": f"unsent=4; oldest={moment(-60)}"}))
    seen = row_of(supervisor, device, f"?holding={OLD}")
    assert seen["reported"]["unsent"] == 4 and seen["holding"][0]["scope"] == OLD
    device.deliver()
    pull_once(device, unsent=0)
    pull_once(device, unsent=0)
    assert row_of(supervisor, device) == {}


def test_a_person_without_any_scope_still_delivers_what_was_made_before(device: Handheld, admin: Person) -> None:
    device.catch_up()
    reassign(admin, device)
    assert device.deliver(device.create("finding", OLD, a_finding()))[0]["outcome"] == "applied"


def test_no_device_works_in_a_scope_that_its_person_never_had(device: Handheld, admin: Person) -> None:
    device.catch_up()
    reassign(admin, device, NEW)
    outcome, = device.deliver(device.create("finding", "320402001", a_finding()))
    assert outcome["outcome"] == "quarantined" and outcome["problem"]["code"] == "out_of_scope"
