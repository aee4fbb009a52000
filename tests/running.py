"""The real server in a sub-process: started, stopped, killed and restarted as an operator (or a power cut) would."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx

from server.serving import PortTaken, must_be_free
from tests import forked

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = (sys.executable, "-m", "server.cli")
READY_WITHIN_S = 40
STOPS_WITHIN_S = 10


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def children_of(pid: int) -> list[int]:
    """The children of a process, as Linux lists them; none once it has ended."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Server:
    """One installation of Menqian and the process group that serves it. It keeps its port over restarts.

    Where it `forks`, its programs begin with their modules loaded (tests/forked.py); a benchmark's begin as anybody's.
    """

    forks = False

    def __init__(self, directory: Path, *, database_url: str | None = None, media_url: str | None = None,
                 workers: int = 2, settings: dict[str, str] | None = None) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / "server.log"
        self.workers = workers
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: forked.Program | subprocess.Popen[bytes] | None = None
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("MENQIAN_")}
        self.environment |= {"MENQIAN_DATA": str(directory / "data"), "PYTHONUNBUFFERED": "1", **(settings or {})}
        if database_url:
            self.environment["MENQIAN_DATABASE_URL"] = database_url
        if media_url:
            self.environment["MENQIAN_MEDIA_URL"] = media_url

    def cli(self, *arguments: str, stdin: str = "", check: bool = True,
            timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `menqian ARGUMENTS`; with `check` a failure shows what it printed."""
        if self.forks:
            done = forked.run(arguments, self.environment, ROOT, stdin=stdin, timeout=timeout)
        else:
            done = subprocess.run([*PROGRAM, *arguments], cwd=ROOT, env=self.environment, input=stdin, text=True,
                                  capture_output=True, timeout=timeout)
        if check and done.returncode:
            printed = done.stdout + done.stderr
            raise AssertionError(f"menqian {' '.join(arguments)} ended with {done.returncode}\n{printed}")
        return done

    def cli_killed(self, where: str, *arguments: str) -> None:
        """Run `menqian ARGUMENTS` as a process that is gone, kill -9, when it comes to call this function."""
        module, _, name = where.rpartition(".")
        program = ("import os, sys, importlib; from server import cli; "
                   f"setattr(importlib.import_module({module!r}), {name!r}, lambda *_, **__: os.kill(os.getpid(), 9)); "
                   f"sys.argv[1:] = {list(arguments)!r}; cli.run()")
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=self.environment, text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr

    def start(self) -> Server:
        """Serve in the background; returns when /readyz says 200."""
        arguments = ("serve", "--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers))
        if self.forks:
            self.process = forked.Program(arguments, self.environment, ROOT, stdout=self.log, stderr=self.log)
        else:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen([*PROGRAM, *arguments], cwd=ROOT, env=self.environment, stdout=log,
                                                stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.ready():
                return self
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the server was not ready within {READY_WITHIN_S} s\n{self.tail()}")

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """SIGTERM, as a service supervisor does; it must be gone within ten seconds."""
        if self.process is None:
            return
        process, self.process = self.process, None
        os.kill(process.pid, signal.SIGTERM)
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise AssertionError(f"not gone {STOPS_WITHIN_S} s after SIGTERM\n{self.tail()}") from None

    def kill(self) -> None:
        """kill -9 of the whole process group: what a power cut leaves of a process. Returns when its port is free, for
        of the group only the first is waited for, and another still listens until it is gone."""
        if self.process is None:
            return
        process, self.process = self.process, None
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + STOPS_WITHIN_S
        while time.monotonic() < deadline:
            with suppress(PortTaken):
                must_be_free("127.0.0.1", self.port)
                break
            time.sleep(0.01)

    def answering(self) -> list[int]:
        """The processes that answer requests: gunicorn's workers, below the first of the two that `serve` keeps."""
        assert self.process is not None
        return [pid for web in children_of(self.process.pid)[:1] for pid in children_of(web)]

    def kill_a_worker(self) -> None:
        """kill -9 of one process that answers requests; its parent is expected to start another."""
        if answering := self.answering():
            with suppress(ProcessLookupError):
                os.kill(random.choice(answering), signal.SIGKILL)

    def restart(self) -> Server:
        self.stop()
        return self.start()

    def tail(self, lines: int = 40) -> str:
        """The end of the server's log without the requests that went well, for the report of a failed test."""
        if not self.log.exists():
            return "(no log)"
        telling = [line for line in self.log.read_text(errors="replace").splitlines()
                   if '"event": "request"' not in line or '"status": 5' in line]
        return "\n".join(telling[-lines:])
