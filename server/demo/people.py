"""The people of the demonstration: 12 inspectors, 2 reviewers, a supervisor, an administrator. All invented.

Owns names and passwords; serves `server.demo`. Passwords are made anew for each demonstration and easy to type.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from server.demo.town import SCOPE
from sync.device.client import Client

DISTRICT, PROVINCE = "320412", "32"
UNIT = "湖塘城管中队(演示)"
GUEST = "inspector1"  # whose handheld a visitor may hold
INSPECTORS = "陈安 周晓 吴桐 郑和 孙禾 钱进 冯夏 蒋川 沈青 韩松 杨帆 朱砂".split()
CONSONANTS, VOWELS = "bdfghklmnprstvz", "aeiou"


@dataclass(frozen=True)
class Person:
    """Somebody with a login."""

    username: str
    name: str
    role: str
    scope: str
    password: str
    unit: str | None = None

    def document(self) -> dict[str, Any]:
        """The body of `POST /users`."""
        body = {"username": self.username, "name": self.name, "roles": [self.role], "scopes": [self.scope],
                "password": self.password}
        return body | ({"unit": self.unit} if self.unit else {})

    def as_json(self) -> dict[str, Any]:
        """The person as a demonstration's own file keeps it."""
        return asdict(self)


def cast() -> list[Person]:
    """Everybody with a fresh password, the administrator first."""
    return [
        Person("admin", "系统管理员(演示)", "admin", PROVINCE, password()),
        Person("supervisor", "督查 林默(演示)", "supervisor", DISTRICT, password()),
        *(Person(f"reviewer{n}", f"审核 {name}(演示)", "reviewer", DISTRICT, password())
          for n, name in enumerate(("何清", "许诺"), 1)),
        *(Person(f"inspector{n}", f"巡查 {name}(演示)", "inspector", SCOPE, password(), UNIT)
          for n, name in enumerate(INSPECTORS, 1)),
    ]


def password() -> str:
    """Two words of three syllables and two digits: `kamiro-dazupe-47`, about 44 bits."""
    words = ("".join(secrets.choice(CONSONANTS) + secrets.choice(VOWELS) for _ in range(3)) for _ in range(2))
    return f"{'-'.join(words)}-{secrets.randbelow(90) + 10}"


def enter(admin: Client, people: Sequence[Person]) -> None:
    """Make these people through the API, as an administrator does."""
    for person in people:
        admin.post("/users", person.document())


def logged_in(url: str, person: Person) -> Client:
    """A client with this person's session."""
    client = Client(url)
    client.log_in(person.username, person.password)
    return client


def enrolment_address(url: str, people: Sequence[Person]) -> str:
    """The handheld's address with a fresh invitation, by which one browser becomes a device of the guest."""
    supervisor = logged_in(url, next(person for person in people if person.role == "supervisor"))
    code = supervisor.post("/devices/invitations", {"username": GUEST})["code"]
    return f"{url}/handheld/#/enrol/{code}"
