"""What each acknowledged edit must have become: a plain model of protocol sections 2 to 5, in memory.

Written from the protocol and independent of the engine: it keeps, for every unit of every record, all values that it
ever had, with the version and the writer of each, and asks of an edit: did another writer change this after `base`?
A unit is what merges as one value: `text`, `classification`, `answers.q1`, `tags.夜间`, `points.p7`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from tests.simulator.remembered import (
    APPENDS,
    BOUND,
    DELETED,
    MAPS,
    SERVER_FIELDS,
    SETS,
    Effect,
    Entry,
    Overlap,
    Remembered,
)


def same(one: Any, other: Any) -> bool:
    """Equal as people sent them, without what the server adds to a position."""
    return plain(one) == plain(other) and isinstance(one, bool) == isinstance(other, bool)


def plain(value: Any) -> Any:
    return {name: part for name, part in value.items() if name != "normalized"} if isinstance(value, dict) else value


def units_of(record_type: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(unit, value) of what `set` names; a bound value as {member: value} of the named members; no sets, no lists."""
    bound: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        if name in SERVER_FIELDS or name in SETS.get(record_type, ()) or name in APPENDS.get(record_type, ()):
            continue
        if unit := BOUND.get(record_type, {}).get(name):
            bound.setdefault(unit, {})[name] = value
        elif name in MAPS.get(record_type, ()):
            yield from ((f"{name}.{key}", part) for key, part in value.items())
        else:
            yield name, value
    yield from bound.items()


