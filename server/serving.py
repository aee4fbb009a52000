"""The two processes of `menqian serve`: gunicorn and the background worker, as children of one in the foreground."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import Any

from server.config import Settings
from server.gunicorn_config import die_with_parent

STOP_SECONDS = 8


class PortTaken(OSError):
    """The address cannot be listened at."""


def must_be_free(host: str, port: int) -> None:
    """Raise PortTaken unless the address can be listened at now, as gunicorn will (SO_REUSEADDR)."""
    try:
        with ExitStack() as probes:
            for family, kind, protocol, _, address in socket.getaddrinfo(
                    host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE):
                probe = probes.enter_context(socket.socket(family, kind, protocol))
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen(1)
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise PortTaken(f"无法监听 cannot listen at {host}:{port}: {said}") from None


def serve(settings: Settings, host: str, port: int, workers: int) -> int:
    """Run both until a signal comes or one of them ends; then end the other. Gives the exit code.

    0 only after SIGTERM or SIGINT: a child that ends by itself is a failure, of which a service supervisor must hear.
    """
    processes = 1 if settings.embedded else max(1, workers)
    web = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", str(processes), "--threads",
           str(max(8, 4 * workers) if settings.embedded else 8), "--bind", f"{host}:{port}", "--timeout", "120",
           "--graceful-timeout", str(STOP_SECONDS - 2), "--keep-alive", "15", "--log-level", "warning",
           "--limit-request-line", "8190", "--config", "python:server.gunicorn_config", "server.wsgi:app"]
    background = [sys.executable, "-m", "server.cli", "worker"]
    children = [subprocess.Popen(command, preexec_fn=die_with_parent) for command in (web, background)]
    asked: list[int] = []

    def stop(number: int = 0, *_: Any) -> None:
        asked.extend([number] if number else [])
        for child in children:
            if child.poll() is None:
                child.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    ended = _wait_for_one(children)
    stopped = bool(asked)
    stop()
    for child in children:
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
    return 0 if stopped else ended if ended > 0 else 1


def _wait_for_one(children: list[subprocess.Popen[bytes]]) -> int:
    """The exit code of the child that ends first, negative after a signal."""
    while True:
        pid, status = os.wait()
        if any(child.pid == pid for child in children):
            for child in children:
                if child.pid == pid:
                    child.returncode = os.waitstatus_to_exitcode(status)
            return os.waitstatus_to_exitcode(status)
