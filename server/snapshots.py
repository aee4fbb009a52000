"""Prepared snapshots on disk: one file for each set of scopes that somebody asked for, made by the first who asks.

Serves `server/api/snapshot.py` and the worker's tick. A folder a view holds `DIGEST.gz` with `DIGEST.json` beside it,
which is written last: a file counts once it is told of. Everything here can be deleted; it is then made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import orjson
import structlog
from sqlalchemy import func, select

from schemas.problems import Problem
from schemas.values import SHA256_HEX, parse_time, stamp
from server.db import db, reading
from server.house import house
from server.keeping.models import Erasure
from sync.snapshot import Written, is_behind, is_worth_it, log_of, write_snapshot

log = structlog.get_logger()
RENEWAL_SHARE = 10
"""A snapshot is not made anew before ten times as long has passed as its making took."""
LONGEST_WAIT_S = 15


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that can be offered: what it holds, its digest and size, when it was made and how long that took."""

    written: Written
    sha256: str
    size: int
    made_at: str
    took_s: float

    @property
    def began_at(self) -> str:
        """When its making began, at the latest."""
        return stamp(parse_time(self.made_at) - timedelta(seconds=self.took_s))

    def to_json(self) -> bytes:
        """The text that stands beside the file."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> Prepared:
        """Raises ValueError, TypeError, KeyError for what is not such a text."""
        told = orjson.loads(text)
        written = told.pop("written")
        return cls(**told, written=Written(**{**written, "codes": tuple(written["codes"])}))


def prepared(codes: Sequence[str], damaged: str | None = None) -> Prepared | None:
    """The snapshot of this view, made now if need be; None where a plain pull is as quick, or no file can be written.

    `damaged` names one whose bytes were found wrong. Raises `snapshot_preparing` while somebody else makes the first.
    """
    folder = _folder(codes)
    try:
        if damaged is not None:
            _remove_if_broken(folder, damaged)
        with reading():
            found, fresh = _newest(folder)
            if not fresh and found is None and not is_worth_it(db.session(), codes, house().settings.snapshot_records):
                return None
        if found is None or not fresh:
            found = _renew(folder, codes, found)
        with suppress(FileNotFoundError):  # swept at this moment: the reader finds nothing and asks again
            os.utime(folder / f"{found.sha256}.json", times=(house().clock().timestamp(),) * 2)
    except OSError as error:
        log.error("snapshot_unwritable", error=str(error))
        return None
    return found


def file_of(codes: Sequence[str], sha256: str) -> Path | None:
    """Where this snapshot lies, if it is one of exactly this view."""
    path = _folder(codes) / f"{sha256}.gz"
    return path if SHA256_HEX.fullmatch(sha256) and path.is_file() else None


def kept_until(found: Prepared) -> str:
    """Until when at least a file that is offered now can be fetched."""
    return stamp(house().clock() + timedelta(hours=house().settings.snapshot_hours))


def sweep() -> None:
    """Remove what nobody can be reading any more, of another history, or last offered long ago; and what was begun
    before values were lawfully erased, for they stand in it."""
    state = house()
    oldest = (state.clock() - timedelta(hours=state.settings.snapshot_hours)).timestamp()
    log = log_of(db.session())
    erased_at = db.session.execute(select(func.max(Erasure.decided_at)).where(Erasure.state == "done")).scalar() or ""
    db.session.rollback()
    for path in state.settings.snapshots.glob("*/*.gz"):
        told = path.with_suffix(".json")
        found = _read(told)
        with suppress(FileNotFoundError):  # another worker was quicker
            offered_at = (told if found else path).stat().st_mtime
            if offered_at < oldest or (found and (
                    found.began_at <= erased_at or not log.goes_on_from(found.written))):
                told.unlink(missing_ok=True)
                path.unlink()


def _renew(folder: Path, codes: Sequence[str], old: Prepared | None) -> Prepared:
    """Make the file, unless somebody is making it: then the old one serves, or the caller comes again."""
    with _making(folder) as waited_s:
        if waited_s is None:
            with reading():
                found, fresh = _newest(folder)  # somebody may just have finished
            return found if found and fresh else _make(folder, codes)
    if old is None:
        raise Problem("snapshot_preparing", retry_after=max(1, min(LONGEST_WAIT_S, round(waited_s))))
    return old


def _make(folder: Path, codes: Sequence[str]) -> Prepared:
    clock = house().clock
    began = clock()
    for left in folder.glob("making-*"):  # we hold the lock: its maker is dead
        left.unlink()
    with tempfile.NamedTemporaryFile(dir=folder, prefix="making-", delete=False) as out:
        with reading():
            written = write_snapshot(db.session(), codes, out)
        size = out.tell()
    with open(out.name, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    made = Prepared(written, sha256, size, stamp(clock()), (clock() - began).total_seconds())
    os.replace(out.name, folder / f"{sha256}.gz")
    told = folder / "making-json"
    told.write_bytes(made.to_json())
    os.replace(told, folder / f"{sha256}.json")
    return made


def _newest(folder: Path) -> tuple[Prepared | None, bool]:
    """The newest whole snapshot of this history in the folder, and whether it need not be made anew yet."""
    log = log_of(db.session())
    found = [each for each in map(_read, folder.glob("*.json"))
             if each and log.goes_on_from(each.written) and _is_whole(folder, each)]
    if not found:
        return None, False
    newest = max(found, key=lambda each: each.written.seq)
    settings = house().settings
    most = max(settings.changes_per_pull, newest.written.changes * settings.snapshot_tail_percent // 100)
    since = house().clock() - parse_time(newest.made_at)
    return newest, timedelta() <= since < timedelta(seconds=RENEWAL_SHARE * newest.took_s) \
        or not is_behind(db.session(), newest.written, most)


def _read(told: Path) -> Prepared | None:
    """What is told of a file; None when the text was cut off or is of another release: then there is no such file."""
    try:
        return Prepared.from_json(told.read_bytes())
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _is_whole(folder: Path, found: Prepared) -> bool:
    with suppress(FileNotFoundError):
        return (folder / f"{found.sha256}.gz").stat().st_size == found.size
    return False


def _remove_if_broken(folder: Path, sha256: str) -> None:
    path = folder / f"{sha256}.gz"
    with suppress(FileNotFoundError), path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            path.with_suffix(".json").unlink()
            path.unlink()


@contextmanager
def _making(folder: Path) -> Iterator[float | None]:
    """Hold the folder's lock, which excludes threads and processes alike: None, or since when (s) another holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield time.time() - os.fstat(lock.fileno()).st_mtime
            return
        os.utime(lock.fileno())
        yield None


def _folder(codes: Sequence[str]) -> Path:
    name = hashlib.sha256(orjson.dumps(sorted(set(codes)))).hexdigest()[:32]
    return house().settings.snapshots / name
