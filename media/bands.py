"""The index by which a photo finds those near to it among millions: each hash under the values of its 13 bands.

Two hashes at most 25 bits apart have a band in which at most one bit differs, for 13 bands with two differences each
would make 26. So 13 x (1 + 20) keys are looked up for each hash, and what lies there is compared in full: nothing
within NEAR_BITS is missed. A band takes every 13th bit: neighbouring bits are mostly alike, and a band of neighbours
has values that many photos share (docs/decisions/2026-11-27-near-photos.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import orjson
from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from media.models import PhotoBand
from media.reuse import NEAR_BITS

BANDS = 13
VALUE_BITS = 20  # the longest band; a key is the band's number before its value
PLACES = tuple(tuple(range(band, 256, BANDS)) for band in range(BANDS))
HASH_BYTES = 32
WORD_BITS = "<u8"
# All hashes come as one value: a row for each would cost more than to find it.
LOOK_UP = {
    "sqlite": text("SELECT CAST(group_concat(dhash, '') AS BLOB) FROM photo_band "
                   "WHERE key IN (SELECT value FROM json_each(:keys))"),
    "postgresql": text("SELECT string_agg(dhash, ''::bytea) FROM photo_band "
                       "WHERE key = ANY (ARRAY(SELECT json_array_elements_text(CAST(:keys AS json))::int))"),
}
ENTER = text("INSERT INTO photo_band (key, dhash) VALUES (:key, :dhash) ON CONFLICT DO NOTHING")


class Near(NamedTuple):
    """A hash in the index, how far it is from the one that was looked up, and in which EXIF orientation of that."""

    dhash: str
    distance: int
    orientation: int


def keys_of(dhash: int) -> list[int]:
    """The 13 keys under which a hash stands."""
    return [_key(band, sum((dhash >> place & 1) << at for at, place in enumerate(places)))
            for band, places in enumerate(PLACES)]


def enter(session: Session, dhash: int) -> None:
    """Put a hash into the index; nothing happens when it stands there."""
    content = dhash.to_bytes(HASH_BYTES)
    session.execute(ENTER, [{"key": key, "dhash": content} for key in keys_of(dhash)])


def leave(session: Session, dhash: int) -> None:
    """Take a hash that no photo has any more out of the index."""
    session.execute(delete(PhotoBand).where(PhotoBand.key.in_(keys_of(dhash)),
                                            PhotoBand.dhash == dhash.to_bytes(HASH_BYTES)))


def look_up(session: Session, hashes: Mapping[int, int]) -> list[Near]:
    """All hashes within NEAR_BITS of one of these, which are given by EXIF orientation; each once, nearest first."""
    if not hashes:
        return []
    keys = sorted({probe for dhash in hashes.values() for probe in _probes(dhash)})
    content = session.execute(LOOK_UP[session.get_bind().dialect.name], {"keys": orjson.dumps(keys).decode()}).scalar()
    nearest: dict[str, Near] = {}
    for near in _near(content or b"", hashes):
        known = nearest.get(near.dhash)
        if known is None or near.distance < known.distance:
            nearest[near.dhash] = near
    return sorted(nearest.values(), key=lambda near: (near.distance, near.orientation, near.dhash))


def _near(content: bytes, hashes: Mapping[int, int]) -> Iterator[Near]:
    """Of the hashes that stand one behind the other, those near to a given one; a quarter of the bits tells most."""
    known = np.frombuffer(content, WORD_BITS).reshape(-1, 4)
    first = np.ascontiguousarray(known[:, 0])
    for orientation, dhash in hashes.items():
        own = np.frombuffer(dhash.to_bytes(HASH_BYTES), WORD_BITS)
        likely = known[np.bitwise_count(first ^ own[0]) <= NEAR_BITS]
        differ = np.bitwise_count(likely ^ own).astype(np.uint16)
        apart = differ[:, 0] + differ[:, 1] + differ[:, 2] + differ[:, 3]  # sum(axis=1) takes four times as long
        for place in np.flatnonzero(apart <= NEAR_BITS):
            yield Near(likely[place].tobytes().hex(), int(apart[place]), orientation)


def _probes(dhash: int) -> Iterable[int]:
    """The hash's own keys, and those with one bit of the value the other way."""
    for key, places in zip(keys_of(dhash), PLACES, strict=True):
        yield key
        yield from (key ^ 1 << at for at in range(len(places)))


def _key(band: int, value: int) -> int:
    return band << VALUE_BITS | value
