"""Backups of an installation in this process, and installations that took them, for the tests of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from flask import Flask

from server import create_app
from server.backup import making, manifest, place, restoring
from server.backup.manifest import Manifest
from tests.enrolled import Handheld
from tests.server.indoors import Indoors

SCOPE = "320412110"


def quiet(line: str) -> None:
    """Tell nobody how far it has come."""


def back_up(office: Indoors, directory: Path, earlier: Path | None = None) -> Manifest:
    """A backup of this installation."""
    with office.app.app_context():
        return making.back_up(directory, with_media=False, earlier=earlier, tell=quiet)


def environment(directory: Path, **settings: str) -> dict[str, str]:
    return {"MENQIAN_DATA": str(directory), "MENQIAN_QUEUE_URL": "immediate:", "MENQIAN_LOG_LEVEL": "error", **settings}


def restore(backup: Path, directory: Path, *, allow_missing: bool = False,
            **settings: str) -> tuple[Flask, dict[str, Any]]:
    """What `menqian restore` does: the app of the installation, and what is told of it."""
    made = manifest.check_rows(backup)
    here = place.prepare(backup, made, environment(directory, **settings), quiet, allow_missing=allow_missing)
    here.settings.spool.mkdir(parents=True, exist_ok=True)
    app = create_app(here.settings)
    with app.app_context():
        return app, restoring.restore(backup, made, here, quiet)


@contextmanager
def restored(backup: Path, directory: Path, *, allow_missing: bool = False) -> Iterator[Flask]:
    """The app of an installation that took the backup; the wire's clients reach it while the context lasts."""
    app, _ = restore(backup, directory, allow_missing=allow_missing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "Client", partial(httpx.Client.func, transport=httpx.WSGITransport(app)))
        yield app


def elsewhere(device: Handheld, app: Flask) -> Handheld:
    """The same device, talking to this app."""
    moved = object.__new__(Handheld)
    moved.__dict__.update(device.__dict__)
    moved.http = httpx.Client(transport=httpx.WSGITransport(app), headers=device.http.headers)
    return moved


def photographed(device: Handheld, content: bytes) -> str:
    mutation = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(mutation)
    assert device.upload(content).status_code == 204
    return str(mutation["record_id"])


def media(app: Flask, evidence: str) -> dict[str, Any]:
    from server.db import db
    from sync.models import Record
    with app.app_context():
        found: dict[str, Any] = orjson.loads(db.session.get_one(Record, evidence).fields)["media"]
        return found
