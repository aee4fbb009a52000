"""A push: numbering, replays, units, outcomes (protocol section 2). One call, one transaction; the API commits it.

Read in this order: `read` judges each mutation by itself, before the gate is open; `push` checks the numbers against
the device's receipts, walks the units, and writes for each mutation a receipt in the same transaction as its effect. No
path drops a mutation: what cannot be applied is held or quarantined, whole.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Row, bindparam, select, update

from schemas.problems import Problem
from schemas.push import Mutation, Unreadable, load_mutation
from schemas.values import is_uuid, stamp
from sync import held, quarantine
from sync.bulk import Among
from sync.health import columns_of
from sync.models import Device, Receipt, table_of
from sync.mutations import apply
from sync.outcomes import Outcome, Waits
from sync.records import Door
from sync.units import UnitFails, apply_unit
from sync.writers import Writer

Raw = Mapping[str, Any]
log = logging.getLogger(__name__)
HELD_FOR = timedelta(days=5)
BASES_TRIED = 256
DEVICES, RECEIPTS = table_of(Device), table_of(Receipt)
# One statement each, made once: every push asks.
KNOWN = select(DEVICES.c.state, DEVICES.c.last_n, DEVICES.c.reported, DEVICES.c.last_seen_at).where(
    DEVICES.c.id == bindparam("device_id"))
TELL = update(DEVICES).where(DEVICES.c.id == bindparam("device_id"))
GIVEN = select(RECEIPTS).where(RECEIPTS.c.device_id == bindparam("device_id"),
                               RECEIPTS.c.n.between(bindparam("low"), bindparam("high")))
OF_IDS = select(RECEIPTS).where(Among(RECEIPTS.c.id, bindparam("ids"))).order_by(RECEIPTS.c.received_at.desc())


class Read(NamedTuple):
    """A mutation as it came, its digest, its id where that is one, and what it says; or what is wrong with it."""

    raw: Raw
    digest: str
    id: str | None
    said: Mutation | Problem


def read(mutations: Sequence[Raw], mutation_bytes: int) -> dict[int, Read]:
    """The mutations by their numbers, each judged by itself: it needs neither the database nor the gate."""
    return {raw["n"]: _read(raw, mutation_bytes) for raw in mutations}


def sound_of(came: Mapping[int, Read], last_n: int) -> list[Raw]:
    """The mutations above that number of which nothing is wrong by themselves."""
    return [read.raw for n, read in came.items() if n > last_n and not isinstance(read.said, Problem)]


def push(door: Door, writer: Writer, came: Mapping[int, Read], health: Raw, foreseen: Any = None, *,
         brought: bool = False) -> list[Raw]:
    """Apply a device's mutations and give their outcomes, in order. `foreseen`: what the rules reckoned beforehand.

    `brought`: the office brings them, from the file of a device that cannot come; it may be revoked, and was not seen.
    Raises `sequence_gap` and `device_forked`; then nothing was applied. Everything else is an outcome.
    """
    state, last_n, reported, seen_at = door.session.connection().execute(KNOWN, {"device_id": writer.id}).one()
    if state != "active" and not brought:  # revoked while this push waited at the gate
        raise Problem("device_revoked")
    stored = _receipts(door, writer.id, came) if came and next(iter(came)) <= last_n else {}
    _check_numbers(last_n, came, stored)
    new = [read.raw for n, read in came.items() if n not in stored]
    door.load(_record_ids(new))
    if foreseen is None:
        foreseen = door.rules.foresee(door.session, sound_of(came, last_n))
    door.rules.look_ahead(door, writer, foreseen)
    before = door.gate.seq
    fresh = _walk(door, writer, new, came)
    door.session.connection().execute(TELL, {
        **({} if brought else columns_of(health, door.now, reported, seen_at)), "device_id": writer.id,
        "last_n": max(last_n, new[-1]["n"]) if new else last_n})
    door.flush()
    held.settle_arrived(door, before)
    settled = _settled_now(door, writer.id, fresh)
    replays = {n: replay_of(receipt) for n, receipt in stored.items()}
    return [replays[n] if n in replays else {**fresh[n], **settled[n]} if n in settled else fresh[n] for n in came]


def replay_of(receipt: Row[Any]) -> dict[str, Any]:
    """The first outcome again, with what became of a held or quarantined one since."""
    outcome = {**receipt.outcome, "replayed": True}
    return {**outcome, "settled": receipt.settled} if receipt.settled else outcome


def digest_of(raw: Raw) -> str:
    """Hex SHA-256 of a mutation's content without its number; key order does not count."""
    return raw.digest if isinstance(raw, Unreadable) else hashlib.sha256(_content(raw)).hexdigest()


