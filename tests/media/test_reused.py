"""Who is told that a photo appears in another case: copies of every kind, in whatever order things come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageEnhance
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from media.checks import compare_again, conclude, examine
from media.models import NearPhoto, Photo, PhotoBand, Reuse
from media.recovery import check_again, expect_again
from media.reuse import NEAR_BITS, turned_back
from media.reused import MOST_FLAGS, uncompared
from schemas.records import record_type
from sync.writers import SERVER
from tests.conftest import Engine
from tests.darkroom import encoded, scene
from tests.media.desk import Darkroom
from tests.sync.desk import SCOPE
from tests.wire import sha256

Turn = Image.Transpose


def watermarked(picture: Image.Image) -> Image.Image:
    copy = picture.copy()
    ImageDraw.Draw(copy).rectangle((8, 200, 150, 232), fill="white")
    return copy


COPIES: dict[str, tuple[Callable[[Image.Image], bytes], int]] = {
    "re-encoded": (lambda picture: encoded(picture, quality=40), 1),
    "half": (lambda picture: encoded(picture.resize((160, 120))), 1),
    "darker": (lambda picture: encoded(ImageEnhance.Brightness(picture).enhance(0.7)), 1),
    "watermark": (lambda picture: encoded(watermarked(picture)), 1),
    "mirrored": (lambda picture: encoded(picture.transpose(Turn.FLIP_LEFT_RIGHT)), 2),
    "turned by 180": (lambda picture: encoded(picture.transpose(Turn.ROTATE_180)), 3),
    "flipped": (lambda picture: encoded(picture.transpose(Turn.FLIP_TOP_BOTTOM)), 4),
    "transposed": (lambda picture: encoded(picture.transpose(Turn.TRANSPOSE)), 5),
    "turned right": (lambda picture: encoded(picture.transpose(Turn.ROTATE_270)), 8),
    "transverse": (lambda picture: encoded(picture.transpose(Turn.TRANSVERSE)), 7),
    "turned left": (lambda picture: encoded(picture.transpose(Turn.ROTATE_90)), 6),
}


@pytest.fixture
def room(engine: Engine, tmp_path: Path) -> Iterator[Darkroom]:
    room = Darkroom(tmp_path, url=engine.another().database_url)
    yield room
    room.engine.dispose()


def check(room: Darkroom, content: bytes) -> None:
    with Session(room.engine) as session:
        found = examine(session, room.store, sha256(content), heif=False, directory=room.spool)
    assert found is not None
    with room.writing() as door:
        conclude(door, sha256(content), found)


def taken(room: Darkroom, content: bytes) -> None:
    room.take(content)
    check(room, content)


def another_case(room: Darkroom, **fields: object) -> dict[str, str]:
    finding = room.finding(**fields)
    room.push(room.writer, finding)
    return {"type": "finding", "id": finding["record_id"]}


def told(room: Darkroom, evidence: str) -> list[tuple[str, str, object]]:
    """(code, about, evidence) of the re-use flags."""
    return [(flag["code"], flag["about"], flag["detail"]["evidence_id"])
            for flag in room.record(evidence).fields["flags"] if flag["code"].startswith("reused")]


def test_a_copy_in_another_case_is_flagged_on_both(room: Darkroom) -> None:
    for seed, (kind, (change, orientation)) in enumerate(COPIES.items()):
        original, copy = encoded(scene(seed=seed)), change(scene(seed=seed))
        mine, yours = another_case(room), another_case(room)
        first = room.evidence(original, about=mine)
        taken(room, original)
        second = room.evidence(copy, about=yours, captured_at="2026-11-25T01:00:00.000Z")
        taken(room, copy)
        assert told(room, first) == [("reused_near", yours["id"], second)], kind
        assert told(room, second) == [("reused_near", mine["id"], first)], kind
        detail, back = figures(room, second), figures(room, first)
        assert (detail["orientation"], detail["days_apart"], detail["sha256"]) == (orientation, 3.0, sha256(original))
        assert back == {**detail, "orientation": turned_back(orientation), "sha256": sha256(copy),
                        "evidence_id": second}
        assert 0 <= detail["distance"] <= NEAR_BITS


def figures(room: Darkroom, evidence: str) -> dict[str, object]:
    detail, = (flag["detail"] for flag in room.record(evidence).fields["flags"] if flag["code"] == "reused_near")
    return detail


def test_whoever_comes_first_both_are_told(room: Darkroom) -> None:
    """Photos before their records, the copy's record before the original's."""
    original, copy = encoded(scene()), encoded(scene().transpose(Turn.ROTATE_90))
    taken(room, copy)
    taken(room, original)
    about = another_case(room)
    second = room.evidence(copy, about=about)
    assert told(room, second) == []
    first = room.evidence(original)
    assert told(room, first) == [("reused_near", about["id"], second)]
    assert told(room, second) == [("reused_near", room.about["record_id"], first)]
    third = room.evidence(original, about=another_case(room))
    assert {code for code, _, _ in told(room, third)} == {"reused_exact", "reused_near"}
    assert [code for code, _, _ in told(room, second)] == ["reused_near", "reused_near"]
    with Session(room.engine) as session:
        ties = {(row.evidence_id, row.other_id) for row in session.execute(select(Reuse)).scalars()}
    assert ties == {(a, b) for a in (first, second, third) for b in (first, second, third) if a != b}


def test_unrelated_photos_and_bare_walls_are_never_tied(room: Darkroom) -> None:
    evidence = []
    for content in (*(encoded(scene(seed=seed)) for seed in range(4)), encoded(Image.new("RGB", (320, 240), "skyblue")),
                    encoded(Image.new("RGB", (320, 240), "lightblue"))):
        evidence.append(room.evidence(content, about=another_case(room)))
        taken(room, content)
    assert [told(room, one) for one in evidence] == [[]] * 6


def case(room: Darkroom) -> list[dict[str, str]]:
    """An inspection, the finding made in it, an enforcement record of that, a task about that."""
    ids = [room.uuid() for _ in range(4)]
    inspection, finding, enforcement, task = ids
    room.push(room.writer, *({"type": kind, "record_id": one, "op": "put", "base": 0, "scope": SCOPE, "set": fields}
                             for kind, one, fields in (
        ("inspection", inspection, {"started_at": "2026-11-22T01:00:00.000Z"}),
        ("finding", finding, {**room.finding()["set"], "inspection_id": inspection}),
        ("enforcement", enforcement, {"kind": "order_now", "facts": "占道", "finding_id": finding}))))
    with room.writing() as door:
        door.create(record_type("task"), task, SCOPE,
                    {"assignee": "a", "about": {"type": "enforcement", "id": enforcement}}, SERVER)
    return [{"type": kind, "id": one} for kind, one in
            zip(("inspection", "finding", "enforcement", "task"), ids, strict=True)]


def test_before_and_after_of_one_case_are_no_reuse(room: Darkroom) -> None:
    inspection, finding, enforcement, task = case(room)
    contents = [encoded(scene(), quality=quality) for quality in (40, 50, 60, 70, 80)]
    evidence = [room.evidence(content, about=about) for content, about in
                zip(contents, (inspection, finding, finding, enforcement, task), strict=True)]
    evidence.append(room.evidence(contents[1], about=enforcement))
    for content in contents:
        taken(room, content)
    assert [told(room, one) for one in evidence] == [[]] * 6
    sibling = room.finding()
    sibling["set"]["inspection_id"] = inspection["id"]
    room.push(room.writer, sibling)
    other = room.evidence(contents[4], about={"type": "finding", "id": sibling["record_id"]})
    assert {about for _, about, _ in told(room, other)} == {finding["id"], enforcement["id"], task["id"]}, \
        "two findings of one inspection are two cases"


def test_duplicates_excuse_what_is_near_but_not_the_very_bytes(room: Darkroom) -> None:
    near, same = encoded(scene(), quality=40), encoded(scene(seed=3))
    twin = another_case(room)
    with room.writing() as door:
        door.amend(twin["id"], {"duplicates": [room.about["record_id"]]})
    original = encoded(scene())
    first, second = room.evidence(original), room.evidence(near, about=twin)
    third, fourth = room.evidence(same), room.evidence(same, about=twin)
    for content in (original, near, same):
        taken(room, content)
    assert [told(room, one) for one in (first, second)] == [[], []]
    assert [code for one in (third, fourth) for code, _, _ in told(room, one)] == ["reused_exact"] * 2


def test_flags_stay_when_a_photo_is_checked_again(room: Darkroom) -> None:
    original, copy = encoded(scene()), encoded(scene(), quality=40)
    first, second = room.evidence(original), room.evidence(copy, about=another_case(room))
    taken(room, original)
    taken(room, copy)
    before = [told(room, one) for one in (first, second)]
    with room.writing() as door:
        check_again(door, sha256(copy))
    check(room, copy)
    assert [told(room, one) for one in (first, second)] == before


def test_a_photo_that_is_gone_leaves_the_index_and_returns(room: Darkroom) -> None:
    original, copy = encoded(scene()), encoded(scene(), quality=40)
    first, second = room.evidence(original), room.evidence(copy, about=another_case(room))
    taken(room, original)
    taken(room, copy)
    before = told(room, first)
    room.store.delete(sha256(copy))
    with room.writing() as door:
        expect_again(door, sha256(copy))
    with Session(room.engine) as session:
        assert session.scalar(select(func.count()).select_from(NearPhoto)) == 0
        assert set(session.scalars(select(PhotoBand.dhash)).all()) == {bytes.fromhex(room.photo(original).dhash)}
    taken(room, copy)
    assert told(room, first) == before
    assert len(told(room, second)) == 1


def test_photos_of_an_older_release_find_their_place(room: Darkroom) -> None:
    contents = [encoded(scene()), encoded(scene().transpose(Turn.ROTATE_90)), encoded(Image.new("RGB", (90, 90)))]
    evidence = [room.evidence(content, about=another_case(room)) for content in contents]
    again = room.evidence(contents[0])
    for content in contents:
        taken(room, content)
    flagged = [told(room, one) for one in (*evidence, again)]
    with room.writing() as door:
        for table in (Reuse, NearPhoto, PhotoBand):
            door.session.execute(delete(table))
        door.session.execute(update(Photo).values(near=None))
        for one in (*evidence, again):
            kept = door.get(one)
            assert kept is not None
            door.amend(one, {"flags": [flag for flag in kept.fields["flags"] if flag["code"] != "reused_near"]})
    with Session(room.engine) as session:
        assert uncompared(session, 2) == sorted(map(sha256, contents))[:2]
    for content in contents:
        with Session(room.engine) as session:
            write = compare_again(session, room.store, sha256(content), room.spool)
        for _ in range(2):
            with room.writing() as door:
                write(door)
    assert [sorted(told(room, one)) for one in (*evidence, again)] == list(map(sorted, flagged))
    with Session(room.engine) as session:
        assert uncompared(session, 2) == []


def test_a_picture_that_appears_everywhere_names_so_many_others(room: Darkroom) -> None:
    content = encoded(scene())
    taken(room, content)
    evidence = [room.evidence(content, about=another_case(room)) for _ in range(MOST_FLAGS + 5)]
    assert {len(told(room, one)) for one in evidence} == {MOST_FLAGS}
    with Session(room.engine) as session:
        assert set(session.scalars(select(Reuse.evidence_id))) == set(evidence)

