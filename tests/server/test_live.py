"""Live lines where none can be held, and what a line that takes nothing any more comes to."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from server import live
from server.auth import Principal, principal_of
from server.live import Live
from tests.bureau import eventually
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors

SCOPE = "320412100"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as office:
        yield office


@pytest.fixture
def lines(office: Indoors) -> Iterator[Live]:
    held = Live(office.app, most=500, seconds=60)
    yield held
    held.stop()


def principal(office: Indoors, device: Handheld | None = None) -> Principal:
    """A device, as it is known when it asks."""
    with office.app.app_context():
        return principal_of((device or office.handheld(SCOPE)).token or "")


def held(lines: Live, who: Principal, since: int = 0) -> socket.socket:
    """The far end of a line that is held."""
    near, far = socket.socketpair()
    near.setblocking(False)
    far.settimeout(10)
    lines.hold(near, who, since, 0)
    return far


def hears(far: socket.socket) -> bool:
    return live.POKE in far.recv(4096)


def test_a_server_that_cannot_give_up_its_connections_answers_at_once(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    answer = device.get("/sync/poke")
    assert answer.headers["Content-Type"].startswith(live.KIND) and live.POKE in answer.content
    device.catch_up()
    assert live.POKE not in device.get("/sync/poke", params={"cursor": device.cursor}).content


def test_one_who_reads_nothing_loses_his_line_and_the_others_hear(
        office: Indoors, lines: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0.02)
    device = office.handheld(SCOPE)
    near, deaf = socket.socketpair()
    near.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            near.send(bytes(65_536))
    lines.hold(near, principal(office, device), 0, 0)
    listener = held(lines, principal(office))
    device.report(SCOPE)
    assert hears(listener)
    assert eventually(lambda: near.fileno() == -1)
    deaf.close()


def test_a_line_ends_when_its_time_is_over(office: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0.02)
    short = Live(office.app, most=500, seconds=0.1)
    assert held(short, principal(office), since=10**9).recv(10) == b""
    short.stop()


def test_a_quiet_line_is_kept_alive_by_comments(office: Indoors, lines: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_S", 0.02)
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    assert held(lines, principal(office), since=10**9).recv(3) == live.HEARTBEAT


def test_one_who_hung_up_makes_room_and_a_stop_ends_the_rest(office: Indoors) -> None:
    few = Live(office.app, most=2, seconds=60)
    first, second = (held(few, principal(office), since=10**9) for _ in "ab")
    assert eventually(lambda: len(few._lines) == 2) and not few.has_room
    first.close()
    assert eventually(lambda: few.has_room)
    began = time.monotonic()
    few.stop()
    assert second.recv(10) == b"" and time.monotonic() - began < 5
