"""What the model remembers of a record, and what a mutation must bring about. A unit is what merges as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

BOUND = {"finding": {"class_scheme": "classification", "class_code": "classification", "severity": "classification"}}
MAPS = {"inspection": ("answers",), "register_entry": ("duties",)}
SETS = {"finding": ("tags",), "inspection": ("officers",), "enforcement": ("officers",)}
APPENDS = {"track": ("points",)}
REFERENCES = {"inspection_id": "inspection", "finding_id": "finding"}
SERVER_FIELDS = {"status", "zone", "duplicates", "due_at", "unit", "inspector_id", "unsigned", "handling", "score",
                 "checks", "amendments"}
TAKEN = ("applied", "merged", "conflicted")
DELETED = "deleted"


class Entry(NamedTuple):
    """One value that a unit had; `n` is the number of the device's mutation that brought it."""

    version: int
    writer: str
    value: Any
    n: int = 0


class Overlap(NamedTuple):
    """Two writers changed one unit apart: `loser` must stand in exactly one conflict. `own`: the value that stood was
    this writer's own, so that its older conflict may take the new one up."""

    unit: str
    loser: Any
    mine: Any
    own: bool = False


@dataclass(slots=True)
class Effect:
    """What a mutation must bring about when it is taken."""

    changes: list[tuple[str, Any]] = field(default_factory=list)
    overlaps: list[Overlap] = field(default_factory=list)
    scope: str | None = None
    deleted: bool | None = None
    status: str | None = None
    chosen_by: str | None = None
    always: bool = False
    lost: bool = False
    overtaken: bool = False

    @property
    def makes_version(self) -> bool:
        return bool(self.changes) or self.scope is not None or self.deleted is not None or self.always


@dataclass(slots=True)
class Remembered:
    """A record with all that it ever held."""

    id: str
    type: str
    creator: str
    finder: str | None
    scope: str
    version: int = 1
    deleted: bool = False
    status: str | None = None
    chosen_by: str | None = None
    units: dict[str, list[Entry]] = field(default_factory=dict)
    touches: list[Entry] = field(default_factory=list)
    moves: list[Entry] = field(default_factory=list)
    commands: list[Entry] = field(default_factory=list)
    deletions: list[Entry] = field(default_factory=list)

    def value(self, unit: str) -> Any:
        entries = self.units.get(unit)
        return entries[-1].value if entries else None

    def author(self, unit: str) -> str | None:
        entries = self.units.get(unit)
        return entries[-1].writer if entries else None

    def apart(self, unit: str, base: int, writer: str) -> bool:
        """Did another writer change the unit after `base`?"""
        return any(entry.version > base and entry.writer != writer for entry in self.units.get(unit, ()))

    def overtaken(self, unit: str, writer: str, n: int | None) -> bool:
        """Did this device change the unit by a mutation that it made later?"""
        return n is not None and any(entry.writer == writer and entry.n > n for entry in self.units.get(unit, ()))

    def seen(self, unit: str, base: int, writer: str) -> Any:
        """The value that a writer looks at who saw version `base` (at 0 the creation) and then made his own changes."""
        entries, base = self.units.get(unit, ()), max(base, 1)
        own = [entry for entry in entries if entry.version > base and entry.writer == writer]
        before = [entry for entry in entries if entry.version <= base]
        newest = (own or before or [None])[-1]
        return newest.value if newest else None

    def deleted_by(self, writer: str, n: int | None) -> bool:
        """Did this device delete the record by a mutation that it made later than that number?"""
        return n is not None and any(entry.writer == writer and entry.n > n for entry in self.deletions)

    def adds(self, unit: str) -> list[Entry]:
        """The adds of a member that nobody took back."""
        adds: list[Entry] = []
        for entry in self.units.get(unit, ()):
            adds = [*adds, entry] if entry.value else []
        return adds

    def fields(self) -> dict[str, Any]:
        """The fields as people see them; sets as sorted lists."""
        shown: dict[str, Any] = {}
        for unit in self.units:
            name, dot, key = unit.partition(".")
            value = self.value(unit)
            if name in SETS.get(self.type, ()):
                shown.setdefault(name, [])
                if value:
                    shown[name] = sorted([*shown[name], key])
            elif name in APPENDS.get(self.type, ()):
                shown.setdefault(name, {})[key] = value
            elif dot and name in MAPS.get(self.type, ()):
                if value is not None:
                    shown.setdefault(name, {})[key] = value
            elif unit in BOUND.get(self.type, {}).values():
                shown.update({member: part for member, part in (value or {}).items() if part is not None})
            elif value is not None:
                shown[unit] = value
        return {name: value for name, value in shown.items() if value not in ([], {})}
