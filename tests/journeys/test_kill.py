"""kill -9 in the middle of pushes and uploads: what was acknowledged is there, once, and nothing else is half there."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

import httpx
import pytest

from tests.bureau import Bureau, a_photo, eventually
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Wire, a_finding, granted, sha256

SCOPE = "320411104"
KILLS = 20


class Load:
    """Two devices that push and two that upload without a pause, and remember what was acknowledged."""

    def __init__(self, bureau: Bureau) -> None:
        self.pushers = [bureau.handheld(SCOPE) for _ in range(2)]
        self.uploaders = [bureau.handheld(SCOPE) for _ in range(2)]
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.refused: list[str] = []
        self.stored: dict[str, bytes] = {}
        self.over = threading.Event()
        self.threads = [*(threading.Thread(target=self.push, args=(device,)) for device in self.pushers),
                        *(threading.Thread(target=self.upload, args=(device,)) for device in self.uploaders)]
        for thread in self.threads:
            thread.start()

    def push(self, device: Handheld) -> None:
        while not self.over.is_set():
            created = [device.create("finding", SCOPE, a_finding()) for _ in range(3)]
            edited = device.edit("finding", created[0]["record_id"], 0, set={"text": "随后改"})
            body = json.dumps({"mutations": [*created, edited]}).encode()
            answer = self.until_answered(lambda body=body: device.send(body))
            if answer.status_code != 200:
                self.refused.append(answer.text)
                return
            for outcome in answer.json()["outcomes"]:
                self.acknowledged[outcome["id"]] = outcome

    def upload(self, device: Handheld) -> None:
        while not self.over.is_set():
            content = a_photo(size=(320, 240))
            answer = self.until_answered(lambda content=content: self.resume(device, content))
            if answer.status_code not in (200, 204):
                self.refused.append(answer.text)
                return
            self.stored[sha256(content)] = content

    def resume(self, device: Handheld, content: bytes) -> httpx.Response:
        """One attempt: is it there? else create and send in three parts."""
        there = device.head(f"/media/{sha256(content)}")
        return there if there.status_code == 200 else device.upload(content, chunk=len(content) // 3 + 1)

    def until_answered(self, call: Any) -> httpx.Response:
        """What a device does: the same again until there is an answer that is not a server's trouble."""
        while True:
            try:
                answer: httpx.Response = call()
            except httpx.HTTPError:
                time.sleep(0.05)
                continue
            assert answer.status_code != 500, answer.text
            if answer.status_code not in (423, 502, 503):
                return answer
            time.sleep(0.05)

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.slow
def test_what_was_acknowledged_is_there_once_after_twenty_kills(server: Server, bureau: Bureau) -> None:
    dice, load = random.Random(20), Load(bureau)
    for kill in range(KILLS):
        time.sleep(dice.uniform(0.05, 0.6))
        if kill % 3:
            server.kill_a_worker()
        else:  # the whole group: what a power cut leaves
            server.kill()
            server.start()
    time.sleep(0.5)
    load.end()
    assert not load.refused
    assert load.acknowledged
    assert load.stored

    reader = bureau.handheld(SCOPE)
    reader.catch_up()
    created = {outcome["record_id"] for outcome in load.acknowledged.values()}
    assert created == {id for type, id in reader.rows if type == "finding"}, "all that was acknowledged, nothing else"
    last_version: dict[str, int] = {}
    for outcome in load.acknowledged.values():
        assert outcome["outcome"] == "applied", outcome
        last_version[outcome["record_id"]] = max(last_version.get(outcome["record_id"], 0), outcome["version"])
    for record, version in last_version.items():
        assert reader.rows["finding", record]["version"] == version
    for device in load.pushers:
        assert device.hello()["device"]["last_n"] == next(device.numbers) - 1
    for record in random.Random(1).sample(sorted(created), min(10, len(created))):
        history = granted(reader.owner.get(f"/records/finding/{record}/history"))["items"]
        assert sorted(entry["version"] for entry in history) == list(range(1, last_version[record] + 1))
    check_bytes(load, reader)
    done = server.cli("verify", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_bytes(load: Load, reader: Handheld) -> None:
    """Every stored photo is there byte for byte, and its evidence becomes verified."""
    finding = reader.report(SCOPE)
    wire: Wire = reader
    for digest, content in load.stored.items():
        assert wire.head(f"/media/{digest}").status_code == 200, digest
        mutation = reader.capture(SCOPE, content, ("finding", finding))
        reader.deliver(mutation)
        assert wire.get(f"/media/{digest}").content == content
    last = mutation["record_id"]

    def state() -> str:
        return str(reader.owner.record("evidence", last)["fields"]["media"]["state"])

    assert eventually(lambda: state() == "verified", within_s=40), state()
