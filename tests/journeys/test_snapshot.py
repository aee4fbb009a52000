"""A first synchronisation by a snapshot (sync/README.md), over real lines that break."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync.device.client import Patience
from sync.device.device import Device
from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, a_finding, granted, new_id, refused, sha256

SCOPE, OTHER = "320413104", "320413106"
RECORDS = 1_200
HURRIED = Patience(tries=4, wait=lambda seconds: None)


class CuttingProxy:
    """Passes TCP on to the server; cuts each line after so many bytes of the answer, and counts what came through."""

    def __init__(self, port: int, after: int) -> None:
        self.after, self.passed, self.cuts = after, 0, 0
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._pass_up, args=(near, far), daemon=True).start()
                threading.Thread(target=self._pass_down, args=(far, near), daemon=True).start()

    def _pass_up(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while part := near.recv(65_536):
                far.sendall(part)

    def _pass_down(self, far: socket.socket, near: socket.socket) -> None:
        room = self.after
        with suppress(OSError):
            while part := far.recv(min(room, 65_536)):
                near.sendall(part)
                self.passed += len(part)
                room -= len(part)
                if not room:
                    self.cuts += 1
                    break
        for line in (near, far):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()


@contextmanager
def cut_after(server: Server, size: int) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(server.port, size)
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.fixture(scope="module")
def writer(bureau: Bureau) -> Handheld:
    """Somebody who filled the scope."""
    writer = bureau.handheld(SCOPE)
    for start in range(0, RECORDS, 200):
        writer.deliver(*(writer.create("finding", SCOPE, a_finding(f"门前堆物 {start + number} {new_id()}"))
                         for number in range(200)))
    bureau.handheld(OTHER).report(OTHER, text="别处")
    return writer


def offered(device: Handheld) -> dict[str, Any]:
    return granted(device.post("/sync/snapshot"))


def test_what_a_snapshot_and_its_tail_bring_is_what_a_pull_brings(bureau: Bureau, writer: Handheld) -> None:
    device, plain = bureau.handheld(SCOPE), bureau.handheld(SCOPE)
    offer = offered(device)
    late = writer.report(SCOPE, text="后到")
    answer = device.http.get(device.absolute(offer["url"]))
    assert answer.status_code == 200 and answer.headers["Accept-Ranges"] == "bytes"
    assert (len(answer.content), sha256(answer.content)) == (offer["bytes"], offer["sha256"])
    head, *changes, end = map(json.loads, gzip.decompress(answer.content).splitlines())
    assert head["epoch"] == offer["epoch"] and end["changes"] == offer["changes"] == len(changes)
    assert {change["scope"] for change in changes if change["type"] == "finding"} == {SCOPE}
    device.rows = {(change["type"], change["id"]): change for change in changes}
    device.cursor = offer["cursor"]
    assert late in {change["id"] for change in device.catch_up()}
    plain.catch_up()
    assert device.rows == plain.rows


def test_a_hundred_askers_at_once_get_one_file(bureau: Bureau, writer: Handheld) -> None:
    device = bureau.handheld(SCOPE)
    digests: list[str] = []

    def ask() -> None:
        with httpx.Client(headers=dict(device.http.headers), timeout=60) as client:
            while (answer := client.post(device.url("/sync/snapshot"), json={})).status_code == 503:
                threading.Event().wait(float(answer.headers["Retry-After"]))
            digests.append(granted(answer)["sha256"])

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 30 and len(set(digests)) == 1


def test_the_reference_device_comes_through_a_line_that_is_cut_and_sends_no_byte_twice(
        server: Server, bureau: Bureau, writer: Handheld, tmp_path: Path) -> None:
    size = offered(bureau.handheld(SCOPE))["bytes"]
    code = bureau.invite(bureau.person("inspector", scopes=(SCOPE,)).username)
    device = Device.enrol(server.url, code, "测试机", tmp_path / "device", patience=HURRIED)
    device.close()
    with cut_after(server, size // 5) as proxy:
        cut = Device.open(tmp_path / "device", base_url=proxy.url, patience=HURRIED)
        assert cut.pull() >= RECORDS
        assert proxy.cuts >= 5
        assert proxy.passed < size * 1.5
    assert len(cut.records("finding")) >= RECORDS
    cut.close()
    again = Device.open(tmp_path / "device", base_url=server.url)
    again.pull()
    assert again.verify() == []


def test_the_file_is_for_devices_of_these_scopes_alone(bureau: Bureau, admin: Person, writer: Handheld) -> None:
    device = bureau.handheld(owner=bureau.newcomer("inspector", scopes=(SCOPE,)))
    url = device.absolute(offered(device)["url"])
    refused(bureau.handheld(OTHER).http.get(url), 404, "not_found")
    refused(httpx.get(url), 401, "login_required")
    granted(admin.post(f"/devices/{device.id}/revoke", {"reason": "丢失"}))
    refused(device.http.get(url), 401, "device_revoked")
