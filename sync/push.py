"""A push: numbering, replays, units, outcomes (protocol section 2). One call, one transaction; the API commits it.

Read in this order: `push` checks the numbers against the device's receipts, walks the units, and writes for each
mutation a receipt in the same transaction as its effect. No path drops a mutation: what cannot be applied is held or
quarantined, whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import bindparam, select, update

from schemas.problems import Problem
from schemas.push import Unreadable, load_mutation
from schemas.values import is_uuid, stamp
from sync import held, quarantine
from sync.bulk import Among
from sync.health import columns_of
from sync.models import Device, Receipt, table_of
from sync.mutations import Outcome, Waits, apply
from sync.records import Door
from sync.units import UnitFails, apply_unit
from sync.writers import Writer

Raw = Mapping[str, Any]
HELD_FOR = timedelta(days=5)
DEVICES = table_of(Device)
NUMBERING = select(DEVICES.c.state, DEVICES.c.last_n).where(DEVICES.c.id == bindparam("device_id"))


def push(door: Door, writer: Writer, mutations: Sequence[Raw], health: Raw, *, mutation_bytes: int) -> list[Raw]:
    """Apply a device's mutations and give their outcomes, in order.

    Raises `sequence_gap` and `device_forked`; then nothing was applied. Everything else is an outcome.
    """
    state, last_n = door.session.connection().execute(NUMBERING, {"device_id": writer.id}).one()
    if state != "active":  # revoked while this push waited at the gate
        raise Problem("device_revoked")
    stored = _receipts(door, writer.id, mutations) if mutations and mutations[0]["n"] <= last_n else {}
    _check_numbers(last_n, mutations, stored)
    new = [raw for raw in mutations if raw["n"] not in stored]
    door.load(_record_ids(new))
    door.rules.look_ahead(door, writer, new)
    before = door.gate.seq
    fresh = _walk(door, writer, new, mutation_bytes)
    door.session.connection().execute(
        update(DEVICES).where(DEVICES.c.id == writer.id),
        {**columns_of(health, door.now), "last_n": max(last_n, new[-1]["n"]) if new else last_n})
    door.flush()
    held.settle_arrived(door, before)
    settled = _settled_now(door, writer.id, fresh)
    replays = {n: replay_of(receipt) for n, receipt in stored.items()}
    return [{**fresh[raw["n"]], **settled.get(raw["n"], {})} if raw["n"] in fresh else replays[raw["n"]]
            for raw in mutations]


def replay_of(receipt: Receipt) -> dict[str, Any]:
    """The first outcome again, with what became of a held or quarantined one since."""
    outcome = {**receipt.outcome, "replayed": True}
    return {**outcome, "settled": receipt.settled} if receipt.settled else outcome


def digest_of(raw: Raw) -> str:
    """Hex SHA-256 of a mutation's content without its number; key order does not count."""
    if isinstance(raw, Unreadable):
        return raw.digest
    content = {name: value for name, value in raw.items() if name != "n"}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _receipts(door: Door, device_id: str, mutations: Sequence[Raw]) -> dict[int, Receipt]:
    found = door.session.execute(select(Receipt).where(
        Receipt.device_id == device_id, Receipt.n >= mutations[0]["n"], Receipt.n <= mutations[-1]["n"])).scalars()
    return {receipt.n: receipt for receipt in found}


def _check_numbers(last_n: int, mutations: Sequence[Raw], stored: Mapping[int, Receipt]) -> None:
    if mutations and mutations[0]["n"] > last_n + 1:
        raise Problem("sequence_gap", f"expected {last_n + 1}, got {mutations[0]['n']}", expect=last_n + 1)
    for raw in mutations:
        receipt = stored.get(raw["n"])
        if raw["n"] <= last_n and (receipt is None or receipt.digest != digest_of(raw)):
            raise Problem("device_forked", f"number {raw['n']} was used for another mutation", n=raw["n"])


def _walk(door: Door, writer: Writer, new: Sequence[Raw], mutation_bytes: int) -> dict[int, dict[str, Any]]:
    """Outcomes of the new mutations by number, with a receipt written for each."""
    outcomes: dict[int, dict[str, Any]] = {}
    earlier = _by_id(door, new)
    for unit in _units(new):
        seen = {raw["n"]: _seen_before(writer, raw, earlier) for raw in unit}
        repeated = {n: receipt for n, receipt in seen.items() if isinstance(receipt, Receipt)}
        for n, receipt in repeated.items():
            outcomes[n] = {**replay_of(receipt), "n": n}
        rest = [raw for raw in unit if raw["n"] not in repeated]
        if rest:
            outcomes.update(_apply_unit(door, writer, rest, mutation_bytes,
                                        {n: found for n, found in seen.items() if isinstance(found, Problem)}))
        for raw in unit:
            outcome = outcomes[raw["n"]]
            if raw["n"] in repeated:
                outcome = {name: value for name, value in outcome.items() if name != "settled"} | {"replayed": False}
            door.add_row(Receipt, {"device_id": writer.id, "n": raw["n"], "digest": digest_of(raw),
                                   "id": raw["id"] if is_uuid(raw.get("id")) else None, "received_at": door.at,
                                   "outcome": outcome, "settled": None, "settled_seq": None})
    return outcomes


