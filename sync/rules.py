"""How the trade's rules reach the engine: a mapping from record type to an object of this shape.

The engine knows no trade. `server/trade` provides the rules; a test may provide its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy.orm import Session

from schemas.records import RecordType
from sync.writers import Writer

if TYPE_CHECKING:
    from sync.kept import Kept
    from sync.records import Door


class Context(NamedTuple):
    """The circumstances of one change: through which door, by whom, when it arrived, what it is."""

    door: Door
    writer: Writer
    now: datetime
    op: str
    type: str
    record_id: str
    scope: str


class Rule(Protocol):
    """What the trade says of one record type. `before` is None for a new record."""

    def check(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> None:
        """Raise a Problem when the change may not be: rights, unknown codes, missing needs."""

    def derive(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Values of the server's fields that follow from the record."""

    def promote(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Columns that lists filter and sort by, from the declared fields; others may hold anything."""

    def first_marks(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Columns beside the document that a new record begins with (`review_state`, `risk`)."""

    def must_may(self, kept: Kept, name: str, context: Context) -> None:
        """Raise a Problem when there is no such command, or the writer gives none whatever."""

    def command(self, kept: Kept, name: str, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Field changes that a command makes; raises a Problem when it is not allowed."""

    def seals(self, kept: Kept) -> bool:
        """True when the record is sealed: later edits become amendments."""

    def follow(self, before: Kept | None, after: Kept, context: Context) -> None:
        """What the change means for other records; they are written through `context.door`."""


class Rules(Protocol):
    """The rules of all record types, and the rights that do not depend on one."""

    def of(self, record_type: RecordType) -> Rule:
        """The rules of a record type."""

    def must_have_right(self, writer: Writer, record_type: str, what: str) -> None:
        """Raise `role_forbidden` unless the writer may `create` or `edit` records of the type."""

    def foresee(self, session: Session, mutations: Sequence[Mapping[str, Any]]) -> Any:
        """Reckon, before the gate is open, what the new mutations of a push, as they came, will need; for `look_ahead`
        alone. It judges nothing, and asks the database nothing."""

    def look_ahead(self, door: Door, writer: Writer, foreseen: Any) -> None:
        """Look up at once what they will need beside what was `foreseen`; it judges and writes nothing."""

    def worked_in(self, session: Session, user_id: str, scope: str) -> bool:
        """True when the scope is, or ever was, one of this person's."""

    def known_scope(self, scope: str) -> bool:
        """True for a division code that exists."""
