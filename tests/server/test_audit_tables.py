"""The audit of the tables beside the records: zones, quarantine, receipts, spot checks, people (design section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bureau import collection, frontage
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited
from tests.wire import a_finding, granted, new_id

SCOPE = "320411101"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    """An installation that used every one of these tables."""
    with indoors(tmp_path_factory.mktemp("tables")) as office:
        office.zone = _zoned(office)
        _sent(office)
        office.drawn, office.judged, office.frozen = _drawn(office)
        yield office


def _drawn(office: Indoors) -> tuple[str, str, str]:
    """A spot check that was drawn and judged in part, the record judged, and a check that is only frozen."""
    device = office.handheld(SCOPE)
    for hour in range(8):
        device.report(SCOPE, observed_at=f"2025-03-04T{hour + 8:02d}:00:00.000Z")
    supervisor = office.person("supervisor", scopes=("3204",))
    asked = {"title": "回头看", "size": 3, "strata": ["inspector_id"], "frame": {
        "type": "finding", "scopes": [SCOPE], "from": "2025-03-04T00:00:00.000Z", "to": "2025-03-05T00:00:00.000Z"}}
    drawn, frozen = (granted(supervisor.post("/spot-checks", asked), 201)["id"] for _ in range(2))
    sample = granted(supervisor.post(f"/spot-checks/{drawn}/draw"))["sample"]
    judged = sample[0]["record_id"]
    granted(supervisor.post(f"/spot-checks/{drawn}/samples/{judged}/verdict",
                            {"verdict": "disputed", "values": {"class_code": "0504"}, "note": "现场复核"}))
    return drawn, judged, frozen


def _sent(office: Indoors) -> None:
    """Mutations that were quarantined, released, dismissed, that wait and that waited, some sent from two devices."""
    one, supervisor = office.handheld(SCOPE, who="sender"), office.person("supervisor", scopes=("3204",))
    wrong = [one.create("finding", SCOPE, a_finding(class_code="9999")) for _ in range(4)]
    awaited = new_id()
    late, lost = (one.edit("finding", record_id, 1, set={"text": "补"}) for record_id in (awaited, new_id()))
    finding, ahead = (one.create("finding", SCOPE, a_finding(), id=record_id) for record_id in (new_id(), awaited))
    odd = one.mutation("finding", ["no id"], "put")
    one.deliver(*wrong, late, lost, finding, ahead, odd)
    office.sender, office.quarantined = one.id, {}
    for entry in granted(one.get("/quarantine"))["items"]:
        office.quarantined[entry["n"]] = entry["id"]
    granted(supervisor.post(f"/quarantine/{office.quarantined[1]}/release", {"set": {"class_code": "0504"}}))
    granted(supervisor.post(f"/quarantine/{office.quarantined[2]}/dismiss", {"reason": "重复"}))
    two = office.handheld(SCOPE, owner=one.owner)
    two.deliver(*({**mutation, "n": next(two.numbers)} for mutation in [*wrong, late, lost, finding, ahead, odd]))
    granted(supervisor.post(f"/quarantine/{office.quarantined[4]}/dismiss", {"reason": "重复"}))


def _zoned(office: Indoors) -> str:
    """A zone that got another party, another name and another scope."""
    zone = frontage(119.9, 31.7, SCOPE)
    zone_id = zone["properties"]["zone_id"]
    for more in ({}, {"party": {"name": "四余便利店"}}, {"name": "四余便利店"}, {"scope": "320411102"}):
        zone["properties"] |= more
        granted(office.admin.post("/zones/import", collection(zone)))
    supervisor = office.person("supervisor", scopes=("3204",))
    granted(supervisor.command("zone", zone_id, "move", {"scope": SCOPE, "reason": "划界"}))
    return zone_id


def test_tables_that_nobody_tampered_with_are_sound(office: Indoors) -> None:
    found = audited(office)
    assert found["problems"] == []
    assert found["checked"]["zone_versions"] == 4
    assert found["checked"]["quarantined"] == 5
    assert found["checked"]["receipts"] == 26
    assert (found["checked"]["spot_checks"], found["checked"]["verdicts"]) == (2, 1)
    assert found["checked"]["people"] == 4


@pytest.mark.parametrize(("statement", "expected", "said"), [
    ("UPDATE zone_version SET outline = replace(outline, '119.9', '119.8')", "zone_altered", "outline, digest"),
    ("UPDATE zone_version SET party = '{}'", "zone_altered", "party, digest"),
    ("UPDATE zone_version SET party = 'x'", "zone_altered", "party, digest"),
    ("UPDATE zone_version SET sticker_serial = 'x'", "zone_altered", "sticker_serial, digest"),
    ("UPDATE zone_version SET valid_from = '2020-01-01T00:00:00.000Z'", "zone_altered", "valid_from, digest"),
    ("UPDATE zone_version SET valid_to = '2020-01-01T00:00:00.000Z'", "zone_altered", "valid_to, digest"),
    ("UPDATE zone_version SET scope = '320411103'", "zone_altered", "scope, digest"),
    ("UPDATE zone_version SET name = 'x'", "zone_altered", "name"),
    ("UPDATE zone_version SET number = 1", "zone_altered", "number"),
    ("UPDATE zone_version SET digest = 'x'", "zone_altered", "digest"),
    ("DELETE FROM zone_version", "zone_missing", "version 2"),
    ("UPDATE zone_version SET version = 9", "zone_missing", "version 2"),
])
def test_a_zone_version_that_its_record_never_had_is_found(office: Indoors, tampered: Any, statement: str,
                                                           expected: str, said: str) -> None:
    found = tampered(f"{statement} WHERE zone_id = :zone AND version = 2", zone=office.zone)
    assert {problem["about"] for problem in found["problems"]} == {office.zone}
    assert said in next(problem["detail"] for problem in found["problems"] if problem["code"] == expected)


@pytest.mark.parametrize(("change", "about", "expected"), [
    ("UPDATE quarantine SET mutation = replace(mutation, '9999', '0504')", 3, {"quarantine_altered: mutation"}),
    ("UPDATE quarantine SET mutation = 'x'", 3, {"quarantine_altered: mutation"}),
    ("UPDATE quarantine SET state = 'dismissed'", 3, {"quarantine_altered: state, receipt"}),
    ("UPDATE quarantine SET state = 'open'", 1, {"quarantine_altered: state, receipt"}),
    ("UPDATE quarantine SET state = 'open'", 2, {"quarantine_altered: state, receipt"}),
    ("UPDATE quarantine SET user_id = 'x'", 2, {"quarantine_altered: user_id"}),
    ("UPDATE quarantine SET reason = 'x'", 2, {"quarantine_altered: reason"}),
    ("UPDATE quarantine SET received_at = 'x'", 2, {"quarantine_altered: received_at"}),
    ("UPDATE quarantine SET settlement = replace(settlement, 'by', 'x')", 2, {"quarantine_altered: settlement"}),
    ("UPDATE quarantine SET settlement = replace(settlement, '重复', '误报')", 2, {"quarantine_altered: settlement"}),
    ("UPDATE quarantine SET settlement = replace(settlement, '0504', '0501')", 1, {"quarantine_altered: settlement"}),
])
def test_an_entry_of_the_quarantine_that_was_altered_is_found(office: Indoors, tampered: Any, change: str, about: int,
                                                              expected: set[str]) -> None:
    found = tampered(f"{change} WHERE id = :entry", entry=office.quarantined[about])
    assert {f"{problem['code']}: {problem['detail'].partition(' differs')[0]}" for problem in found["problems"]
            } == expected
    assert {problem["about"] for problem in found["problems"]} == {office.quarantined[about]}


def test_an_entry_that_left_the_quarantine_is_found(office: Indoors, tampered: Any) -> None:
    found = tampered("DELETE FROM quarantine WHERE id = :entry", entry=office.quarantined[3])["problems"]
    assert {(problem["code"], problem["about"]) for problem in found} >= {
        ("quarantine_missing", office.quarantined[3]), ("receipt_altered", office.sender)}


def test_an_entry_that_nothing_brought_into_the_quarantine_is_found(office: Indoors, tampered: Any) -> None:
    found = tampered("INSERT INTO quarantine SELECT 'forged', device_id, user_id, 7, received_at, scope, record_id, "
                     "reason, problem, mutation, state, settlement FROM quarantine WHERE id = :entry",
                     entry=office.quarantined[3])["problems"]
    assert {(problem["code"], problem["about"]) for problem in found} == {
        ("quarantine_unknown", "forged"), ("receipt_altered", office.sender)}


@pytest.mark.parametrize(("change", "n", "expected"), [
    ("DELETE FROM receipt", 1, "number 1 has no receipt"), ("DELETE FROM receipt", 9, "its receipts end at 8"),
    ("DELETE FROM held", 6, "number 6: held, and waits nowhere"),
    ("UPDATE held SET mutations = replace(mutations, '补', '改')", 6, "number 6 that waits is not what was sent"),
    ("UPDATE receipt SET outcome = replace(outcome, 'quarantined', 'applied')", 3, "number 3: applied as a version"),
    ("UPDATE receipt SET outcome = replace(outcome, 'applied', 'quarantined')", 7, "number 7: not in the quarantine"),
    ("UPDATE receipt SET outcome = replace(outcome, 'applied', 'held')", 7, "number 7: held, and waits nowhere"),
    ("UPDATE receipt SET outcome = replace(outcome, '\"version\"\\:1', '\"version\"\\:7')", 7, "number 7: applied as"),
    ("UPDATE receipt SET outcome = 'x'", 7, "number 7: its outcome is none"),
    ("UPDATE receipt SET outcome = replace(outcome, 'held', 'applied')", 6, "number 6: applied as a version"),
    ("UPDATE receipt SET settled = NULL", 5, "number 5: held, and waits nowhere"),
    ("UPDATE receipt SET settled = '{\"outcome\"\\:\"dismissed\"}'", 5, "number 5: not in the quarantine"),
])
def test_a_receipt_or_what_waits_that_was_altered_is_found(office: Indoors, tampered: Any, change: str, n: int,
                                                           expected: str) -> None:
    found = tampered(f"{change} WHERE device_id = :device AND n = :n", device=office.sender, n=n)["problems"]
    assert any(expected in problem["detail"] and problem["about"] == office.sender for problem in found), found


@pytest.mark.parametrize(("change", "said"), [
    ("UPDATE spot_check SET frame = replace(frame, '-', '_')", "frame"),
    ("UPDATE spot_check SET frame = 'x'", "frame"),
    ("UPDATE spot_check SET secret = commitment", "secret"), ("UPDATE spot_check SET secret = 'x'", "secret"),
    ("UPDATE spot_check SET commitment = secret", "commitment"), ("UPDATE spot_check SET size = 2", "size"),
    ("UPDATE spot_check SET frame_digest = secret", "frame_digest"), ("UPDATE spot_check SET made_by = 'x'", "made_by"),
    ("UPDATE spot_check SET made_at = 'x'", "made_at"), ("UPDATE spot_check SET scopes = '[]'", "scopes"),
    ("UPDATE spot_check SET asked = replace(asked, '2025-03-04', '2025-03-03')", "asked"),
    ("UPDATE spot_check SET frozen_index = 0", "frozen_index"), ("UPDATE spot_check SET beacon = secret", "beacon"),
    ("UPDATE spot_check SET title = 'x'", "title"),
    ("UPDATE spot_check SET seed = secret", "seed"), ("UPDATE spot_check SET allocation = '{}'", "allocation"),
    ("UPDATE spot_check SET drawn_at = 'x'", "drawn_at"), ("UPDATE spot_check SET state = 'frozen'", "state"),
])
def test_a_spot_check_that_was_altered_is_found(office: Indoors, tampered: Any, change: str, said: str) -> None:
    problem, = tampered(f"{change} WHERE id = :check", check=office.drawn)["problems"]
    assert (problem["code"], problem["about"]) == ("spot_check_altered", office.drawn)
    assert said in problem["detail"].partition(" differs")[0].split(", ")


@pytest.mark.parametrize("change", [
    "UPDATE spot_sample SET rank = 9 WHERE rank = 2", "DELETE FROM spot_sample WHERE rank = 2",
    "UPDATE spot_sample SET stratum = 'x' WHERE rank = 2",
    "UPDATE spot_sample SET record_id = (SELECT id FROM record WHERE type = 'finding' AND id NOT IN "
    "(SELECT record_id FROM spot_sample) LIMIT 1) WHERE rank = 3"])
def test_a_sample_that_the_draw_does_not_give_is_found(office: Indoors, tampered: Any, change: str) -> None:
    problem, = tampered(change)["problems"]
    assert (problem["code"], problem["about"]) == ("spot_check_altered", office.drawn)
    assert problem["detail"].startswith("sample differs")


def test_a_check_that_claims_to_be_drawn_is_found(office: Indoors, tampered: Any) -> None:
    problem, = tampered("UPDATE spot_check SET state = 'drawn' WHERE id = :check", check=office.frozen)["problems"]
    assert (problem["code"], problem["about"]) == ("spot_check_altered", office.frozen)


def test_a_spot_check_that_vanished_is_found(office: Indoors, tampered: Any) -> None:
    found = tampered("DELETE FROM spot_check WHERE id = :check", check=office.drawn)["problems"]
    assert {(problem["code"], problem["about"]) for problem in found} >= {
        ("spot_check_missing", office.drawn), ("spot_sample_unknown", office.judged)}


@pytest.mark.parametrize("change", ["verdict = 'confirmed'", "verdict = NULL", "judged_by = 'x'", "judged_at = 'x'",
                                    "note = 'x'", "\"values\" = '{}'"])
def test_a_verdict_that_was_altered_is_found(office: Indoors, tampered: Any, change: str) -> None:
    problem, = tampered(f"UPDATE spot_sample SET {change} WHERE verdict IS NOT NULL")["problems"]
    assert (problem["code"], problem["about"]) == ("verdict_altered", office.judged)
    assert change.partition(" ")[0].strip('"') in problem["detail"]


@pytest.mark.parametrize(("change", "said"), [
    ("""roles = '["admin"]'""", "roles"), ("""scopes = '["32"]'""", "scopes, scopes_version"),
    ("name = 'x'", "username, name, unit or password"), ("unit = 'x'", "username, name, unit or password"),
    ("password_hash = 'x'", "username, name, unit or password"), ("active = 0", "active"), ("roles = 'x'", "roles"),
    ("scopes_version = 2", "scopes_version")])
def test_rights_that_nobody_gave_are_found(office: Indoors, tampered: Any, change: str, said: str) -> None:
    user_id = granted(office.person("supervisor", scopes=("3204",)).get("/hello"))["user"]["id"]
    problem, = tampered(f"UPDATE person SET {change} WHERE id = :user", user=user_id)["problems"]
    assert (problem["code"], problem["about"]) == ("person_altered", user_id)
    assert problem["detail"] == f"{said} differs from the journal"


def test_a_person_who_came_or_went_behind_the_journal_is_found(office: Indoors, tampered: Any) -> None:
    user_id = granted(office.person("supervisor", scopes=("3204",)).get("/hello"))["user"]["id"]
    found = tampered("UPDATE person SET id = 'forged' WHERE id = :user", user=user_id)["problems"]
    assert {(problem["code"], problem["about"]) for problem in found} == {
        ("person_missing", user_id), ("person_unknown", "forged")}
