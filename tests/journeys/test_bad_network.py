"""Photos over a bad network: cut, delayed, repeated and overtaken requests, killed servers and workers. Each arrives
whole and once, and after a cut no more than one chunk travels again."""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.uploader import Uploader

from tests.bad_network import BadNetwork, Odds
from tests.bureau import PASSWORD, Bureau, a_photo, eventually
from tests.conftest import Engine, installed
from tests.enrolled import Handheld
from tests.running import ROOT, Server
from tests.wire import Person, sha256

SCOPE = "320412110"
PHOTOS, LANES, CHUNK = 10, 5, 5_000
PACKAGE, NODE = ROOT / "node_modules" / "tus-js-client", shutil.which("node")
needs_node = pytest.mark.skipif(not PACKAGE.exists() or NODE is None, reason="node or tus-js-client is not installed")
TRIES = 200
SCRIPT = """
const fs = require('fs'); const tus = require(process.argv[1]);
const {endpoint, token, photos, lanes, chunk, tries} = JSON.parse(process.argv[2]);
const one = ({file, sha256}) => new Promise((done, failed) => new tus.Upload(fs.readFileSync(file), {
  endpoint, chunkSize: chunk, retryDelays: Array(tries).fill(50), headers: {Authorization: `Bearer ${token}`},
  metadata: {sha256, filetype: 'image/jpeg'}, onError: failed, onSuccess: done}).start());
const lane = async () => { for (let photo; (photo = photos.pop());) await one(photo); };
Promise.all(Array.from({length: lanes}, lane)).catch(error => { console.error(String(error)); process.exit(1); });
"""


