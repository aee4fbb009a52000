"""The journal: one append-only RFC 6962 Merkle tree of everything that happened (protocol section 9).

Entries are numbered behind the gate, in the transaction of what they tell. Leaves stand in their entries; of the inner
nodes only those of levels 8, 16, 24 … are stored, and the others are computed from at most 256 of them, so that a proof
reads O(log n) rows. Personal values never stand in a body, only salted commitments, and they beside the tree: erasing
text and salt keeps it valid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Column, ColumnElement, Select, bindparam, func, insert, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.values import stamp
from sync import merkle, notes
from sync.bulk import insert_rows
from sync.models import Aside, Checkpoint, Clock, JournalEntry, JournalNode, table_of

STEP = 8
SPAN = 2**STEP
CHECKPOINTS, CLOCK = table_of(Checkpoint), table_of(Clock)
ENTRIES, INNER = table_of(JournalEntry), table_of(JournalNode)
SIZE = select(CLOCK.c.journal_size).where(CLOCK.c.id == 1)
SIGNED = (CHECKPOINTS.c.size, CHECKPOINTS.c.root, CHECKPOINTS.c.at, CHECKPOINTS.c.note)
NEWEST = select(*SIGNED).order_by(CHECKPOINTS.c.size.desc()).limit(1)
SIZE_AND_NEWEST = select(CLOCK.c.journal_size, *SIGNED).select_from(CLOCK.outerjoin(
    CHECKPOINTS, CHECKPOINTS.c.size == select(func.max(CHECKPOINTS.c.size)).scalar_subquery())).where(CLOCK.c.id == 1)
PLAIN = frozenset((str, bool, type(None)))


class Entry(NamedTuple):
    """One entry before it has a number; `aside` is what goes beside the tree: salt and, where it is kept, document."""

    at: str
    kind: str
    actor: str
    about: str | None
    body: Mapping[str, Any]
    aside: tuple[str, Mapping[str, Any] | None] | None = None

    def canonical_body(self) -> bytes:
        """RFC 8785 JSON of the body."""
        return canonical(self.body)

    def text(self, body: bytes | None = None) -> bytes:
        """RFC 8785 JSON of `{at, kind, actor, about, body}`; `body` is its own JSON, where known."""
        body = self.canonical_body() if body is None else body
        return orjson.dumps({"about": self.about, "actor": self.actor, "at": self.at, "body": orjson.Fragment(body),
                             "kind": self.kind})

    def leaf(self, body: bytes | None = None) -> bytes:
        """The RFC 6962 hash of the text."""
        return merkle.leaf_hash(self.text(body))


def canonical(document: Mapping[str, Any]) -> bytes:
    """RFC 8785 JSON. For texts, flags, small whole numbers and lists of texts under ASCII names, which is what most
    bodies hold, sorted compact JSON is the same, and orjson writes it many times faster."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS) if _is_plain(document) else rfc8785.dumps(dict(document))


def _is_plain(document: Mapping[str, Any]) -> bool:
    if not "".join(document).isascii():
        return False
    for value in document.values():
        kind = type(value)
        if kind not in PLAIN and not (kind is int and abs(value) < 2**53) and not (
                kind is list and PLAIN.issuperset(map(type, value))):
            return False
    return True


@dataclass(frozen=True, slots=True)
class Signer:
    """The name and key that sign checkpoints."""

    origin: str
    key: Ed25519PrivateKey


def commitment(salt: str, values: Any) -> str:
    """Hex SHA-256 over salt and values: binds the journal to values that it does not show."""
    return commit_to(salt, orjson.dumps(values, option=orjson.OPT_SORT_KEYS))


def commit_to(salt: str, text: bytes) -> str:
    """The commitment to values that are written already, as compact JSON with sorted keys."""
    return hashlib.sha256(bytes.fromhex(salt) + text).hexdigest()


class Signed(NamedTuple):
    """A checkpoint: the number of entries it covers, their root in hex, when it was signed, and its C2SP note."""

    size: int
    root: str
    at: str
    note: str


def append(session: Session, frontier: merkle.Frontier, entries: Sequence[Entry]) -> None:
    """Number the entries and write them, with the nodes that they complete. Only behind the open gate."""
    if not entries:
        return
    rows: list[dict[str, Any]] = []
    nodes: list[dict[str, Any]] = []
    asides: list[dict[str, Any]] = []
    for entry in entries:
        if entry.aside is not None:
            asides.append({"index": frontier.size, "salt": entry.aside[0], "document": entry.aside[1]})
        body = entry.canonical_body()
        leaf = entry.leaf(body)
        rows.append({"index": frontier.size, "at": entry.at, "kind": entry.kind, "actor": entry.actor,
                     "about": entry.about, "body": orjson.Fragment(body), "leaf_hash": leaf.hex()})
        nodes += [{"level": level, "index": index, "hash": node.hex()}
                  for level, index, node in frontier.append(leaf) if level and level % STEP == 0]
    insert_rows(session, table_of(JournalEntry), rows)
    insert_rows(session, table_of(JournalNode), nodes)
    insert_rows(session, table_of(Aside), asides)