def members_of(record_type: str, mutation: Mapping[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    """(unit, value) of what `add` or `remove` names in sets and lists, and for `add` what `set` names there."""
    given = [mutation.get(where) or {}, (mutation.get("set") or {}) if where == "add" else {}]
    for values in given:
        for name, members in values.items():
            if name in SETS.get(record_type, ()):
                yield from ((f"{name}.{member}", True) for member in members)
            elif name in APPENDS.get(record_type, ()):
                yield from ((f"{name}.{point['id']}", point) for point in members)


def created(mutation: Mapping[str, Any], writer: str, finder: str | None = None, n: int = 0) -> Remembered:
    """The record that a creation makes; `finder` is the person behind the writer."""
    record = Remembered(mutation["record_id"], mutation["type"], writer, finder, mutation["scope"])
    for unit, value in [*units_of(record.type, mutation.get("set") or {}),
                        *members_of(record.type, mutation, "add")]:
        if value is not None:
            record.units.setdefault(unit, [Entry(1, writer, value, n)])
    record.touches.append(Entry(1, writer, None))
    record.moves.append(Entry(1, writer, record.scope))
    record.status = "reported" if record.type == "finding" else None
    return record


def effect_of(record: Remembered, mutation: Mapping[str, Any], writer: str, n: int | None = None) -> Effect:
    """What a mutation of an existing record brings about, if it is taken. `n` is the number of one that waited: of what
    its device changed later it changes nothing any more."""
    if mutation["op"] == "delete":
        return _deletion(record, mutation, writer)
    if mutation["op"] == "command":
        return _command(record, mutation)
    if record.deleted and record.deleted_by(writer, n):
        return Effect(always=True, overtaken=True)
    if record.deleted:
        mine = {**(mutation.get("set") or {}), **(mutation.get("add") or {})}
        return Effect(overlaps=[Overlap(DELETED, mine, mine)], always=True, lost=True)
    effect = Effect()
    base = mutation.get("base") or 0
    for unit, named in units_of(record.type, mutation.get("set") or {}):
        if record.overtaken(unit, writer, n):
            effect.overtaken = True
            continue
        now, mine = record.value(unit), named
        if unit in BOUND.get(record.type, {}).values():
            mine = {**(record.seen(unit, base, writer) or {}), **named}
        if same(now, mine):
            continue
        if record.apart(unit, base, writer):
            effect.overlaps.append(Overlap(unit, now, mine, own=record.author(unit) == writer))
        effect.changes.append((unit, mine))
    _members(record, mutation, writer, base, effect, n)
    _move(record, mutation, writer, base, effect, n)
    effect.always = effect.overtaken
    return effect


def _members(record: Remembered, mutation: Mapping[str, Any], writer: str, base: int, effect: Effect,
             n: int | None) -> None:
    added = dict(members_of(record.type, mutation, "add"))
    named = {f"{name}.{member}" for name, members in (mutation.get("add") or {}).items()
             if name in SETS.get(record.type, ()) for member in members}
    removed = said = [unit for unit, _ in members_of(record.type, mutation, "remove")]
    for name in SETS.get(record.type, ()):
        if name in (mutation.get("set") or {}):  # naming the whole set removes what its maker saw and left out
            removed += [unit for unit in record.units if unit.startswith(f"{name}.") and unit not in added]
    for unit in [*added, *removed]:
        if unit.partition(".")[0] in SETS.get(record.type, ()) and record.overtaken(unit, writer, n):
            effect.overtaken |= unit in added or unit in said or bool(record.value(unit))
            added.pop(unit, None)
            removed = [one for one in removed if one != unit]
    for unit in removed:
        concurrent_add = any(entry.version > base and entry.writer != writer for entry in record.adds(unit))
        if record.value(unit) and unit not in added and not concurrent_add:
            effect.changes.append((unit, None))
    for unit, value in added.items():
        stands = record.value(unit)
        if unit.partition(".")[0] in APPENDS.get(record.type, ()) and stands is not None:
            if not same(stands, value):
                effect.overlaps.append(Overlap(unit, value, value))
        elif not stands or unit in named or any(entry.writer != writer for entry in record.adds(unit)):
            effect.changes.append((unit, value))  # one's own that stands is added again by `add`, not by `set`


def _move(record: Remembered, mutation: Mapping[str, Any], writer: str, base: int, effect: Effect,
          n: int | None) -> None:
    wanted = mutation.get("scope")
    if n is not None and any(entry.writer == writer and entry.n > n for entry in record.moves[1:]):
        return
    if not wanted or wanted == record.scope:
        return
    base = max(base, 1)  # who made the same record apart thought of the scope in which it was made
    apart = any(entry.version > base and entry.writer != writer for entry in record.moves)
    at_base = [entry.value for entry in record.moves if entry.version <= base]
    if apart and wanted == at_base[-1]:
        return
    if apart:
        effect.overlaps.append(Overlap("scope", record.scope, wanted, own=record.moves[-1].writer == writer))
    effect.scope = wanted


def _deletion(record: Remembered, mutation: Mapping[str, Any], writer: str) -> Effect:
    if record.deleted:
        return Effect(always=True)
    base = mutation.get("base") or 0
    members = (*SETS.get(record.type, ()), *APPENDS.get(record.type, ()))
    late = [unit for unit in record.units if record.apart(unit, base, writer)
            and (record.author(unit) != writer or unit.partition(".")[0] in members)]
    for name, entries in (("scope", record.moves), ("status", record.commands)):
        if any(entry.version > base and entry.writer != writer for entry in entries) and entries[-1].writer != writer:
            late.append(name)
    effect = Effect(deleted=True)
    if late:
        effect.overlaps.append(Overlap(DELETED, late, True))
    return effect


def _command(record: Remembered, mutation: Mapping[str, Any]) -> Effect:
    command = mutation["command"]
    expect = command.get("expect") or {}
    if any(record.status != value for name, value in expect.items() if name == "status"):
        return Effect(overlaps=[Overlap("status", command["name"], command["name"])], lost=True)
    if command["name"] == "move":
        return Effect(scope=command["args"]["scope"], always=True)
    if command["name"] == "choose_zone" and mutation.get("by") is not None:
        if record.chosen_by == mutation["by"]:  # the same choice again changes nothing
            return Effect(always=True)
        return Effect(status=record.status, always=True, chosen_by=mutation["by"])
    moved = {"cancel": "cancelled", "reopen": "reported", "refuse": "not_filed"}
    return Effect(status=moved.get(command["name"], record.status), always=True)


def take(record: Remembered, effect: Effect, writer: str, n: int = 0) -> None:
    """Let the record become what the effect says."""
    if not effect.makes_version:
        return
    record.version += 1
    version = record.version
    for unit, value in effect.changes:
        record.units.setdefault(unit, []).append(Entry(version, writer, value, n))
    if effect.scope is not None and effect.scope != record.scope:
        record.scope = effect.scope
        record.moves.append(Entry(version, writer, effect.scope, n))
    if effect.deleted is not None:
        record.deleted = effect.deleted
        record.deletions.append(Entry(version, writer, effect.deleted, n))
    if effect.status is not None:
        record.commands.append(Entry(version, writer, effect.status))
    record.status = effect.status or record.status
    record.chosen_by = effect.chosen_by or record.chosen_by
    record.touches.append(Entry(version, writer, None))


def tried(record: Remembered) -> Remembered:
    """A copy to try a group on."""
    return deepcopy(record)
