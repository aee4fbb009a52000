"""The audit of what became of mutations: receipts, what was quarantined, what waits.

Receipts are dense in each device's numbers and hold the digest of each mutation; what an outcome says must stand where
it points. The journal names every entry of the quarantine and its settlement. Serves `bin/menqian verify`; writes
nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import Text, and_, select, type_coerce
from sqlalchemy.orm import Session, aliased

from schemas.values import is_uuid
from sync.audit import ERASED, Audit, batches, holds, journalled, parsed, stream
from sync.erased import Erasures
from sync.models import Device, Held, JournalEntry, Quarantined, Receipt, Record
from sync.push import digest_of

DONE = frozenset({"applied", "merged", "conflicted"})
FIRST = DONE | {"held", "quarantined"}
# What the receipt of an entry says by now, by the entry's state; `None` is not settled, or not since it was held.
SETTLED: Mapping[str, frozenset[str | None]] = {
    "open": frozenset({None, "quarantined"}), "dismissed": frozenset({"dismissed"}), "released": DONE}
STATE_OF = {"quarantine": "open", "release": "released", "dismiss": "dismissed"}
OUTCOME = type_coerce(Receipt.outcome, Text).label("outcome")
NOW = type_coerce(Receipt.settled, Text).label("settled")

Waiting = Mapping[tuple[str, int], str | None]


def check_receipts(audit: Audit, session: Session) -> None:
    """Every receipt: the numbers of its device are dense, and what it says became of the mutation did become."""
    last = {row.id: row.last_n for row in session.execute(select(Device.id, Device.last_n))}
    waiting = _waiting(audit, session)
    kept = select(Quarantined.id).where(
        Quarantined.device_id == Receipt.device_id, Quarantined.n == Receipt.n).exists().label("kept")
    receipts = stream(session, select(Receipt.device_id, Receipt.n, Receipt.id, Receipt.digest, OUTCOME, NOW, kept)
                      .order_by(Receipt.device_id, Receipt.n))
    for device_id, rows in groupby(receipts, key=lambda row: row.device_id):
        expected = 1
        for batch in batches(rows):
            for row in batch:
                if row.n != expected:
                    audit.wrong("receipt_missing", device_id, f"number {expected} has no receipt; {row.n} follows")
                expected = row.n + 1
            _check_outcomes(audit, session, batch, waiting)
        if expected - 1 != last.pop(device_id, 0):
            audit.wrong("receipt_missing", device_id, f"its receipts end at {expected - 1}, its numbers do not")
    for device_id, n in last.items():
        if n:
            audit.wrong("receipt_missing", device_id, f"no receipts of its {n} numbers")


def _waiting(audit: Audit, session: Session) -> Waiting:
    """The digest of each mutation that waits, by device and number, held against its receipt. They are few: none
    waits for longer than five days."""
    found: dict[tuple[str, int], str | None] = {}
    for device_id, first, text in stream(session, select(
            Held.device_id, Held.n, type_coerce(Held.mutations, Text)).order_by(Held.device_id, Held.n)):
        unit = parsed(text)
        sound = isinstance(unit, list) and all(isinstance(raw, dict) and "n" in raw for raw in unit)
        for raw in unit if sound else [{"n": first}]:
            found[device_id, raw["n"]] = _digest(raw) if sound else ""
    for batch in batches(sorted(found)):
        receipts = {(row.device_id, row.n): row for row in session.execute(select(
            Receipt.device_id, Receipt.n, Receipt.digest, OUTCOME, Receipt.settled_seq).where(
            Receipt.device_id.in_({key[0] for key in batch}), Receipt.n.in_({key[1] for key in batch})))}
        for key in batch:
            row = receipts.get(key)
            if row is None or row.settled_seq is not None or (parsed(row.outcome) or {}).get("outcome") != "held":
                audit.wrong("held_unknown", key[0], f"number {key[1]} waits, of which its receipt says nothing")
            elif found[key] not in (None, row.digest):
                audit.wrong("held_altered", key[0], f"number {key[1]} that waits is not what was sent")
    return found


def _digest(raw: Any) -> str | None:
    """The digest of a kept mutation; None where its source could not be kept as JSON, of which the digest is, or where
    values were erased from it."""
    return None if not isinstance(raw, dict) or "unreadable" in raw or ERASED in raw else digest_of(raw)


def _check_outcomes(audit: Audit, session: Session, batch: list[Any], waiting: Waiting) -> None:
    said = [(row, parsed(row.outcome), parsed(row.settled)) for row in batch]
    named = {outcome["record_id"] for _, outcome, _ in said if isinstance(outcome, dict)
             and is_uuid(outcome.get("record_id"))}
    versions = {row.id: row.version for row in session.execute(
        select(Record.id, Record.version).where(Record.id.in_(named)))}
    for row, outcome, settled in said:
        audit.checked["receipts"] += 1
        fault = _fault(session, row, outcome, settled, waiting, versions)
        if fault:
            audit.wrong("receipt_altered", row.device_id, f"number {row.n}: {fault}")


def _fault(session: Session, row: Any, outcome: Any, settled: Any, waiting: Waiting,
           versions: Mapping[str, int]) -> str | None:
    """What is wrong with a receipt, if anything. What a device's person sent from an earlier device stands there."""
    if not isinstance(outcome, dict) or not isinstance(settled, dict | None) or outcome.get("outcome") not in FIRST \
            or outcome.get("n") != row.n or (row.id is not None and outcome.get("id") != row.id):
        return "its outcome is none"
    if row.settled is not None and settled is None:
        return "its settlement is none"
    first, now = outcome["outcome"], settled.get("outcome") if settled else None
    newest = versions.get(outcome["record_id"], 0) if is_uuid(outcome.get("record_id")) else 0
    for name, version in ((first, outcome.get("version")), (now, settled.get("version") if settled else None)):
        if name in DONE and not (isinstance(version, int) and 1 <= version <= newest):
            return f"{name} as a version that there is not"
    if first in DONE:
        return "applied, and kept in the quarantine or waiting" if row.kept or (row.device_id, row.n) in waiting \
            else "applied at once, and settled" if settled else None
    if first == "quarantined" or now in ("quarantined", "dismissed"):
        return None if row.kept or _stands_elsewhere(session, row, waiting) else "not in the quarantine"
    held = (row.device_id, row.n) in waiting
    return None if settled or held or _stands_elsewhere(session, row, waiting) else "held, and waits nowhere"