def _joined(hashes: Column[str], at: Column[int], *where: ColumnElement[bool]) -> Select[str]:
    """The hashes from number `low` to below `high` as one text: one row to fetch instead of 256. Both engines
    aggregate an ordered subquery in its order (PostgreSQL 9.21; SQLite leaves out no ORDER BY below group_concat)."""
    rows = select(hashes.label("hash")).where(at >= bindparam("low"), at < bindparam("high"), *where).order_by(at)
    return select(func.aggregate_strings(rows.subquery().c.hash, ""))


LEAVES = _joined(ENTRIES.c.leaf_hash, ENTRIES.c.index)
NODES = _joined(INNER.c.hash, INNER.c.index, INNER.c.level == bindparam("level"))


def subtree_of(session: Session) -> Callable[[int, int], bytes]:
    """A function (level, index) -> hash of the complete subtree of 2**level leaves from index * 2**level on."""
    blocks: dict[tuple[int, int], bytes] = {}

    def block(level: int, number: int) -> bytes:
        """The up to 256 stored hashes of one level from `number * 256` on, one behind the other."""
        if (level, number) not in blocks:
            found = session.connection().execute(LEAVES if level == 0 else NODES, {
                "level": level, "low": number * SPAN, "high": (number + 1) * SPAN}).scalar_one()
            blocks[level, number] = bytes.fromhex(found or "")
        return blocks[level, number]

    def subtree(level: int, index: int) -> bytes:
        base = level - level % STEP
        width = 2 ** (level - base)
        first = index * width
        start = first % SPAN * merkle.HASH_BYTES
        return merkle.fold_complete(block(base, first // SPAN)[start:start + width * merkle.HASH_BYTES])

    return subtree


def issue_checkpoint(session: Session, frontier: merkle.Frontier, signer: Signer, now: datetime) -> Signed:
    """The signed checkpoint of the journal as it stands behind the open gate; the newest one if nothing came since."""
    newest = newest_checkpoint(session)
    if newest is not None and newest.size == frontier.size:
        return newest
    root = frontier.root()
    made = Signed(frontier.size, root.hex(), stamp(now),
                  notes.sign_checkpoint(signer.origin, frontier.size, root, signer.key))
    session.connection().execute(insert(Checkpoint).values(made._asdict()))
    return made


def newest_checkpoint(session: Session) -> Signed | None:
    """The checkpoint of the largest size."""
    row = session.connection().execute(NEWEST).one_or_none()
    return Signed(*row) if row else None


def size_and_newest(session: Session) -> tuple[int, Signed | None]:
    """How many entries the journal has, and the checkpoint of the largest size."""
    size, *signed = session.connection().execute(SIZE_AND_NEWEST).one()
    return size, Signed(*signed) if signed[0] is not None else None


def first_checkpoint_after(session: Session, index: int) -> Checkpoint | None:
    """The first checkpoint that contains the entry of that index."""
    return session.execute(select(Checkpoint).where(Checkpoint.size > index).order_by(Checkpoint.size)
                           .limit(1)).scalar_one_or_none()


def journal_size(session: Session) -> int:
    return int(session.connection().execute(SIZE).scalar_one())


def entries(session: Session, start: int, limit: int) -> list[dict[str, Any]]:
    """Entries from an index on, as they cross the wire; with `aside: {salt, values}` where their body has the
    commitment `aside`."""
    found = session.execute(select(JournalEntry, Aside).outerjoin(Aside, Aside.index == JournalEntry.index).where(
        JournalEntry.index >= start).order_by(JournalEntry.index).limit(limit))
    return [{"index": entry.index, "at": entry.at, "kind": entry.kind, "actor": entry.actor, "about": entry.about,
             "body": entry.body, "leaf_hash": entry.leaf_hash,
             **({"aside": {"salt": aside.salt, "values": aside.document}} if aside else {})} for entry, aside in found]


def inclusion(session: Session, index: int, size: int) -> list[str]:
    """The audit path of RFC 6962 section 2.1.1, hex; raises `size_invalid`."""
    if not 0 <= index < size <= journal_size(session):
        raise Problem("size_invalid", f"need 0 <= index < size <= {journal_size(session)}")
    return [part.hex() for part in merkle.inclusion_path(index, size, subtree_of(session))]


def consistency(session: Session, old: int, new: int) -> list[str]:
    """The consistency proof of RFC 6962 section 2.1.2, hex; raises `size_invalid`."""
    if not 0 < old <= new <= journal_size(session):
        raise Problem("size_invalid", f"need 0 < from <= to <= {journal_size(session)}")
    return [part.hex() for part in merkle.consistency_path(old, new, subtree_of(session))]
