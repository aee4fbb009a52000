"""Breaks of capture chains are incidents that people explain; so is what a revoked device had not delivered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from server import jobs
from server.db import db
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited
from tests.wire import Person, granted, new_id, refused

SCOPE = "320412114"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as made:
        yield made


@pytest.fixture
def device(office: Indoors) -> Handheld:
    return office.handheld(SCOPE)


@pytest.fixture
def finding(device: Handheld) -> str:
    return device.report(SCOPE)


@pytest.fixture
def supervisor(office: Indoors) -> Person:
    return office.person("supervisor", scopes=("3204",))


def shot(device: Handheld, finding: str, **fields: Any) -> dict[str, Any]:
    return device.capture(SCOPE, new_id().encode(), ("finding", finding), **fields)


def without(device: Handheld, finding: str, count: int, *lost: int) -> list[dict[str, Any]]:
    """So many captures, the lost ones (from 0) not numbered; gives all, the lost ones to be numbered when sent."""
    made = [shot(device, finding) for _ in range(count)]
    first = made[0]["n"]
    kept = [each for place, each in enumerate(made) if place not in lost]
    for n, each in enumerate(kept, first):
        each["n"] = n
    device.numbers = iter(range(first + len(kept), 10**6))
    device.deliver(*kept)
    return made


def late(device: Handheld, mutation: dict[str, Any]) -> None:
    outcome, = device.deliver({**mutation, "n": next(device.numbers)})
    assert outcome["outcome"] == "applied"


def tick(office: Indoors) -> None:
    with office.app.app_context():
        jobs._tick()


def incidents(person: Person, **filters: str) -> list[dict[str, Any]]:
    asked = "&".join(f"{name}={value}" for name, value in filters.items())
    return granted(person.get(f"/records?type=incident&sort=created_at&{asked}"))["items"]


def again(person: Person) -> Person:
    """Signed in anew: log-ins end before a gap's time of grace does."""
    return Person(person.root, person.username, person.password)


def told_all(device: Handheld) -> None:
    granted(device.push(health={"unsent": 0}))


def test_a_gap_is_opened_when_the_device_has_delivered_everything(office, device, finding, supervisor):
    made = without(device, finding, 4, 1, 2)
    tick(office)
    assert incidents(supervisor) == [], "it may be on its way"
    told_all(device)
    tick(office)
    tick(office)
    incident, = incidents(supervisor, status="open", class_code="chain_gap")
    assert incident["scope"] == SCOPE
    said = incident["fields"]
    assert (said["device"], said["inspector_id"]) == (device.id, device.user["id"])
    assert (said["missing_from"], said["missing_to"], said["missing"]) == (2, 3, [[2, 3]])
    assert said["about"] == {"type": "evidence", "id": made[3]["record_id"]}
    assert audited(office)["problems"] == []


def test_what_was_told_before_the_gap_was_seen_does_not_count(office, device, finding, supervisor):
    told_all(device)
    office.clock.put_on(seconds=1)
    without(device, finding, 3, 1)
    tick(office)
    assert incidents(supervisor) == []
    office.clock.put_on(hours=23.9)
    tick(office)
    assert incidents(again(supervisor)) == []
    office.clock.put_on(hours=0.2)
    tick(office)
    assert [one["fields"]["missing"] for one in incidents(again(supervisor))] == [[[2, 2]]], "the time of grace is over"


def test_what_arrives_in_time_never_becomes_an_incident(office, device, finding, supervisor):
    made = without(device, finding, 4, 1, 2)
    late(device, made[2])
    late(device, made[1])
    told_all(device)
    tick(office)
    assert incidents(supervisor) == [] and audited(office)["problems"] == []


def test_a_capture_in_quarantine_is_not_missing(office, device, finding, supervisor):
    made = [shot(device, finding) for _ in range(3)]
    made[1]["set"]["role"] = "nonsense"
    outcomes = device.deliver(*made)
    assert [one["outcome"] for one in outcomes] == ["applied", "quarantined", "applied"]
    told_all(device)
    office.clock.put_on(hours=48)
    tick(office)
    supervisor = again(supervisor)
    assert incidents(supervisor) == [] and audited(office)["problems"] == []
    entry, = granted(supervisor.get("/quarantine"))["items"]
    granted(supervisor.post(f"/quarantine/{entry['id']}/release", {"set": {"role": "scene"}}))
    tick(office)
    assert incidents(supervisor) == [] and audited(office)["problems"] == []


