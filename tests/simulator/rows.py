"""Holds a row of the database against the model's record; what differs breaks the promise that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from tests.simulator import properties
from tests.simulator.model import plain, same
from tests.simulator.remembered import APPENDS, BOUND, MAPS, SERVER_FIELDS, SETS, Remembered

if TYPE_CHECKING:
    from tests.simulator.oracle import Oracle


def check_row(oracle: Oracle, record_id: str) -> None:
    """The row of a record that was just written must be what the model says."""
    [(record_type, version, scope, deleted, text)] = oracle.world.server.read(
        "SELECT type, version, scope, deleted, fields FROM record WHERE id = ?", record_id)
    if record_type in ("conflict", "incident"):  # the server makes them by itself
        return
    record = oracle.ledger.records.get(record_id)
    properties.effect_and_receipt_both_or_neither(
        record is not None, f"{record_type} {record_id} was made by nothing that has a receipt")
    assert record is not None
    properties.deletions_do_not_resurrect(record_id, record.deleted, bool(deleted))
    _compare_fields(oracle, record, shown(record_type, orjson.loads(text)))
    properties.effect_and_receipt_both_or_neither(
        (version, scope) == (record.version, record.scope),
        f"{record_type} {record_id} is version {version} in {scope}, should be {record.version} in {record.scope}")


def shown(record_type: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What people put into a row: without the server's fields, sets sorted, points by id, nothing empty."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name in SERVER_FIELDS or value in (None, [], {}):
            continue
        if name in SETS.get(record_type, ()):
            found[name] = sorted(value)
        elif name in APPENDS.get(record_type, ()):
            found[name] = {point["id"]: point for point in value}
        else:
            found[name] = value if name in MAPS.get(record_type, ()) else plain(value)
    return found


def _compare_fields(oracle: Oracle, record: Remembered, found: Mapping[str, Any]) -> None:
    expected = {name: plain(value) if name not in MAPS.get(record.type, ()) else value
                for name, value in record.fields().items()}
    for unit in set(BOUND.get(record.type, {}).values()):
        members = [member for member, bound in BOUND[record.type].items() if bound == unit]
        properties.a_bound_value_is_one_authors(unit, {name: expected.get(name) for name in members},
                                                {name: found.get(name) for name in members})
    for name in {*expected, *found}:
        if same(expected.get(name), found.get(name)):
            continue
        entries = record.units.get(name) or ()
        if entries and entries[-1].version < record.version:
            properties.an_edit_names_only_what_was_changed(f"{record.id}.{name}", expected.get(name), found.get(name))
        clocks = [oracle.world.made_at.get(str(entry.value)) for entry in entries]
        if len(entries) > 1 and any(same(entry.value, found.get(name)) for entry in entries[:-1]):
            properties.clocks_change_no_winner(f"{record.id}.{name}", expected.get(name), found.get(name), clocks)
        properties.effect_and_receipt_both_or_neither(
            False, f"{record.type} {record.id}.{name} should be {expected.get(name)}, is {found.get(name)}")
    properties.clocks_change_no_winner(record.id, None, None, None)
    properties.an_edit_names_only_what_was_changed(record.id, None, None)
