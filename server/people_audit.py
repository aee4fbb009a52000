"""The audit of people: their names and rights are those that the journal tells, and the scopes of their newest version.

Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, and_, select, type_coerce
from sqlalchemy.orm import Session

from server.models import PersonScopes, User
from sync.audit import Audit, batches, holds, journalled, parsed, stream
from sync.models import JournalEntry

KINDS = ("user_added", "user_changed")
TOLD = ("roles", "scopes", "active")


def check_people(audit: Audit, session: Session) -> None:
    """Every person against the newest entry about him; nobody is missing of whom the journal tells."""
    people = stream(session, select(
        User.id, type_coerce(User.roles, Text).label("roles"), type_coerce(User.scopes, Text).label("scopes"),
        User.active, User.username, User.name, User.unit, User.password_hash,
        type_coerce(PersonScopes.codes, Text).label("codes"), PersonScopes.until).outerjoin(
        PersonScopes, and_(PersonScopes.user_id == User.id, PersonScopes.version == User.scopes_version))
        .order_by(User.id))
    for batch in batches(people):
        told: dict[str | None, dict[str, Any]] = {}
        last = {}
        for entry in session.execute(journalled().where(
                JournalEntry.about.in_([row.id for row in batch]), JournalEntry.kind.in_(KINDS))):
            told.setdefault(entry.about, {}).update(parsed(entry.body) or {})
            last[entry.about] = entry
        for row in batch:
            audit.checked["people"] += 1
            if row.id not in told:
                audit.wrong("person_unknown", row.id, "the journal tells nothing of this person")
            elif altered := _altered(row, told[row.id], last[row.id]):
                audit.wrong("person_altered", row.id, f"{', '.join(altered)} differs from the journal")
            elif holds(last[row.id], _named(row)):
                audit.note("passwords_uncommitted", row.id, "the journal is not committed to the password")
    for (user_id,) in stream(session, select(JournalEntry.about).outerjoin(User, User.id == JournalEntry.about).where(
            JournalEntry.kind == "user_added", User.id.is_(None))):
        audit.wrong("person_missing", user_id, "the journal tells of this person")


def _altered(row: Any, told: dict[str, Any], last: Any) -> list[str]:
    """What of a person is not as the journal tells; entries of older releases tell of rights only."""
    kept = {"roles": parsed(row.roles), "scopes": parsed(row.scopes), "active": row.active}
    altered = [name for name in TOLD if name in told and kept[name] != told[name]]
    if not any(holds(last, values) for values in (_named(row), {**_named(row), "password": row.password_hash})):
        altered.append("username, name, unit or password")
    if row.until is not None or _codes(parsed(row.codes)) != _codes(kept["scopes"]):
        altered.append("scopes_version")
    return altered


def _named(row: Any) -> dict[str, Any]:
    """To what entries of older releases are committed: to no password."""
    return {"username": row.username, "name": row.name, "unit": row.unit}


def _codes(scopes: Any) -> list[str]:
    """Scopes in no order of their own."""
    return sorted(map(str, scopes)) if isinstance(scopes, list) else []
