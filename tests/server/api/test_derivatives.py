"""Copies that people make of a photo: who may, what they are, what the journal and the audit say of them."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select, text

from server.audit import audit
from server.db import db
from sync.models import JournalEntry
from tests.bureau import a_photo
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, granted, position, refused, sha256

SCOPE, ELSEWHERE = "320412113", "320402001"
BOX = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.25}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("derivatives")) as office:
        yield office


@pytest.fixture(scope="module")
def device(office: Indoors) -> Handheld:
    return office.handheld(SCOPE)


@pytest.fixture(scope="module")
def reviewer(office: Indoors) -> Person:
    return office.person("reviewer", scopes=(SCOPE,))


class Shot:
    """A photo that is checked, and its evidence record."""

    def __init__(self, device: Handheld, scope: str = SCOPE, content: bytes | None = None, *,
                 beacon: str | None = None, **fields: Any) -> None:
        self.content = content or a_photo()
        self.finding = device.report(scope, **fields)
        mutation = device.capture(scope, self.content, ("finding", self.finding), beacon=beacon,
                                  position=position(119.9476, 31.7013))
        device.deliver(mutation)
        device.upload(self.content)
        self.evidence = mutation["record_id"]
        self.path = f"/media/{sha256(self.content)}"

    def redact(self, person: Person, *boxes: dict[str, float], **more: Any) -> Any:
        return person.post(f"{self.path}/redactions", {"evidence_id": self.evidence, "boxes": list(boxes) or [BOX],
                                                       **more})

    def display(self, person: Person) -> Any:
        return person.post(f"{self.path}/display-copies", {"evidence_id": self.evidence})


@pytest.fixture
def shot(device: Handheld) -> Shot:
    return Shot(device)


def entries(office: Indoors, shot: Shot) -> list[JournalEntry]:
    with office.app.app_context():
        return list(db.session.execute(select(JournalEntry).where(
            JournalEntry.kind == "derivative", JournalEntry.about == sha256(shot.content)).order_by(
            JournalEntry.index)).scalars())


def faults(office: Indoors) -> list[tuple[str, str]]:
    with office.app.app_context():
        return [(problem["code"], problem["about"]) for problem in audit()["problems"]]


def test_each_redaction_is_a_new_copy_beside_those_before(office: Indoors, reviewer: Person, shot: Shot) -> None:
    first = granted(shot.redact(reviewer, note="遮盖路人"), 201)
    second = granted(shot.redact(reviewer, BOX, {**BOX, "y": 0.6}, method="pixelate"), 201)
    assert [first["kind"], second["kind"]] == ["redacted-001", "redacted-002"]
    for made in (first, second):
        answer = reviewer.get(f"{shot.path}/{made['kind']}")
        assert sha256(answer.content) == made["sha256"] and len(answer.content) == made["bytes"]
        assert answer.headers["ETag"] == f'"{made["sha256"]}"'
        assert reviewer.get(f"{shot.path}/{made['kind']}", headers={
            "If-None-Match": answer.headers["ETag"]}).status_code == 304
        assert not Image.open(io.BytesIO(answer.content)).getexif()
    with Image.open(io.BytesIO(reviewer.get(f"{shot.path}/redacted-001").content)) as shown:
        assert max(shown.getpixel((shown.width // 2, shown.height * 3 // 8))) <= 3
    listed = granted(reviewer.get(f"{shot.path}/derivatives"))["items"]
    assert [one["kind"] for one in listed] == ["screen", "thumb", "redacted-001", "redacted-002"]
    assert [one["made_by"] for one in listed[:2]] == [None, None]
    assert listed[2:] == [first, second]
    assert (first["made_by"], first["parent"], first["evidence_id"]) == (
        reviewer.id, sha256(shot.content), shot.evidence)
    assert first["params"] == {"method": "black", "boxes": [BOX]} and first["said"] == {"note": "遮盖路人"}
    assert {"tool", "version", "codec", "made_at"} <= first.keys() and "said" not in second


def test_the_journal_tells_of_a_copy_but_not_the_words(office: Indoors, reviewer: Person, shot: Shot) -> None:
    made = granted(shot.redact(reviewer, note="遮盖路人王某"), 201)
    shown = granted(shot.display(reviewer), 201)
    of_redaction, of_display = entries(office, shot)
    assert of_redaction.actor == of_display.actor == reviewer.id
    for entry, copy in ((of_redaction, made), (of_display, shown)):
        assert {name: entry.body[name] for name in ("sha256", "parent", "kind", "tool", "params", "evidence_id")} == {
            name: copy[name] for name in ("sha256", "parent", "kind", "tool", "params", "evidence_id")}
        assert entry.at == copy["made_at"] and entry.body["aside"]
    said = json.dumps([of_redaction.body, of_display.body], ensure_ascii=False)
    assert "王某" not in said and "测试inspector" not in said
    assert faults(office) == []


def test_a_display_copy_says_when_where_by_whom_and_of_what(device: Handheld, reviewer: Person, shot: Shot) -> None:
    made = granted(shot.display(reviewer), 201)
    assert made["kind"] == "display-001"
    said = dict(made["said"]["lines"])
    assert said["时间 Time"].startswith("不晚于 not after 20"), "no checkpoint was seen by the device"
    assert "UTC+8" in said["设备时间 Device says"]
    assert "武宜路" in said["地点 Place"] and "119.947600, 31.701300" in said["地点 Place"]
    assert said["拍摄 Taken by"] == f"{device.user['name']} {device.user['username']}"
    assert said["案件 Case"].endswith(shot.finding[-12:])
    assert said["原件 Original"] == f"SHA-256 {sha256(shot.content)[:12]}…"
    assert made["params"]["code"] == f"sha256:{sha256(shot.content)} evidence:{shot.evidence}"
    assert "显示件" in made["params"]["label"] and "非原件" in made["params"]["label"]
    content = reviewer.get(f"{shot.path}/display-001").content
    with Image.open(io.BytesIO(content)) as shown, \
            Image.open(io.BytesIO(reviewer.get(f"{shot.path}/screen").content)) as screen:
        assert shown.width == screen.width and shown.height > screen.height
        assert not shown.getexif()
    assert sha256(content) == made["sha256"]


def test_a_display_copy_says_since_when_and_else_which_street(device: Handheld, reviewer: Person) -> None:
    checkpoint = device.get("/journal/checkpoint").text
    beacon = base64.b64decode(checkpoint.splitlines()[2]).hex()
    shot = Shot(device, beacon=beacon, address=None, position=position(119.9476, 31.7013))
    said = dict(granted(shot.display(reviewer), 201)["said"]["lines"])
    assert re.fullmatch(r"不早于 not before \S+ \S+ · 不晚于 not after \S+ \S+ \(UTC\+8\)", said["时间 Time"])
    assert f"{SCOPE} · 119.947600" in said["地点 Place"]


def test_with_a_public_address_the_code_leads_to_the_page(office: Indoors, reviewer: Person, shot: Shot,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    house = office.app.extensions["menqian"]
    monkeypatch.setattr(house, "settings", replace(house.settings, public_url="https://menqian.example"))
    made = granted(shot.display(reviewer), 201)
    assert made["params"]["code"] == f"https://menqian.example/records/evidence/{shot.evidence}"


def test_reviewers_and_supervisors_of_the_scope_make_copies(office: Indoors, device: Handheld, shot: Shot) -> None:
    granted(shot.redact(office.person("supervisor", scopes=(SCOPE,))), 201)
    for role in ("inspector", "auditor", "admin"):
        person = office.person(role, scopes=(SCOPE,), who="other")
        refused(shot.redact(person), 403, "role_forbidden")
        refused(shot.display(person), 403, "role_forbidden")
    stranger = office.person("reviewer", scopes=(ELSEWHERE,))
    for answer in (shot.redact(stranger), shot.display(stranger), stranger.get(f"{shot.path}/derivatives"),
                   stranger.get(f"{shot.path}/redacted-001")):
        refused(answer, 404, "not_found")


def test_who_took_the_photo_does_not_redact_it_but_may_print_it(office: Indoors) -> None:
    both = office.person("inspector", "reviewer", scopes=(SCOPE,))
    shot = Shot(office.handheld(SCOPE, owner=both))
    refused(shot.redact(both), 403, "own_work")
    granted(shot.display(both), 201)
    assert [one["kind"] for one in granted(both.get(f"{shot.path}/derivatives"))["items"]][2:] == ["display-001"]


def test_a_copy_is_seen_where_its_evidence_is_seen(office: Indoors, reviewer: Person, shot: Shot) -> None:
    """The same photo is evidence in another street; what stands on a display copy is of the first."""
    Shot(office.handheld(ELSEWHERE), ELSEWHERE, shot.content)
    granted(shot.display(reviewer), 201)
    other = office.person("reviewer", scopes=(ELSEWHERE,))
    assert other.get(f"{shot.path}/screen").status_code == 200
    refused(other.get(f"{shot.path}/display-001"), 404, "not_found")
    assert {one["kind"] for one in granted(other.get(f"{shot.path}/derivatives"))["items"]} == {"thumb", "screen"}


@pytest.mark.parametrize(("boxes", "about"), [
    ([], "boxes"), ([{**BOX, "x": -0.1}], "boxes.0.x"), ([BOX, {**BOX, "x": 0.51}], "boxes.1.width"),
    ([{**BOX, "width": 0}], "boxes.0.width"), ([{**BOX, "height": 2}], "boxes.0.height"),
    ([{"x": 0, "y": 0, "width": 1}], "boxes.0.height"), ([{**BOX, "x": "NaN"}], "boxes.0.x")])
def test_boxes_that_are_none_are_named(reviewer: Person, shot: Shot, boxes: Any, about: str) -> None:
    answer = reviewer.post(f"{shot.path}/redactions", {"evidence_id": shot.evidence, "boxes": boxes})
    assert about in refused(answer, 422, "invalid_request")["errors"]


def test_only_a_checked_photo_of_the_named_evidence_is_copied(device: Handheld, reviewer: Person, shot: Shot) -> None:
    refused(reviewer.post(f"{Shot(device).path}/redactions", {"evidence_id": shot.evidence, "boxes": [BOX]}), 404,
            "not_found")
    refused(shot.redact(reviewer, method="blur"), 422, "invalid_request")
    damaged = Shot(device, content=a_photo()[:-3000])
    refused(damaged.redact(reviewer), 422, "need_missing")
    refused(damaged.display(reviewer), 422, "need_missing")


def test_a_photo_whose_stored_bytes_have_changed_is_not_copied(office: Indoors, reviewer: Person, shot: Shot) -> None:
    store = office.app.extensions["menqian"].store
    path = store.root / "sha256" / sha256(shot.content)[:2] / sha256(shot.content)
    path.chmod(0o640)
    path.write_bytes(shot.content[::-1])
    try:
        assert "changed" in refused(shot.redact(reviewer), 422, "need_missing")["detail"]
    finally:
        path.write_bytes(shot.content)
    assert entries(office, shot) == []


@pytest.mark.parametrize(("statement", "code"), [
    ("UPDATE rendition SET made_by = evidence_id WHERE kind = 'redacted-001'", "derivative_altered"),
    ("UPDATE rendition SET recipe = replace(recipe, '0.25', '0.35') WHERE kind = 'redacted-001'", "derivative_altered"),
    ("UPDATE rendition SET recipe = replace(recipe, '王某', '李某') WHERE kind = 'redacted-001'", "derivative_altered"),
    ("UPDATE rendition SET recipe = 'x' WHERE kind = 'redacted-001'", "derivative_altered"),
    ("UPDATE rendition SET kind = 'redacted-007' WHERE kind = 'redacted-001'", "derivative_missing"),
    ("UPDATE rendition SET kind = 'redacted-007' WHERE kind = 'redacted-001'", "derivative_unknown"),
    ("DELETE FROM rendition WHERE kind = 'redacted-001'", "derivative_missing")])
def test_a_copy_that_is_not_what_the_journal_says_is_found(
        office: Indoors, device: Handheld, reviewer: Person, statement: str, code: str) -> None:
    shot = Shot(device)
    made = granted(shot.redact(reviewer, note="遮盖王某"), 201)
    with office.app.app_context():
        with db.engine.begin() as connection:
            row = dict(connection.execute(text("SELECT * FROM rendition WHERE sha256 = :it"), {
                "it": made["sha256"]}).mappings().one())
            assert connection.execute(text(f"{statement} AND parent = :it"), {"it": row["parent"]}).rowcount == 1
        assert (code, row["parent"]) in faults(office)
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM rendition WHERE parent = :it AND kind LIKE 'redacted-%'"), {
                "it": row["parent"]})
            connection.execute(text(f"INSERT INTO rendition ({', '.join(row)}) VALUES (:{', :'.join(row)})"), row)
    assert faults(office) == []


def test_the_audit_reads_copies_as_it_reads_renditions(office: Indoors, reviewer: Person, shot: Shot) -> None:
    made = granted(shot.redact(reviewer), 201)
    store = office.app.extensions["menqian"].store
    with office.app.app_context():
        checked = audit()["checked"]
    assert checked["derivatives"] >= 1 and checked["renditions"] >= checked["derivatives"] + 2
    content = reviewer.get(f"{shot.path}/redacted-001").content
    store.delete(made["sha256"])
    assert faults(office) == [("rendition_missing", sha256(shot.content))]
    again = office.app.extensions["menqian"].settings.spool / "again"
    again.write_bytes(content)
    store.put(made["sha256"], again, "image/jpeg")
    again.unlink()
