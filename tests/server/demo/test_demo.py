"""The whole demonstration, as a visitor runs it: once to its end, then served again from the same directory."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from server.demo.people import cast
from tests.running import ROOT, free_port

pytestmark = pytest.mark.slow
WITHIN_S = 240


def command(*arguments):
    return [sys.executable, "-P", "-m", "server.demo", *map(str, arguments)]


def surroundings(directory: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """(directory, what was printed) of a demonstration that was run once."""
    directory = tmp_path_factory.mktemp("demo")
    done = subprocess.run(command("--once", "--port", free_port(), "--data", directory / "kept"), cwd=directory,
                          env=surroundings(directory), text=True, capture_output=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / "kept", done.stdout


def test_all_counts_agree(told):
    _, printed = told
    assert "all agree" in printed
    assert "✗" not in printed
    assert f"{len(cast())} 人 people" in printed
    outcomes = dict(re.findall(r"^ +(applied|merged|conflicted|held|quarantined) +(\d+)", printed, re.MULTILINE))
    assert all(int(count) > 0 for count in outcomes.values())
    assert len(outcomes) == 5
    for decision in ("certain", "probable", "ambiguous", "none", "sticker", "person", "address only"):
        assert re.search(rf"\b{decision}\b", printed), decision
    assert re.search(r"cut in the middle of a photo × [1-9]", printed)


def test_nothing_lingers_beside_the_directory(told):
    directory, _ = told
    assert [path.name for path in directory.parent.iterdir()] == ["kept"]


def test_a_second_run_tells_again_and_a_third_serves(told):
    directory, printed = told
    once = subprocess.run(command("--once", "--data", directory), env=surroundings(directory.parent), text=True,
                          capture_output=True, timeout=30, check=False)
    assert once.returncode == 0
    assert printed.splitlines()[-3] in once.stdout
    port = free_port()
    process = subprocess.Popen(command("--port", port, "--data", directory), env=surroundings(directory.parent),
                               text=True, stdout=subprocess.PIPE)
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        assert "only serving" in "".join(lines)
        name, password = re.search(r"^ +(supervisor) +(\S+)", "".join(lines), re.MULTILINE).groups()
        answer = httpx.post(f"http://127.0.0.1:{port}/api/v1/sessions", json={"username": name, "password": password})
        assert answer.status_code == 201
        code = re.search(rf"http://127.0.0.1:{port}/handheld/#/enrol/(\S+)", "".join(lines)).group(1)
        device = httpx.post(f"http://127.0.0.1:{port}/api/v1/devices", json={
            "code": code, "name": "来客", "platform": "web", "app_version": "1"})
        assert device.json()["user"]["username"] == "inspector1"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz")
