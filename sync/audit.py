"""The audit of what the engine keeps: does the journal hold, and does the history agree with it?

Everything is computed anew from the rows and held against hashes, signed checkpoints and each other. Serves
`bin/menqian verify`; writes nothing, and goes on after a fault as far as it can.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import rfc8785
from sqlalchemy import Select, Text, select, type_coerce
from sqlalchemy.orm import Session, aliased

from schemas.values import parse_time, stamp
from sync import append_only, journal, merkle, notes
from sync.models import Aside, Checkpoint, Clock, History, JournalEntry, JournalNode, Record

if TYPE_CHECKING:
    from sync.erased import Erasures

CHUNK = 1000
LISTED_AT_MOST = 100
ERASED = "erased"
"""The kind of the entry that tells of a lawful erasure (`sync/erasure.py`)."""
WAITED = timedelta(minutes=1)
SHA256_HEX = re.compile(r"[0-9a-f]{64}")
BODY = type_coerce(JournalEntry.body, Text).label("body")  # as text: one that is no JSON any more is a fault, too


@dataclass(slots=True)
class Audit:
    """What was looked at, what is wrong, and what is to be noted though nothing speaks against it; of one kind at most
    100 are listed, all are counted."""

    checked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    problems: list[dict[str, str]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)

    def wrong(self, code: str, about: object, detail: str) -> None:
        """Note a fault. `detail` names fields and numbers, never the values in them."""
        self.found[code] += 1
        if self.found[code] <= LISTED_AT_MOST:
            self.problems.append({"code": code, "about": str(about), "detail": detail})

    def note(self, code: str, about: object, detail: str) -> None:
        """Note what cannot be held against anything, for instance because an older release committed to nothing."""
        self.checked[code] += 1
        if self.checked[code] <= LISTED_AT_MOST:
            self.notes.append({"code": code, "about": str(about), "detail": detail})


def stream(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    """The rows of a query, a thousand in memory at a time."""
    return iter(session.execute(query.execution_options(yield_per=CHUNK)))


def batches(rows: Iterable[Any], size: int = 500) -> Iterator[list[Any]]:
    """The rows in lists of at most `size`."""
    walk = iter(rows)
    while batch := list(islice(walk, size)):
        yield batch


def journalled() -> Select[*tuple[Any, ...]]:
    """Journal entries in their order, each with the salt of what it says aside; the caller says which."""
    return select(JournalEntry.index.label("number"), JournalEntry.at, JournalEntry.kind, JournalEntry.actor,
                  JournalEntry.about, BODY, Aside.salt).outerjoin(Aside, Aside.index == JournalEntry.index) \
        .order_by(JournalEntry.index)


def parsed(text: str | None) -> Any:
    """The JSON document that a column holds; None for what is none any more."""
    try:
        return None if text is None else orjson.loads(text)
    except ValueError:
        return None


def check_guards(audit: Audit, session: Session) -> None:
    """The triggers stand by which the database refuses to change the journal."""
    for table in append_only.unguarded(session.connection()):
        audit.wrong("guard_missing", table, "the triggers that refuse its changes are gone or altered")


def check_journal(audit: Audit, session: Session, key_line: str, wanted: Container[int] = ()) -> dict[int, str]:
    """Every leaf against its entry, every stored node, checkpoint and the clock against the tree over the leaves.

    Gives the tree's roots (hex) at the sizes that are `wanted`, as far as it came.
    """
    frontier, roots = merkle.Frontier(), dict[int, str]()
    nodes = {(level, index): hash_ for level, index, hash_ in stream(session, select(
        JournalNode.level, JournalNode.index, JournalNode.hash))}
    checkpoints = stream(session, select(Checkpoint.size, Checkpoint.root, Checkpoint.note).order_by(Checkpoint.size))
    due = next(checkpoints, None)
    for row in stream(session, select(
            JournalEntry.index.label("number"), JournalEntry.at, JournalEntry.kind, JournalEntry.actor,
            JournalEntry.about, BODY, JournalEntry.leaf_hash).order_by(JournalEntry.index)):
        if row.number != frontier.size:
            audit.wrong("journal_gap", frontier.size, f"entry {frontier.size} is missing; {row.number} follows")
            return roots
        audit.checked["journal_entries"] += 1
        for level, index, node in frontier.append(_leaf(audit, row)):
            if level and level % journal.STEP == 0 and nodes.pop((level, index), None) != node.hex():
                audit.wrong("node_wrong", f"{level}/{index}", "a stored subtree hash is not that of its leaves")
        while due is not None and due.size == frontier.size:
            _check_checkpoint(audit, due, frontier.root(), key_line)
            due = next(checkpoints, None)
        if frontier.size in wanted:
            roots[frontier.size] = frontier.root().hex()
    for level, index in nodes:
        audit.wrong("node_wrong", f"{level}/{index}", "a stored subtree hash without its leaves")
    while due is not None:
        audit.wrong("checkpoint_ahead", due.size, f"signed over {due.size} entries, the journal has {frontier.size}")
        due = next(checkpoints, None)
    clock = session.execute(select(Clock.journal_size, Clock.journal_peaks).where(Clock.id == 1)).one()
    if (clock.journal_size, clock.journal_peaks) != (frontier.size, frontier.to_json()):
        audit.wrong("clock_wrong", "journal", f"the clock says {clock.journal_size} entries, found {frontier.size}, "
                                              "or their peaks differ")
    return roots


def _leaf(audit: Audit, row: Any) -> bytes:
    """The stored leaf hash of an entry, after holding it against the entry; the right one where none can be read."""
    entry = journal.Entry(row.at, row.kind, row.actor, row.about, parsed(row.body))
    try:
        leaf = entry.leaf()
    except (rfc8785.CanonicalizationError, TypeError, ValueError):
        leaf = merkle.EMPTY_ROOT
    if leaf.hex() != row.leaf_hash:
        audit.wrong("entry_altered", row.number, f"the entry ({row.kind}) does not hash to its leaf")
    return bytes.fromhex(row.leaf_hash) if SHA256_HEX.fullmatch(row.leaf_hash) else leaf


def _check_checkpoint(audit: Audit, row: Any, root: bytes, key_line: str) -> None:
    audit.checked["checkpoints"] += 1
    if row.root != root.hex():
        audit.wrong("checkpoint_wrong", row.size, "the root is not that of the entries up to here")
    try:
        signed = notes.verify_note(row.note, key_line)
    except notes.NoteInvalid as error:
        audit.wrong("checkpoint_unsigned", row.size, str(error))
        return
    if (signed.size, signed.root.hex()) != (row.size, row.root):
        audit.wrong("checkpoint_unsigned", row.size, "what was signed is another size or root")


def check_times(audit: Audit, session: Session, now: datetime) -> None:
    """Every checkpoint was signed after the last entry that it covers and before the next one, or before now: what
    devices took since then is dated by it. A transaction takes its time before it waits for the gate (WAITED)."""
    below, above = aliased(JournalEntry), aliased(JournalEntry)
    latest = stamp(now)
    for row in stream(session, select(
            Checkpoint.size, Checkpoint.at, below.at.label("below"), above.at.label("above"))
            .join(below, below.index == Checkpoint.size - 1).outerjoin(above, above.index == Checkpoint.size)
            .order_by(Checkpoint.size)):
        try:
            at, *around = map(parse_time, (row.at, row.below, row.above or max(latest, row.below)))
        except ValueError:
            audit.wrong("checkpoint_time", row.size, "no time")
            continue
        if not min(around) - WAITED <= at <= max(around) + WAITED:
            audit.wrong("checkpoint_time", row.size, f"its time is not between those of the entries {row.size - 1} "
                                                     f"and {row.size}")


TOLD = ("commitment", "actor", "at", "device_id", "op")
NOTE = type_coerce(History.note, Text).label("note")


class Noted(NamedTuple):
    """What the entry of a version says of its note; `is_due` says that an entry before it was committed to one."""

    number: int
    commitment: str | None
    salt: str | None
    is_due: bool


def check_commitments(audit: Audit, session: Session, erased: Erasures) -> None:
    """Every version in the history, with its note, against the journal's entry of it, and the other way round; the
    newest entry also tells in which scope its record lies. A commitment whose salt was erased cannot be opened any
    more; releases before the first entry with a note's were committed to none.

    Both were written in step, so the two streams are read side by side and only what does not pair stays in memory.
    """
    told = stream(session, select(
        JournalEntry.index.label("number"), JournalEntry.about, JournalEntry.actor, JournalEntry.at, BODY, Aside.salt,
        Record.version, Record.scope).outerjoin(Record, Record.id == JournalEntry.about)
        .outerjoin(Aside, Aside.index == JournalEntry.index).where(JournalEntry.kind == "change")
        .order_by(JournalEntry.index))
    kept = stream(session, select(History.record_id, History.version, History.salt, History.changed, History.actor,
                                  History.at, History.device_id, History.op, NOTE).order_by(History.seq))
    committed: dict[tuple[Any, Any], tuple[Any, ...]] = {}
    opened: dict[tuple[Any, Any], tuple[Any, ...]] = {}
    are_noted = False
    for entry, version in zip_longest(told, kept):
        keys = []
        if entry is not None:
            body = parsed(entry.body) or {}
            keys.append((entry.about, body.get("version")))
            are_noted = are_noted or "aside" in body
            committed[keys[-1]] = (body.get("commitment"), entry.actor, entry.at, body.get("device_id"), body.get("op"),
                                   Noted(entry.number, body.get("aside"), entry.salt, are_noted))
            if body.get("version") == entry.version and body.get("scope") != entry.scope:
                audit.wrong("record_altered", entry.about, "scope differs from the journal")
        if version is not None:
            audit.checked["versions"] += 1
            keys.append((version.record_id, version.version))
            opened[keys[-1]] = (_commitment(version), version.actor, version.at, version.device_id, version.op,
                                version.note)
        for key in keys:
            if key in committed and key in opened:
                (*one, noted), (*other, note) = committed.pop(key), opened.pop(key)
                _check_version(audit, key, one, other, key in erased.versions)
                _check_note(audit, key, noted, note, erased)
    for record_id, number in committed:
        audit.wrong("history_missing", record_id, f"the journal tells of version {number}")
    for record_id, number in opened:
        audit.wrong("history_unknown", record_id, f"the journal tells nothing of version {number}")


def _check_version(audit: Audit, key: tuple[Any, Any], told: Sequence[Any], kept: Sequence[Any],
                   is_erased: bool) -> None:
    differ = [name for name, one, other in zip(TOLD, told, kept, strict=True) if one != other]
    if differ == ["commitment"] and kept[0] is None and is_erased:
        audit.checked["versions_erased"] += 1
    elif differ == ["commitment"]:
        audit.wrong("history_altered", key[0], f"version {key[1]} is not what the journal is committed to")
    elif differ:
        audit.wrong("history_altered", key[0], f"version {key[1]}: {', '.join(differ)} differs from the journal")


def _check_note(audit: Audit, key: tuple[Any, Any], told: Noted, note: str | None, erased: Erasures) -> None:
    """Is the note of a version, as JSON, what its entry is committed to?"""
    as_told = note is None if told.commitment is None else opens(told.salt, parsed(note), told.commitment)
    if as_told or (not told.salt and told.number in erased.asides):
        return
    if told.commitment is None and not told.is_due:
        audit.note("notes_uncommitted", key[0], f"version {key[1]}: the journal is not committed to its note")
    else:
        audit.wrong("history_altered", key[0], f"version {key[1]}: note differs from the journal")


def _commitment(version: Any) -> str | None:
    """What the version commits to; None where the salt is erased, or it is no JSON any more."""
    if not version.salt:
        return None
    try:
        return journal.commitment(version.salt, orjson.loads(version.changed))
    except ValueError:  # neither hex nor JSON any more
        return None


def check_asides(audit: Audit, session: Session, erased: Erasures) -> None:
    """What entries say aside against their commitments to it; the salt of each is there, or erased."""
    rows = stream(session, select(Aside.index.label("number"), Aside.salt, type_coerce(Aside.document, Text).label(
        "document"), BODY).outerjoin(JournalEntry, JournalEntry.index == Aside.index).order_by(Aside.index))
    for row in rows:
        audit.checked["asides"] += 1
        told = (parsed(row.body) or {}).get("aside")
        if told is None:
            audit.wrong("aside_unknown", row.number, "the entry of this number says nothing aside")
        elif not row.salt and row.document is None and row.number in erased.asides:
            audit.checked["asides_erased"] += 1
        elif not row.salt:
            audit.wrong("aside_altered", row.number, "its salt is gone, which no erasure tells")
        elif row.document is not None and not opens(row.salt, parsed(row.document), told):
            audit.wrong("aside_altered", row.number, "what the entry says aside is not what it is committed to")
    for number, text in stream(session, select(JournalEntry.index.label("number"), BODY).outerjoin(
            Aside, Aside.index == JournalEntry.index).where(
            JournalEntry.kind != "change", Aside.index.is_(None), BODY.contains('"aside":'))):
        if "aside" in (parsed(text) or {}):
            audit.wrong("aside_missing", number, "what the entry says aside is gone")


def opens(salt: str | None, values: Any, commitment: Any) -> bool:
    """Do these values open the commitment?"""
    try:
        return salt is not None and journal.commitment(salt, values) == commitment
    except ValueError:  # the salt is no hex any more
        return False


def holds(entry: Any, values: Any) -> bool:
    """Are these values what an entry (`body`, `salt`) is committed to aside? Older releases committed to nothing."""
    told = (parsed(entry.body) or {}).get("aside")
    return told is None or opens(entry.salt, values, told)
