"""The audit finds what was changed behind the door, and nothing else (design section 5, `verify`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from media.models import Rendition
from server.db import db, guard_again
from server.doctor import examine
from sync.journal import commitment
from tests.bureau import a_photo
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited, codes
from tests.wire import Person, a_finding, granted, sha256

SCOPE = "320411101"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    """An installation that has seen something of everything: merges, conflicts, points, deletions, moves, photos."""
    with indoors(tmp_path_factory.mktemp("audit")) as office:
        one, two = office.handheld(SCOPE), office.handheld(SCOPE, signs=False, who="another")
        supervisor = office.person("supervisor", scopes=("3204",))
        reviewer = office.person("reviewer", scopes=("3204",))
        office.finding = _edited_by_both(one, two, supervisor)
        office.evidence = _photographed(one, office.finding), _photographed(one, office.finding)
        _photographed(two, office.finding)
        version = reviewer.record("finding", office.finding)["version"]
        granted(reviewer.post(f"/reviews/{office.finding}/decisions",
                              {"decision": "return", "version": version, "note": "重拍"}), 201)
        granted(supervisor.command("finding", office.finding, "move", {"scope": "320411102", "reason": "划错"}))
        _tracked(one)
        office.clock.put_on(minutes=1)
        reviewer.get("/journal/checkpoint")
        yield office


def _edited_by_both(one: Handheld, two: Handheld, supervisor: Person) -> str:
    """A finding that two devices edited apart; another that one deleted and the other edited; both settled."""
    first, second = one.report(SCOPE, tags=["夜间"]), one.report(SCOPE)
    two.catch_up()
    one.deliver(one.edit("finding", first, 1, set={"text": "一"}, add={"tags": ["早市"]}),
                one.remove("finding", second, 1))
    outcomes = two.deliver(
        two.edit("finding", first, 1, set={"text": "二", "severity": "轻"}, remove={"tags": ["夜间"]}),
        two.edit("finding", second, 1, set={"text": "太晚"}))
    for outcome, choice in zip(outcomes, ("theirs", "mine"), strict=True):
        conflict, = outcome["conflicts"]
        granted(supervisor.command("conflict", conflict, "resolve", {"choice": choice}))
    one.deliver(one.remove("finding", one.report(SCOPE), 1))
    return first


def _photographed(device: Handheld, finding: str) -> tuple[str, str]:
    content = a_photo()
    mutation = device.capture(SCOPE, content, ("finding", finding))
    device.deliver(mutation)
    assert device.upload(content).status_code == 204
    return mutation["record_id"], sha256(content)


def _tracked(device: Handheld) -> None:
    points = [{"id": f"p{n}", "at": "2026-01-01T00:00:00.000Z", "lon": 119.9, "lat": 31.7, "crs": "EPSG:4326"}
              for n in range(3)]
    track = device.create("track", SCOPE, {}, add={"points": points[:2]})
    answers = device.create("inspection", SCOPE, {"started_at": "2026-01-01T00:00:00.000Z",
                                                  "answers": {"a": {"value": "pass"}}})
    device.deliver(track, answers)
    device.deliver(device.edit("track", track["record_id"], 1, add={"points": points}),
                   device.edit("inspection", answers["record_id"], 1, set={"answers": {"b": {"value": "fail"}}}))


def test_an_installation_that_nobody_tampered_with_is_sound(office: Indoors) -> None:
    found = audited(office)
    assert found["problems"] == found["notes"] == []
    assert found["ok"] is True
    assert found["checked"]["checks"] == 3 and found["checked"]["devices"] == 2
    assert found["checked"]["photos"] == found["checked"]["photos_read"] == found["checked"]["captures"] == 3
    assert found["checked"]["versions"] > found["checked"]["records"] > 8
    assert found["checked"]["journal_entries"] > found["checked"]["versions"]
    assert found["checked"]["checkpoints"] > 0
    json.dumps(found)


@pytest.mark.parametrize(("statement", "expected"), [
    ("UPDATE journal_entry SET actor = 'nobody' WHERE \"index\" = 3", {"entry_altered"}),
    ("UPDATE journal_entry SET body = '{}' WHERE \"index\" = (SELECT max(\"index\") FROM journal_entry "
     "WHERE kind = 'change')", {"entry_altered", "history_missing", "history_unknown"}),
    ("UPDATE journal_entry SET body = 'x' WHERE \"index\" = 0", {"entry_altered", "aside_unknown"}),
    ("UPDATE journal_entry SET leaf_hash = 'x' WHERE \"index\" = 3", {"entry_altered"}),
    ("DELETE FROM journal_entry WHERE \"index\" = 0", {"journal_gap", "person_unknown", "aside_unknown"}),
    ("UPDATE checkpoint SET root = :zeros", {"checkpoint_wrong", "checkpoint_unsigned"}),
    ("UPDATE checkpoint SET note = 'forged'", {"checkpoint_unsigned"}),
    ("UPDATE clock SET journal_size = journal_size + 1", {"clock_wrong"}),
])
def test_a_journal_that_was_rewritten_is_found(tampered: Any, statement: str, expected: set[str]) -> None:
    assert codes(tampered(statement, **({"zeros": "0" * 64} if ":zeros" in statement else {}))) == expected


@pytest.mark.parametrize(("statement", "expected"), [
    ("UPDATE journal_aside SET document = replace(document, '丢失', '换机')", "aside_altered"),
    ("UPDATE journal_aside SET document = 'x'", "aside_altered"), ("UPDATE journal_aside SET salt = 'x'",
                                                                   "aside_altered"),
    ("DELETE FROM journal_aside", "aside_missing"), ("UPDATE journal_aside SET \"index\" = -1", "aside_unknown"),
])
def test_words_that_an_entry_never_said_are_found(office: Indoors, tampered: Any, statement: str,
                                                  expected: str) -> None:
    office.clock.put_on(seconds=1)
    device = office.handheld(SCOPE)
    granted(office.admin.post(f"/devices/{device.id}/revoke", {"reason": "丢失"}))
    newest = "(SELECT max(\"index\") FROM journal_entry WHERE kind = 'device_revoked')"
    found = tampered(f"{statement} WHERE \"index\" = {newest}")
    assert expected in codes(found)
    assert "丢失" not in json.dumps(found, ensure_ascii=False), "values stay out of the report"


def test_triggers_that_were_taken_down_are_named(office: Indoors) -> None:
    with office.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER journal_node_no_delete"))
    problem, = audited(office)["problems"]
    assert (problem["code"], problem["about"]) == ("guard_missing", "journal_node")
    with office.app.app_context():
        assert examine()["triggers"] == (False, "缺少 missing on journal_node (bin/menqian init)")
        guard_again()
        assert examine()["triggers"][0]
    assert audited(office)["ok"]


def test_a_journal_that_was_cut_short_is_found(tampered: Any) -> None:
    assert codes(tampered("DELETE FROM journal_entry WHERE \"index\" > 3")) >= {"checkpoint_ahead", "clock_wrong"}


def test_a_leaf_forged_together_with_its_entry_breaks_the_root(office: Indoors, tampered: Any) -> None:
    from sync.journal import Entry
    leaf = Entry("2026-01-01T00:00:00.000Z", "user_added", "nobody", None, {}).leaf().hex()
    found = codes(tampered("UPDATE journal_entry SET at = '2026-01-01T00:00:00.000Z', kind = 'user_added', "
                           "actor = 'nobody', about = NULL, body = '{}', leaf_hash = :leaf WHERE \"index\" = 0",
                           leaf=leaf))
    assert {"checkpoint_wrong", "clock_wrong"} <= found


@pytest.mark.parametrize(("statement", "expected"), [
    ("UPDATE record SET fields = replace(fields, '武宜路2号', '武宜路3号') WHERE id = :finding", {"record_altered"}),
    ("UPDATE record SET fields = 'x' WHERE id = :finding", {"record_altered"}),
    ("UPDATE record SET deleted = 1 WHERE id = :finding", {"record_altered"}),
    ("UPDATE record SET version = version + 1 WHERE id = :finding", {"version_wrong"}),
    ("DELETE FROM record WHERE id = :finding", {"record_missing", "receipt_altered"}),
    ("UPDATE history SET changed = replace(changed, '武宜路2号', '武宜路3号') WHERE record_id = :finding "
     "AND version = 1", {"history_altered", "record_altered"}),
    ("DELETE FROM history WHERE record_id = :finding AND version = 1", {"history_missing", "version_wrong"}),
    ("DELETE FROM history WHERE record_id = :finding", {"history_missing", "record_unknown"}),
    ("INSERT INTO history SELECT record_id, version + 100, seq, at, actor, device_id, op, changed, note, salt, n "
     "FROM history WHERE record_id = :finding AND version = 1", {"history_unknown", "version_wrong"}),
])
def test_a_record_changed_behind_the_door_is_found(office: Indoors, tampered: Any, statement: str,
                                                   expected: set[str]) -> None:
    found = tampered(statement, finding=office.finding)
    assert codes(found) == expected
    assert {problem["about"] for problem in found["problems"] if problem["code"] != "receipt_altered"} == {
        office.finding}
    assert "武宜路" not in json.dumps(found, ensure_ascii=False), "values stay out of the report"


@pytest.mark.parametrize("column", ["actor", "at", "device_id", "op"])
def test_a_version_that_names_another_writer_time_or_device_than_the_journal_is_found(
        office: Indoors, tampered: Any, column: str) -> None:
    found = tampered(f"UPDATE history SET {column} = 'x' WHERE record_id = :finding AND version = 2",
                     finding=office.finding)
    problem, = found["problems"]
    assert (problem["code"], problem["about"]) == ("history_altered", office.finding)
    assert f"version 2: {column} differs" in problem["detail"]


@pytest.mark.parametrize("column", ["scope", "created_by", "created_at", "updated_at", "device_id", "seq",
                                    "created_seq"])
def test_a_record_whose_columns_say_other_than_its_history_is_found(office: Indoors, tampered: Any,
                                                                    column: str) -> None:
    value = "-1" if column.endswith("seq") else "'320411103'"
    problem, = tampered(f"UPDATE record SET {column} = {value} WHERE id = :finding", finding=office.finding)["problems"]
    assert (problem["code"], problem["about"]) == ("record_altered", office.finding)
    assert column in problem["detail"]


@pytest.mark.parametrize("change", [
    "status = 'closed'", "class_code = '0501'", "class_code = NULL", "zone_id = :zeros", "inspector_id = NULL",
    "due_at = '2020-01-01T00:00:00.000Z'", "observed_at = '2020-01-01T00:00:00.000Z'", "about_id = :zeros",
    "sha256 = :zeros", "media_state = 'verified'", "lon = 0", "lat = 31.7"])
def test_a_record_that_lists_would_show_as_another_is_found(office: Indoors, tampered: Any, change: str) -> None:
    values = {"zeros": "0" * 64} if ":zeros" in change else {}
    problem, = tampered(f"UPDATE record SET {change} WHERE id = :finding", finding=office.finding, **values)["problems"]
    assert (problem["code"], problem["about"]) == ("record_altered", office.finding)
    assert change.split()[0] in problem["detail"]


def test_a_record_without_what_its_type_needs_is_found_though_its_history_agrees(office: Indoors,
                                                                                 tampered: Any) -> None:
    evidence, _ = office.evidence[0]
    tampered("UPDATE history SET changed = json_remove(changed, '$.about') WHERE record_id = :id", id=evidence)
    found = tampered("UPDATE record SET fields = json_remove(fields, '$.about') WHERE id = :id", id=evidence)
    assert {"history_altered", "record_altered"} <= codes(found)


@pytest.mark.parametrize(("statement", "expected"), [
    ("UPDATE capture_entry SET hash = :zeros WHERE record_id = :first", {"capture_altered", "chain_broken"}),
    ("DELETE FROM capture_entry WHERE record_id = :first", {"capture_altered", "chain_broken"}),
    ("UPDATE capture_entry SET record_id = :zeros WHERE record_id = :second", {"capture_altered", "capture_orphan"}),
    ("UPDATE device SET public_key = NULL", {"capture_unsigned", "device_altered"}),
])
def test_a_capture_chain_that_was_mended_is_found(office: Indoors, tampered: Any, statement: str,
                                                  expected: set[str]) -> None:
    (first, _), (second, _) = office.evidence
    values = {"zeros": "0" * 36, "first": first, "second": second}
    assert codes(tampered(statement, **{name: value for name, value in values.items() if f":{name}" in statement})
                 ) == expected


def test_a_photo_lost_cut_or_replaced_is_named(office: Indoors) -> None:
    (_, first), (_, second) = office.evidence
    root = Path(office.app.extensions["menqian"].store.root)
    paths = [root / "sha256" / digest[:2] / digest for digest in (first, second)]
    sound = [path.read_bytes() for path in paths]
    for path in paths:
        path.chmod(0o640)
    try:
        paths[0].unlink()
        paths[1].write_bytes(bytes(len(sound[1])))
        found = audited(office)
        assert {(problem["code"], problem["about"]) for problem in found["problems"]} == {
            ("photo_missing", first), ("photo_wrong", second)}
        paths[1].write_bytes(sound[1][:-1])
        assert ("photo_wrong", second) in {(problem["code"], problem["about"])
                                           for problem in audited(office)["problems"]}
    finally:
        for path, content in zip(paths, sound, strict=True):
            path.write_bytes(content)
    assert audited(office)["ok"]


def test_a_rendition_lost_is_named_by_its_photo(office: Indoors) -> None:
    (_, digest), _ = office.evidence
    store = office.app.extensions["menqian"].store
    with office.app.app_context():
        made = db.session.get(Rendition, (digest, "thumb"))
        content = b"".join(store.open(made.sha256))
    store.delete(made.sha256)
    assert [(problem["code"], problem["about"]) for problem in audited(office)["problems"]] == [
        ("rendition_missing", digest)]
    again = office.app.extensions["menqian"].settings.spool / "again"
    again.write_bytes(content)
    store.put(made.sha256, again, "image/jpeg")
    again.unlink()
    assert audited(office)["ok"]


@pytest.mark.parametrize("kind", ["thumb", "screen"])
def test_a_rendition_of_which_one_byte_was_changed_is_named_by_its_photo(office: Indoors, kind: str) -> None:
    (_, digest), _ = office.evidence
    with office.app.app_context():
        made = db.session.get(Rendition, (digest, kind)).sha256
    path = Path(office.app.extensions["menqian"].store.root) / "sha256" / made[:2] / made
    sound = path.read_bytes()
    path.chmod(0o640)
    try:
        path.write_bytes(sound[:300] + bytes([sound[300] ^ 1]) + sound[301:])
        problem, = audited(office)["problems"]
    finally:
        path.write_bytes(sound)
    assert (problem["code"], problem["about"]) == ("rendition_wrong", digest)
    assert kind in problem["detail"]
    assert audited(office)["ok"]


def test_a_photo_row_that_vanished_is_named_by_its_evidence(office: Indoors, tampered: Any) -> None:
    (evidence, digest), _ = office.evidence
    found = tampered("DELETE FROM photo WHERE sha256 = :digest", digest=digest)
    assert {(problem["code"], problem["about"]) for problem in found["problems"]} == {
        ("photo_unknown", evidence), ("check_missing", digest)}


def test_many_faults_of_one_kind_are_all_counted_and_some_listed(office: Indoors, tampered: Any) -> None:
    device = office.handheld(SCOPE)
    device.deliver(*(device.create("finding", SCOPE, a_finding(address=f"武宜路{n}号")) for n in range(120)))
    found = tampered("UPDATE record SET fields = '{}' WHERE type = 'finding'")
    assert found["found"]["record_altered"] > 120
    assert len(found["problems"]) == 100


def test_a_commitment_needs_the_salt_and_the_values() -> None:
    assert commitment("00", {"a": 1, "b": 2}) == commitment("00", {"b": 2, "a": 1})
    assert len({commitment(salt, values) for salt in ("00", "01") for values in ({"a": 1}, {"a": 2})}) == 4