def test_a_gap_closes_by_itself_and_keeps_what_was_explained(office, device, finding, supervisor):
    made = without(device, finding, 5, 1, 2, 3)
    told_all(device)
    tick(office)
    incident, = incidents(supervisor)
    device.catch_up()
    assert device.rows["incident", incident["id"]]["fields"]["status"] == "open", "the inspector learns of it offline"
    outcome, = device.deliver(device.command("incident", incident["id"], 1, "explain", {"reason": "相机卡死"}))
    assert outcome["outcome"] == "applied"
    late(device, made[2])
    told = supervisor.record("incident", incident["id"])["fields"]
    assert (told["status"], told["missing"]) == ("explained", [[2, 2], [4, 4]])
    late(device, made[1])
    late(device, made[3])
    told = supervisor.record("incident", incident["id"])["fields"]
    assert (told["status"], told["missing"], told["closed"]["by"]) == ("closed", [], "server")
    assert [one["reason"] for one in told["explanations"]] == ["相机卡死"]
    assert audited(office)["problems"] == []


def test_an_explanation_after_the_end_is_kept_and_closing_twice_is_not_possible(office, device, finding, supervisor):
    without(device, finding, 3, 1)
    told_all(device)
    tick(office)
    incident, = incidents(supervisor)
    refused(supervisor.command("incident", incident["id"], "close", {"reason": " "}), 422, "need_missing")
    granted(supervisor.command("incident", incident["id"], "close", {"reason": "设备损坏,已核实"}))
    refused(supervisor.command("incident", incident["id"], "close", {"reason": "再次"}), 409, "state_moved")
    outcome, = device.deliver(device.command("incident", incident["id"], 1, "explain", {"reason": "摔坏"}))
    assert outcome["outcome"] == "applied"
    told = supervisor.record("incident", incident["id"])["fields"]
    assert (told["status"], told["closed"]["reason"], told["explanations"][0]["reason"]) == (
        "closed", "设备损坏,已核实", "摔坏")
    history = granted(supervisor.get(f"/records/incident/{incident['id']}/history"))["items"]
    assert [one["name"] for one in history] == ["open", "close", "explain"]
    tick(office)
    assert len(incidents(supervisor)) == 1, "what is closed is not opened again"


def test_who_may_explain_and_who_may_close(office, device, finding, supervisor):
    without(device, finding, 3, 1)
    told_all(device)
    tick(office)
    incident, = incidents(supervisor)
    stranger = office.person("inspector", scopes=(SCOPE,), who="another")
    elsewhere = office.person("supervisor", scopes=("320411",))
    why = {"reason": "为何"}
    refused(stranger.command("incident", incident["id"], "explain", why), 403, "role_forbidden")
    refused(device.owner.command("incident", incident["id"], "close", why), 403, "role_forbidden")
    refused(elsewhere.command("incident", incident["id"], "close", why), 404, "not_found")
    refused(office.person("auditor", scopes=("3204",)).command("incident", incident["id"], "close", why), 403,
            "role_forbidden")
    refused(supervisor.command("incident", incident["id"], "resolve", why), 422, "command_unknown")
    refused(supervisor.post("/records/incident", {"scope": SCOPE, "fields": {}}), 403, "not_creatable")
    granted(device.owner.command("incident", incident["id"], "explain", why))
    granted(supervisor.command("incident", incident["id"], "close", why))


def test_nobody_closes_an_incident_of_his_own_device(office, supervisor):
    both = office.newcomer("inspector", "supervisor", scopes=(SCOPE,))
    device = office.handheld(owner=both)
    without(device, device.report(SCOPE), 3, 1)
    told_all(device)
    tick(office)
    incident, = incidents(supervisor)
    refused(both.command("incident", incident["id"], "close", {"reason": "无事"}), 403, "own_work")
    granted(both.command("incident", incident["id"], "explain", {"reason": "误删"}))


