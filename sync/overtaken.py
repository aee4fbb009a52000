"""What its own maker did after a mutation that waited: what a device wrote last stands, whenever the rest is applied.

A mutation that was held or quarantined is applied behind others that its device made later. Of what those changed it
changes nothing any more; its own values are kept in the history of the version that it makes. Everything else of it is
merged as it would have been. Serves `sync/mutations.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from schemas.push import Mutation
from schemas.records import Merge
from sync.equality import same
from sync.merge import Edit, Past
from sync.values import unit_of
from sync.writers import Writer

if TYPE_CHECKING:
    from sync.kept import Kept
    from sync.records import Door


def units_overtaken(door: Door, kept: Kept, writer: Writer, mutation: Mutation) -> frozenset[str]:
    """The units of the record that this device changed by mutations which it made after this one."""
    return frozenset(unit for past in door.history_after(kept.id, mutation.base)
                     if past.writer == writer.id and (past.n or 0) > (mutation.n or 0)
                     for unit in _units_of(kept, writer, past))


def _units_of(kept: Kept, writer: Writer, past: Past) -> Iterator[str]:
    """What a version changed; of a set the members that came, went, or were added again, of a map that was written
    whole, as a creation does, its keys. A list only grows: what was added to it later overtakes nothing."""
    for name, change in past.changed.items():
        rule, sides = kept.declared.rule(name), (change["from"], change["to"])
        if rule is Merge.SET:
            before, after = (_members(side) for side in sides)
            yield from (f"{name}.{member}" for member in before ^ after)
            yield from (unit for unit, marks in kept.stamps.items()
                        if unit.startswith(f"{name}.") and [past.version, writer.id] in marks)
        elif rule is Merge.MAP and all(isinstance(side, dict | None) for side in sides):
            was, became = (side or {} for side in sides)
            yield from (f"{name}.{key}" for key in {**was, **became} if not same(was.get(key), became.get(key)))
        elif rule is not Merge.APPEND:
            yield unit_of(kept.declared, name)


def what_is_left(kept: Kept, edit: Edit, units: frozenset[str]) -> Edit | None:
    """The edit without what it says of these units; None where it says nothing of them."""
    if units.isdisjoint(_named(kept, edit)):
        return None
    left = {name: _left_of(kept, name, value, units) for name, value in edit.set.items()
            if unit_of(kept.declared, name) not in units}
    return Edit(left, *({name: [one for one in members if kept.declared.rule(name) is not Merge.SET
                                or f"{name}.{one}" not in units] for name, members in listed.items()}
                        for listed in (edit.add, edit.remove)))


def _named(kept: Kept, edit: Edit) -> Iterator[str]:
    """The units of which an edit speaks. Who names a whole set speaks of its members, too, that he left out."""
    for name, value in edit.set.items():
        if kept.declared.rule(name) is Merge.SET:
            yield from (f"{name}.{member}" for member in _members(value) | _members(kept.fields.get(name)))
        elif (named := _keys(kept, name, value)) is not None:
            yield from (f"{name}.{key}" for key in named)
        else:
            yield unit_of(kept.declared, name)
    for listed in (edit.add, edit.remove):
        yield from (f"{name}.{member}" for name, members in listed.items()
                    if kept.declared.rule(name) is Merge.SET for member in members)


def _left_of(kept: Kept, name: str, value: Any, units: frozenset[str]) -> Any:
    """What an edit still says of a field: of a map the keys, of a set the members, that were not changed since."""
    if (named := _keys(kept, name, value)) is not None:
        return {key: part for key, part in named.items() if f"{name}.{key}" not in units}
    if kept.declared.rule(name) is Merge.SET:
        stands = kept.fields.get(name) or ()
        return [*(member for member in value or () if f"{name}.{member}" not in units),
                *(member for member in stands if f"{name}.{member}" in units)]
    return value


def _keys(kept: Kept, name: str, value: Any) -> dict[str, Any] | None:
    """The keys of a map that an edit sets, null clearing all that there are; None where it sets no keys."""
    stands = kept.fields.get(name)
    if kept.declared.rule(name) is not Merge.MAP or not isinstance(stands, dict | None) \
            or not isinstance(value, dict | None):
        return None
    return dict.fromkeys(stands or ()) if value is None else value


def _members(value: Any) -> set[str]:
    return set(value) if isinstance(value, list) else set()
