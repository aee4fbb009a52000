"""The part that the journal has in a bundle: key, signed checkpoint, the entries of the case, and their proofs."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from media.bag import Part, part_of
from sync.audit import batches
from sync.journal import Entry, consistency
from sync.models import Aside, Checkpoint, JournalEntry, JournalTimestamp
from sync.notes import read_checkpoint
from sync.proofs import proofs_of

FOLDER = "data/journal/"
TOGETHER = 200


def journal_parts(directory: Path, session: Session, key_line: str, checkpoint: str, indexes: Sequence[int],
                  beacons: Mapping[str, Checkpoint], stamped: JournalTimestamp | None, *,
                  asides: bool) -> Iterator[Part]:
    """The files; `indexes` name the entries, `asides` says whether what people wrote beside the tree comes along."""
    size = read_checkpoint(checkpoint).size
    yield part_of(FOLDER + "key.txt", key_line.encode() + b"\n")
    yield part_of(FOLDER + "checkpoint.txt", checkpoint.encode())
    target = directory / "entries.jsonl"
    with target.open("wb") as file:
        for line in _lines(session, indexes, asides):
            file.write(line)
    yield part_of(FOLDER + "entries.jsonl", target)
    for index, proof in proofs_of(session, indexes, size, checkpoint):
        yield part_of(f"{FOLDER}proofs/{index}.tlog-proof", _spooled(directory / f"{index}.tlog-proof", proof))
    for root, seen in beacons.items():
        for _, proof in proofs_of(session, [seen.size - 1], seen.size, seen.note):
            yield part_of(f"{FOLDER}beacons/{root}.tlog-proof", _spooled(directory / f"{root}.tlog-proof", proof))
    if stamped is not None:
        yield part_of(FOLDER + "stamped.txt", stamped.note.encode())
        yield part_of(FOLDER + "stamped.tsr", base64.b64decode(stamped.response))
        yield part_of(FOLDER + "stamped.consistency",
                      "".join(f"{part}\n" for part in consistency(session, stamped.size, size)).encode())


def with_asides(session: Session, indexes: Sequence[int]) -> list[int]:
    """Those of the entries beside which there are words."""
    return [row.index for some in batches(indexes, TOGETHER) for row in session.execute(
        select(Aside.index, Aside.document).where(Aside.index.in_(some)).order_by(Aside.index))
        if row.document is not None]


def _spooled(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def _lines(session: Session, indexes: Sequence[int], asides: bool) -> Iterator[bytes]:
    """`{index, leaf, aside?}` of each entry: the exact text of which the tree has the hash, and what opens what it is
    committed to."""
    for start in range(0, len(indexes), TOGETHER):
        rows = session.execute(select(JournalEntry, Aside).outerjoin(Aside, Aside.index == JournalEntry.index).where(
            JournalEntry.index.in_(indexes[start:start + TOGETHER])).order_by(JournalEntry.index))
        for entry, aside in rows:
            text = Entry(entry.at, entry.kind, entry.actor, entry.about, entry.body).text().decode()
            opened = {"aside": {"salt": aside.salt, "text": orjson.dumps(
                aside.document, option=orjson.OPT_SORT_KEYS).decode()}} \
                if asides and aside is not None and aside.document is not None else {}
            yield orjson.dumps({"index": entry.index, "leaf": text, **opened}, option=orjson.OPT_APPEND_NEWLINE)
