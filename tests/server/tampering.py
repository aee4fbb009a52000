"""What the audit says of an installation, for tests that changed something behind its back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from server.audit import audit
from sync.append_only import GUARDED, guard, unguard
from tests.server.indoors import Indoors


def audited(office: Indoors) -> dict[str, Any]:
    with office.app.app_context():
        return audit()


def codes(found: dict[str, Any]) -> set[str]:
    assert found["ok"] is False
    assert {problem["code"] for problem in found["problems"]} == set(found["found"])
    return set(found["found"])


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """The triggers of the journal away, as whoever owns the database can have it, and back so that nobody notices."""
    for statement in unguard(connection.dialect.name, GUARDED):
        connection.execute(text(statement))
    yield
    for statement in guard(connection.dialect.name, GUARDED):
        connection.execute(text(statement))
