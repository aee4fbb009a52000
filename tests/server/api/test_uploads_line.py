"""tus through a real gunicorn: lines that are cut, stall or drip, tuspy, and what a large upload costs in memory."""

from __future__ import annotations

import io
import os
import re
import socket
import struct
import time
from pathlib import Path

import httpx
import pytest
from tusclient.client import TusClient

from tests.bureau import PASSWORD, Bureau, a_photo, eventually
from tests.conftest import Engine, installed
from tests.wire import Person, sha256

SCOPE = "320412110"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    server = installed(tmp_path_factory.mktemp("line"), Engine("embedded", None, None)).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def device(server):
    return Bureau(server.url, Person(server.url, "root", PASSWORD)).handheld(SCOPE)


def opened(device, location, length, offset=0):
    """A socket on which the head of a PATCH was sent."""
    url = httpx.URL(device.absolute(location))
    line = socket.create_connection((url.host, url.port), timeout=40)
    line.sendall((f"PATCH {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nTus-Resumable: 1.0.0\r\n"
                  f"Authorization: Bearer {device.token}\r\nUpload-Offset: {offset}\r\nContent-Length: {length}\r\n"
                  "Content-Type: application/offset+octet-stream\r\n\r\n").encode())
    return line


def begun(device, content):
    """An upload with an evidence record that waits for it."""
    evidence = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(evidence)
    return device.create_upload(len(content), sha256(content)).headers["Location"], evidence["record_id"]


def state(device, evidence):
    return device.owner.record("evidence", evidence)["fields"]["media"]["state"]


def offset(device, location):
    return int(device.head_upload(location).headers.get("Upload-Offset", -1))


def finished(device, location, content):
    start = offset(device, location)
    return device.patch_upload(location, start, content[start:]).status_code == 204


@pytest.mark.parametrize("ending", ["close", "reset"])
def test_a_line_that_is_cut_loses_nothing_and_can_go_on_at_once(device, ending):
    content = a_photo() + os.urandom(300_000)
    location, evidence = begun(device, content)
    with opened(device, location, len(content)) as line:
        line.sendall(content[:200_000])
        if ending == "reset":
            assert eventually(lambda: state(device, evidence) == "partial", within_s=10)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert eventually(lambda: offset(device, location) == 200_000, within_s=10), offset(device, location)
    assert eventually(lambda: state(device, evidence) == "partial", within_s=10)
    assert finished(device, location, content)
    assert eventually(lambda: state(device, evidence) == "verified", within_s=30)


@pytest.mark.slow
@pytest.mark.parametrize("came", [1000, 20_000])
def test_a_line_that_stalls_shows_partial_and_is_given_up(device, came):
    content = a_photo()
    location, evidence = begun(device, content)
    began = time.monotonic()
    with opened(device, location, len(content)) as line:
        line.sendall(content[:came])
        assert eventually(lambda: state(device, evidence) == "partial", within_s=10), state(device, evidence)
        assert time.monotonic() - began < 10
        answer = b""
        while b"request_timeout" not in answer and (more := line.recv(4096)):
            answer += more
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"request_timeout" in answer
    assert offset(device, location) == came
    assert finished(device, location, content)


def test_tuspy_uploads_through_a_cut_of_its_own(device):
    content = a_photo()
    client = TusClient(device.url("/uploads"), headers={"Authorization": f"Bearer {device.token}"})
    metadata = {"sha256": sha256(content), "filetype": "image/jpeg"}
    first = client.uploader(file_stream=io.BytesIO(content), chunk_size=5000, metadata=metadata, upload_checksum=True)
    first.upload_chunk()
    with opened(device, first.url, len(content) - 5000, 5000) as line:
        line.sendall(content[5000:6000])
    assert eventually(lambda: offset(device, first.url) == 6000, within_s=10)
    client.uploader(file_stream=io.BytesIO(content), url=first.url, chunk_size=5000).upload()
    assert device.head(f"/media/{sha256(content)}").status_code == 200


def test_a_large_upload_adds_little_to_a_worker(server, device):
    content = a_photo()
    assert device.upload(content).status_code == 204  # what is loaded at first use is loaded now
    before = peaks(server)
    content += bytes(67_000_000 - len(content))
    assert device.upload(content).status_code == 204
    after = peaks(server)
    grown = {pid: after[pid] - peak for pid, peak in before.items()}
    assert max(grown.values()) < 16 * 1024, grown


def peaks(server):
    """The largest resident size so far, in KiB, of the processes that answer requests."""
    return {pid: int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
            for pid in server.answering()}


def test_one_upload_has_one_line_at_a_time(device):
    content = a_photo()
    location, _ = begun(device, content)
    with opened(device, location, len(content)) as line:
        line.sendall(content[:20_000])
        time.sleep(0.5)
        assert device.patch_upload(location, 0, content).status_code == 423
    assert eventually(lambda: finished(device, location, content), within_s=10)


@pytest.mark.parametrize("size", [10, 70_000, 1_000_000])
def test_a_refused_body_leaves_the_line_usable(device, size):
    content = os.urandom(size)
    location = device.create_upload(5, sha256(content)).headers["Location"]
    assert device.patch_upload(location, 0, content).status_code == 413
    assert offset(device, location) == 0