def _by_id(door: Door, new: Sequence[Raw]) -> dict[str, Receipt]:
    """The first receipt of each mutation id that came before, from whatever device."""
    ids = [raw["id"] for raw in new if is_uuid(raw.get("id"))]
    if len(set(ids)) != len(ids):
        raise Problem("device_forked", "two mutations of one push carry the same id")
    return {receipt.id or "": receipt for receipt in door.session.execute(
        select(Receipt).where(Among(Receipt.id, ids)).order_by(Receipt.received_at.desc())).scalars()} if ids else {}


def _seen_before(writer: Writer, raw: Raw, earlier: Mapping[str, Receipt]) -> Receipt | Problem | None:
    """A mutation id seen before: on this device a fork; from the same person's earlier device a replay (it enrolled
    anew and numbered again); from anybody else a reused id."""
    receipt = earlier.get(raw.get("id") or "") if isinstance(raw.get("id"), str) else None
    if receipt is None:
        return None
    if receipt.device_id == writer.id:
        raise Problem("device_forked", f"mutation id {raw['id']} was used under number {receipt.n}", n=raw["n"])
    return receipt if receipt.digest == digest_of(raw) else Problem("id_reused", f"mutation id {raw['id']} exists")


def _units(new: Sequence[Raw]) -> Iterator[list[Raw]]:
    """Each mutation by itself, those of one group together."""
    for group, members in groupby(new, key=lambda raw: raw.get("group") if is_uuid(raw.get("group")) else None):
        if group is None:
            yield from ([raw] for raw in members)
        else:
            yield list(members)


def _apply_unit(door: Door, writer: Writer, unit: Sequence[Raw], mutation_bytes: int,
                refused: Mapping[int, Problem]) -> dict[int, dict[str, Any]]:
    """All of the unit, or none of it: then it is held or quarantined as a whole."""
    place, writer = door.savepoint(), writer.at(unit[0]["n"])

    def apply_one(raw: Raw) -> dict[str, Any]:
        if raw["n"] in refused:
            raise refused[raw["n"]]
        if len(orjson.dumps(raw)) > mutation_bytes:
            raise Problem("mutation_too_large", f"more than {mutation_bytes} bytes")
        return _shown(raw, apply(door, writer, load_mutation(raw)))

    try:
        return apply_unit(door, unit, apply_one)
    except Waits as waits:
        door.rollback(place)
        held.hold(door, writer, unit, waits.record_id, until=stamp(door.now + HELD_FOR))
        return {raw["n"]: blank(raw, "held") for raw in unit}
    except UnitFails as failed:
        door.rollback(place)
        return quarantine.keep(door, writer, unit, failed.n, failed.problem)


def _shown(raw: Raw, outcome: Outcome) -> dict[str, Any]:
    shown = {**blank(raw, outcome.outcome), "version": outcome.record.version, "conflicts": outcome.conflicts}
    return {**shown, "ignored": outcome.ignored} if outcome.ignored else shown


def blank(raw: Raw, outcome: str) -> dict[str, Any]:
    """An outcome of which nothing but its name is known."""
    return {"n": raw["n"], "id": raw.get("id"), "record_id": raw.get("record_id"), "outcome": outcome,
            "version": None, "conflicts": [], "problem": None, "replayed": False}


def _record_ids(new: Iterable[Raw]) -> list[str]:
    """The records that the mutations name, so that they are read at once."""
    ids: list[Any] = []
    for raw in new:
        values = _object(raw.get("set"))
        ids += [raw.get("record_id"), _object(values.get("about")).get("id"), *(value for name, value in values.items()
                                                         if name.endswith("_id"))]
    return [record_id for record_id in ids if is_uuid(record_id)]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _settled_now(door: Door, device_id: str, fresh: Mapping[int, Raw]) -> dict[int, dict[str, Any]]:
    """What became within this very push of a mutation that came before the record it refers to."""
    waiting = [n for n, outcome in fresh.items() if outcome["outcome"] == "held"]
    if not waiting:
        return {}
    rows = door.session.execute(select(Receipt.n, Receipt.settled).where(
        Receipt.device_id == device_id, Receipt.n.in_(waiting), Receipt.settled_seq.is_not(None)))
    return {row.n: {"settled": row.settled} for row in rows}

