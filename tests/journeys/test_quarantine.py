"""Quarantine (protocol section 2): kept whole, seen by a supervisor, released after correction or dismissed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import Person, a_finding, granted, refused

SCOPE = "320412104"


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=(SCOPE,))


def quarantined(device: Handheld, **fields: Any) -> dict[str, Any]:
    """Push a finding of an unknown class; the mutation."""
    mutation = device.create("finding", SCOPE, a_finding(class_code="9876", **fields))
    assert device.deliver(mutation)[0]["outcome"] == "quarantined"
    return mutation


def entry(reader: Person | Handheld, mutation: dict[str, Any]) -> dict[str, Any]:
    found, = (row for row in granted(reader.get("/quarantine"))["items"] if row["mutation"]["id"] == mutation["id"])
    return found


def test_the_raw_mutation_is_kept_whole_with_its_problem(device: Handheld, supervisor: Person) -> None:
    mutation = quarantined(device, weather="雨", nested={"deep": [1, 2.5, None, "文"]})
    row = entry(supervisor, mutation)
    assert row["mutation"] == mutation
    assert (row["device_id"], row["n"]) == (device.id, mutation["n"])
    assert row["problem"]["code"] == "class_unknown"
    assert row["received_at"].endswith("Z")
    assert row["id"]
    assert row["reason"]


def test_a_device_sees_its_own_and_a_foreign_supervisor_nothing(bureau: Bureau, device: Handheld) -> None:
    mutation = quarantined(device)
    assert entry(device, mutation)["n"] == mutation["n"]
    others = [bureau.handheld(SCOPE, who="other"), bureau.person("supervisor", scopes=("320402001",))]
    for other in others:
        assert mutation["id"] not in [row["mutation"]["id"] for row in granted(other.get("/quarantine"))["items"]]


def test_release_after_correction_applies_it(device: Handheld, supervisor: Person) -> None:
    mutation = quarantined(device, text="要紧")
    device.catch_up()
    row = entry(supervisor, mutation)
    granted(supervisor.post(f"/quarantine/{row['id']}/release", {"set": {"class_code": "0504"}}))
    record = supervisor.record("finding", mutation["record_id"])
    assert (record["fields"]["text"], record["fields"]["class_code"]) == ("要紧", "0504")
    device.catch_up()
    assert ("finding", mutation["record_id"]) in device.rows
    assert mutation["id"] in [news["id"] for news in device.settled]
    again, = device.deliver(mutation)
    assert (again["outcome"], again["replayed"]) == ("quarantined", True)
    assert again["settled"]["outcome"] == "applied"


def test_release_without_correction_is_refused_and_keeps_it(device: Handheld, supervisor: Person) -> None:
    mutation = quarantined(device)
    refused(supervisor.post(f"/quarantine/{entry(supervisor, mutation)['id']}/release"), (409, 422))
    assert entry(supervisor, mutation)["mutation"] == mutation


def test_dismiss_wants_a_reason_and_closes_it(device: Handheld, supervisor: Person) -> None:
    mutation = quarantined(device)
    row = entry(supervisor, mutation)
    refused(supervisor.post(f"/quarantine/{row['id']}/dismiss"), 422)
    granted(supervisor.post(f"/quarantine/{row['id']}/dismiss", {"reason": "重复上报"}))
    refused(supervisor.post(f"/quarantine/{row['id']}/release", {"set": {"class_code": "0504"}}), 409)
    device.catch_up()
    news, = (each for each in device.settled if each["id"] == mutation["id"])
    assert "dismissed" in str(news)
    refused(supervisor.get(f"/records/finding/{mutation['record_id']}"), 404)


def test_only_a_supervisor_in_scope_decides(bureau: Bureau, device: Handheld, supervisor: Person) -> None:
    row = entry(supervisor, quarantined(device))
    for person in (bureau.person("inspector", scopes=(SCOPE,)), bureau.person("reviewer", scopes=(SCOPE,)),
                   bureau.person("supervisor", scopes=("320402001",))):
        refused(person.post(f"/quarantine/{row['id']}/release", {"set": {"class_code": "0504"}}), (403, 404))
        refused(person.post(f"/quarantine/{row['id']}/dismiss", {"reason": "x"}), (403, 404))


def test_a_mutation_out_of_scope_is_kept_too(bureau: Bureau, device: Handheld) -> None:
    mutation = device.create("finding", "320402001", a_finding())
    assert device.deliver(mutation)[0]["problem"]["code"] == "out_of_scope"
    assert entry(device, mutation)["mutation"] == mutation


def test_an_unknown_entry_is_not_found(supervisor: Person) -> None:
    refused(supervisor.post("/quarantine/00000000-0000-7000-8000-000000000000/dismiss", {"reason": "x"}), 404)
