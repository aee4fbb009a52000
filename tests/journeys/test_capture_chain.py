"""The capture chain (protocol section 7): gaps, forks, signatures, and the bracket that no clock of a device moves."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.bureau import Bureau, eventually
from tests.enrolled import NO_ENTRY, Handheld
from tests.wire import granted, moment, new_id, position, sha256

SCOPE = "320412114"
CHAIN_FLAGS = {"chain_gap", "chain_fork", "signature_invalid", "unsigned"}


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture
def finding(device: Handheld) -> str:
    return device.report(SCOPE)


def shot(device: Handheld, finding: str, **fields: Any) -> dict[str, Any]:
    return device.capture(SCOPE, new_id().encode(), ("finding", finding), **fields)


def flags(device: Handheld, mutation: dict[str, Any]) -> set[str]:
    fields = device.owner.record("evidence", mutation["record_id"])["fields"]
    return {flag["code"] for flag in fields.get("flags") or []} & CHAIN_FLAGS


def test_an_unbroken_chain_has_no_flag(device: Handheld, finding: str) -> None:
    shots = [shot(device, finding, position=position(119.9, 31.6)) for _ in range(4)]
    device.deliver(*shots)
    assert [flags(device, each) for each in shots] == [set()] * 4


def test_a_missing_entry_is_a_gap_until_it_arrives(device: Handheld, finding: str) -> None:
    first, second, third = (shot(device, finding) for _ in range(3))
    late = {**second, "n": third["n"]}
    device.deliver(first, {**third, "n": second["n"]})
    assert eventually(lambda: "chain_gap" in flags(device, third), within_s=10)
    device.deliver(late)
    assert eventually(lambda: not flags(device, third), within_s=10), flags(device, third)
    assert flags(device, second) == set()


def test_two_entries_with_one_number_are_a_fork(device: Handheld, finding: str) -> None:
    first = shot(device, finding)
    seq, prev = device.seq, device.prev
    second = shot(device, finding)
    device.seq, device.prev = seq, prev
    twin = shot(device, finding)
    device.deliver(first, second, twin)
    assert eventually(lambda: "chain_fork" in flags(device, second) & flags(device, twin), within_s=10)
    assert flags(device, first) == set()


def test_a_previous_hash_that_does_not_match_is_a_fork(device: Handheld, finding: str) -> None:
    first = shot(device, finding)
    device.prev = sha256(b"another history")
    second = shot(device, finding)
    device.deliver(first, second)
    assert eventually(lambda: "chain_fork" in flags(device, second), within_s=10)


def test_a_first_entry_that_claims_a_past_is_noticed(device: Handheld, finding: str) -> None:
    device.prev = sha256(b"nothing")
    first = shot(device, finding)
    device.deliver(first)
    assert eventually(lambda: flags(device, first), within_s=10)


@pytest.mark.parametrize("change", [{"captured_at": "2026-01-01T00:00:00.000Z"}, {"bytes": 12345},
                                    {"sha256": "ab" * 32}, {"position": position(120, 30)}])
def test_what_was_changed_after_signing_does_not_verify(device: Handheld, finding: str, change: dict[str, Any]) -> None:
    mutation = shot(device, finding)
    mutation["set"] |= change
    device.deliver(mutation)
    assert eventually(lambda: "signature_invalid" in flags(device, mutation), within_s=10)


def test_a_signature_that_is_none_is_flagged_and_the_photo_kept(device: Handheld, finding: str) -> None:
    mutation = shot(device, finding)
    mutation["set"]["capture"]["sig"] = "AAAA"
    assert device.deliver(mutation)[0]["outcome"] == "applied"
    assert eventually(lambda: "signature_invalid" in flags(device, mutation), within_s=10)


def test_a_device_without_a_key_is_flagged_unsigned(bureau: Bureau) -> None:
    device = bureau.handheld(SCOPE, signs=False)
    mutation = shot(device, device.report(SCOPE))
    assert device.deliver(mutation)[0]["outcome"] == "applied"
    assert eventually(lambda: "unsigned" in flags(device, mutation), within_s=10)


@pytest.mark.parametrize("capture", [
    {"seq": "one", "prev": NO_ENTRY, "beacon": None, "sig": "AAAA"},
    {"seq": -1, "prev": NO_ENTRY, "beacon": None, "sig": ""},
    {"seq": 10**30, "prev": "short", "beacon": 7, "sig": None}, "not a chain", [], {}])
def test_a_malformed_entry_loses_no_photo(device: Handheld, finding: str, capture: Any) -> None:
    mutation = shot(device, finding)
    mutation["set"]["capture"] = capture
    outcome, = device.deliver(mutation)
    assert outcome["outcome"] in ("applied", "quarantined")


def test_the_bracket_stands_between_beacon_and_receipt(device: Handheld, finding: str) -> None:
    note = device.get("/journal/checkpoint").text
    beacon = base64.b64decode(note.splitlines()[2]).hex()
    mutation = shot(device, finding, beacon=beacon, captured_at=moment(-5 * 365 * 86400))
    device.deliver(mutation)
    fields = device.owner.record("evidence", mutation["record_id"])["fields"]
    bracket = eventually(lambda: device.owner.record("evidence", mutation["record_id"])["fields"].get("bracket"))
    earliest, latest = (datetime.fromisoformat(bracket[name]) for name in ("not_before", "not_after"))
    assert earliest <= latest
    assert datetime.now(UTC) - timedelta(days=1) < earliest
    assert abs(latest - datetime.fromisoformat(fields["received_at"])) < timedelta(seconds=2)


def test_without_a_beacon_the_bracket_is_open_to_the_past(device: Handheld, finding: str) -> None:
    mutation = shot(device, finding)
    device.deliver(mutation)
    bracket = eventually(lambda: device.owner.record("evidence", mutation["record_id"])["fields"].get("bracket"))
    assert bracket["not_before"] is None
    assert bracket["not_after"]


def incidents(bureau: Bureau, device: Handheld) -> list[dict[str, Any]]:
    supervisor = bureau.person("supervisor", scopes=("3204",))
    asked = f"/records?type=incident&inspector_id={device.user['id']}&limit=500"
    return [one for one in granted(supervisor.get(asked))["items"] if one["fields"]["device"] == device.id]


def test_a_gap_is_an_item_that_the_inspector_explains_and_that_closes_by_itself(bureau: Bureau, device: Handheld,
                                                                               finding: str) -> None:
    first, second, third = (shot(device, finding) for _ in range(3))
    late = {**second, "n": third["n"]}
    device.deliver(first, {**third, "n": second["n"]})
    assert incidents(bureau, device) == []
    granted(device.push(health={"unsent": 0}))
    incident, = eventually(lambda: incidents(bureau, device), within_s=20)
    assert (incident["fields"]["kind"], incident["fields"]["missing"]) == ("chain_gap", [[2, 2]])
    device.catch_up()
    assert ("incident", incident["id"]) in device.rows
    granted(device.owner.command("incident", incident["id"], "explain", {"reason": "补传"}))
    device.deliver(late)
    incident, = incidents(bureau, device)
    assert (incident["fields"]["status"], incident["fields"]["missing"]) == ("closed", [])


def test_a_fork_is_an_incident_at_once(bureau: Bureau, device: Handheld, finding: str) -> None:
    first = shot(device, finding)
    seq, prev = device.seq, device.prev
    second = shot(device, finding)
    device.seq, device.prev = seq, prev
    twin = shot(device, finding)
    device.deliver(first, second, twin)
    incident, = incidents(bureau, device)
    assert (incident["fields"]["kind"], incident["fields"]["severity"]) == ("chain_fork", "high")
    assert set(incident["fields"]["evidence"]) == {second["record_id"], twin["record_id"]}


def test_a_revoked_device_leaves_what_it_had_told_and_its_successor_begins_anew(bureau: Bureau, device: Handheld,
                                                                               finding: str) -> None:
    device.deliver(shot(device, finding))
    granted(device.push(health={"unsent": 3, "unsent_photos": 2}))
    granted(bureau.admin.post(f"/devices/{device.id}/revoke", {"reason": "遗失"}))
    incident, = incidents(bureau, device)
    assert incident["fields"]["undelivered"]["unsent_photos"] == 2
    successor = bureau.handheld(owner=device.owner)
    successor.deliver(shot(successor, finding))
    assert incidents(bureau, successor) == []