def _stands_elsewhere(session: Session, row: Any, waiting: Waiting) -> bool:
    """Did an earlier device of the same person send this mutation, and is it kept, waits or is settled there?"""
    if row.id is None:
        return False
    twin = aliased(Receipt)
    for device_id, n, settled_seq, kept in session.execute(select(
            twin.device_id, twin.n, twin.settled_seq, select(Quarantined.id).where(
                Quarantined.device_id == twin.device_id, Quarantined.n == twin.n).exists()).where(
            twin.id == row.id, twin.digest == row.digest, twin.device_id != row.device_id)):
        if kept or settled_seq is not None or (device_id, n) in waiting:
            return True
    return False


def check_quarantine(audit: Audit, session: Session, erased: Erasures) -> None:
    """Every entry of the quarantine against the journal and its receipt, and whether any is missing. Of one from which
    values were lawfully erased mutation and settlement cannot be told from altered ones."""
    rows = stream(session, select(
        Quarantined.id, Quarantined.device_id, Quarantined.user_id, Quarantined.n, Quarantined.received_at,
        Quarantined.reason, Quarantined.state, type_coerce(Quarantined.mutation, Text).label("mutation"),
        type_coerce(Quarantined.settlement, Text).label("settlement"), Receipt.digest, NOW)
        .outerjoin(Receipt, and_(Receipt.device_id == Quarantined.device_id, Receipt.n == Quarantined.n))
        .order_by(Quarantined.id))
    for batch in batches(rows):
        entries = defaultdict(list)
        for entry in session.execute(journalled().where(
                JournalEntry.about.in_([row.id for row in batch]), JournalEntry.kind.in_(STATE_OF))):
            entries[entry.about].append(entry)
        for row in batch:
            audit.checked["quarantined"] += 1
            if not entries[row.id]:
                audit.wrong("quarantine_unknown", row.id, "the journal tells nothing of it")
            elif altered := _altered(row, entries[row.id], row.id in erased.quarantined):
                audit.wrong("quarantine_altered", row.id, f"{', '.join(altered)} differs from journal or receipt")
    for (quarantine_id,) in stream(session, select(JournalEntry.about).outerjoin(
            Quarantined, Quarantined.id == JournalEntry.about).where(
            JournalEntry.kind == "quarantine", Quarantined.id.is_(None))):
        audit.wrong("quarantine_missing", quarantine_id, "the journal tells of it")


def _altered(row: Any, entries: list[Any], is_erased: bool) -> list[str]:
    """What of an entry is not as the journal tells, or not what its device sent."""
    first, last = entries[0], entries[-1]
    body, settlement = parsed(first.body) or {}, parsed(row.settlement) or {}
    pairs: dict[str, tuple[Any, Any]] = {
        "user_id": (row.user_id, first.actor), "received_at": (row.received_at, first.at),
        "device_id": (row.device_id, body.get("device_id")), "n": (row.n, body.get("n")),
        "reason": (row.reason, body.get("code")), "state": (row.state, STATE_OF[last.kind])}
    if last is not first:
        said = {name: value for name, value in settlement.items() if name not in ("by", "at")}
        pairs["settlement"] = ((settlement.get("by"), settlement.get("at"), is_erased or holds(last, said)),
                               (last.actor, last.at, True))
    altered = [name for name, (kept, told) in pairs.items() if kept != told]
    mutation = parsed(row.mutation)
    if not isinstance(mutation, dict) or row.digest is None or _digest(mutation) not in (None, row.digest) \
            or (ERASED in mutation) is not is_erased:
        altered.append("mutation")
    if (parsed(row.settled) or {}).get("outcome") not in SETTLED.get(row.state, ()):
        altered.append("receipt")
    return altered
