"""Who lives in the simulated world, and the template that every schedule starts from: a server that knows them all.

The template is made once a process: tables by the migrations, people and logins by rows, devices by enrolment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import update

from schemas.values import stamp
from server.auth import hash_token
from server.db import db
from server.models import Login, User
from sync.device.device import Device
from sync.models import Clock
from tests.simulator.installation import BEGIN, Installation

SCOPES = ("320402001", "320402002", "320404001")
NEVER = "320411001"
"""A scope in which nobody here ever works."""
PEOPLE = {
    "root": (("admin",), ("32",)), "chen": (("supervisor",), ("3204",)), "gao": (("reviewer",), ("3204",)),
    "zhang": (("inspector",), SCOPES[:1]), "li": (("inspector",), SCOPES[:2]), "wang": (("inspector",), SCOPES[1:])}
OWNERS = ("li", "zhang", "wang", "li")


@dataclass
class Person:
    """Somebody: now in these scopes, `ever` in those."""

    username: str
    id: str
    token: str
    scopes: list[str]
    ever: list[str] = field(default_factory=list)
    scopes_changed: int = 0


@dataclass
class Template:
    """The files that a schedule starts from."""

    database: Path
    devices: list[tuple[Path, str]]
    people: dict[str, Person]
    owners: dict[str, str]
    made: list[dict[str, Any]]
    """The mutations by which the first device made the records that all start with, as the server has them."""


def make_template(server: Installation, folder: Path) -> Template:
    """Make the template with a server whose database is empty."""
    server.initialise()
    random = Random("template")
    server.random = random
    people = _people(server, random)
    devices, owners, made = [], {}, list[dict[str, Any]]()
    for index, username in enumerate(OWNERS):
        directory = folder / f"template-{index}"
        device = Device.enrol(
            "http://simulator", _invite(server, people["root"], username), f"handheld {index}", directory,
            sign=index % 2 == 0, key=ec.derive_private_key(1000 + index, ec.SECP256R1()), clock=lambda: BEGIN,
            random=random.randbytes, transport=Straight(server))
        owners[device.id] = username
        if index == 0:
            for scope in SCOPES[:2] * 2:
                device.create("finding", _finding(random), scope)
            made = device.unsent()
            device.push()
        device.pull()
        device.close()
        devices.append((directory, username))
    database = folder / "template.db"
    server.copy_to(database)
    return Template(database, devices, people, owners, made)


def _finding(random: Random) -> dict[str, Any]:
    word = f"{random.randrange(10**6):06d}~"
    return {"observed_at": stamp(BEGIN), "address": f"a{word}", "text": f"b{word}", "tags": [f"c{word}", "common"],
            "class_scheme": "GB/T 30428.2-2013:event", "class_code": "0504", "severity": f"s{word}"}


class Straight(httpx.BaseTransport):
    """A wire without faults."""

    def __init__(self, server: Installation) -> None:
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = [(name, value) for name, value in request.headers.items()
                   if name not in ("accept-encoding", "content-length", "host")]
        answer = self._server.answer(request.method, request.url.raw_path.decode(), headers, request.read())
        return httpx.Response(answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body))


def _people(server: Installation, random: Random) -> dict[str, Person]:
    people = {}
    with server.app.app_context():
        for username, (roles, scopes) in PEOPLE.items():
            person = people[username] = Person(username, f"{random.getrandbits(128):032x}", f"token-{username}",
                                               list(scopes))
            person.id = "-".join((person.id[:8], person.id[8:12], person.id[12:16], person.id[16:20], person.id[20:]))
            db.session.add(User(id=person.id, username=username, name=username, password_hash="none",
                                roles=list(roles), scopes=list(scopes), scopes_version=1, unit=None, active=True,
                                created_at=stamp(BEGIN)))
            db.session.add(Login(token_hash=hash_token(person.token), user_id=person.id, created_at=stamp(BEGIN),
                                 expires_at=stamp(BEGIN + timedelta(days=36_500))))
        db.session.execute(update(Clock).values(epoch="00000000-0000-4000-8000-000000000001"))
        db.session.commit()
    return people


def _invite(server: Installation, admin: Person, username: str) -> str:
    answer = Straight(server).handle_request(httpx.Request(
        "POST", "http://simulator/api/v1/devices/invitations", json={"username": username},
        headers={"Authorization": f"Bearer {admin.token}"}))
    code: str = orjson.loads(answer.read())["code"]
    return code
