"""What an edit must do, written from protocol section 5 alone: every unit remembers all values that it ever had."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from marshmallow import fields

from schemas.records import Declared, Merge, RecordType

RAW = fields.Raw()
THING = RecordType("thing", {
    "text": Declared(RAW), "address": Declared(RAW),
    "scheme": Declared(RAW, Merge.BOUND, bound="code"), "number": Declared(RAW, Merge.BOUND, bound="code"),
    "tags": Declared(RAW, Merge.SET), "answers": Declared(RAW, Merge.MAP), "points": Declared(RAW, Merge.APPEND),
    "digest": Declared(RAW, Merge.ONCE), "status": Declared(RAW, Merge.GUARDED), "zone": Declared(RAW, Merge.SERVER)})
PARTS = ("scheme", "number")
PLAIN = ("text", "address", "later_release", "digest")


class Given(NamedTuple):
    """One value that a unit got."""

    version: int
    writer: str
    value: Any


@dataclass
class Effect:
    """What an edit must bring about; `overlaps` are (unit, value at base, value that stands, value that comes)."""

    changes: dict[str, Any] = field(default_factory=dict)
    overlaps: list[tuple[str, Any, Any, Any]] = field(default_factory=list)
    refused: bool = False


@dataclass
class Expected:
    """A record of type `thing` as it must be."""

    version: int = 1
    units: dict[str, list[Given]] = field(default_factory=dict)
    writers: list[tuple[int, str]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)

    def create(self, writer: str, put: Mapping[str, Any]) -> dict[str, Any]:
        """Begin with what a creation gives; the fields as they stand then."""
        answers = {key: value for key, value in put.get("answers", {}).items() if value is not None}
        given = {name: value for name, value in {**put, "answers": answers or None}.items()
                 if value is not None and name not in ("status", "zone")}
        self.writers = [(1, writer)]
        self.units = {unit: [Given(1, writer, value)] for unit, value in self.effect(writer, 1, given, {}, {}
                                                                                     ).changes.items()}
        return {**given, "tags": list(dict.fromkeys(given["tags"]))} if "tags" in given else given

    def value(self, unit: str) -> Any:
        return self.units[unit][-1].value if unit in self.units else None

    def author(self, unit: str) -> str | None:
        return self.units[unit][-1].writer if unit in self.units else None

    def apart(self, unit: str, writer: str, base: int) -> bool:
        return any(given.version > base and given.writer != writer for given in self.units.get(unit, ()))

    def at(self, unit: str, base: int) -> Any:
        before = [given.value for given in self.units.get(unit, ()) if given.version <= base]
        return before[-1] if before else None

    def seen(self, unit: str, writer: str, base: int) -> Any:
        """What a writer looks at who saw version `base` and then made changes of his own."""
        own = [given.value for given in self.units.get(unit, ()) if given.version > base and given.writer == writer]
        return own[-1] if own else self.at(unit, base)

    def members(self, name: str) -> dict[str, Any]:
        found = {unit.partition(".")[2]: self.value(unit) for unit in self.units if unit.startswith(f"{name}.")}
        return {key: value for key, value in found.items() if value is not None}

    def adds(self, tag: str) -> list[Given]:
        """The adds of a tag that nobody took back."""
        adds: list[Given] = []
        for given in self.units.get(f"tags.{tag}", ()):
            adds = [*adds, given] if given.value else []
        return adds

    def effect(self, writer: str, base: int, put: Mapping[str, Any], add: Mapping[str, Any],
               remove: Mapping[str, Any]) -> Effect:
        effect = Effect()
        for unit, mine in self._values(writer, base, put):
            stands = self.value(unit)
            if alike(stands, mine):
                continue
            if unit == "digest" and stands is not None:
                return Effect(refused=True)
            if self.apart(unit, writer, base):
                effect.overlaps.append((unit, self.at(unit, base), stands, mine))
            effect.changes[unit] = mine
        self._tags(effect, writer, base, put, add, remove)
        self._points(effect, [*put.get("points", ()), *add.get("points", ())])
        return effect

    def take(self, effect: Effect, writer: str) -> None:
        if effect.refused or not effect.changes:
            return
        self.version += 1
        self.writers.append((self.version, writer))
        for unit, value in effect.changes.items():
            self.units.setdefault(unit, []).append(Given(self.version, writer, value))

    def open_conflict(self, unit: str, theirs: Any, mine: Any, writer: str) -> None:
        """One conflict for each value that loses; what a writer puts in place of his own winner, and what he repeats
        of an entry that was not taken, belongs to the conflict that is open about it."""
        own = [one for one in self.conflicts if (one["unit"], one["writer"]) == (unit, writer)]
        if unit.startswith("points."):
            if not any(alike(one["mine"], mine) for one in own):
                self.conflicts.append({"unit": unit, "theirs": theirs, "mine": mine, "writer": writer})
            return
        won = [one for one in own if alike(one["mine"], theirs)] if self.author(unit) == writer else []
        if won:
            won[-1]["mine"] = mine
            return
        assert self.author(unit) != writer, f"{writer} conflicts with itself about {unit}"
        self.conflicts.append({"unit": unit, "theirs": theirs, "mine": mine, "writer": writer})

    def fields(self) -> dict[str, Any]:
        shown = {name: self.value(name) for name in PLAIN}
        shown |= self.value("code") or {}
        shown |= {"tags": sorted(self.members("tags")), "answers": self.members("answers"),
                  "points": self.members("points")}
        return {name: value for name, value in shown.items() if value is not None and value not in ([], {})}

    def _values(self, writer: str, base: int, put: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        yield from ((name, put[name]) for name in PLAIN if name in put)
        if named := {name: put[name] for name in PARTS if name in put}:
            seen = self.seen("code", writer, base) or {}
            yield "code", {name: named.get(name, seen.get(name)) for name in PARTS}
        yield from ((f"answers.{key}", value) for key, value in put.get("answers", {}).items())

    def _tags(self, effect: Effect, writer: str, base: int, put: Mapping[str, Any], add: Mapping[str, Any],
              remove: Mapping[str, Any]) -> None:
        """An add wins against a remove that did not know it; who puts the whole set removes only what he knew."""
        standing = self.members("tags")
        added = {*put.get("tags", ()), *add.get("tags", ())}
        removed = {*remove.get("tags", ()), *(standing if "tags" in put else ())} - added
        for tag in removed & standing.keys():
            if not any(given.version > base and given.writer != writer for given in self.adds(tag)):
                effect.changes[f"tags.{tag}"] = None
        for tag in added:
            others = any(given.writer != writer for given in self.adds(tag))
            if tag not in standing or tag in add.get("tags", ()) or others:
                effect.changes[f"tags.{tag}"] = True

    def _points(self, effect: Effect, points: list[dict[str, Any]]) -> None:
        for point in points:
            unit = f"points.{point['id']}"
            stands = effect.changes.get(unit, self.value(unit))
            if stands is None:
                effect.changes[unit] = point
            elif not alike(stands, point):
                effect.overlaps.append((unit, None, stands, point))


def alike(one: Any, other: Any) -> bool:
    """One JSON value: `true` is not 1, but 1 is 1.0; a bound value lacks what is null in it."""
    return spelt(one) == spelt(other)


def spelt(value: Any) -> str:
    """One spelling for values that are alike."""
    return json.dumps(_lean(value), sort_keys=True).replace(".0", "")


def _lean(value: Any) -> Any:
    if isinstance(value, list):
        return [_lean(part) for part in value]
    if isinstance(value, dict):
        return {name: _lean(part) for name, part in value.items() if part is not None} or None
    return value