@pytest.fixture(scope="module")
def own(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may be killed: one process that answers on SQLite, two on PostgreSQL."""
    server = installed(tmp_path_factory.mktemp(f"network-{engine.name}"), engine.another(), workers=2).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def device(own: Server) -> Handheld:
    return Bureau(own.url, Person(own.url, "root", PASSWORD)).handheld(SCOPE)


@pytest.fixture
def photos(device: Handheld) -> dict[str, bytes]:
    """Photos by the id of the evidence that waits for each."""
    contents = [a_photo() for _ in range(PHOTOS)]
    finding = device.report(SCOPE)
    evidence = [device.capture(SCOPE, content, ("finding", finding)) for content in contents]
    device.deliver(*evidence)
    return {one["record_id"]: content for one, content in zip(evidence, contents, strict=True)}


def start_node(network: BadNetwork, device: Handheld, contents: list[bytes], folder: Path) -> subprocess.Popen[str]:
    """tus-js-client in a process of its own, uploading everything over some connections at once."""
    files = []
    for content in contents:
        file = folder / sha256(content)
        file.write_bytes(content)
        files.append({"file": str(file), "sha256": file.name})
    given = {"endpoint": f"{network.url}/api/v1/uploads", "token": device.token, "photos": files, "lanes": LANES,
             "chunk": CHUNK, "tries": TRIES}
    return subprocess.Popen([str(NODE), "-e", SCRIPT, str(PACKAGE), json.dumps(given)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def with_node(network: BadNetwork, device: Handheld, contents: list[bytes], folder: Path) -> None:
    process = start_node(network, device, contents, folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def with_tuspy(network: BadNetwork, device: Handheld, contents: list[bytes], folder: Path) -> None:
    client = TusClient(f"{network.url}/api/v1/uploads", headers={"Authorization": f"Bearer {device.token}"})
    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(lambda content: by_tuspy(client, content), contents))


def by_tuspy(client: TusClient, content: bytes) -> None:
    """One upload; tuspy tries PATCHes again by itself, a creation and the question after a cut it does not."""
    uploader: Uploader | None = None
    for _ in range(TRIES):
        try:
            uploader = uploader or client.uploader(
                file_stream=io.BytesIO(content), chunk_size=CHUNK, upload_checksum=True, retries=TRIES, retry_delay=0,
                metadata={"sha256": sha256(content), "filetype": "image/jpeg"})
            uploader.set_url(uploader.url or uploader.create_url())
            uploader.offset = uploader.get_offset()
            uploader.upload()
            return
        except TusCommunicationError:
            time.sleep(0.02)
    raise AssertionError("tuspy did not come through")


def all_arrived(device: Handheld, photos: dict[str, bytes]) -> None:
    """Every photo stands in the store byte for byte, and its evidence says so."""
    waiting = set(photos)

    def verified() -> bool:
        waiting.difference_update({evidence for evidence in waiting if media(device, evidence) == "verified"})
        return not waiting

    assert eventually(verified, within_s=60), {evidence: media(device, evidence) for evidence in waiting}
    for content in photos.values():
        assert device.get(f"/media/{sha256(content)}").content == content


def media(device: Handheld, evidence: str) -> Any:
    assert device.owner is not None
    return device.owner.record("evidence", evidence)["fields"]["media"]["state"]


def resent(network: BadNetwork, device: Handheld, sizes: int) -> None:
    """What travelled more than once is at most a chunk for each fault that an upload met."""
    uploads = {path for path in network.sent if path.rsplit("/", 1)[-1] != "uploads"}
    befell = sum(count for (_, path), count in network.faults.items() if path in uploads)
    assert len({fate for fate, _ in network.faults}) >= 4, network.faults
    assert sum(network.sent[path] for path in uploads) <= sizes + CHUNK * befell, network.faults


@pytest.mark.parametrize("bring", [pytest.param(with_node, marks=needs_node, id="tus-js-client"),
                                   pytest.param(with_tuspy, id="tuspy")])
def test_many_photos_at_once_arrive_whole_over_a_bad_network(own: Server, device: Handheld, photos: dict[str, bytes],
                                                            tmp_path: Path, bring: Any) -> None:
    with BadNetwork(own.port, seed=len(bring.__name__)) as network:
        bring(network, device, list(photos.values()), tmp_path)
    all_arrived(device, photos)
    resent(network, device, sum(map(len, photos.values())))


@needs_node
@pytest.mark.parametrize(("dies", "times"), [("server", 1), ("worker", 2)])
def test_uploads_go_on_over_a_killed_server_and_a_change_of_worker(
        own: Server, device: Handheld, photos: dict[str, bytes], tmp_path: Path, dies: str, times: int) -> None:
    with BadNetwork(own.port, seed=3, odds=Odds(delay=1.0)) as network:
        process = start_node(network, device, list(photos.values()), tmp_path)
        for time_of_death in range(1, times + 1):
            wanted = time_of_death / (times + 1) * sum(map(len, photos.values()))
            assert eventually(lambda wanted=wanted: network.sent.total() >= wanted, within_s=30, every_s=0.02)
            if dies == "worker":
                own.kill_a_worker()
            else:
                own.kill()
                own.start()
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    all_arrived(device, photos)
    again = network.sent.total() - sum(map(len, photos.values()))
    assert again <= times * LANES * CHUNK, "at most the chunk that each connection was sending when something died"


def test_a_patch_that_comes_twice_or_late_harms_nothing(own: Server, device: Handheld,
                                                        photos: dict[str, bytes]) -> None:
    dice = random.Random(1)
    content = next(iter(photos.values()))
    location = device.create_upload(len(content), sha256(content)).headers["Location"]
    for offset in range(0, len(content), CHUNK):
        chunk = content[offset:offset + CHUNK]
        with ThreadPoolExecutor(2) as pool:
            beside = [pool.submit(device.patch_upload, location, offset, chunk) for _ in range(2)]
            both = [each.result().status_code for each in beside]
        assert both.count(204) == 1 and set(both) <= {204, 409, 423}, both
        early = dice.randrange(offset + 1)  # one that was overtaken by all that came since
        assert device.patch_upload(location, early, content[early:early + CHUNK]).status_code == 409
    assert device.get(f"/media/{sha256(content)}").content == content
