"""Lawful erasure of values: from the record, its history and conflicts, what was quarantined of it, its receipts, and
what journal entries say aside. The journal stays as it is: it holds commitments, and their salts go with the values.

The one exception to "every acknowledged value is kept": what goes is told by one entry of the journal of kind `erased`,
which names fields, versions and all other places, never a value; audits take only those as erased. Who may order it,
and when, is not known here. Serves `server/keeping/erasures.py` and the audits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from schemas.problems import PROBLEMS
from schemas.records import RecordType
from sync.audit import ERASED
from sync.bulk import Among
from sync.kept import Kept
from sync.merge import touched
from sync.models import Aside, Held, History, JournalEntry, Quarantined, Receipt
from sync.records import Door
from sync.writers import Writer

OP = "erase"
PLACEHOLDER = "已依法删除 lawfully erased"
"""What stands in a field without which a record of its type cannot be."""
SIDES = ("base", "theirs", "mine")
PARTS = (*SIDES, "resolution", "edits")
"""The parts of a conflict in which values stand."""
SHORTEST_TEXT = 2
WITHIN = ("set", "add", "remove", "args", "command")


@dataclass
class Erased:
    """Where values went: versions by record, entries of the quarantine, entries of the journal that said them aside;
    and the texts themselves, by which the caller looks further, and which go nowhere."""

    versions: dict[str, list[int]] = field(default_factory=dict)
    quarantined: list[str] = field(default_factory=list)
    asides: list[int] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)

    def told(self) -> dict[str, Any]:
        """What the journal's entry says of the places."""
        return {"versions": self.versions, "quarantined": self.quarantined, "asides": self.asides}


def waits_for(session: Session, record_id: str) -> bool:
    """Does a mutation of this record still wait for another record?"""
    return session.execute(select(Held.n).where(Held.record_id == record_id).limit(1)).first() is not None


def ever_had(session: Session, kept: Kept, name: str) -> bool:
    """Has the record such a field, or had it one, or was one sent for it and quarantined?"""
    versions = session.execute(select(History.changed).where(History.record_id == kept.id)).scalars()
    sent = session.execute(select(Quarantined.mutation).where(Quarantined.record_id == kept.id)).scalars()
    return (name in kept.fields or any(_is_of(unit, [name]) for changed in versions for unit in orjson.loads(changed))
            or any(scrubbed(kept.declared, mutation, [name]) != mutation for mutation in sent))


def erase(door: Door, kept: Kept, names: Collection[str], writer: Writer, erasure_id: str) -> Erased:
    """Let the values of these fields vanish. Each becomes null in a new version of the record, by which devices learn
    it; a required one says PLACEHOLDER. What waits (`waits_for`) is not looked at."""
    found = Erased()
    for name in names:
        found.texts |= texts_in(kept.fields.get(name))
    conflicts = [one for one in door.live("conflict", about_id=kept.id) if _speaks_of(kept.declared, one, names)]
    _write(door, kept, dict.fromkeys(names), names, writer, erasure_id)
    for conflict in conflicts:
        values = _of_conflict(door, kept.declared, conflict, names, writer)
        _write(door, conflict, values, values, writer, erasure_id)
        door.mark(conflict.id, cell=None)  # a digest of the value
    door.flush()
    _scrub_history(door, kept, names, found)
    for conflict in conflicts:
        _scrub_history(door, conflict, PARTS, found, of=kept.declared, inner=names)
    _scrub_quarantine(door, kept, names, found)
    return found


def _write(door: Door, kept: Kept, values: Mapping[str, Any], names: Collection[str], writer: Writer,
           erasure_id: str) -> None:
    """The version that tells it: nothing stood there, and what stands now is no value."""
    after = {**kept.fields, **values}
    lacking = [name for name in kept.declared.required if after.get(name) is None and name in names]
    one_of = kept.declared.one_of
    if one_of and all(after.get(name) is None for name in one_of) and "address" in names and "address" in one_of:
        lacking.append("address")
    after |= dict.fromkeys(lacking, PLACEHOLDER)
    stamps = {unit: marks for unit, marks in kept.stamps.items() if not _is_of(unit, names)}
    for name in names:
        touched(stamps, name, kept.version + 1, writer.id, present=kept.fields.get(name) is not None)
    door.change(kept, after, writer, op=OP, changed={name: (None, after.get(name)) for name in names}, stamps=stamps,
                note={"erasure": erasure_id}, checked=False)


def _scrub_history(door: Door, kept: Kept, names: Collection[str], found: Erased, *, of: RecordType | None = None,
                   inner: Collection[str] = ()) -> None:
    """Empty these units in every earlier version; the salt goes where something did. `inner` are the fields of the
    record of type `of` that a conflict's parts hold."""
    declared, within = of or kept.declared, inner or names
    for row in door.session.execute(select(History.version, History.changed, History.note).where(
            History.record_id == kept.id, History.version <= kept.version)).all():
        changed = orjson.loads(row.changed)
        hit = [unit for unit in changed if _is_of(unit, names)]
        whole = of is None or _is_of(str(kept.fields.get("field")), within)
        after = {unit: pair if unit not in hit else dict.fromkeys(pair) if whole and unit not in PARTS[3:] else
                 {side: scrubbed(declared, value, {*within, "value"}) for side, value in pair.items()}
                 for unit, pair in changed.items()}
        note = scrubbed(declared, row.note, {*within, *(("value",) if of else ())})
        if after == changed and note == row.note:
            continue
        for unit in hit:
            found.texts |= texts_in(changed[unit])
        values: dict[str, Any] = {"note": note}
        if note != row.note:
            _scrub_commitment(door, kept.id, row.version, found)
        if after != changed:
            found.versions.setdefault(kept.id, []).append(row.version)
            values |= {"changed": orjson.dumps(after, option=orjson.OPT_SORT_KEYS).decode(), "salt": ""}
        door.session.execute(update(History).where(History.record_id == kept.id, History.version == row.version)
                             .values(**values).execution_options(synchronize_session=False))


