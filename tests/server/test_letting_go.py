"""What a transaction took into memory is let go with it, not when garbage is walked, which a server seldom does."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from sync.records import Door
from tests.server.indoors import indoors
from tests.wire import new_id

SCOPE = "320412115"


def test_a_push_leaves_no_door_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doors: list[weakref.ref[Door]] = []

    def watched(*given: Any) -> Door:
        door = Door(*given)
        doors.append(weakref.ref(door))
        return door

    monkeypatch.setattr("server.db.Door", watched)
    with indoors(tmp_path / "data") as office:
        device = office.handheld(SCOPE)
        finding = device.report(SCOPE)
        gc.disable()
        try:
            device.deliver(device.capture(SCOPE, new_id().encode(), ("finding", finding)),
                           device.edit("finding", finding, 1, set={"text": "占道"}),
                           device.remove("finding", new_id(), 1))
            assert [door() for door in doors] == [None] * len(doors) != []
        finally:
            gc.enable()


def test_a_new_photo_takes_none_of_the_others_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with indoors(tmp_path / "data") as office:
        device = office.handheld(SCOPE)
        finding = device.report(SCOPE)
        others = [device.capture(SCOPE, new_id().encode(), ("finding", finding)) for _ in range(20)]
        device.deliver(*others)
        loaded: set[str] = set()
        load = Door.load

        def watched(self: Door, ids: list[str]) -> None:
            loaded.update(ids := [*ids])
            load(self, ids)

        monkeypatch.setattr(Door, "load", watched)
        device.deliver(device.capture(SCOPE, new_id().encode(), ("finding", finding)))
        assert finding in loaded
        assert loaded.isdisjoint(one["record_id"] for one in others)
