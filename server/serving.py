"""The two processes of `menqian serve`: gunicorn and the background worker, as children of one in the foreground.

They are forked from it when all modules are loaded, so that neither they nor a worker that gunicorn replaces loads
them again. The caller leaves nothing open: no connection to the database, no thread.
"""

from __future__ import annotations

import multiprocessing
import signal
import socket
from contextlib import ExitStack
from multiprocessing.connection import wait
from typing import Any

from gunicorn.app.base import BaseApplication

from server import create_app, jobs
from server.answering import Worker
from server.config import THREADS, Settings
from server.gunicorn_config import die_with_parent, post_fork

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


class Web(BaseApplication):
    """gunicorn over our app."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from server.wsgi import app  # it is made as the module is loaded: in each of gunicorn's workers
        return app


def serve(settings: Settings, host: str, port: int, workers: int) -> int:
    """Run both until a signal comes or one of them ends; then end the other. Gives the exit code.

    0 only after SIGTERM or SIGINT: a child that ends by itself is a failure, of which a service supervisor must hear.
    """
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=_answer, args=(settings, host, port, workers)),
                fork.Process(target=_work, args=(settings,))]
    asked: list[int] = []

    def stop(number: int = 0, *_: Any) -> None:
        asked.extend([number] if number else [])
        for child in children:
            if child.is_alive():
                child.terminate()

    for child in children:
        child.start()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    wait([child.sentinel for child in children])
    ended = next((child.exitcode for child in children if child.exitcode is not None), 0)
    stopped = bool(asked)
    stop()
    for child in children:
        child.join(STOP_SECONDS)
        if child.exitcode is None:
            child.kill()
            child.join()
    return 0 if stopped else ended if ended > 0 else 1


def _answer(settings: Settings, host: str, port: int, workers: int) -> None:
    die_with_parent()
    Web(worker_class=Worker, workers=1 if settings.embedded else max(1, workers),
        threads=max(THREADS, 4 * workers) if settings.embedded else THREADS, bind=f"{host}:{port}", timeout=120,
        graceful_timeout=STOP_SECONDS - 2, keepalive=15, loglevel="warning", limit_request_line=8190,
        post_fork=post_fork).run()


def _work(settings: Settings) -> None:
    die_with_parent()
    jobs.run_worker(create_app(settings))
