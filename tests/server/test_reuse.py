"""Re-used photos in an installation: API, pages and audit, each within the reader's scopes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from PIL import Image
from sqlalchemy import delete, select, update

from media.models import NearPhoto, Photo, PhotoBand, Reuse
from media.reused import uncompared
from server.db import db
from server.jobs import COMPARED_A_TICK
from server.reuse import groups
from tests.bureau import a_photo
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.server.pages.conftest import Visitor
from tests.server.tampering import audited, codes
from tests.wire import granted, refused, sha256

HERE, THERE = "320411101", "320411102"


class Used(NamedTuple):
    finding: str
    evidence: str
    content: bytes


def used(device: Handheld, scope: str, content: bytes) -> Used:
    """A finding with that photo, checked at once by the immediate queue."""
    finding = device.report(scope)
    capture = device.capture(scope, content, ("finding", finding))
    device.deliver(capture)
    if not device.owner.get(f"/media/{sha256(content)}/thumb").is_success:
        assert device.upload(content).status_code == 204
    return Used(finding, capture["record_id"], content)


def changed(content: bytes, turn: Image.Transpose | None = None) -> bytes:
    out = io.BytesIO()
    picture = Image.open(io.BytesIO(content))
    (picture.transpose(turn) if turn is not None else picture).save(out, "JPEG", quality=60)
    return out.getvalue()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    """One picture in four cases: the original, its bytes again, a turned copy, and a copy in another scope."""
    with indoors(tmp_path_factory.mktemp("reuse")) as office:
        device = office.handheld(HERE, THERE)
        photo = a_photo(5)
        office.alone = used(device, HERE, a_photo(6))
        office.used = [used(device, HERE, photo), used(device, HERE, photo),
                       used(device, HERE, changed(photo, Image.Transpose.ROTATE_90)),
                       used(device, THERE, changed(photo))]
        yield office


def test_a_photo_tells_of_its_copies_within_the_scopes(office: Indoors) -> None:
    original, again, turned, other = office.used
    for role in ("reviewer", "supervisor", "auditor"):
        found = granted(office.person(role, scopes=(HERE,)).get(f"/media/{sha256(turned.content)}/reuse"))
        assert found["out_of_scope"] is True
        assert {item["other"]["evidence_id"] for item in found["items"]} == {original.evidence, again.evidence}
        assert {(item["evidence_id"], item["orientation"]) for item in found["items"]} == {(turned.evidence, 6)}
        assert other.evidence not in str(found)
        assert other.finding not in str(found)
    whole = granted(office.person("auditor", scopes=("3204",)).get(f"/media/{sha256(original.content)}/reuse"))
    assert whole["out_of_scope"] is False
    assert [item["distance"] for item in whole["items"][:2]] == [None, None]
    assert {item["other"]["about"]["id"] for item in whole["items"]} == {one.finding for one in office.used}
    assert granted(office.person("auditor", scopes=("3204",)).get(f"/media/{sha256(office.alone.content)}/reuse")) \
        == {"sha256": sha256(office.alone.content), "items": [], "out_of_scope": False}


def test_who_may_not_read_of_a_photo(office: Indoors) -> None:
    original, _, _, other = office.used
    refused(office.person("inspector", scopes=(HERE,)).get(f"/media/{sha256(original.content)}/reuse"), 403)
    refused(office.person("reviewer", scopes=(HERE,)).get(f"/media/{sha256(other.content)}/reuse"), 404)
    refused(office.person("reviewer", scopes=(HERE,)).get(f"/media/{'0' * 64}/reuse"), 404)


def test_the_page_shows_one_group_within_the_scopes(office: Indoors) -> None:
    original, again, turned, other = office.used
    page = Visitor(office.url).signed_in(office.person("reviewer", scopes=(HERE,))).see("/reuse")
    assert page.count('<li class="card">') == 1
    assert '<b class="num">3</b>' in page
    assert "另有照片不在您的范围" in page
    for one in (original, again, turned):
        assert f"/records/finding/{one.finding}" in page
        assert one.evidence in page
    assert other.evidence not in page
    assert office.alone.evidence not in page
    assert "字节相同" in page
    assert 'href="/reuse"' in page
    whole = Visitor(office.url).signed_in(office.person("supervisor", scopes=("3204",))).see("/reuse")
    assert '<b class="num">4</b>' in whole
    assert "另有照片不在您的范围" not in whole
    Visitor(office.url).signed_in(office.person("inspector", scopes=(HERE,))).see("/reuse", 403)
    nothing = Visitor(office.url).signed_in(office.person("reviewer", scopes=("320411103",))).see("/reuse")
    assert "没有重复使用的照片" in nothing


def test_two_photos_stand_side_by_side_turned_alike(office: Indoors) -> None:
    original, _, turned, other = office.used
    visitor = Visitor(office.url).signed_in(office.person("reviewer", scopes=(HERE,)))
    record = visitor.see(f"/records/finding/{turned.finding}")
    assert f'href="/reuse/{turned.evidence}/{original.evidence}"' in record
    assert "几乎相同的画面用于另一条记录" in record
    page = visitor.see(f"/reuse/{turned.evidence}/{original.evidence}")
    assert 'class="turn-6"' in page
    assert "旋转 90°" in page
    for one in (turned, original):
        assert f"/photos/{sha256(one.content)}/screen" in page
    for one, another in ((turned.evidence, other.evidence), (other.evidence, turned.evidence),
                         (turned.evidence, office.alone.evidence), ("x", "y")):
        visitor.see(f"/reuse/{one}/{another}", 404)


def test_groups_come_in_pages_newest_first(office: Indoors) -> None:
    device, supervisor = office.handheld("320411104"), ("320411104",)
    made = []
    for seed in range(100, 105):
        photo = a_photo(seed)
        made.append([used(device, "320411104", photo), used(device, "320411104", changed(photo))])
    with office.app.app_context():
        first, following = groups(db.session(), supervisor, 3, None)
        second, end = groups(db.session(), supervisor, 3, following)
    found = [{kept.id for kept, _ in group.members} for group in (*first, *second)]
    assert found == [{one.evidence for one in pair} for pair in reversed(made)]
    assert len(first) == 3
    assert end is None


def test_an_older_installation_is_entered_in_the_background(office: Indoors) -> None:
    with office.app.app_context():
        ties = {(row.evidence_id, row.other_id) for row in db.session.execute(select(Reuse)).scalars()}
        for table in (NearPhoto, PhotoBand, Reuse):
            db.session.execute(delete(table))
        db.session.execute(update(Photo).values(near=None))
        db.session.commit()
        assert 5 < len(uncompared(db.session(), 1_000)) <= COMPARED_A_TICK
        db.session.rollback()
        office.app.extensions["menqian_tasks"]["tick"]()
        assert uncompared(db.session(), 1_000) == []
        assert ties == {(row.evidence_id, row.other_id) for row in db.session.execute(select(Reuse)).scalars()}
    assert audited(office)["problems"] == []


def test_what_nobody_tampered_with_is_sound(office: Indoors) -> None:
    found = audited(office)
    assert found["problems"] == []
    assert found["checked"]["photo_hashes"] >= 4
    assert found["checked"]["reuses"] >= 4


@pytest.mark.parametrize(("statement", "code"), [
    ("UPDATE photo SET dhash = '0' || substr(dhash, 2) WHERE sha256 = :sha256 AND dhash NOT LIKE '0%'", "photo_bands"),
    ("DELETE FROM photo_band WHERE dhash = (SELECT unhex FROM (SELECT dhash AS unhex FROM photo_band WHERE "
     "lower(hex(dhash)) = (SELECT dhash FROM photo WHERE sha256 = :sha256)) LIMIT 1)", "photo_bands"),
    ("UPDATE near_photo SET distance = 25 WHERE sha256 = :sha256", "near_one_sided"),
    ("DELETE FROM reuse WHERE evidence_id = :evidence", "reuse_one_sided")])
def test_what_was_changed_behind_the_door_is_named(office: Indoors, tampered: Any, statement: str, code: str) -> None:
    turned = office.used[2]
    values: dict[str, str] = {"sha256": sha256(turned.content), "evidence": turned.evidence}
    found = tampered(statement, **{name: value for name, value in values.items() if f":{name}" in statement})
    assert code in codes(found)
    if code == "photo_bands":
        assert (code, sha256(turned.content)) in {(one["code"], one["about"]) for one in found["problems"]}
