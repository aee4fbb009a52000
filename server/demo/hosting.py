"""The server of the demonstration: a real installation in a directory, served as `bin/menqian serve` does.

Owns the sub-process and its port. Serves `server.demo` alone; nothing of it is a part of the server.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from server.gunicorn_config import die_with_parent

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
READY_WITHIN_S, STOPS_WITHIN_S = 60, 12
PORTS_TRIED = 50


class NotServing(Exception):
    """The server could not be set up, did not become ready or ended by itself; the text says what it wrote last."""


class Hosted:
    """One installation under `directory`, not yet running."""

    def __init__(self, directory: Path, port: int) -> None:
        self.port, self.url = port, f"http://{HOST}:{port}"
        self.log = directory / "server.log"
        self._environment = environment(os.environ, directory / "server")
        self._process: subprocess.Popen[bytes] | None = None

    def cli(self, *arguments: str, stdin: str = "") -> str:
        """Run `menqian ARGUMENTS` to its end and give what it printed; raises NotServing."""
        done = subprocess.run(self._command(*arguments), cwd=ROOT, env=self._environment, input=stdin, text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise NotServing(f"menqian {' '.join(arguments[:2])}: {(done.stderr or done.stdout).strip()[-2000:]}")
        return done.stdout.strip()

    def start(self) -> None:
        """Serve; returns when `/readyz` says so. Raises NotServing."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("serve", "--host", HOST, "--port", str(self.port)), cwd=ROOT, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, preexec_fn=die_with_parent)
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._ready():
            if self.ended() or time.monotonic() > deadline:
                raise NotServing(f"the server did not become ready; its log ends with\n{self.tail()}")
            time.sleep(0.1)

    def ended(self) -> bool:
        """True when the process is gone."""
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """End it as a service supervisor does: SIGTERM, and after a while more than that."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def tail(self, lines: int = 30) -> str:
        """The end of the server's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else "(empty)"

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    @staticmethod
    def _command(*arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "server.cli", *arguments]


def environment(inherited: Mapping[str, str], data: Path) -> dict[str, str]:
    """What the server's processes are given: no setting of another installation, the code by PYTHONPATH."""
    kept = {name: value for name, value in inherited.items() if not name.startswith("MENQIAN_")}
    paths = [str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
    return {**kept, "MENQIAN_DATA": str(data), "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def free_port(wanted: int) -> int:
    """The wanted port, or the next one above it that nobody listens on; raises NotServing."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise NotServing(f"no free port from {wanted} to {min(wanted + PORTS_TRIED, 65536) - 1}")
