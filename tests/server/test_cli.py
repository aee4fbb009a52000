"""The command line as an operator meets it: one clear line where something is wrong, and exit codes that are true."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bureau import PASSWORD
from tests.running import Server, children_of


@pytest.fixture
def empty(tmp_path: Path) -> Server:
    return Server(tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("cli"))
    server.cli("init")
    yield server
    server.kill()


def said(server: Server, *arguments: str, stdin: str = "") -> str:
    """What a command that fails with 1 says on stderr."""
    done = server.cli(*arguments, stdin=stdin, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


READERS = [("verify",), ("device", "invite", "root"), ("compact",),
           ("user", "add", "root", "--name", "x", "--role", "admin", "--password-stdin")]


@pytest.mark.parametrize("arguments", READERS)
def test_before_init_each_command_says_to_run_it_and_makes_nothing(empty: Server, arguments: tuple[str, ...]) -> None:
    told = said(empty, *arguments, stdin=PASSWORD + "\n")
    assert "run menqian init first" in told and str(empty.directory / "data") in told
    assert list(empty.directory.iterdir()) == []


def test_a_directory_of_something_else_stays_as_it_is(empty: Server) -> None:
    (empty.directory / "data" / "keys").mkdir(parents=True)
    (empty.directory / "data" / "keys" / "journal").write_bytes(b"x" * 32)
    said(empty, "verify")
    found = {str(path.relative_to(empty.directory)) for path in empty.directory.rglob("*")}
    assert found == {"data", "data/keys", "data/keys/journal"}


def test_before_init_the_doctor_speaks_of_the_machine_and_makes_nothing(empty: Server) -> None:
    done = empty.cli("doctor", check=False)
    assert done.returncode == 1
    assert "FAIL installation: 尚未初始化" in done.stdout and "ok   python: " in done.stdout
    assert "Error" not in done.stdout + done.stderr
    assert list(empty.directory.iterdir()) == []


def test_verify_prints_json_even_of_nothing(empty: Server) -> None:
    found = json.loads(empty.cli("verify", check=False).stdout)
    assert (found["ok"], found["problems"][0]["code"]) == (False, "not_initialised")


def test_a_bad_value_is_told_by_its_field(server: Server) -> None:
    told = said(server, "user", "add", "a", "--name", "x", "--role", "admin", "--password-stdin", stdin="x\n")
    assert told.startswith("password: ")


def test_a_person_without_scopes_is_worth_a_warning(server: Server) -> None:
    def added(name: str, role: str, *more: str) -> str:
        return server.cli("user", "add", name, "--name", "x", "--role", role, *more, "--password-stdin",
                          stdin=PASSWORD + "\n").stderr

    assert "--scope" in added("wang", "inspector") and "--scope" in added("gu", "admin")
    assert added("root", "admin", "--scope", "3204") == ""


def test_what_the_system_refuses_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    server = Server(tmp_path / "here", settings={"MENQIAN_DATA": str(tmp_path / "file")})
    assert len(said(server, "init").splitlines()) == 1


def test_help_speaks_of_menqian(server: Server) -> None:
    assert "Usage: menqian " in server.cli("--help").stdout


def test_a_port_in_use_is_told_before_anything_is_done(empty: Server) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", empty.port))
        other.listen()
        told = said(empty, "serve", "--port", str(empty.port))
    assert len(told.splitlines()) == 1 and str(empty.port) in told
    assert not (empty.directory / "data" / "menqian.db").exists()


def test_serving_ends_with_0_when_it_is_asked_to(server: Server) -> None:
    server.start()
    process = server.process
    assert process is not None
    server.stop()
    assert process.poll() == 0


@pytest.mark.parametrize("which", [0, 1])
def test_serving_fails_when_one_of_its_processes_dies(server: Server, which: int) -> None:
    server.start()
    process = server.process
    assert process is not None
    os.kill(children_of(process.pid)[which], signal.SIGKILL)
    began = time.monotonic()
    assert process.wait(15) != 0
    assert time.monotonic() - began < 10
