"""The audit of what finds a photo again: does the index hold each photo's hash, and do ties and flags agree?

Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, aliased

from media.bands import BANDS, HASH_BYTES, keys_of
from media.evidence import REUSE_FLAGS
from media.models import NearPhoto, Photo, PhotoBand, Reuse
from sync.audit import Audit, batches, stream
from sync.models import Record


def check_reuse(audit: Audit, session: Session) -> None:
    """Every compared photo stands in the index under the bands of its hash; near photos and tied evidence know of each
    other, and evidence is flagged for what it is tied to."""
    _check_bands(audit, session)
    _check_sides(audit, session)
    _check_flags(audit, session)


def _check_bands(audit: Audit, session: Session) -> None:
    hashed = (Photo.dhash.is_not(None), Photo.near.is_not(None))
    for batch in batches(stream(session, select(Photo.sha256, Photo.dhash).where(*hashed).order_by(Photo.sha256)), 200):
        wanted = {row.sha256: _rows_of(row.dhash) for row in batch}
        found = {(row.key, row.dhash) for row in session.execute(select(PhotoBand.key, PhotoBand.dhash).where(
            tuple_(PhotoBand.key, PhotoBand.dhash).in_({row for rows in wanted.values() for row in rows})))}
        for sha256, rows in wanted.items():
            audit.checked["photo_hashes"] += 1
            if missing := rows - found:
                audit.wrong("photo_bands", sha256, f"{len(missing)} of its {BANDS} bands are not in the index: photos "
                                                   "near to it may not be found")


def _check_sides(audit: Audit, session: Session) -> None:
    for table, one, other, code in ((NearPhoto, NearPhoto.sha256, NearPhoto.other, "near_one_sided"),
                                    (Reuse, Reuse.evidence_id, Reuse.other_id, "reuse_one_sided")):
        back: Any = aliased(table)
        mirrored = select(back.distance).where(getattr(back, one.key) == other, getattr(back, other.key) == one,
                                               back.distance.is_not_distinct_from(table.distance)).exists()
        for row in stream(session, select(one.label("one"), other.label("other")).where(~mirrored)):
            audit.wrong(code, row.one, f"is tied to {row.other}, which does not say the same of it")


def _check_flags(audit: Audit, session: Session) -> None:
    for batch in batches(stream(session, select(Record.id, Record.fields).where(
            Record.id.in_(select(Reuse.evidence_id))).order_by(Record.id))):
        for row in batch:
            audit.checked["reuses"] += 1
            if not any(flag["code"] in REUSE_FLAGS for flag in orjson.loads(row.fields).get("flags") or ()):
                audit.wrong("reuse_unsaid", row.id, "shows a picture of another case, of which its flags say nothing")


def _rows_of(dhash: str) -> set[tuple[int, bytes]]:
    number = int(dhash, 16)
    return {(key, number.to_bytes(HASH_BYTES)) for key in keys_of(number)}
