"""`menqian ARGUMENTS` without its start: forked from a process that has loaded our modules once, as `serve` forks its
own workers. A program gets from there modules, those that an app loads as it is made among them, and a quick hash of
passwords; those of the demo's tests begin as anybody's.
"""

from __future__ import annotations

import os
import pkgutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import current_process, get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from argon2 import PasswordHasher

from server import api, pages

LOADED = get_context("forkserver")
LOADED.set_forkserver_preload([
    "tests.forked", "server.cli", "server.serving", "flask_migrate", "alembic.command",
    *(module.name for views in (api, pages) for module in pkgutil.iter_modules(views.__path__, f"{views.__name__}."))])
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # a password's real hash takes a quarter of a second


class Program:
    """A program that runs, in a process group of its own, with what tests ask of a `subprocess.Popen`."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], directory: Path, *,
                 stdin: Path | None = None, stdout: Path, stderr: Path) -> None:
        self.arguments = arguments
        files = (str(stdin or os.devnull), str(stdout), str(stderr))
        # daemon: one that a test forgot ends with pytest, which would wait for it otherwise
        self._process = LOADED.Process(target=_become, args=(arguments, dict(environment), str(directory), files),
                                       daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and tell how it ended; raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.arguments, timeout or 0)
        return code


def run(arguments: tuple[str, ...], environment: Mapping[str, str], directory: Path, *, stdin: str,
        timeout: float) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    with TemporaryDirectory() as folder:
        given, said, failed = (Path(folder) / name for name in ("in", "out", "err"))
        for path, text in ((given, stdin), (said, ""), (failed, "")):
            path.write_text(text, encoding="utf-8")
        program = Program(arguments, environment, directory, stdin=given, stdout=said, stderr=failed)
        try:
            code = program.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(arguments, code, *(path.read_text(encoding="utf-8", errors="replace")
                                                              for path in (said, failed)))


def _become(arguments: tuple[str, ...], environment: Mapping[str, str], directory: str,
            files: tuple[str, str, str]) -> None:
    """In the new process: be `menqian ARGUMENTS`."""
    current_process().daemon = False  # `serve` has children
    os.setsid()
    for handle, (name, mode) in enumerate(zip(files, "raa", strict=True)):
        with open(name, mode) as opened:
            os.dup2(opened.fileno(), handle)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(handle, mode, buffering=1, encoding="utf-8", closefd=False)
                                         for handle, mode in enumerate("raa"))
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["menqian", *arguments]
    from server import auth, cli
    auth.HASHER = QUICK
    cli.run()
