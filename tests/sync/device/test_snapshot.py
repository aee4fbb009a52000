"""The first synchronisation by a snapshot: resumed after cuts, verified, with undelivered work left on top."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sync.device.client import Problem, Unreachable
from sync.device.device import Device
from tests.sync.device.office import HURRIED, Office, report

RECORDS = 30


class Line(httpx.BaseTransport):
    """A way to the server that cuts a snapshot's download after each `most` bytes, and counts what passed."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner
        self.most: int | None = None
        self.damage = False
        self.passed, self.asked = 0, list[str]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path.removeprefix('/api/v1').partition('s/')[0]}")
        answer = self.inner.handle_request(request)
        if "/sync/snapshots/" not in request.url.path or answer.status_code >= 400:
            return answer
        return httpx.Response(answer.status_code, headers=answer.headers, stream=Cut(self, answer.read()))


class Cut(httpx.SyncByteStream):
    def __init__(self, line: Line, content: bytes) -> None:
        self.line, self.content = line, content

    def __iter__(self) -> Iterator[bytes]:
        part = self.content[:self.line.most]
        self.line.passed += len(part)
        yield bytes(len(part)) if self.line.damage else part
        if len(part) < len(self.content):
            raise httpx.ReadError("the line was cut")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A server where a snapshot is worth while for ten records."""
    office = Office(tmp_path_factory.mktemp("office") / "data", snapshot_records=10)
    writer = office.device(tmp_path_factory.mktemp("writer"))
    for number in range(RECORDS):
        report(writer, text=f"门前堆物 {number}")
    writer.sync()
    return office


@pytest.fixture
def line(office: Office) -> Line:
    return Line(office.transport)


@pytest.fixture
def fresh(office: Office, tmp_path: Path, line: Line) -> Device:
    return office.device(tmp_path / "fresh", transport=line)


def held_by(device: Device) -> int:
    return len(device.records("finding"))


def test_the_first_pull_loads_a_snapshot_and_then_its_tail(office: Office, fresh: Device, line: Line) -> None:
    assert fresh.pull() >= RECORDS
    assert fresh.verify() == [] and held_by(fresh) >= RECORDS
    assert line.asked.count("GET /sync/snapshot") == 1
    line.asked.clear()
    fresh.pull()
    assert line.asked == ["GET /sync/pull"]
    assert list(fresh.store.directory.glob("snapshot-*")) == []


def test_a_download_that_is_cut_again_and_again_sends_no_byte_twice(office: Office, fresh: Device, line: Line) -> None:
    line.most = 100
    fresh.pull()
    assert fresh.verify() == []
    line.most = None
    passed, line.passed = line.passed, 0
    fresh.store.put("cursor", None)
    fresh.pull()
    assert passed == line.passed > 1000


def test_a_device_that_stops_within_a_download_goes_on_after_its_restart(
        office: Office, fresh: Device, line: Line, tmp_path: Path) -> None:
    line.most = 0
    with pytest.raises(Unreachable):
        fresh.pull()
    line.most, part = 700, fresh.store.directory
    whole = line.inner
    line.inner = OnceThenNothing(whole)
    with pytest.raises(Unreachable):
        fresh.pull()
    fresh.close()
    assert [path.stat().st_size for path in part.glob("snapshot-*")] == [700] and line.passed == 700
    line.most, line.inner = None, whole
    again = Device.open(tmp_path / "fresh", transport=line, patience=HURRIED)
    again.pull()
    assert again.verify() == [] and held_by(again) >= RECORDS


class OnceThenNothing(httpx.BaseTransport):
    """Lets one download begin; after that the network is gone."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner, self.began = inner, False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.began:
            raise httpx.ConnectError("no network", request=request)
        self.began = "/sync/snapshots/" in request.url.path
        return self.inner.handle_request(request)


def test_damaged_bytes_are_never_applied_and_a_plain_pull_brings_the_same(
        office: Office, fresh: Device, line: Line) -> None:
    line.damage = True
    fresh.pull()
    assert fresh.verify() == [] and held_by(fresh) >= RECORDS
    assert line.asked.count("GET /sync/snapshot") == 3 and line.asked.count("GET /sync/pull") >= 1
    assert list(fresh.store.directory.glob("snapshot-*")) == []


@pytest.mark.parametrize("status", [404, 503])
def test_a_server_without_snapshots_is_pulled_from_plainly(office: Office, fresh: Device, line: Line,
                                                           status: int) -> None:
    line.inner = httpx.MockTransport(lambda request: httpx.Response(status) if "snapshot" in request.url.path
                                     else office.transport.handle_request(request))
    fresh.pull()
    assert fresh.verify() == [] and held_by(fresh) >= RECORDS


def test_undelivered_work_stays_on_top_of_a_snapshot(office: Office, fresh: Device) -> None:
    fresh.sync()
    finding = fresh.records("finding")[0].id
    fresh.edit("finding", finding, {"text": "离线改"})
    made = report(fresh)
    fresh.store.put("cursor", "forged")
    fresh.pull()
    assert fresh.get("finding", finding).fields["text"] == "离线改" and fresh.get("finding", made).unsent == 1
    assert len(fresh.unsent()) == 2 and fresh.verify() == []
    assert fresh.sync().conflicts == 0


def test_a_resnapshot_drops_what_is_gone_from_the_server(office: Office, fresh: Device, tmp_path: Path) -> None:
    other = office.device(tmp_path / "other")
    gone = report(other)
    other.sync()
    fresh.sync()
    assert fresh.get("finding", gone)
    other.delete("finding", gone, "误报")
    other.sync()
    fresh.store.put("cursor", "forged")
    fresh.pull()
    assert fresh.get("finding", gone) is None and fresh.verify() == []


def test_a_revoked_device_is_told_so_and_keeps_its_outbox(office: Office, fresh: Device) -> None:
    report(fresh)
    office.admin.post(f"/devices/{fresh.id}/revoke", {"reason": "丢失"})
    with pytest.raises(Problem):
        fresh.pull()
    assert fresh.state == "revoked" and len(fresh.unsent()) == 1
