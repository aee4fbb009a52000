"""One installation of Menqian inside this process: the real WSGI application on a real SQLite file; its crash points.

Serves the simulated world. The file lies in memory where the machine allows it and is copied from a template for each
schedule; a crash is an exception at the one place where transactions end, after which the application is thrown away
and made anew on the same file.
"""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import tempfile
import uuid
from collections import deque
from collections.abc import Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, NoReturn

import structlog
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from media.stores import open_store
from server import compaction, create_app, trade, zones
from server.cli import initialise
from server.config import Settings
from server.db import db
from server.house import House, read_signer
from server.limits import limiter

MEMORY = Path("/dev/shm")
LIMITS = {"MENQIAN_QUEUE_URL": "immediate:", "MENQIAN_LOG_LEVEL": "error", "MENQIAN_CHECKPOINT_SECONDS": "86400",
          "MENQIAN_SECRET_KEY": "s" * 32, "MENQIAN_SNAPSHOT_RECORDS": "12"}
BEGIN = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SMALL = {"mutations_per_push": 20, "push_bytes": 40_000, "mutation_bytes": 3_000}
"""Limits of the simulated installation, so small that schedules meet them."""


class Crash(BaseException):
    """The process is gone: nothing of its memory is left, only what was committed."""


class Answer(NamedTuple):
    """What the server sent back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


SAID: deque[str] = deque(maxlen=3)
"""The last errors that the application logged."""


def hear(_logger: object, _method: str, event: MutableMapping[str, Any]) -> NoReturn:
    """A structlog processor that keeps errors for the report of a failure, and prints nothing."""
    SAID.append(str(event.get("exception") or event.get("error") or event.get("event"))[-2500:])
    raise structlog.DropEvent


class CrashPoint:
    """Armed with `before`, `after` or `fail` and a number, it strikes at that commit of the next requests."""

    def __init__(self) -> None:
        self.kind: str | None = None
        self.countdown = 0
        self.struck: str | None = None

    def arm(self, kind: str, countdown: int) -> None:
        self.kind, self.countdown, self.struck = kind, countdown, None

    def disarm(self) -> None:
        self.kind = None

    def before_commit(self) -> None:
        if self.kind in ("before", "fail") and self._counts():
            self.struck, self.kind = self.kind, None
            if self.struck == "fail":
                raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))
            raise Crash

    def after_commit(self) -> None:
        if self.kind == "after" and self._counts():
            self.struck, self.kind = self.kind, None
            raise Crash

    def _counts(self) -> bool:
        self.countdown -= 1
        return self.countdown < 0


POINT = CrashPoint()


def commit(session: Session, end: Callable[[Session], None] = Session.commit) -> None:
    """SQLAlchemy's commit, where transactions end: here the process may die, before it or after it."""
    POINT.before_commit()
    end(session)
    POINT.after_commit()


Session.commit = commit  # type: ignore[method-assign]  # idle unless a crash is armed


def place() -> Path:
    """A new directory, in memory where the machine has room for it there."""
    return Path(tempfile.mkdtemp(prefix="menqian-simulator-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))


class Installation:
    """See the module. `now` and `random` belong to the schedule that runs."""

    def __init__(self, directory: Path, url: str | None = None) -> None:
        self.directory = directory
        self.file = directory / "menqian.db"
        self.now: Callable[[], datetime] = lambda: BEGIN
        self.random = Random(0)
        environment = {"MENQIAN_DATA": str(directory), **LIMITS, **({"MENQIAN_DATABASE_URL": url} if url else {})}
        made = Settings.from_environment(environment)
        self.settings = type(made)(**{**{name: getattr(made, name) for name in made.__slots__}, **SMALL})
        self._app: Flask | None = None
        self._runs = False
        self._reader: sqlite3.Connection | None = None
        self.restarts = 0

    @property
    def app(self) -> Flask:
        """The running application, started when there is none."""
        if self._app is None:
            self._app = create_app(self.settings, clock=lambda: self.now(),
                                   random_bytes=lambda count: self.random.randbytes(count))
            structlog.configure(processors=[structlog.processors.format_exc_info, hear])
            if self.settings.embedded:
                with self._app.app_context():
                    event.listen(db.engine, "connect", _unsynchronised)
        elif not self._runs:
            state = self._app.extensions["menqian"]
            self._app.extensions["menqian"] = House(
                settings=self.settings, rules=trade.rules(), signer=read_signer(self.settings),
                store=open_store(self.settings.media_url), clock=state.clock, random_bytes=state.random_bytes)
            zones.forget()
            limiter.reset()
        self._runs = True
        return self._app

    def initialise(self) -> None:
        """Make the tables."""
        with self.app.app_context():
            initialise()

    def answer(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
        """Hand one request to the application. Raises Crash; an answer that was sent before it is in `crash.args`."""
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "",
            "SERVER_NAME": "simulator", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.multithread": False,
            "wsgi.multiprocess": False, "wsgi.run_once": False, "CONTENT_LENGTH": str(len(body))}
        for name, value in headers:
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        sent: list[Any] = []

        def start(status: str, fields: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], Any]:
            sent[:] = [int(status.split()[0]), fields]
            return lambda _: None

        given = self.app.wsgi_app(environ, start)
        answer = Answer(sent[0], sent[1], b"".join(given))
        try:
            getattr(given, "close", lambda: None)()
        except Crash as crash:
            raise Crash(answer) from crash
        except Exception as error:  # noqa: BLE001  the answer is sent already; a server can only log what comes after
            SAID.append(repr(error))
        return answer

    def kill(self) -> None:
        """The process ends: connections drop, what they had not committed is gone, and so is all that it remembered.

        Its addresses and compiled SQL stay, for they are the same in every process and slow to make.
        """
        if self._app is not None and self._runs:
            with self._app.app_context():
                db.session.remove()
                db.engine.dispose()
            self._runs = False
            self.restarts += 1

    # the database file, beside the application

    def read(self, sql: str, *values: Any) -> list[Any]:
        """Rows of a query, on a connection of our own."""
        if self._reader is None:
            self._reader = sqlite3.connect(self.file, isolation_level=None, timeout=5)
        return self._reader.execute(sql, values).fetchall()

    def write(self, sql: str, *values: Any) -> None:
        """Change the file behind the application's back: for what an operator's command will do."""
        self.read(sql, *values)

    def copy_to(self, target: Path) -> None:
        """A consistent copy of the database, the server running."""
        self.read("SELECT 1")
        assert self._reader is not None
        copy = sqlite3.connect(target)
        self._reader.backup(copy)
        copy.close()

    def replace_by(self, source: Path) -> None:
        """Put another database file in place, no connection open."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._app is not None:
            with self._app.app_context():
                db.session.remove()
                db.engine.dispose()
        for suffix in ("-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
        shutil.rmtree(self.directory / "snapshots", ignore_errors=True)
        shutil.copyfile(source, self.file)

    def restore(self, source: Path) -> None:
        """What `menqian restore` does to a database: the old rows, a new epoch. The server starts anew."""
        self.kill()
        self.replace_by(source)
        self.write("UPDATE clock SET epoch = ?", str(uuid.UUID(bytes=self.random.randbytes(16), version=4)))

    def compact(self) -> None:
        """What `menqian compact` does, up to now."""
        with self.app.app_context():
            compaction.compact(self.now())

    def close(self) -> None:
        self.kill()
        if self._reader is not None:
            self._reader.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def _unsynchronised(connection: Any, _record: object) -> None:
    """A simulation crashes processes, never the machine."""
    connection.execute("PRAGMA synchronous = OFF")
