"""What tests of disposals do: cases that are over, people who propose, a look at what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select, text, update

from server import jobs
from server.audit import audit
from server.db import db
from sync.models import Base
from tests.conftest import Places
from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.wire import Person, granted

SCOPE = "320412110"
YEARS = 6 * 366
ENGINES = ["files", "hold"]


def settings_on(engine: str, places: Places) -> dict[str, str]:
    """An office's settings: embedded, or on PostgreSQL with a store that locks in this way."""
    if engine == "files":
        return {}
    grown = places.once(("engine", "grown"), lambda: places.engine("grown")).another()
    assert grown.database_url and grown.media_url
    return {"MENQIAN_DATABASE_URL": grown.database_url, "MENQIAN_MEDIA_URL": f"{grown.media_url}&lock={engine}"}


def people(office: Indoors) -> tuple[Person, Person]:
    """Two supervisors, with new log-ins: an old one has ended when years have passed."""
    office.known.clear()
    office.admin = Person(office.url, "root", office.admin.password)
    one, two = (office.person("supervisor", scopes=(SCOPE,), who=who) for who in ("one", "two"))
    return one, two


def tick(office: Indoors) -> None:
    with office.app.app_context():
        jobs._tick()


def problems(office: Indoors) -> dict[str, int]:
    with office.app.app_context():
        found: dict[str, int] = audit()["found"]
        return found


def cancelled(office: Indoors, device: Handheld, content: bytes) -> str:
    """A finding with the photo, whose case is over."""
    finding = device.report(SCOPE)
    device.deliver(device.capture(SCOPE, content, ("finding", finding)))
    assert device.upload(content).status_code == 204
    tick(office)
    granted(people(office)[0].command("finding", finding, "cancel", {"reason": "重复"}))
    return finding


def over(office: Indoors) -> tuple[Person, Person]:
    office.clock.put_on(days=YEARS)
    tick(office)
    return people(office)


def proposed(person: Person, *findings: str) -> dict[str, Any]:
    return granted(person.post("/disposals", {"records": list(findings), "reason": "保管期满"}), 201)


def changed(office: Indoors, statement: str, **values: Any) -> None:
    with office.app.app_context():
        assert db.session.execute(text(statement), values).rowcount, "nothing was tampered with"
        db.session.commit()


def states(person: Person) -> list[tuple[str, str | None]]:
    """State and trouble of the photos of the newest disposal."""
    return [(photo["state"], photo["trouble"]) for photo in granted(person.get("/disposals"))["items"][0]["photos"]]


@contextmanager
def altered(office: Indoors, model: type[Base], **values: Any) -> Iterator[None]:
    """These columns of the only row of a table as somebody likes them, and then as they were."""
    with office.app.app_context():
        row = db.session.execute(select(model)).scalar_one()
        before = {name: getattr(row, name) for name in values}
        db.session.execute(update(model).values(**values))
        db.session.commit()
    yield
    with office.app.app_context():
        db.session.execute(update(model).values(**before))
        db.session.commit()
