"""Photos that appear in more than one case: which evidence is told of which other, by flags that only people dismiss.

Found when a photo is compared (`compare`: near ones, by the index of media/bands.py) and when evidence arrives (same
digest, or a photo that was found near before). Whoever comes first, both sides are told. Serves checks and evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from media import bands
from media.cases import same_case, same_thing
from media.flags import Flag
from media.models import NearPhoto, Photo, Reuse
from media.reuse import turned_back
from schemas.values import parse_time
from sync.kept import Kept
from sync.records import Door

# A picture that appears a thousand times names the nearest of the others; its group on the page is whole nevertheless,
# for each of the thousand is tied to some that came before.
MOST_NEAR, MOST_TWINS, MOST_FLAGS = 100, 50, 50
EXACT, NEAR = "reused_exact", "reused_near"
RULES = {EXACT: "same digest about another record", NEAR: "nearly the same picture about another record"}
A_DAY_S = 86_400


class Twin(NamedTuple):
    """Evidence of another case with the same picture; no distance for the same bytes. Turned by `orientation` (EXIF),
    the picture at hand looks like the other."""

    kept: Kept
    distance: int | None = None
    orientation: int | None = None


def compare(door: Door, photo: Photo, hashes: Mapping[int, int]) -> None:
    """Enter a photo, given by its hashes in all orientations, in the index; tell its evidence and that of photos near
    to it. Once for each photo."""
    found = {near.dhash: near for near in bands.look_up(door.session, hashes)}
    rows = door.session.execute(select(Photo.sha256, Photo.dhash).where(
        Photo.dhash.in_(list(found)), Photo.sha256 != photo.sha256, Photo.near.is_not(None))).all()
    near = sorted((found[row.dhash].distance, row.sha256, found[row.dhash].orientation) for row in rows)
    photo.near = len(near)
    for distance, sha256, orientation in near[:MOST_NEAR]:
        for one, other, turn in ((photo.sha256, sha256, orientation),
                                 (sha256, photo.sha256, turned_back(orientation))):
            door.add_row(NearPhoto, {"sha256": one, "other": other, "distance": distance, "orientation": turn})
    if photo.dhash is not None:
        bands.enter(door.session, int(photo.dhash, 16))
    for kept in _naming(door, photo.sha256):
        told = _told(door.session, kept.id)
        tell(door, kept, [twin for twin in twins(door, kept.id, kept.fields)
                          if twin.kept.id not in told and not _waits(door, kept.id, twin.kept.id)])


def uncompared(session: Session, most: int) -> list[str]:
    """Photos that were checked before there was an index."""
    return list(session.execute(select(Photo.sha256).where(Photo.near.is_(None), Photo.checked_at.is_not(None))
                                .order_by(Photo.sha256).limit(most)).scalars())


def twins(door: Door, record_id: str, fields: Mapping[str, Any]) -> list[Twin]:
    """The evidence of other cases that shows the same picture: same bytes first, then the nearest; MOST_TWINS at
    most."""
    about = fields["about"]["id"]
    return list(islice((twin for twin in _alike(door, record_id, fields["sha256"])
                        if not _excused(door, about, twin)), MOST_TWINS))


def flags_for(fields: Mapping[str, Any], found: Iterable[Twin], flags: list[Flag]) -> list[Flag]:
    """The flags with one more for each record that the twins are about, MOST_FLAGS of one code at most."""
    flags = list(flags)
    for twin in found:
        code, about = NEAR if twin.distance is not None else EXACT, twin.kept.fields["about"]["id"]
        known = [flag["about"] for flag in flags if flag["code"] == code]
        if about not in known and len(known) < MOST_FLAGS:
            flags.append({"code": code, "about": about, "detail": {"rule": RULES[code], **_figures(fields, twin)}})
    return flags


def tell(door: Door, kept: Kept, found: Iterable[Twin], *, itself: bool = True) -> None:
    """Tie evidence to its twins, and flag both sides; `itself` is left out where it was written with its flags."""
    found = list(found)
    for twin in found:
        back = Twin(kept, twin.distance, turned_back(twin.orientation) if twin.orientation else None)
        for one, tied in ((kept, twin), (twin.kept, back)):
            door.add_row(Reuse, {"evidence_id": one.id, "other_id": tied.kept.id, "seq": one.created_seq,
                                 "distance": tied.distance, "orientation": tied.orientation})
        _flag(door, twin.kept.id, [back])
    if itself:
        _flag(door, kept.id, found)


def _flag(door: Door, record_id: str, found: list[Twin]) -> None:
    kept = door.get(record_id)
    if kept is not None:
        flags = kept.fields.get("flags") or []
        door.amend(record_id, {"flags": flags_for(kept.fields, found, flags)}, op="flags")


def _alike(door: Door, record_id: str, sha256: str) -> Iterable[Twin]:
    for kept in _naming(door, sha256):
        if kept.id != record_id:
            yield Twin(kept)
    stored = door.session.execute(select(NearPhoto.other, NearPhoto.distance, NearPhoto.orientation)
                                  .where(NearPhoto.sha256 == sha256)).all()
    fresh = [(row["other"], row["distance"], row["orientation"]) for row in door.rows(NearPhoto)
             if row["sha256"] == sha256]
    for other, distance, orientation in sorted({*map(tuple, stored), *fresh}, key=lambda near: (near[1], near[0])):
        for kept in _naming(door, other):
            yield Twin(kept, distance, orientation)


def _excused(door: Door, about: str, twin: Twin) -> bool:
    """Of one case. The very same bytes were never taken by two: duplicates excuse only what is near."""
    other = twin.kept.fields["about"]["id"]
    return same_case(door, about, other) or (twin.distance is not None and same_thing(door, about, other))


def _naming(door: Door, sha256: str) -> list[Kept]:
    return door.live("evidence", sha256=sha256)


def _told(session: Session, evidence_id: str) -> set[str]:
    return set(session.execute(select(Reuse.other_id).where(Reuse.evidence_id == evidence_id)).scalars())


def _waits(door: Door, one: str, other: str) -> bool:
    """Was the pair tied a moment ago, by the other's turn in this transaction?"""
    return any((row["evidence_id"], row["other_id"]) == (one, other) for row in door.rows(Reuse))


def _figures(fields: Mapping[str, Any], twin: Twin) -> dict[str, Any]:
    """What a page prints of a pair."""
    seconds = (parse_time(fields["captured_at"]) - parse_time(twin.kept.fields["captured_at"])).total_seconds()
    figures = {"sha256": twin.kept.fields["sha256"], "evidence_id": twin.kept.id,
               "days_apart": round(abs(seconds) / A_DAY_S, 1)}
    if twin.distance is not None:
        figures |= {"distance": twin.distance, "orientation": twin.orientation}
    return figures