def test_a_fork_is_an_incident_at_once_one_for_all_twins(office, device, finding, supervisor):
    first = shot(device, finding)
    seq, prev = device.seq, device.prev
    twins = [shot(device, finding)]
    for _ in range(2):
        device.seq, device.prev = seq, prev
        twins.append(shot(device, finding))
    device.deliver(first, *twins[:2])
    incident, = incidents(supervisor)
    said = incident["fields"]
    assert (said["kind"], said["severity"], said["status"], said["seq"]) == ("chain_fork", "high", "open", 2)
    assert said["evidence"] == sorted(twin["record_id"] for twin in twins[:2])
    granted(supervisor.command("incident", incident["id"], "close", {"reason": "还原旧备份"}))
    device.deliver(twins[2])
    incident, = incidents(supervisor)
    assert incident["fields"]["status"] == "open", "another entry with this number opens it again"
    assert incident["fields"]["evidence"] == sorted(twin["record_id"] for twin in twins)
    assert audited(office)["problems"] == []


def test_a_device_that_goes_on_with_an_old_number_forks(office, device, finding, supervisor):
    """Its chain was restored from an old copy, its outbox was not."""
    made = [shot(device, finding) for _ in range(2)]
    old = device.seq, device.prev
    made += [shot(device, finding) for _ in range(2)]
    device.deliver(*made)
    device.seq, device.prev = old
    device.deliver(shot(device, finding))
    incident, = incidents(supervisor)
    assert (incident["fields"]["kind"], incident["fields"]["seq"]) == ("chain_fork", 3)
    assert audited(office)["problems"] == []


def test_a_revoked_device_leaves_what_it_had_not_delivered_to_explain(office, device, finding, supervisor):
    granted(device.push(health={"unsent": 7, "unsent_photos": 3, "oldest_unsent_at": "2026-01-02T00:00:00.000Z"}))
    made = without(device, finding, 3, 1)
    granted(supervisor.post(f"/devices/{device.id}/revoke", {"reason": "遗失"}))
    granted(supervisor.post(f"/devices/{device.id}/revoke", {"reason": "再次"}))
    tick(office)
    lost, gap = sorted(incidents(supervisor), key=lambda one: one["fields"]["kind"] != "undelivered")
    assert lost["fields"]["undelivered"]["unsent"] == 7 and lost["fields"]["undelivered"]["unsent_photos"] == 3
    assert (lost["fields"]["note"], lost["scope"]) == ("遗失", SCOPE)
    assert gap["fields"]["missing"] == [[2, 2]], "it never comes any more, so nobody waits for it"
    again = office.handheld(owner=device.owner)
    again.deliver(*(shot(again, finding) for _ in range(2)))
    assert len(incidents(supervisor)) == 2, "the device in its place begins a chain of its own"
    assert made[1]["n"] and audited(office)["problems"] == []


def test_a_device_that_had_delivered_everything_leaves_nothing(office, device, finding, supervisor):
    told_all(device)
    granted(supervisor.post(f"/devices/{device.id}/revoke", {"reason": "更换"}))
    tick(office)
    assert incidents(supervisor) == []


def test_an_incident_moves_along_with_the_evidence_that_it_is_about(office, device, finding, supervisor):
    without(device, finding, 3, 1)
    told_all(device)
    tick(office)
    granted(supervisor.command("finding", finding, "move", {"scope": "320412113", "reason": "划错"}))
    incident, = incidents(supervisor)
    assert incident["scope"] == "320412113"


@pytest.mark.parametrize(("broken", "statement"), [
    ("gap", "DELETE FROM chain_break"), ("fork", "DELETE FROM record WHERE type = 'incident'")])
def test_a_break_of_which_there_is_no_incident_is_named(office, device, finding, broken, statement):
    if broken == "gap":
        without(device, finding, 3, 1)
    else:
        twin = shot(device, finding)
        device.seq, device.prev = 0, "0" * 64
        device.deliver(twin, shot(device, finding))
    assert audited(office)["problems"] == []
    with office.app.app_context():
        db.session.execute(text(statement))
        db.session.commit()
    assert "break_without_incident" in audited(office)["found"]
