"""A real server in this process for the reference device: people, invitations, devices, and a backup to go back to."""

from __future__ import annotations

import itertools
import shutil
import uuid
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import httpx
from sqlalchemy import update

from server import create_app
from server.cli import initialise
from server.config import Settings
from server.db import db
from sync.device.client import Client, Patience
from sync.device.device import Device
from sync.device.faulty import FaultyTransport, Odds
from sync.models import Clock

URL = "http://menqian.test"
SCOPE = "320412100"
INSPECTOR = "inspector"
PASSWORD = "Correct-Horse-9-Battery"
HURRIED = Patience(tries=4, wait=lambda seconds: None)


class Person(Client):
    """Somebody with a login; `user` is what the server says of him."""

    user: dict[str, Any]


class Office:
    """One installation, its administrator, and the transport to it, which a restored one takes over."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory, self._settings = directory, settings
        self.transport = FaultyTransport(httpx.BaseTransport(), Random(0), Odds())
        self._serve(directory)
        self._serial = itertools.count(1)
        with self.app.app_context():
            from server.api.users import make_user
            initialise()
            make_user("console", username="root", name="管理员", roles=["admin"], scopes=["32"], password=PASSWORD)
        self.admin = self._log_in("root")
        self._add(INSPECTOR, ("inspector",), (SCOPE,))

    def person(self, *roles: str, scopes: tuple[str, ...] = (SCOPE,)) -> Person:
        """A new person with a login."""
        return self._log_in(self._add(f"{roles[0]}-{next(self._serial)}", roles, scopes))

    def invite(self, username: str) -> str:
        code: str = self.admin.post("/devices/invitations", {"username": username})["code"]
        return code

    def device(self, directory: Path, **parts: Any) -> Device:
        """A new device of the one inspector, in an empty directory."""
        parts = {"transport": self.transport, "patience": HURRIED, **parts}
        return Device.enrol(URL, self.invite(INSPECTOR), "测试机", directory, **parts)

    def network(self, seed: int, odds: Odds) -> FaultyTransport:
        """A faulty way to this server."""
        return FaultyTransport(self.transport, Random(seed), odds)

    def back_up(self, directory: Path) -> Path:
        """A copy of all that the server has, at rest."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        return Path(shutil.copytree(self.directory, directory))

    def restore(self, backup: Path) -> None:
        """Go back to a backup, in a new epoch, as `menqian restore` does."""
        self._serve(backup)
        with self.app.app_context():
            db.session.execute(update(Clock).values(epoch=str(uuid.uuid4())))
            db.session.commit()
            db.session.remove()

    def _serve(self, directory: Path) -> None:
        environment = {"MENQIAN_DATA": str(directory), "MENQIAN_QUEUE_URL": "immediate:",
                       "MENQIAN_CHECKPOINT_SECONDS": "0", "MENQIAN_LOG_LEVEL": "error"}
        settings = replace(Settings.from_environment(environment), **self._settings)
        settings.data.mkdir(parents=True, exist_ok=True)
        settings.spool.mkdir(parents=True, exist_ok=True)
        self.app = create_app(settings)
        self.transport.inner = httpx.WSGITransport(self.app)

    def _add(self, username: str, roles: tuple[str, ...], scopes: tuple[str, ...]) -> str:
        self.admin.post("/users", {"username": username, "name": "测试员", "roles": roles, "scopes": scopes,
                                   "password": PASSWORD})
        return username

    def _log_in(self, username: str) -> Person:
        person = Person(URL, transport=self.transport)
        person.user = person.log_in(username, PASSWORD)
        return person


def a_finding(**fields: Any) -> dict[str, Any]:
    """Fields of a complete finding."""
    return {"class_scheme": "GB/T 30428.2-2013:event", "class_code": "0504", "text": "门前堆物", "address": "武宜路2号",
            "observed_at": "2026-11-22T01:00:00.000Z", "source": "patrol", **fields}


def report(device: Device, **fields: Any) -> str:
    """Make a finding; its id."""
    return device.create("finding", a_finding(**fields), SCOPE)


def quiet(*devices: Device) -> None:
    """Sync everybody until nobody has news."""
    for _ in range(3):
        for device in devices:
            device.sync()


def on_server(office: Office, type: str, id: str) -> dict[str, Any]:
    """A record as the server has it."""
    record: dict[str, Any] = office.admin.get(f"/records/{type}/{id}")
    return record
