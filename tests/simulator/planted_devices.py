"""Bugs planted into the device's half of the protocol; registered beside those of `planted`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from sync.device.device import Device
from sync.device.exchange import Exchange
from sync.device.rows import Rows
from tests.simulator.planted import bug
from tests.simulator.remembered import SERVER_FIELDS


@bug("an edit writes all fields that the device holds")
def whole_row_write() -> Iterator[None]:
    edit = Device.edit

    def whole(device: Any, type: str, id: str, set: Any = None, add: Any = None, remove: Any = None,
              **more: Any) -> None:
        held = device.get(type, id)
        fields = {name: value for name, value in held.fields.items() if name not in SERVER_FIELDS}
        edit(device, type, id, {**fields, **(set or {})}, add, remove, **more)

    with patch.object(Device, "edit", whole):
        yield


@bug("a forget takes the undelivered edits with it")
def forget_drops_edits() -> Iterator[None]:
    take = Rows.take

    def dropping(rows: Any, changes: Any) -> None:
        changes = list(changes)
        take(rows, changes)
        for change in changes:
            if change["op"] == "forget":
                rows._store.run("DELETE FROM mutation WHERE record_id = ? AND state = 'waiting'", (change["id"],))

    with patch.object(Rows, "take", dropping):
        yield


@bug("a resnapshot empties the outbox")
def resnapshot_empties_outbox() -> Iterator[None]:
    begin = Rows.begin_again

    def emptied(rows: Any) -> None:
        begin(rows)
        rows._store.run("DELETE FROM mutation WHERE state = 'waiting'")

    with patch.object(Rows, "begin_again", emptied):
        yield


@bug("a device keeps the cursor in a transaction of its own, before the page")
def cursor_before_page() -> Iterator[None]:
    take = Exchange._take

    def hasty(exchange: Any, page: Any, **named: Any) -> int:
        if not named["first"]:
            exchange._store.put("cursor", page["cursor"])
        return take(exchange, page, **named)

    with patch.object(Exchange, "_take", hasty):
        yield
