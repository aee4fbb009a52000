"""People as the pure rules know them."""

from __future__ import annotations

from server.rules.lifecycle import Person
from sync.writers import Writer


def person_of(writer: Writer, own: bool = False) -> Person:
    """The writer as a person of the trade; `own` when the record at hand is his own."""
    return Person(user_id=writer.user_id, roles=frozenset(writer.roles), scopes=tuple(writer.scopes),
                  unit=writer.unit, own=own)
