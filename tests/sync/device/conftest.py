"""A device in an empty directory, with a clock and a randomness that the test owns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from sync.device.device import Device
from sync.device.outbox import Outbox
from sync.device.store import Store
from tests.sync.device.office import Office

MORNING = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


class TickingClock:
    """Each look is a millisecond later."""

    def __init__(self, at: datetime = MORNING) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def random_bytes() -> Callable[[int], bytes]:
    return Random(7).randbytes


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "device")
    store.put("device_id", "device-1")
    return store


@pytest.fixture
def outbox(store: Store, clock: TickingClock, random_bytes: Callable[[int], bytes]) -> Outbox:
    return Outbox(store, clock, random_bytes)


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A real server in this process, shared by tests that use people and devices of their own."""
    return Office(tmp_path_factory.mktemp("office") / "data")


@pytest.fixture
def device(office: Office, tmp_path: Path) -> Device:
    """An enrolled device that has made nothing yet."""
    return office.device(tmp_path / "a")


@pytest.fixture
def other(office: Office, tmp_path: Path) -> Device:
    """Another one in the same scope."""
    return office.device(tmp_path / "b")