def _content(raw: Raw) -> bytes:
    content = dict(raw)
    content.pop("n", None)
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def _read(raw: Raw, mutation_bytes: int) -> Read:
    if isinstance(raw, Unreadable):
        said = _said(raw, len(orjson.dumps(raw)), mutation_bytes)
        return Read(raw, raw.digest, _id_of(raw), said)
    content = _content(raw)
    said = _said(raw, len(content) + len(f'"n":{raw["n"]},'), mutation_bytes)
    return Read(raw, hashlib.sha256(content).hexdigest(), _id_of(raw) if isinstance(said, Problem) else said.id, said)


def _said(raw: Raw, size: int, mutation_bytes: int) -> Mutation | Problem:
    try:
        if size > mutation_bytes:
            return Problem("mutation_too_large", f"more than {mutation_bytes} bytes")
        return load_mutation(raw)
    except Problem as problem:
        return problem
    except Exception:  # a fault of ours in one mutation may not stop a device's whole outbox
        log.exception("mutation %s was not read", raw.get("id"))
        return Problem("not_processed")


def _receipts(door: Door, device_id: str, numbers: Collection[int]) -> dict[int, Row[Any]]:
    found = door.session.connection().execute(GIVEN, {
        "device_id": device_id, "low": min(numbers), "high": max(numbers)})
    return {receipt.n: receipt for receipt in found}


def _check_numbers(last_n: int, came: Mapping[int, Read], stored: Mapping[int, Row[Any]]) -> None:
    first = next(iter(came), 0)
    if first > last_n + 1:
        raise Problem("sequence_gap", f"expected {last_n + 1}, got {first}", expect=last_n + 1)
    for n, read in came.items():
        receipt = stored.get(n)
        if n <= last_n and not (receipt and _says(receipt, read)):
            raise Problem("device_forked", f"number {n} was used for another mutation", n=n)


def _walk(door: Door, writer: Writer, new: Sequence[Raw], came: Mapping[int, Read]) -> dict[int, dict[str, Any]]:
    """Outcomes of the new mutations by number, with a receipt written for each."""
    outcomes: dict[int, dict[str, Any]] = {}
    repeated: set[int] = set()
    earlier = _by_id(door, [its_id for raw in new if (its_id := came[raw["n"]].id)])
    runs = [(group, list(members)) for group, members in groupby(new, key=_group_of)]
    times = Counter(group for group, _ in runs if group)
    for unit in _units(runs):
        refused: dict[int, Problem] = {}
        for raw in unit if earlier else ():
            seen = _seen_before(writer, came[raw["n"]], earlier)
            if isinstance(seen, Problem):
                refused[raw["n"]] = seen
            elif seen is not None:
                outcomes[raw["n"]] = {**replay_of(seen), "n": raw["n"]}
                repeated.add(raw["n"])
        rest = [raw for raw in unit if raw["n"] not in repeated] if repeated else unit
        if times and times[_group_of(unit[0]) or ""] > 1:  # nothing of it is applied
            refused = {raw["n"]: Problem("group_split", "同组操作须相邻 the mutations of a group stand together")
                       for raw in rest}
        if rest:
            outcomes.update(_apply_unit(door, writer, rest, came, refused))
    for raw in new:
        n = raw["n"]
        outcome = outcomes[n]
        if n in repeated:
            outcome = {name: value for name, value in outcome.items() if name != "settled"} | {"replayed": False}
        door.add_row(Receipt, {"device_id": writer.id, "n": n, "id": came[n].id, "digest": came[n].digest,
                               "outcome": outcome, "settled": None, "settled_seq": None, "received_at": door.at})
    return outcomes


def _units(runs: Iterable[tuple[str | None, list[Raw]]]) -> Iterator[list[Raw]]:
    """Each mutation by itself, those of one group together."""
    for group, members in runs:
        if group is None:
            yield from ([raw] for raw in members)
        else:
            yield members


