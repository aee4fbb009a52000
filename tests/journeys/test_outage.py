"""A store that is away stops nobody: photos are taken, wait in the spool, and are in the store when it is back."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.bureau import PASSWORD, Bureau, a_photo, eventually
from tests.conftest import Engine, installed
from tests.engines import running_s3
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, granted, sha256

SCOPE = "320412115"
WAITING = 3
pytestmark = [pytest.mark.slow, pytest.mark.s3]


def ready(server: Server) -> tuple[int, str]:
    answer = httpx.get(f"{server.url}/readyz", timeout=60)
    return answer.status_code, answer.json()["media"]


def captured(device: Handheld, content: bytes) -> str:
    evidence = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(evidence)
    return str(evidence["record_id"])


def test_what_came_during_an_outage_is_delivered_when_the_store_is_back(tmp_path: Path) -> None:
    with ExitStack() as at_last:
        with running_s3(tmp_path / "s3") as url:
            media_url = url.replace("s3://menqian", "s3://outage", 1) + "&lock=hold"
            server = installed(tmp_path / "own", Engine("embedded", None, media_url)).start()
            at_last.callback(server.stop)
            device = Bureau(server.url, Person(server.url, "root", PASSWORD)).handheld(SCOPE)
            before = a_photo()
            evidence = captured(device, before)
            assert device.upload(before).status_code == 204
            assert eventually(partial(verified, device, evidence), within_s=60)
        contents = [a_photo() for _ in range(WAITING)]
        taken = [captured(device, content) for content in contents]  # records never wait for photos
        assert ready(server) == (503, "StoreUnavailable")
        uploads = []
        for content in contents:
            where = device.create_upload(len(content), sha256(content)).headers["Location"]
            assert device.patch_upload(where, 0, content).status_code == 503, "to be asked again later"
            uploads.append(server.directory / "data" / "spool" / where.rsplit("/", 1)[1])
        assert [path.read_bytes() for path in uploads] == contents, "not a byte is lost"
        assert granted(device.pull(device.cursor))["changes"] and state(device, taken[0]) in ("expected", "partial")
        assert "store_unavailable" in json.loads(server.cli("verify", check=False).stdout)["found"]
        port = int(re.findall(r"127.0.0.1%3A(\d+)", url)[0])
        at_last.enter_context(running_s3(tmp_path / "s3", port=port))
        assert eventually(lambda: ready(server) == (200, "ok"), within_s=60)
        for evidence in taken:
            assert eventually(partial(verified, device, evidence), within_s=90), server.tail()
        assert not any(path.exists() for path in uploads)
        for content in (before, *contents):
            assert device.get(f"/media/{sha256(content)}").content == content
        assert eventually(lambda: json.loads(server.cli("verify", check=False).stdout)["checked"].get("holds")
                          == WAITING + 1, within_s=60), server.tail()
        server.cli("verify")


def verified(device: Handheld, evidence: str) -> bool:
    return state(device, evidence) == "verified"


def state(device: Handheld, evidence: str) -> str:
    found: str = device.owner.record("evidence", evidence)["fields"]["media"]["state"]
    return found


def test_a_store_that_does_not_do_what_it_is_asked_to_is_told_of_at_the_start(tmp_path: Path) -> None:
    with running_s3(tmp_path / "s3") as url:
        for asked, said in (("lock=hold", "no Object Lock"), ("sse=AES256", "does not write with sse=AES256")):
            server = installed(tmp_path / asked, Engine("embedded", None, f"{url}&{asked}")).start()
            try:
                assert said in server.log.read_text(), "and it serves all the same"
            finally:
                server.stop()
