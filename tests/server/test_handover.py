"""How long late work is taken, and what the devices' marks say; the clock can be put on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, a_finding, granted, moment, refused

OLD, NEW = "320412100", "320412102"


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("handover")) as made:
        yield made


@pytest.fixture
def device(office: Indoors) -> Handheld:
    made = office.handheld(owner=office.newcomer("inspector", scopes=(OLD,)))
    made.catch_up()
    return made


def later(office: Indoors, **time: float) -> None:
    """Time passes, and everybody with a login comes back."""
    office.clock.put_on(**time)
    office.admin = Person(office.url, "root", office.admin.password)


def reassign(office: Indoors, device: Handheld, *scopes: str) -> None:
    granted(office.admin.patch(f"/users/{device.user['id']}", {"scopes": list(scopes)}))


def row_of(office: Indoors, device: Handheld) -> dict:
    row, = (row for row in granted(office.admin.get("/devices"))["items"] if row["id"] == device.id)
    return row


def test_late_work_of_a_withdrawn_scope_is_taken_for_fourteen_days(office: Indoors, device: Handheld) -> None:
    reassign(office, device, NEW)
    later(office, days=13, hours=23)
    assert device.deliver(device.create("finding", OLD, a_finding()))[0]["outcome"] == "applied"
    later(office, hours=2)
    outcome, = device.deliver(device.create("finding", OLD, a_finding()))
    assert outcome["problem"]["code"] == "out_of_scope"
    waiting = granted(office.admin.get("/quarantine"))["items"]
    assert [row["n"] for row in waiting] == [outcome["n"]]


def test_a_scope_that_stayed_does_not_end(office: Indoors, device: Handheld) -> None:
    reassign(office, device, OLD, NEW)
    later(office, days=30)
    assert device.deliver(device.create("finding", OLD, a_finding()))[0]["outcome"] == "applied"


def test_late_work_on_a_moved_record_is_taken_for_fourteen_days(office: Indoors, device: Handheld) -> None:
    finding = device.report(OLD)
    granted(office.admin.command("finding", finding, "move", {"scope": NEW, "reason": "调整"}))
    later(office, days=13)
    assert device.deliver(device.edit("finding", finding, 1, set={"text": "一"}))[0]["outcome"] == "merged"
    later(office, days=2)
    assert device.deliver(device.edit("finding", finding, 1, set={"text": "二"}))[0]["outcome"] == "quarantined"


def test_marks_say_what_to_look_at_and_the_worst_comes_first(office: Indoors, device: Handheld) -> None:
    quiet = office.handheld(owner=office.newcomer("inspector", scopes=(OLD,)))
    wrong = office.handheld(owner=office.newcomer("inspector", scopes=(OLD,)))
    granted(device.get("/hello", headers={"Menqian-Health": f"unsent=0; photos=1; oldest={moment(-100_000)}"}))
    granted(wrong.get("/hello", headers={"Menqian-Health": f"time={moment(300)}"}))
    rows = granted(office.admin.get("/devices"))["items"]
    assert [(row["id"], row["attention"]) for row in rows] == [
        (device.id, ["unsent_old"]), (wrong.id, ["clock_off"]), (quiet.id, [])]
    only = granted(office.admin.get("/devices?attention=clock_off"))["items"]
    assert [row["id"] for row in only] == [wrong.id]
    first = granted(office.admin.get("/devices?limit=1"))
    assert [row["id"] for row in first["items"]] == [device.id]
    assert [row["id"] for row in granted(office.admin.get(f"/devices?limit=2&cursor={first['next']}"))["items"]] == [
        wrong.id, quiet.id]


def test_waiting_work_grows_old_without_another_contact(office: Indoors, device: Handheld) -> None:
    granted(device.get("/hello", headers={"Menqian-Health": f"unsent=1; oldest={moment(-3600)}"}))
    assert row_of(office, device)["attention"] == []
    later(office, hours=25)
    assert row_of(office, device)["attention"] == ["unsent_old"] and row_of(office, device)["waits_h"] > 25


def test_a_revoked_device_that_had_unsent_work_stays_marked(office: Indoors, device: Handheld) -> None:
    granted(device.get("/hello", headers={"Menqian-Health": f"unsent=2; oldest={moment(-60)}"}))
    granted(office.admin.post(f"/devices/{device.id}/revoke", {"reason": "遗失"}))
    assert row_of(office, device)["attention"] == ["revoked_unsent"]


def test_a_device_that_is_handed_over_ends_itself_and_no_other(office: Indoors, device: Handheld) -> None:
    other = office.handheld(owner=device.owner)
    assert device.delete("/devices/current").status_code == 204
    assert row_of(office, device)["state"] == "revoked"
    refused(device.get("/hello"), 401, "device_revoked")
    refused(device.delete("/devices/current"), 401, "device_revoked")
    assert row_of(office, other)["state"] == "active" and other.hello()
    refused(office.admin.delete("/devices/current"), 403, "device_required")


def test_a_contact_without_news_writes_once_a_minute(office: Indoors, device: Handheld) -> None:
    seen = row_of(office, device)["last_seen_at"]
    office.clock.put_on(seconds=30)
    device.hello()
    assert row_of(office, device)["last_seen_at"] == seen
    office.clock.put_on(seconds=31)
    device.hello()
    assert row_of(office, device)["last_seen_at"] > seen


def test_a_device_that_replaces_another_brings_its_late_work(office: Indoors, device: Handheld) -> None:
    reassign(office, device, NEW)
    fresh = office.handheld(owner=device.owner)
    assert fresh.deliver(fresh.create("finding", OLD, a_finding()))[0]["outcome"] == "applied"
    fresh.catch_up()
    fresh.catch_up()                                 # acknowledges, and tells of nothing that waits
    assert row_of(office, fresh)["attention"] == []
    assert fresh.deliver(fresh.create("finding", OLD, a_finding()))[0]["outcome"] == "quarantined"
