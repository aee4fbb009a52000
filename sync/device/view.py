"""What a person on this device sees: the server's row with what was done here since, by the merge rules. Pure.

Serves `device`. The view is derived at each reading and stored nowhere, so a pull rebases undelivered edits by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.records import RECORD_TYPES, Merge, RecordType


@dataclass(frozen=True, slots=True)
class Row:
    """A record as the server last gave it."""

    type: str
    id: str
    version: int
    scope: str
    fields: dict[str, Any]
    updated_at: str | None


@dataclass(frozen=True, slots=True)
class Made:
    """A mutation made here that may still matter: its body, its state, the version it became, its latest outcome."""

    n: int
    body: dict[str, Any]
    state: str
    version: int | None = None
    outcome: dict[str, Any] | None = None

    @property
    def problem(self) -> dict[str, Any] | None:
        """Why it was not applied."""
        return (self.outcome or {}).get("problem")


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it is shown. `version` is that of the server's row (0: none yet), the `base` of an edit made on it;
    `unsent` counts what the server has not yet acknowledged, `problems` tells why something was quarantined."""

    type: str
    id: str
    version: int
    scope: str
    fields: dict[str, Any]
    updated_at: str | None = None
    unsent: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)


def shown(type: str, id: str, row: Row | None, made: Sequence[Made]) -> Record | None:
    """The record as it is shown, None when it is not there or was deleted here; `made` in the order of making."""
    edits = [each.body for each in made if _counts(each, row)]
    creation = next((body for body in edits if body["op"] == "put" and body.get("scope")), None)
    if (row is None and creation is None) or any(body["op"] == "delete" for body in edits):
        return None
    fields, scope = (dict(row.fields), row.scope) if row else ({}, "")
    for body in edits:
        if body["op"] == "put":
            fields, scope = edited(type, fields, body), body.get("scope") or scope
    return Record(type, id, row.version if row else 0, scope, fields, row.updated_at if row else None,
                  unsent=sum(each.state == "waiting" for each in made),
                  problems=[each.problem for each in made if each.state == "quarantined" and each.problem])


def edited(type: str, fields: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields after an edit, by the rules of protocol section 5 as far as one side alone can know them."""
    declared = RECORD_TYPES.get(type) or RecordType(type, {})
    after = dict(fields)
    for name, value in (body.get("set") or {}).items():
        _put(after, name, _set(declared.rule(name), after.get(name), value))
    added, removed = body.get("add") or {}, body.get("remove") or {}
    for name in {**added, **removed}:
        if declared.rule(name) is Merge.APPEND:
            after[name] = _union(after.get(name), added.get(name))
        else:
            after[name] = _members(after.get(name), added.get(name) or (), removed.get(name) or ())
    return after


def _counts(each: Made, row: Row | None) -> bool:
    """Is this not yet in the row? What was quarantined stands only where the server has no record at all."""
    if each.state == "applied":
        return row is None or (each.version or 0) > row.version
    return each.state in ("waiting", "held") or row is None


def _set(rule: Merge, before: Any, value: Any) -> Any:
    if rule in (Merge.SERVER, Merge.GUARDED) or (rule is Merge.ONCE and before is not None):
        return before
    if rule is Merge.MAP and isinstance(value, dict):
        return {key: part for key, part in {**(before or {}), **value}.items() if part is not None}
    if rule is Merge.APPEND:
        return _union(before, value)
    return value


def _members(before: Sequence[Any] | None, added: Sequence[Any], removed: Sequence[Any]) -> list[Any]:
    """A set after an edit; what is both added and removed stays."""
    kept = [member for member in before or () if member not in removed or member in added]
    return [*kept, *(member for member in added if member not in kept)]


def _union(before: Sequence[Any] | None, added: Sequence[Any] | None) -> list[Any]:
    """Points by id; the first of an id stands."""
    points: dict[Any, Any] = {}
    for point in [*(before or ()), *(added or ())]:
        points.setdefault(point["id"], point)
    return list(points.values())


def _put(fields: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        fields.pop(name, None)
    else:
        fields[name] = value
