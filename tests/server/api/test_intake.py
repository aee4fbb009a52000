"""Back-pressure on uploads: whoever meets a limit is told when to come again, and all others are served meanwhile."""

from __future__ import annotations

import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from server.config import Settings, UnsafeSettings
from sync.device.client import Patience
from sync.device.device import Device
from tests.bureau import PASSWORD, Bureau, a_photo, eventually
from tests.conftest import Engine, installed
from tests.enrolled import Handheld
from tests.running import Server
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, a_finding, refused, sha256

SCOPE = "320412110"
BODIES, SLOW = 3, 12


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data", MENQIAN_UPLOADS_UNFINISHED="3") as office:
        yield office


def test_without_room_on_the_disk_photos_wait_and_records_do_not(office: Indoors,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    location = device.create_upload(len(content), sha256(content)).headers["Location"]
    free = shutil.disk_usage(office.app.extensions["menqian"].settings.data).free
    settings = office.app.extensions["menqian"].settings
    object.__setattr__(settings, "spool_free_mb", free // 1_000_000 + 1000)
    for answer in (device.patch_upload(location, 0, content), device.create_upload(100, sha256(b"other"))):
        refused(answer, 503, "unavailable", "retry")
        assert int(answer.headers["Retry-After"]) >= 10
    ready = httpx.Client().get(f"{office.url}/readyz")
    assert (ready.status_code, ready.json()["spool"], ready.json()["database"]) == (503, "full", "ok")
    device.report(SCOPE)
    object.__setattr__(settings, "spool_free_mb", 1)
    assert device.patch_upload(location, 0, content).status_code == 204
    assert httpx.Client().get(f"{office.url}/readyz").json()["spool"] == "ok"


def test_too_many_unfinished_uploads_of_one_device_are_a_matter_of_that_device(office: Indoors) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    begun = [device.create_upload(1000, sha256(bytes([n]))).headers["Location"] for n in range(2)]
    last = device.create_upload(len(content), sha256(content)).headers["Location"]
    refused(device.create_upload(1000, sha256(b"one more")), 503, "busy", "retry")
    assert office.handheld(SCOPE).create_upload(1000, sha256(b"another's")).status_code == 201
    assert device.patch_upload(last, 0, content).status_code == 204, "what was begun can be finished"
    assert device.create_upload(1000, sha256(b"one more")).status_code == 201
    device.http.delete(device.absolute(begun[0]), headers={"Tus-Resumable": "1.0.0"})
    assert device.create_upload(1000, sha256(b"and another")).status_code == 201


def test_no_setting_gives_all_threads_to_photos(tmp_path: Path) -> None:
    for number in ("0", "13"):
        with pytest.raises(UnsafeSettings, match="UPLOAD_BODIES"):
            Settings.from_environment({"MENQIAN_DATA": str(tmp_path), "MENQIAN_UPLOAD_BODIES": number})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = installed(tmp_path / "server", Engine("embedded", None, None),
                       settings={"MENQIAN_UPLOAD_BODIES": str(BODIES)}).start()
    yield server
    server.stop()


def slow_lines(device: Handheld, stack: ExitStack) -> list[socket.socket]:
    """Connections that have each announced a large body and sent a little of it."""
    lines = []
    for n in range(SLOW):
        url = httpx.URL(device.absolute(device.create_upload(9_000_000, sha256(bytes([n]))).headers["Location"]))
        line = stack.enter_context(socket.create_connection((url.host, url.port), timeout=40))
        line.sendall((f"PATCH {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nUpload-Offset: 0\r\n"
                      f"Tus-Resumable: 1.0.0\r\nAuthorization: Bearer {device.token}\r\nContent-Length: 9000000\r\n"
                      "Content-Type: application/offset+octet-stream\r\n\r\n").encode() + bytes(100_000))
        lines.append(line)
    return lines


def told(line: socket.socket) -> bytes:
    """What a connection was answered so far."""
    line.settimeout(0.05)
    try:
        return line.recv(100_000)
    except (TimeoutError, ConnectionError):
        return b""


def test_a_flood_of_slow_photos_keeps_nobody_else_waiting(server: Server, tmp_path: Path) -> None:
    bureau = Bureau(server.url, Person(server.url, "root", PASSWORD))
    flooding, working = bureau.handheld(SCOPE), bureau.handheld(SCOPE)
    before = peak_kib(server)
    device = Device.enrol(server.url, bureau.invite(bureau.person("inspector", scopes=(SCOPE,)).username), "手持机",
                          tmp_path / "device", patience=Patience(tries=100, first_s=0.1))
    finding = device.create("finding", a_finding(), SCOPE)
    device.capture(a_photo(), about=("finding", finding), role="scene")
    device.push()
    with ExitStack() as stack:
        lines = slow_lines(flooding, stack)
        turned_away = eventually(lambda: [line for line in lines if b" 503 " in told(line)], within_s=5)
        assert turned_away, "none was told to come again"
        took = []
        for n in range(20):
            for line in lines:  # those that are received drip on
                drip(line)
            began = time.monotonic()
            working.deliver(working.create("finding", SCOPE, a_finding(f"第{n}条")))
            assert httpx.get(f"{server.url}/healthz", timeout=5).status_code == 200
            took.append(time.monotonic() - began)
        assert sorted(took)[len(took) // 2] < 2, took
        began = time.monotonic()
        ending = threading.Timer(3, stack.close)
        ending.start()
        assert device.upload() == 1 and time.monotonic() - began > 2, "it came through by waiting"
        ending.join()
    assert peak_kib(server) - before < 60_000


def drip(line: socket.socket) -> None:
    try:
        line.send(b"x")
    except OSError:  # this one was turned away
        return


def peak_kib(server: Server) -> int:
    """The largest resident size so far of a process that answers requests."""
    return max(int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0])
               for pid in server.answering())
