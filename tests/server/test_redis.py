"""A grown installation's queue: a real Redis between a web server and a worker of its own, which comes and goes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.bureau import PASSWORD, Bureau, a_photo, eventually, with_root
from tests.engines import REDIS, running_redis
from tests.enrolled import Handheld
from tests.running import PROGRAM, ROOT, Server
from tests.wire import Person

SCOPE = "320412110"
pytestmark = pytest.mark.skipif(not REDIS.exists(), reason="needs Debian's redis-server")


class Machines:
    """A web server, and beside it a worker as on a machine of its own; both know one Redis."""

    def __init__(self, directory: Path, services: ExitStack) -> None:
        self.directory, self.services = directory, services
        self.redis = ExitStack()
        services.callback(self.redis.close)
        url = self.redis.enter_context(running_redis(directory / "redis"))
        self.redis_port = int(url.rsplit(":", 1)[1].split("/")[0])
        self.server = with_root(Server(directory / "web", settings={"MENQIAN_QUEUE_URL": url})).start()
        services.callback(self.server.stop)
        self.bureau = Bureau(self.server.url, Person(self.server.url, "root", PASSWORD))

    def redis_dies(self) -> None:
        self.redis.close()

    def redis_comes_back(self) -> None:
        """Empty: what it had been told is gone."""
        self.redis.enter_context(running_redis(self.directory / "redis", port=self.redis_port))

    def another_worker(self) -> subprocess.Popen[bytes]:
        log = (self.directory / "worker.log").open("wb")
        worker = subprocess.Popen([*PROGRAM, "worker"], cwd=ROOT, env=self.server.environment, stdout=log, stderr=log,
                                  stdin=subprocess.DEVNULL, start_new_session=True)
        self.services.callback(_end, worker)
        return worker


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with ExitStack() as services:
        yield Machines(tmp_path_factory.mktemp("redis"), services)


def photographed(device: Handheld) -> tuple[bytes, str]:
    content = a_photo()
    mutation = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(mutation)
    return content, str(mutation["record_id"])


def is_verified(device: Handheld, evidence: str) -> bool:
    return bool(device.owner.record("evidence", evidence)["fields"]["media"]["state"] == "verified")


def queue_said(machines: Machines) -> str:
    return str(httpx.get(f"{machines.server.url}/readyz").json()["queue"])


def test_photos_are_checked_by_workers_that_share_a_queue(machines: Machines) -> None:
    device = machines.bureau.handheld(SCOPE)
    machines.another_worker()
    taken = [photographed(device) for _ in range(4)]
    assert [device.upload(content).status_code for content, _ in taken] == [204] * 4
    for _, evidence in taken:
        assert eventually(partial(is_verified, device, evidence), within_s=30)
    assert queue_said(machines) == "ok"


def test_without_its_queue_the_server_takes_work_and_photos_and_says_what_is_missing(machines: Machines) -> None:
    device = machines.bureau.handheld(SCOPE)
    machines.redis_dies()
    content, evidence = photographed(device)
    assert device.upload(content).status_code == 204
    assert device.post("/sync/verify", {}).status_code == 200
    assert Person(machines.server.url, "root", PASSWORD).get("/users").status_code == 200, "people can log in"
    answer = httpx.get(f"{machines.server.url}/readyz")
    assert answer.status_code == 503 and answer.json()["queue"] != "ok"
    machines.redis_comes_back()
    assert eventually(lambda: queue_said(machines) == "ok", within_s=10)
    assert eventually(partial(is_verified, device, evidence), within_s=60), "what the queue forgot is found again"


def test_after_an_empty_queue_came_back_the_rounds_go_on(machines: Machines) -> None:
    device = machines.bureau.handheld(SCOPE)
    content, evidence = photographed(device)
    assert device.upload(content).status_code == 204
    assert eventually(partial(is_verified, device, evidence), within_s=30)
    before = device.get("/journal/checkpoint").text
    device.report(SCOPE)
    device.post("/sync/push", {"mutations": []})
    assert eventually(lambda: device.get("/journal/checkpoint").text != before, within_s=20)
