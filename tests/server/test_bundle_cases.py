"""Bundles of cases in which not all is well: what is absent, unseen, doubtful or large is told, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from media.bundle import document
from media.sandbox import OutOfBounds
from media.stores import StoreUnavailable
from media.stores.disk import DiskStore
from server.bundles import export
from server.house import House
from tests import bundles
from tests.bureau import a_photo
from tests.darkroom import c2pa_store, with_c2pa
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, granted, moment, refused

SCOPE, STREET = "320412100", "3204121"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("bundles")) as office:
        yield office


@pytest.fixture
def reviewer(office: Indoors) -> Person:
    return office.person("reviewer", scopes=(SCOPE,))


def photographed(device: Handheld, finding: str, **fields: Any) -> dict[str, Any]:
    """A photo that is delivered, and its evidence."""
    content = a_photo()
    capture = device.capture(SCOPE, content, ("finding", finding), **fields)
    device.deliver(capture)
    assert device.upload(content).status_code == 204
    return capture


def exported(reviewer: Person, record: str, directory: Path, profile: str = "court") -> tuple[str, dict[str, Any]]:
    """What the program says of the bundle, which holds, and its case.json."""
    base = bundles.unpacked(reviewer.get(f"/reviews/{record}/bundle?profile={profile}"), directory)
    done = bundles.verify(base)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads((base / "data/case.json").read_bytes())


def test_a_photo_that_never_came_is_told(office: Indoors, reviewer: Person, tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    device.deliver(device.capture(SCOPE, b"never sent", ("finding", finding)))
    said, told = exported(reviewer, finding, tmp_path)
    assert "its bytes have not come (expected)" in said
    assert told["photos"][0]["original"] is None


def test_a_photo_that_the_store_lost_is_told_before_the_first_byte(office: Indoors, reviewer: Person,
                                                                   tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    digest = photographed(device, finding)["set"]["sha256"]
    (office.app.extensions["menqian"].store.root / f"sha256/{digest[:2]}/{digest}").unlink()
    said, _ = exported(reviewer, finding, tmp_path)
    assert "the store does not have the original" in said


def test_a_photo_that_the_store_altered_is_found(office: Indoors, reviewer: Person, tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    digest = photographed(device, finding)["set"]["sha256"]
    path = office.app.extensions["menqian"].store.root / f"sha256/{digest[:2]}/{digest}"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    base = bundles.unpacked(reviewer.get(f"/reviews/{finding}/bundle?profile=court"), tmp_path)
    done = bundles.verify(base)
    assert done.returncode == 1
    assert f"{digest}.jpg is not the photo that the record names" in done.stdout


def test_an_unreachable_store_is_told_and_nothing_is_journalled(
        office: Indoors, reviewer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    photographed(device, finding)

    def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    before = office.admin.get("/journal/checkpoint").text
    monkeypatch.setattr(DiskStore, "head", away)
    answer = reviewer.get(f"/reviews/{finding}/bundle?profile=court")
    refused(answer, 503, "unavailable", "retry")
    assert answer.headers["Retry-After"]
    assert office.admin.get("/journal/checkpoint").text == before
    house: House = office.app.extensions["menqian"]
    assert not list(house.settings.spool.glob("bundle-*"))


def test_a_stream_that_breaks_leaves_no_word_of_delivery(office: Indoors, reviewer: Person) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    photographed(device, finding)
    with office.app.test_client() as client:
        answer = client.get(f"/api/v1/reviews/{finding}/bundle?profile=court",
                            headers={"Authorization": f"Bearer {reviewer.token}"}, buffered=False)
        next(iter(answer.response))
        answer.close()
    kinds = [entry["kind"] for entry in granted(office.admin.get("/journal/entries?from=0&limit=1000"))["entries"]
             if entry["about"] == finding]
    assert kinds[-1] == "export"
    house: House = office.app.extensions["menqian"]
    assert not list(house.settings.spool.glob("bundle-*"))


def test_doubts_of_chain_and_signature_are_notes(office: Indoors, reviewer: Person, tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    photographed(device, finding)
    seq, prev = device.seq, device.prev
    photographed(device, finding)
    device.seq, device.prev = seq, prev
    photographed(device, finding)  # a second of that number
    device.seq += 3
    photographed(device, finding)  # after a gap
    forged = device.capture(SCOPE, b"x", ("finding", finding))
    forged["set"]["captured_at"] = "2026-01-01T00:00:00.000Z"
    device.deliver(forged)
    said, _ = exported(reviewer, finding, tmp_path)
    assert "a fork, two entries of number 2" in said
    assert "a gap from 3 to 5" in said
    assert all(code in said for code in ("chain_fork", "chain_gap", "signature_invalid"))
    assert said.count("(holds: bytes, chain, signature)") == 4


def test_a_device_without_a_key_is_a_note(office: Indoors, reviewer: Person, tmp_path: Path) -> None:
    device = office.handheld(SCOPE, signs=False)
    finding = device.report(SCOPE)
    photographed(device, finding, beacon="ab" * 32)
    said, _ = exported(reviewer, finding, tmp_path)
    assert "its device enrolled without a key" in said
    assert "The beacon abababababab is not of this journal" in said
    assert "(holds: bytes, chain)" in said


def test_a_malformed_capture_leaves_the_photo_its_place(office: Indoors, reviewer: Person, tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    capture = device.capture(SCOPE, b"x", ("finding", finding))
    capture["set"]["capture"] = {"seq": "one", "prev": None, "beacon": 7}
    device.deliver(capture)
    _, told = exported(reviewer, finding, tmp_path)
    assert told["photos"][0]["sidecar"] is None


def test_a_redaction_that_a_person_drew_is_what_others_see(office: Indoors, reviewer: Person, tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    bare, evidence = photographed(device, finding), photographed(device, finding)
    digest = evidence["set"]["sha256"]
    for edge in (0.1, 0.2):
        box = {"x": 0.1, "y": 0.1, "width": edge, "height": edge}
        made = granted(reviewer.post(f"/media/{digest}/redactions", {"evidence_id": evidence["record_id"],
                                                                     "boxes": [box], "note": "号牌"}), 201)
    for profile, shown in (("court", "screen"), ("party", "redacted-002"), ("public", "redacted-002")):
        said, told = exported(reviewer, finding, tmp_path / profile, profile)
        photo = next(one for one in told["photos"] if one["sha256"] == digest)
        assert photo["shown"] == f"data/renditions/{digest}-{shown}.jpg"
        assert photo["made"]["made_by"] == (None if shown == "screen" else made["made_by"])
        assert photo["made"]["tool"] == "Pillow"
        steps = [(one["step"], one["copy"], one["by"]) for one in told["custody"] if "copy" in one]
        assert steps == [("redacted", f"redacted-00{number}", made["made_by"]) for number in (1, 2)]
        as_it_is = f"({bare['record_id']}) is shown as it is"
        assert (as_it_is in said) == (profile == "party"), said
    base = next((tmp_path / "party").iterdir())
    (base / photo["shown"]).write_bytes((tmp_path / "court" / next((tmp_path / "court").iterdir()).name / "data"
                                         / "renditions" / f"{digest}-screen.jpg").read_bytes())
    assert f"{photo['shown']} is not the copy of which the journal tells" in bundles.verify(base).stdout


def test_nothing_that_a_record_says_can_run_in_the_page(office: Indoors, reviewer: Person, tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE, text="<script>alert(1)</script>", address='"><img src=x onerror=alert(1)>', odd={
        "<b>": ["<i>"]})
    device.deliver(device.edit("finding", finding, 1, set={"text": "<svg onload=alert(1)>"}))
    base = bundles.unpacked(reviewer.get(f"/reviews/{finding}/bundle?profile=court"), tmp_path)
    page = (base / "index.html").read_text()
    assert "&lt;script&gt;" in page
    assert not any(tag in page for tag in ("<script", "<svg", "<img src=x", "<i>"))
    assert "http" not in page, "the page asks for nothing from elsewhere"


def test_a_deleted_record_is_exported_with_its_reason(office: Indoors, reviewer: Person, tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    device.deliver(device.remove("finding", finding, 1, "误报一次"))
    _, told = exported(reviewer, finding, tmp_path)
    assert told["records"][0]["deleted"] is True


def test_edits_merges_and_conflicts_follow_from_the_history(office: Indoors, reviewer: Person, tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE, tags=["夜间"], severity="high")
    device.deliver(device.edit("finding", finding, 1, set={"severity": "low"}, add={"tags": ["学校"]}), device.edit(
        "finding", finding, 1, set={"address": None, "sticker_serial": "7", "a.b": 1, "odd": []}))
    other = office.handheld(SCOPE)
    outcome, = other.deliver(other.edit("finding", finding, 1, set={"severity": "medium", "text": "另述"}))
    assert outcome["conflicts"]
    inspection = device.create("inspection", SCOPE, {"started_at": moment(), "answers": {"1": {"value": "pass"}}})
    device.deliver(inspection, device.edit("inspection", inspection["record_id"], 1, set={
        "answers": {"2": {"value": "fail"}}}), device.edit("finding", finding, 2, set={
            "inspection_id": inspection["record_id"]}))
    _, told = exported(reviewer, finding, tmp_path)
    assert {record["type"] for record in told["records"]} == {"finding", "conflict", "inspection"}
    assert set(told["records"][1]["fields"]["answers"]) == {"1", "2"}


def test_photos_of_the_inspection_in_which_it_was_found_are_in_the_case(office: Indoors, reviewer: Person,
                                                                        tmp_path: Path) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    inspection = device.create("inspection", SCOPE, {"started_at": moment()})
    capture = device.capture(SCOPE, content, ("inspection", inspection["record_id"]))
    device.deliver(inspection, capture)
    assert device.upload(content).status_code == 204
    _, told = exported(reviewer, device.report(SCOPE, inspection_id=inspection["record_id"]), tmp_path)
    assert [photo["evidence_id"] for photo in told["photos"]] == [capture["record_id"]]
    assert told["lacking"] == []


def test_the_case_of_an_enforcement_record_is_that_of_its_finding(office: Indoors, reviewer: Person,
                                                                  tmp_path: Path) -> None:
    case = bundles.a_case(office, SCOPE, photos=1)
    document_id = bundles.a_document(case, SCOPE)
    _, told = exported(reviewer, document_id, tmp_path)
    assert told["record"]["id"] == document_id
    assert {record["id"] for record in told["records"]} == {document_id, case.finding, *case.evidence}
    assert [step["step"] for step in told["custody"]] == [
        "captured", "received", "verified", "documented", "exported"]


def test_content_credentials_and_a_store_that_holds_nothing_are_told(office: Indoors, reviewer: Person,
                                                                     tmp_path: Path) -> None:
    device, told = office.handheld(SCOPE), []
    for name, content in (("with", with_c2pa("JPEG", c2pa_store())), ("without", a_photo())):
        finding = device.report(SCOPE)
        device.deliver(device.capture(SCOPE, content, ("finding", finding)))
        assert device.upload(content).status_code == 204
        _, case = exported(reviewer, finding, tmp_path / name)
        page = next((tmp_path / name).rglob("index.html")).read_text()
        told.append((case["photos"][0]["c2pa"], "C2PA" in page))
        assert (case["store"], case["photos"][0]["held_at"]) == ({"holds": False}, None) and "此存储不锁定" in page
    assert told == [(True, True), (False, False)]


def test_what_the_exporter_does_not_see_is_named_only(office: Indoors, tmp_path: Path) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    capture = photographed(device, finding)
    supervisor = office.person("supervisor", scopes=("3204",))
    granted(supervisor.command("evidence", capture["record_id"], "move", {"scope": "320402001", "reason": "移交"}))
    said, told = exported(office.person("reviewer", scopes=(SCOPE,)), finding, tmp_path)
    assert told["unseen"] == [{"type": "evidence", "id": capture["record_id"]}]
    assert "out of the exporter's scope" in said
    assert told["photos"] == []
    assert capture["set"]["sha256"] not in json.dumps(told)


def test_a_document_that_cannot_be_set_keeps_no_evidence_back(
        office: Indoors, reviewer: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: Any) -> None:
        raise OutOfBounds("took too long")

    monkeypatch.setattr(document.sandbox, "run", too_much)
    finding = office.handheld(SCOPE).report(SCOPE)
    said, _ = exported(reviewer, finding, tmp_path)
    assert "Not included, case.pdf" in said


def test_what_comes_while_a_bundle_is_made_is_not_in_it(office: Indoors, reviewer: Person, tmp_path: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    set_apart = export.set_apart

    def meanwhile(*paths: Path) -> None:
        device.deliver(device.edit("finding", finding, 1, set={"text": "又有变化"}))
        set_apart(*paths)

    monkeypatch.setattr(export, "set_apart", meanwhile)
    _, told = exported(reviewer, finding, tmp_path)
    assert told["records"][0]["version"] == 1
    assert reviewer.record("finding", finding)["version"] == 2
