"""Checkpoints kept outside of the database: the newest in the data directory, one an hour, written once, in the store.

Serves the worker's tick, `menqian restore` and the audit. Devices keep the checkpoints that they saw as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import orjson
import structlog

from media.stores import NotStored, StoreUnavailable
from media.stores.disk import replace_file
from schemas.values import parse_time, stamp
from server.db import db, reading
from server.house import house
from sync import journal, notes
from sync.witnesses import Witness, judge, standing

log = structlog.get_logger()
FILE = "checkpoint.json"  # in the data directory
FOLDER = "checkpoints"  # in the media store: KEY/EPOCH/SIZE-ROOT; others, with other keys, may use the same store
NAME = re.compile(r"([0-9a-f-]{36})/([0-9]{19})-([0-9a-f]{64})")
EVERY = timedelta(hours=1)


class Newest(NamedTuple):
    """The newest checkpoint that this machine kept, and when it last gave one to the media store."""

    epoch: str
    note: str
    stored_at: str


def keep() -> tuple[str, str] | None:
    """Keep the newest checkpoint, here and, when an hour has passed, in the media store.

    What was kept before is first held against the journal. If it is not of this journal, nothing is overwritten, and
    code and words of what is wrong are given.
    """
    before = _newest()
    with reading():
        signed, now = journal.newest_checkpoint(db.session()), standing(db.session())
        if before is not None and (wrong := judge(_witness(before), now)):
            return wrong
    if signed is None or (before is not None and (before.epoch, before.note) == (now.epoch, signed.note)):
        return None
    at = house().clock()
    due = before is None or at - parse_time(before.stored_at) >= EVERY
    replace_file(_path(), orjson.dumps(Newest(
        now.epoch, signed.note, stamp(at) if due or before is None else before.stored_at)._asdict()))
    if due:
        try:
            house().store.keep(f"{_folder()}/{now.epoch}/{signed.size:019d}-{signed.root}", signed.note.encode())
        except StoreUnavailable as error:  # the next hour brings another
            log.warning("checkpoint_not_stored", error=str(error))
    return None


def kept() -> Iterator[Witness]:
    """Every checkpoint that was kept and can be reached from here; raises StoreUnavailable."""
    if (newest := _newest()) is not None:
        yield _witness(newest)
    for name in house().store.kept(folder := _folder()):
        if found := NAME.fullmatch(name.removeprefix(f"{folder}/")):
            yield Witness(found[1], int(found[2]), found[3], name)


def note_of(witness: Witness) -> str | None:
    """The signed note of a checkpoint that was kept, where it can be read."""
    if witness.where == FILE:
        newest = _newest()
        return newest.note if newest else None
    try:
        return house().store.recall(witness.where).decode(errors="replace")
    except (NotStored, StoreUnavailable):
        return None


def _newest() -> Newest | None:
    try:
        found = Newest(**orjson.loads(_path().read_bytes()))
        _witness(found)
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:  # somebody wrote into it: the next checkpoint replaces it
        log.warning("checkpoint_unreadable", file=FILE, error=str(error))
        return None
    return found


def _witness(newest: Newest) -> Witness:
    checkpoint = notes.read_checkpoint(newest.note)
    return Witness(newest.epoch, checkpoint.size, checkpoint.root.hex(), FILE)


def _path() -> Path:
    return house().settings.data / FILE


def _folder() -> str:
    signer = house().signer
    return f"{FOLDER}/{notes.key_hash(signer.origin, signer.key.public_key()).hex()}"
