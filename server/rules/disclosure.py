"""What a bundle of some profile shows of a record: fields shown, masked or withheld, by the table `disclosure.csv`.

Pure; `rows` is that table. A row names a profile, a record type (`*`: any) and a field (`*`: any other;
`zone.candidates`: a part of one, of each member where it is a list). The nearest row counts. Besides record types there
are `history` (the note of a version), `person` and `device`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.records import RECORD_TYPES
from server.rules.masking import masked

OF_THE_RECORD = ("@scope", "deleted")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown, and the paths of what is not, or not as it is."""

    fields: dict[str, Any]
    withheld: tuple[str, ...]


class Disclosure:
    """The rows of one profile."""

    def __init__(self, rows: Sequence[Mapping[str, str]], profile: str) -> None:
        self._treatments = {(row["type"], row["field"]): row["treatment"] for row in rows if row["profile"] == profile}

    def show(self, record_type: str, fields: Mapping[str, Any]) -> Shown:
        """The fields as this profile shows them."""
        shown: dict[str, Any] = {}
        withheld: list[str] = []
        for name, value in fields.items():
            treatment = self._treatment(record_type, name)
            if treatment == "withheld":
                withheld.append(name)
                continue
            seen = self._without_parts(record_type, name, value, withheld)
            shown[name] = masked(seen) if treatment == "masked" else seen
            if shown[name] != seen:
                withheld.append(name)
        return Shown(shown, tuple(sorted(withheld)))

    def show_changes(self, record_type: str, changed: Mapping[str, Any]) -> Shown:
        """The changes of a version, `{unit: {from, to}}`, as this profile shows them."""
        shown: dict[str, Any] = {}
        withheld: list[str] = []
        for unit, change in changed.items():
            pair = {side: self._show_unit(record_type, unit, change[side]) for side in ("from", "to")}
            withheld += [unit] * any(hidden for _, hidden in pair.values())
            if not all(value is None and hidden for value, hidden in pair.values()):
                shown[unit] = {side: value for side, (value, _) in pair.items()}
        return Shown(shown, tuple(sorted(withheld)))

    def _show_unit(self, record_type: str, unit: str, value: Any) -> tuple[Any, bool]:
        """A unit's value as it is shown, and whether anything of it is not."""
        if unit in OF_THE_RECORD:
            return value, False
        members = [name for name in RECORD_TYPES[record_type].members(unit) if name != unit]
        name, dot, part = unit.partition(".")
        if value is None:
            return None, self._treatment(record_type, members[0] if members else name) == "withheld"
        if members:
            seen = self.show(record_type, value)
            return seen.fields, bool(seen.withheld)
        seen = self.show(record_type, {name: {part: value} if dot else value})
        whole = seen.fields.get(name)
        return whole.get(part) if dot and whole else whole, bool(seen.withheld)

    def _treatment(self, record_type: str, name: str) -> str:
        keys = ((record_type, name), (record_type, "*"), ("*", name), ("*", "*"))
        return next((self._treatments[key] for key in keys if key in self._treatments), "withheld")

    def _without_parts(self, record_type: str, path: str, value: Any, withheld: list[str]) -> Any:
        """The value without the parts that rows of their own withhold."""
        if isinstance(value, list):
            return [self._without_parts(record_type, path, one, withheld) for one in value]
        if not isinstance(value, dict):
            return value
        kept = {}
        for name, part in value.items():
            below = f"{path}.{name}"
            if self._treatments.get((record_type, below)) == "withheld":
                withheld += [below] * (below not in withheld)
            else:
                kept[name] = self._without_parts(record_type, below, part, withheld)
        return kept