def _scrub_commitment(door: Door, record_id: str, version: int, found: Erased) -> None:
    """Empty the salt of the entry that is committed to the note of this version."""
    for aside, body in door.session.execute(select(Aside, JournalEntry.body).join(
            JournalEntry, JournalEntry.index == Aside.index).where(
            JournalEntry.about == record_id, JournalEntry.kind == "change")):
        if body["version"] == version:
            aside.salt = ""
            found.asides.append(aside.index)


def _speaks_of(declared: RecordType, conflict: Kept, names: Collection[str]) -> bool:
    unit = str(conflict.fields.get("field"))
    edits = conflict.fields.get("edits")
    return _is_of(unit, names) or scrubbed(declared, edits, names) != edits


def _of_conflict(door: Door, declared: RecordType, conflict: Kept, names: Collection[str],
                 writer: Writer) -> dict[str, Any]:
    """A conflict's parts without the values; one over such a field is settled thereby: nobody's value stands."""
    fields, whole = conflict.fields, _is_of(str(conflict.fields.get("field")), names)
    values = {name: scrubbed(declared, fields[name], {*names, "value"}) for name in PARTS if name in fields}
    if whole:
        values |= dict.fromkeys(SIDES)
    if whole and fields.get("state") == "open":
        values |= {"state": "resolved", "resolution": {"choice": "value", "value": None, "at": door.at,
                                                       "by": writer.user_id}}
    return values


def _scrub_quarantine(door: Door, kept: Kept, names: Collection[str], found: Erased) -> None:
    """What was sent for the record and not applied, with its correction, and what its receipt says of it."""
    for row in door.session.execute(select(Quarantined).where(Quarantined.record_id == kept.id)).scalars():
        mutation = scrubbed(kept.declared, row.mutation, names)
        settlement = scrubbed(kept.declared, row.settlement, names)
        unreadable = row.mutation.get("unreadable")
        if mutation == row.mutation and settlement == row.settlement and not unreadable:
            continue
        for part in (row.mutation, row.settlement or {}):
            found.texts |= {text for name in WITHIN for text in _texts_of(part.get(name), names)}
        if unreadable:
            mutation["unreadable"] = {**unreadable, "source": None}
        row.mutation, row.settlement = {**mutation, ERASED: sorted({*names, *row.mutation.get(ERASED, ())})}, settlement
        row.problem = bare(row.problem)
        found.quarantined.append(row.id)
        for receipt in door.session.execute(select(Receipt).where(
                Receipt.device_id == row.device_id, Receipt.n == row.n)).scalars():
            receipt.outcome = _bare_outcome(receipt.outcome)
            receipt.settled = _bare_outcome(receipt.settled)


def _bare_outcome(outcome: Any) -> Any:
    if not outcome or not outcome.get("problem"):
        return outcome
    return {**{name: one for name, one in outcome.items() if name != "reason"}, "problem": bare(outcome["problem"])}


def bare(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A problem without the words in which a value may stand."""
    kept = {name: problem[name] for name in ("type", "title", "status", "code", "action") if name in problem}
    kind = PROBLEMS.get(str(problem.get("code")))
    return {**kept, "detail": kind.title if kind else PLACEHOLDER}


def scrub_asides(door: Door, abouts: Iterable[str], found: Erased, *, whole: bool) -> None:
    """Empty what entries about these things say aside, all of it or where one of the texts stands in it, and the salts
    of those that are about a scrubbed entry of the quarantine, whose words stood there."""
    abouts, quarantined = [*abouts, *found.quarantined], set(found.quarantined)
    rows = door.session.execute(select(Aside, JournalEntry.about).join(
        JournalEntry, JournalEntry.index == Aside.index).where(Among(JournalEntry.about, abouts))).all()
    for aside, about in rows:
        if about in quarantined or (whole and aside.document is not None) or says(aside.document, found.texts):
            aside.document, aside.salt = None, ""
            found.asides.append(aside.index)


def says(document: Any, texts: Iterable[str]) -> bool:
    """Does one of the texts stand in the document, also within another?"""
    words = " ".join(texts_in(document))
    return any(text in words for text in texts)


def scrubbed(declared: RecordType, value: Any, names: Collection[str]) -> Any:
    """A document without the members that are, or are parts of, these fields; the values of other fields stay whole."""
    if isinstance(value, list):
        return [scrubbed(declared, one, names) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: part if key in declared.fields else scrubbed(declared, part, names)
            for key, part in value.items() if not _is_of(key, names)}


def without(values: Any, names: Collection[str]) -> Any:
    """A mapping by field without these."""
    return {name: value for name, value in values.items() if not _is_of(name, names)} if isinstance(values, dict) \
        else values


def texts_in(value: Any) -> set[str]:
    """The texts of a document that are long enough to be known again."""
    if isinstance(value, str):
        return {value} if len(value) >= SHORTEST_TEXT else set()
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for part in parts for text in texts_in(part)}


def _texts_of(value: Any, names: Collection[str]) -> set[str]:
    """The texts under these fields, wherever they stand."""
    if isinstance(value, dict):
        return {text for key, part in value.items()
                for text in (texts_in(part) if _is_of(key, names) else _texts_of(part, names))}
    return set()


def _is_of(unit: str, names: Collection[str]) -> bool:
    """Is the unit one of these fields, or a part of one?"""
    return unit in names or unit.partition(".")[0] in names
