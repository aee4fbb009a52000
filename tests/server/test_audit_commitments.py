"""The audit of what the journal is committed to since a release: checks of photos, devices, sessions, passwords, notes.

Each test changes many rows behind the door, one fault a row, and lets one audit name them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from media import checks
from media.recovery import expect_again
from server.api import users
from server.db import db, writing
from tests import bundles
from tests.bureau import a_photo
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited, unguarded
from tests.wire import granted, refused, sha256

SCOPE = "320411101"
OF_OTHER = "FROM rendition other WHERE other.parent = :other AND other.kind = rendition.kind"
SWAPPED = f"UPDATE rendition SET sha256 = (SELECT other.sha256 {OF_OTHER}), bytes = (SELECT other.bytes {OF_OTHER}) " \
          "WHERE parent = :it AND made_by IS NULL"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as office:
        yield office


def edited(office: Indoors, *edits: tuple[str, dict[str, Any]]) -> set[tuple[str, str, str]]:
    """(code, about, detail) of all that the audit finds after these statements; each changes something."""
    with office.app.app_context(), db.engine.begin() as connection, unguarded(connection):
        for statement, values in edits:
            assert connection.execute(text(statement), values).rowcount, f"nothing was tampered with: {statement}"
    return {(problem["code"], problem["about"], problem["detail"]) for problem in audited(office)["problems"]}


def photographed(device: Handheld, count: int) -> list[tuple[str, str]]:
    """The digests of so many photos, each with its evidence record."""
    finding, made = device.report(SCOPE), []
    for _ in range(count):
        content = a_photo()
        capture = device.capture(SCOPE, content, ("finding", finding))
        device.deliver(capture)
        assert device.upload(content).status_code == 204
        made.append((sha256(content), capture["record_id"]))
    return made


def test_rows_of_photos_and_copies_that_no_check_wrote_are_named(office: Indoors) -> None:
    photos = photographed(office.handheld(SCOPE), 11)
    swapped, other, without, recipe, state, found, kind, when, width, covered, gone = (digest for digest, _ in photos)
    granted(office.person("reviewer", scopes=(SCOPE,)).post(f"/media/{covered}/redactions", {
        "evidence_id": photos[9][1], "boxes": [{"x": .1, "y": .1, "width": .2, "height": .2}]}), 201)
    found_there = audited(office)
    assert found_there["ok"] and found_there["checked"]["checks"] == 11 and found_there["notes"] == []
    named = edited(
        office, (SWAPPED, {"it": swapped, "other": other}),
        ("DELETE FROM rendition WHERE parent = :it", {"it": without}),
        ("UPDATE rendition SET recipe = '{}' WHERE parent = :it AND kind = 'thumb'", {"it": recipe}),
        ("UPDATE photo SET state = 'damaged' WHERE sha256 = :it", {"it": state}),
        ("UPDATE photo SET found = replace(found, 'width', 'breadth') WHERE sha256 = :it", {"it": found}),
        ("UPDATE photo SET media_type = 'text/html' WHERE sha256 = :it", {"it": kind}),
        ("UPDATE photo SET checked_at = '2020-01-01T00:00:00.000Z' WHERE sha256 = :it", {"it": when}),
        ("UPDATE photo SET width = 1 WHERE sha256 = :it", {"it": width}),
        ("UPDATE rendition SET made_by = NULL WHERE parent = :it", {"it": covered}),
        ("DELETE FROM photo WHERE sha256 = :it", {"it": gone}))
    journal = "differs from the journal"
    assert named >= {
        ("rendition_altered", swapped, f"its screen: sha256 {journal}"),
        ("rendition_altered", swapped, f"its thumb: sha256 {journal}"),
        ("rendition_missing", without, "its screen, of which the journal tells, is in no table"),
        ("rendition_missing", without, "its thumb, of which the journal tells, is in no table"),
        ("rendition_altered", recipe, f"its thumb: recipe {journal}"),
        ("check_altered", state, f"state {journal}"), ("check_altered", kind, f"media_type {journal}"),
        ("check_altered", found, f"width, found or dhash {journal}"),
        ("check_altered", when, f"checked_at {journal}"), ("check_altered", width, f"width {journal}"),
        ("rendition_altered", covered, "its redacted-001 was made by no check of which the journal tells")}
    assert {(code, about) for code, about, _ in named} == {
        *((code, about) for code, about, _ in named if code.startswith("rendition")),
        *(("check_altered", one) for one in (state, found, kind, when, width)),
        ("check_missing", gone), ("photo_unknown", photos[10][1])}


def test_who_brought_a_photo_is_what_the_journal_tells(office: Indoors) -> None:
    device, content, stranger = office.handheld(SCOPE), a_photo(), office.person("inspector", scopes=("320402",))
    photos = photographed(device, 7)
    inserted, renamed, dated, gone, stored, copy, covered = (digest for digest, _ in photos)
    granted(office.person("reviewer", scopes=(SCOPE,)).post(f"/media/{covered}/redactions", {
        "evidence_id": photos[6][1], "boxes": [{"x": .1, "y": .1, "width": .2, "height": .2}]}), 201)
    device.deliver(device.capture(SCOPE, content, ("finding", device.report(SCOPE))))
    assert device.upload(content).status_code == 204
    later = office.handheld("320402111", who="later")
    later.deliver(later.capture("320402111", content, ("finding", later.report("320402111"))))
    assert later.upload(content).status_code == 204
    found = audited(office)
    assert found["problems"] == [] == found["notes"] and found["checked"]["sources"] == 8
    at = "2020-01-01T00:00:00.000Z"
    named = edited(
        office, ("INSERT INTO photo_source (sha256, user_id, at) VALUES (:it, :who, :at)", {
            "it": inserted, "who": stranger.user["id"], "at": at}),
        ("UPDATE photo_source SET user_id = :who WHERE sha256 = :it", {"it": renamed, "who": stranger.user["id"]}),
        ("UPDATE photo_source SET at = :at WHERE sha256 = :it", {"it": dated, "at": at}),
        ("DELETE FROM photo_source WHERE sha256 = :it", {"it": gone}),
        ("DELETE FROM photo_source WHERE sha256 = :it AND user_id = :who", {
            "it": sha256(content), "who": later.owner.id}),
        ("UPDATE photo SET stored_at = :at WHERE sha256 = :it", {"it": stored, "at": at}),
        ("UPDATE rendition SET disposed_at = :at WHERE parent = :it AND kind = 'thumb'", {"it": copy, "at": at}),
        ("UPDATE rendition SET disposed_at = :at WHERE parent = :it AND made_by IS NOT NULL", {
            "it": covered, "at": at}))
    assert {(code, about) for code, about, _ in named} == {
        *(("source_altered", each) for each in (inserted, renamed, dated, gone, sha256(content))),
        ("check_altered", stored), ("rendition_altered", copy), ("derivative_altered", covered)}


def test_a_bundle_with_the_copy_of_another_photo_says_so(office: Indoors, tmp_path: Path) -> None:
    (swapped, evidence_id), (other, _) = photographed(office.handheld(SCOPE), 2)
    reviewer = office.person("reviewer", scopes=(SCOPE,))
    finding = reviewer.record("evidence", evidence_id)["fields"]["about"]["id"]
    assert edited(office, (SWAPPED, {"it": swapped, "other": other}))
    for profile in ("court", "party"):
        answer = reviewer.get(f"/reviews/{finding}/bundle?profile={profile}")
        done = bundles.verify(bundles.unpacked(answer, tmp_path / profile))
        wrong, = [line for line in done.stdout.splitlines() if "is not the copy of which the journal tells" in line]
        assert done.returncode == 1 and f"data/renditions/{swapped}-screen.jpg" in wrong


def test_photos_that_an_older_release_checked_are_noted_and_held_against_their_evidence(
        office: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    device = office.handheld(SCOPE)
    with monkeypatch.context() as older:
        older.setattr(checks, "tell_checked", lambda *_: None)
        (sound, _), (state, _), (found, _) = photographed(device, 3)
    before = audited(office)
    assert before["ok"] and before["checked"]["checks_uncommitted"] == 3
    assert {(note["code"], note["about"]) for note in before["notes"]} == {
        ("checks_uncommitted", one) for one in (sound, state, found)}
    assert edited(office, ("UPDATE photo SET state = 'stored' WHERE sha256 = :it", {"it": state}),
                  ("UPDATE photo SET found = '\"x\"' WHERE sha256 = :it", {"it": found})) == {
        ("check_altered", state, "state differs from the evidence"),
        ("check_altered", found, "found differs from the evidence")}


def test_a_photo_that_was_lost_and_came_again_is_sound(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    content = a_photo()
    device.deliver(device.capture(SCOPE, content, ("finding", device.report(SCOPE))))
    assert device.upload(content).status_code == 204
    office.app.extensions["menqian"].store.delete(sha256(content))
    assert device.upload(content).status_code == 204
    again = audited(office)
    assert again["problems"] == [] and (again["checked"]["checks"], again["checked"]["sources"]) == (1, 1)
    with office.app.app_context(), writing() as door:
        expect_again(door, sha256(content))
    assert audited(office)["problems"] == []


def test_devices_sessions_and_passwords_that_the_journal_does_not_know_are_named(office: Indoors) -> None:
    supervisor = office.person("supervisor", scopes=(SCOPE,))
    revived, rekeyed, renamed, token, stolen, dropped, copied = (office.handheld(SCOPE) for _ in range(7))
    granted(supervisor.post(f"/devices/{revived.id}/revoke", {"reason": "丢失"}))
    user_id = granted(supervisor.get("/hello"))["user"]["id"]
    before = audited(office)
    assert before["problems"] == [] and before["checked"]["devices"] == 7 and before["checked"]["logins"] > 0
    refused(revived.get("/hello"), 401, "device_revoked")
    columns = "name, platform, app_version, public_key, state, enrolled_at, last_n, user_id"
    named = edited(
        office, ("UPDATE device SET state = 'active' WHERE id = :it", {"it": revived.id}),
        ("UPDATE device SET public_key = NULL WHERE id = :it", {"it": rekeyed.id}),
        ("UPDATE device SET name = 'x' WHERE id = :it", {"it": renamed.id}),
        ("UPDATE device SET token_hash = 'x' WHERE id = :it", {"it": token.id}),
        ("UPDATE device SET user_id = :user, enrolled_at = '2020' WHERE id = :it", {"it": stolen.id, "user": user_id}),
        (f"INSERT INTO device (id, token_hash, {columns}) SELECT 'forged', 'y', {columns} FROM device WHERE id = :it",
         {"it": copied.id}),
        ("DELETE FROM device WHERE id = :it", {"it": dropped.id}),
        ("UPDATE login SET token_hash = 'x' WHERE user_id = :user", {"user": user_id}))
    journal = "differs from the journal"
    assert {one for one in named if one[0] != "login_unknown"} == {
        ("device_altered", revived.id, f"state {journal}"), ("device_altered", rekeyed.id, f"public_key {journal}"),
        ("device_altered", renamed.id, f"name, app_version or token {journal}"),
        ("device_altered", token.id, f"name, app_version or token {journal}"),
        ("device_altered", stolen.id, f"user_id, enrolled_at {journal}"),
        ("device_unknown", "forged", "the journal tells of no enrolment of this device"),
        ("device_missing", dropped.id, "the journal tells of this device")}
    assert {about for code, about, _ in named if code == "login_unknown"} == {user_id}
    assert revived.get("/hello").status_code == 200, "what the audit names is what happened"


def test_a_password_of_an_older_release_is_noted(office: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(users, "named", lambda user: {"username": user.username, "name": user.name, "unit": user.unit})
        user_id = granted(office.person("reviewer", scopes=(SCOPE,)).get("/hello"))["user"]["id"]
    found = audited(office)
    assert found["ok"] and [(note["code"], note["about"]) for note in found["notes"]] == [
        ("passwords_uncommitted", user_id)]


def test_notes_and_times_of_checkpoints_that_were_altered_are_named_and_risks_noted(office: Indoors) -> None:
    device, supervisor = office.handheld(SCOPE), office.person("supervisor", scopes=("3204",))
    plain, moved, risky = (device.report(SCOPE) for _ in range(3))
    note = ("UPDATE history SET note = '{\"reason\"\\:\"x\"}' WHERE record_id = :it AND version = :version",
            {"it": plain, "version": 1})
    assert edited(office, note) == set(), "no entry is committed to a note yet: an older release may have written it"
    assert [(each["code"], each["about"]) for each in audited(office)["notes"]] == [("notes_uncommitted", plain)]
    granted(supervisor.command("finding", moved, "move", {"scope": "320411102", "reason": "划错"}))
    office.clock.put_on(minutes=5)
    granted(supervisor.command("finding", risky, "move", {"scope": "320411102", "reason": "划错"}))
    supervisor.get("/journal/checkpoint")
    office.clock.put_on(minutes=5)
    later = device.report(SCOPE)
    assert audited(office)["problems"] == []
    newest = "WHERE size = (SELECT max(size) FROM checkpoint)"
    with office.app.app_context():
        size = db.session.execute(text("SELECT max(size) FROM checkpoint")).scalar_one()
    named = edited(
        office, (note[0], {"it": moved, "version": 2}), (note[0], {"it": later, "version": 1}),
        ("UPDATE record SET risk = 77 WHERE id = :it", {"it": risky}),
        (f"UPDATE checkpoint SET at = '2020-01-01T00:00:00.000Z' {newest}", {}))
    assert {(code, about) for code, about, _ in named} == {
        ("history_altered", moved), ("history_altered", later), ("checkpoint_time", str(size))}
    assert all("note differs" in detail for code, _, detail in named if code == "history_altered")
    assert ("risks_unlike", risky) in {(each["code"], each["about"]) for each in audited(office)["notes"]}
    assert {code for code, _, _ in edited(office, (
        f"UPDATE checkpoint SET at = '2099-01-01T00:00:00.000Z' {newest}", {}))} == {"history_altered",
                                                                                   "checkpoint_time"}
