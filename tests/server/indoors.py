"""The real app in this process, on SQLite: the wire's clients reach it without a socket; its clock can be put on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from flask import Flask

from media.stores import Store
from server import auth, create_app
from server.api.users import make_user
from server.cli import initialise
from server.config import Settings
from server.db import db, upgrade
from tests.bureau import PASSWORD, Bureau
from tests.forked import QUICK
from tests.wire import Person

URL = "http://indoors"
FILE = "menqian.db"


class Clock:
    """The wall clock, and as much ahead of it as a test likes."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def put_on(self, **time: float) -> None:
        self.ahead += timedelta(**time)


class Indoors(Bureau):
    """An installation of its own with one admin; makes people and devices as the journeys do."""

    def __init__(self, app: Flask, clock: Clock) -> None:
        super().__init__(URL, Person(URL, "root", PASSWORD))
        self.app, self.clock = app, clock


@cache
def migrated() -> bytes:
    """An embedded database with the newest tables and no row: to migrate takes half the time that an office needs."""
    with TemporaryDirectory() as folder:
        settings = Settings.from_environment({"MENQIAN_DATA": folder, "MENQIAN_LOG_LEVEL": "error"})
        with create_app(settings).app_context():
            upgrade()
            db.session.remove()
            db.engine.dispose()
        return (Path(folder) / FILE).read_bytes()


@contextmanager
def indoors(directory: Path, **environment: str) -> Iterator[Indoors]:
    """An installation in an empty directory, with an admin `root`, while the context lasts."""
    clock = Clock()
    settings = Settings.from_environment({
        "MENQIAN_DATA": str(directory), "MENQIAN_QUEUE_URL": "immediate:", "MENQIAN_LOG_LEVEL": "error",
        **environment})
    settings.spool.mkdir(parents=True, exist_ok=True)
    if settings.embedded:
        (directory / FILE).write_bytes(migrated())
    app = create_app(settings, clock=clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "HASHER", QUICK)
        with app.app_context():
            initialise()
            make_user("console", username="root", name="管理员", roles=["admin"], scopes=["32"], password=PASSWORD)
        patch.setattr(httpx, "Client", partial(httpx.Client, transport=httpx.WSGITransport(app)))
        yield Indoors(app, clock)


def store_of(office: Indoors) -> Store:
    """Where the office keeps its photos."""
    store: Store = office.app.extensions["menqian"].store
    return store
