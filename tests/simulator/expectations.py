"""Which outcomes the protocol allows a mutation to have, given what the model knows; and its effect when it is taken.

Where the protocol leaves room (late work after scopes changed), several outcomes are allowed and the model follows the
one that was given.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.simulator.model import created, effect_of, same, take, tried
from tests.simulator.remembered import DELETED, REFERENCES, Effect, Entry, Overlap, Remembered

if TYPE_CHECKING:
    from tests.simulator.world import World

Raw = Mapping[str, Any]
REQUIRED = {"finding": ("observed_at",), "inspection": ("started_at",)}
DELETABLE = ("reported", "not_filed", "returned")
"""A case that is under way ends by `cancel`."""
FAILED = {"quarantined"}
EITHER = {"taken", "quarantined"}


def covers(codes: Sequence[str], scope: str) -> bool:
    return any(scope.startswith(code) for code in codes)


def of_unit(world: World, records: Mapping[str, Remembered], device_id: str, unit: Sequence[Raw],
            behind: Container[str] = ()) -> list[set[str]]:
    """For each mutation of a unit the outcomes that it may have; `taken` stands for applied, merged, conflicted. The
    device's creations of the records `behind` are held: what it made of them later does not overtake those."""
    trial: dict[str, Remembered] = {}
    single: list[set[str]] = []
    for raw in unit:
        seen = {**records, **trial} if trial else records
        waits = raw["record_id"] in behind and raw["record_id"] not in seen and raw["id"] not in world.poison
        single.append({"held"} if waits else _of(world, seen, device_id, raw))
        if len(unit) > 1 and "taken" in single[-1] and raw["type"] != "conflict":
            _try(seen, trial, device_id, raw)
    if len(unit) == 1 or all(kinds == {"taken"} for kinds in single):
        return single
    together = set[str]().union(*single)
    if any("taken" not in kinds for kinds in single):
        together -= {"taken"}
    return [together for _ in unit]


def _try(seen: Mapping[str, Remembered], trial: dict[str, Remembered], device_id: str, raw: Raw) -> None:
    record = seen.get(raw["record_id"])
    if record is None:
        trial[raw["record_id"]] = created(raw, device_id)
    else:
        trial[record.id] = copy = tried(record)
        take(copy, effect_of(copy, raw, device_id), device_id)


def _of(world: World, records: Mapping[str, Remembered], device_id: str, raw: Raw) -> set[str]:
    if raw["id"] in world.poison:
        return FAILED
    if raw["type"] == "conflict":
        return {"taken", "quarantined", "held"}
    person = world.owner_of(device_id)
    record = records.get(raw["record_id"])
    if record is None:
        if raw["op"] != "put" or raw.get("base"):
            return {"held"}
        if not raw.get("scope"):
            return {"held", "quarantined"}
        if not set(REQUIRED.get(raw["type"], ())) <= set(raw.get("set") or {}):
            return {"held", "quarantined"}  # an edit that names a scope, of a creation that was quarantined
        return _in_scope(person, raw["scope"], _referred(records, raw))
    known = _of_known(records, record, person.id, raw)
    allowed = _in_scope(person, record.scope, known)
    if any(covers(person.ever, entry.value) for entry in record.moves):
        allowed = allowed | known  # late work on a record that was the person's when it was made
    if raw.get("scope") and raw["scope"] != record.scope and raw["op"] == "put":
        allowed = allowed | _in_scope(person, raw["scope"], allowed)
    return allowed


def _in_scope(person: Any, scope: str, otherwise: set[str]) -> set[str]:
    """Out of scope is quarantined; what was in scope once may be taken as late work."""
    if covers(person.scopes, scope):
        return otherwise
    return otherwise | FAILED if covers(person.ever, scope) else FAILED


def _of_known(records: Mapping[str, Remembered], record: Remembered, user_id: str, raw: Raw) -> set[str]:
    if raw["type"] != record.type or (raw.get("base") or 0) > record.version:
        return FAILED
    if raw["op"] == "command":
        expect = (raw["command"].get("expect") or {}).get("status")
        if record.deleted:
            return FAILED
        if expect is not None and expect != record.status:
            return {"taken"}
        finder = record.finder == user_id
        return {"taken"} if finder and record.status == "reported" else FAILED
    if raw["op"] == "delete" and not record.deleted and record.type == "finding":
        return {"taken"} if record.status in DELETABLE else FAILED
    return {"taken"} if record.deleted or raw["op"] == "delete" else _referred(records, raw)


def _referred(records: Mapping[str, Remembered], raw: Raw) -> set[str]:
    values = raw.get("set") or {}
    missing = [name for name in REFERENCES if values.get(name) and values[name] not in records]
    return {"held"} if missing else {"taken"}


def loses_in(overlap: Overlap, conflict: Raw) -> bool:
    """Does the overlap's losing value stand as the loser of this conflict?"""
    if conflict["kind"] == "command":
        return True
    if overlap.unit == DELETED:  # an edit that found the record deleted; later ones of the same writer join it
        mine = conflict["mine"]
        return conflict["winner"] == "mine" or (isinstance(mine, dict) and set(overlap.loser) <= set(mine))
    loser = conflict.get("theirs") if conflict["winner"] == "mine" else conflict.get("mine")
    return same(loser, overlap.loser)


def resolution(record: Remembered, conflict: Raw, args: Raw) -> tuple[Effect, str | None]:
    """What settling a conflict does to its record (protocol section 4: `resolve`), and who counts as the writer of it
    if not the one who settles: late edits come back as their author's."""
    choice = args["choice"]
    value = args.get("value") if choice == "value" else conflict.get(choice)
    if conflict["kind"] == "value":
        unit = conflict["field"]
        return Effect() if same(record.value(unit), value) else Effect(changes=[(unit, value)]), None
    if conflict["kind"] == "scope" and value != record.scope:
        return Effect(scope=value), None
    if conflict["kind"] == "command" and choice == "mine":
        return effect_of(record, {"op": "command", "command": {"name": conflict["mine"]["command"]}}, ""), None
    if conflict["kind"] == "deletion" and choice != conflict["winner"]:
        return _restored(record, conflict)
    if conflict["kind"] == "deletion" and not record.deleted:  # another conflict had brought it back
        return Effect(deleted=True), None
    return Effect(), None


def _restored(record: Remembered, conflict: Raw) -> tuple[Effect, str]:
    """The record comes back with the edits that found it deleted, each merged on its own base."""
    author = conflict["mine_by"]["writer"]
    trial, found = tried(record), Effect(deleted=False if record.deleted else None)
    trial.deleted = False
    for one in conflict.get("edits") or ():
        effect = effect_of(trial, {"op": "put", **one, "scope": None}, author)
        found.changes += effect.changes
        for unit, value in effect.changes:
            trial.units.setdefault(unit, []).append(Entry(record.version + 1, author, value))
    return found, author