def _by_id(door: Door, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """The first receipt of each mutation id that came before, from whatever device."""
    if len(set(ids)) != len(ids):
        raise Problem("device_forked", "two mutations of one push carry the same id")
    return {receipt.id: receipt for receipt in door.session.connection().execute(
        OF_IDS, {"ids": orjson.dumps(ids).decode()})} if ids else {}


def _seen_before(writer: Writer, came: Read, earlier: Mapping[str, Row[Any]]) -> Row[Any] | Problem | None:
    """A mutation id seen before: on this device a fork; from the same person's earlier device a replay (it enrolled
    anew and numbered again); from anybody else a reused id."""
    raw = came.raw
    receipt = earlier.get(raw.get("id") or "") if isinstance(raw.get("id"), str) else None
    if receipt is None:
        return None
    if receipt.device_id == writer.id:
        raise Problem("device_forked", f"mutation id {raw['id']} was used under number {receipt.n}", n=raw["n"])
    if not _says(receipt, came):
        return Problem("id_reused", f"mutation id {raw['id']} exists")
    return receipt


def _says(receipt: Row[Any], came: Read) -> bool:
    """Is this the mutation of that receipt, on whatever base? A device that was restored, or that meets a restored
    server, cannot know any more on which version it made what it delivers again. No fork hides in it: whoever has this
    id with this content has copied it, not made it, and what came of it stays."""
    if receipt.digest == came.digest:
        return True
    raw, version = came.raw, receipt.outcome.get("version") or 0
    if isinstance(raw, Unreadable) or receipt.id is None or receipt.id != raw.get("id"):
        return False
    bases = dict.fromkeys([*range(version, version - BASES_TRIED, -1), *range(BASES_TRIED)])
    return any(digest_of({**raw, "base": base}) == receipt.digest for base in bases)


def _id_of(raw: Raw) -> str | None:
    its_id = raw.get("id")
    return its_id if is_uuid(its_id) else None


def _group_of(raw: Raw) -> str | None:
    group = raw.get("group")
    return group if group is not None and is_uuid(group) else None


def _apply_unit(door: Door, writer: Writer, unit: Sequence[Raw], came: Mapping[int, Read],
                refused: Mapping[int, Problem]) -> dict[int, dict[str, Any]]:
    """All of the unit, or none of it: then it is held or quarantined as a whole."""
    place, writer = door.savepoint(), writer.at(unit[0]["n"])

    def apply_one(raw: Raw) -> dict[str, Any]:
        said = refused.get(raw["n"]) or came[raw["n"]].said
        if isinstance(said, Problem):
            raise said
        return _shown(raw, apply(door, writer, said))

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
    shown = blank(raw, outcome.outcome)
    shown["version"], shown["conflicts"] = outcome.record.version, outcome.conflicts
    if outcome.ignored:
        shown["ignored"] = outcome.ignored
    return shown


def blank(raw: Raw, outcome: str) -> dict[str, Any]:
    """An outcome of which nothing but its name is known."""
    return {"n": raw["n"], "id": raw.get("id"), "record_id": raw.get("record_id"), "outcome": outcome,
            "version": None, "conflicts": [], "problem": None, "replayed": False}


def _record_ids(new: Iterable[Raw]) -> list[str]:
    """The records that the mutations name, so that they are read at once."""
    ids: list[Any] = []
    for raw in new:
        ids.append(raw.get("record_id"))
        values = raw.get("set")
        if isinstance(values, dict):
            ids += [values[name] for name in values if name.endswith("_id")]
            if isinstance(about := values.get("about"), dict):
                ids.append(about.get("id"))
    return [record_id for record_id in ids if is_uuid(record_id)]


def _settled_now(door: Door, device_id: str, fresh: Mapping[int, Raw]) -> dict[int, dict[str, Any]]:
    """What became within this very push of a mutation that came before the record it refers to."""
    waiting = [n for n, outcome in fresh.items() if outcome["outcome"] == "held"]
    if not waiting:
        return {}
    rows = door.session.execute(select(Receipt.n, Receipt.settled).where(
        Receipt.device_id == device_id, Receipt.n.in_(waiting), Receipt.settled_seq.is_not(None)))
    return {row.n: {"settled": row.settled} for row in rows}

