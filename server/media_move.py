"""Copy all photos to another store while the server goes on with the old one: `menqian media move`.

What stands in the new store whole is passed over, so a killed run is simply run again, and a second one brings what
came since. Each copy is hashed on its way and asked back from the new store. Nothing is removed from the old one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256 as sha256_of
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from media.models import Photo, PhotoHold, Rendition
from media.stores import NotStored, Store, StoreUnavailable
from server import holds
from server.db import db, reading, writing
from server.house import house

AT_ONCE = 8
A_BATCH = 500


class Copy(NamedTuple):
    """A file that the rows name: an original, or a rendition."""

    sha256: str
    media_type: str
    original: bool


@dataclass
class Moved:
    """What became of the files: `copied`, `stood` (whole, before), or `missing` or `damaged` in the old store."""

    seen: Counter[str] = field(default_factory=Counter)
    lost: dict[str, list[str]] = field(default_factory=lambda: {"missing": [], "damaged": []})

    def count(self, each: Copy, became: str) -> None:
        self.seen["photos" if each.original else "renditions"] += 1
        self.seen[became] += 1
        if became in self.lost:
            self.lost[became].append(each.sha256)


def move(source: Store, target: Store, tell: Callable[[str], None]) -> dict[str, Any]:
    """Copy what the rows name, then put the holds of open cases on; gives counts, and the digests of what was lost.

    Raises StoreUnavailable when one of the stores fails; what was copied by then stands.
    """
    target.probe()
    moved = Moved()
    with TemporaryDirectory(prefix="move-", dir=house().settings.spool) as folder, \
            ThreadPoolExecutor(AT_ONCE) as threads:
        bring = partial(_bring, source, target, Path(folder))
        for some in _files():
            for each, became in zip(some, threads.map(bring, some), strict=True):
                moved.count(each, became)
            tell(", ".join(f"{count} {name}" for name, count in moved.seen.items()))
    while holds.settle(target, within_s=float("inf"), again=True) is None:
        tell("另一进程正在锁定 another process is putting holds on there, waiting for it")
        time.sleep(1)
    told = {**{name: moved.seen[name] for name in ("photos", "renditions", "copied", "stood")}, **moved.lost}
    with writing() as door:
        door.record_entry("media_moved", "console", None, {"from": source.place, "to": target.place, **{
            name: value if isinstance(value, int) else len(value) for name, value in told.items()}})
    return {"from": source.place, "to": target.place, **told, **_holds(db.session(), target)}


def _bring(source: Store, target: Store, folder: Path, each: Copy) -> str:
    """Copy one file unless it stands there whole; says what became of it."""
    stands = target.holds(each.sha256)
    if stands:
        return "stood"
    copy, digest = folder / f"{each.sha256}-{each.original}", sha256_of()
    try:
        with copy.open("wb") as file:
            for block in source.open(each.sha256):
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != each.sha256:
            return "damaged"
        if stands is False:
            target.delete(each.sha256)
        target.put(each.sha256, copy, each.media_type)
    except NotStored:
        return "missing"
    finally:
        copy.unlink(missing_ok=True)
    if not target.holds(each.sha256):
        raise StoreUnavailable(f"{target.place} does not hold {each.sha256} as it was written there")
    return "copied"


def _files() -> Iterator[list[Copy]]:
    """All originals, then all renditions, in short transactions; what comes meanwhile may be among them or not."""
    yield from _pages(lambda after: [Copy(row.sha256, row.media_type, True) for row in db.session.execute(
        select(Photo.sha256, Photo.media_type).where(Photo.sha256 > after).order_by(Photo.sha256).limit(A_BATCH))])
    yield from _pages(lambda after: [Copy(digest, "image/jpeg", False) for digest in db.session.execute(
        select(Rendition.sha256).distinct().where(Rendition.sha256 > after, Rendition.disposed_at.is_(None))
        .order_by(Rendition.sha256)
        .limit(A_BATCH)).scalars()])


def _pages(read: Callable[[str], list[Copy]]) -> Iterator[list[Copy]]:
    after = ""
    while True:
        with reading():
            page = read(after)
        if not page:
            return
        after = page[-1].sha256
        yield page


def _holds(session: Session, target: Store) -> dict[str, Any]:
    """How many photos the new store holds, and what keeps it from more."""
    if not target.holding:
        return {"holds": None}
    held = session.execute(select(func.count()).where(PhotoHold.place == target.place,
                                                      PhotoHold.held_at.is_not(None))).scalar_one()
    return {"holds": held, "holds_trouble": holds.trouble(session, target)}
