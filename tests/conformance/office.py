"""The people and devices that a run needs, made through the administrator's own calls and named after the run."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

import httpx

from tests.conformance.checks import must_have
from tests.conformance.device import Device, a_finding
from tests.conformance.wire import Line, Parts, Wire, granted, new_id


class Person(Wire):
    """Somebody with a login: reads, and writes through the office's calls (section 4a)."""

    def __init__(self, line: Line, username: str, password: str) -> None:
        session = granted(Wire(line).post("/sessions", {"username": username, "password": password}), 201)
        must_have(session, "token expires_at user", "a session")
        super().__init__(line, session["token"])
        self.user, self.username, self.id = session["user"], username, session["user"]["id"]

    def create(self, type: str, fields: Parts, scope: str | None = None, id: str | None = None) -> httpx.Response:
        body = {"scope": scope or self.user["scopes"][0], "fields": fields, **({"id": id} if id else {})}
        return self.post(f"/records/{type}", body)

    def finding(self, **fields: Any) -> str:
        """A new finding in the person's first scope; its id."""
        return granted(self.create("finding", a_finding(**fields)), 201)["id"]

    def edit(self, type: str, id: str, base: int, **changes: Any) -> httpx.Response:
        return self.post(f"/records/{type}/{id}/edits", {"base": base, **changes})

    def command(self, type: str, id: str, name: str, args: Parts | None = None,
                expect: Parts | None = None) -> httpx.Response:
        body = {"name": name, "args": args or {}, **({"expect": expect} if expect else {})}
        return self.post(f"/records/{type}/{id}/commands", body)


class Office:
    """One run's people. Those of the same roles, scopes and label are the same person (a password is slow to hash);
    whoever changes somebody asks for a `newcomer`. Devices are always new."""

    def __init__(self, line: Line, admin_token: str, scope: str, elsewhere: str) -> None:
        self.line, self.scope, self.elsewhere = line, scope, elsewhere
        self.admin, self.anyone = Wire(line, admin_token), Wire(line)
        self.run, self.password = new_id()[-6:], secrets.token_urlsafe(18)
        self.serial = itertools.count(1)
        self.known: dict[tuple[Any, ...], Person] = {}

    @property
    def both(self) -> tuple[str, str]:
        return self.scope, self.elsewhere

    def person(self, *roles: str, scopes: tuple[str, ...] = (), who: str = "") -> Person:
        key = (roles, scopes or (self.scope,), who)
        if key not in self.known:
            self.known[key] = self.newcomer(*roles, scopes=scopes)
        return self.known[key]

    def newcomer(self, *roles: str, scopes: tuple[str, ...] = ()) -> Person:
        """A person made for this call alone."""
        username = f"conformance-{self.run}-{next(self.serial)}"
        granted(self.admin.post("/users", self.a_user(username, *roles, scopes=scopes)), 201)
        return Person(self.line, username, self.password)

    def a_user(self, username: str, *roles: str, scopes: tuple[str, ...] = ()) -> Parts:
        """The body of `POST /users`."""
        return {"username": username, "name": f"测试 {roles[0]}", "roles": list(roles),
                "scopes": list(scopes or (self.scope,)), "password": self.password}

    def invite(self, username: str) -> str:
        return granted(self.admin.post("/devices/invitations", {"username": username}), 201)["code"]

    def device(self, *, roles: tuple[str, ...] = ("inspector",), scopes: tuple[str, ...] = (), who: str = "",
               owner: Person | None = None, signs: bool = True) -> Device:
        """A new device of the inspector of the run's scope, unless somebody else is named."""
        person = owner or self.person(*roles, scopes=scopes, who=who)
        device = Device(self.line, self.invite(person.username), signs=signs)
        device.owner = person
        return device

    def pair(self) -> tuple[Device, Device]:
        """Two devices of two inspectors in the same scope: two writers."""
        return self.device(), self.device(who="another")
