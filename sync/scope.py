"""Which records a reader may see: those of the scopes its codes cover, and office records that reach down to it.

Every scope that ever held a record is known, with the number of its newest change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, false, insert, or_, select, update
from sqlalchemy.orm import Session

from schemas.records import RECORD_TYPES
from sync.models import Record, ScopeSeen, table_of
from sync.writers import covers

SEEN = table_of(ScopeSeen)
SEEN_SINCE = select(SEEN.c.scope).where(SEEN.c.last_seq > bindparam("since"))
CHANGED = update(SEEN).where(SEEN.c.scope == bindparam("b_scope")).values(last_seq=bindparam("b_seq"))
REACHING = tuple(sorted(name for name, declared in RECORD_TYPES.items() if declared.reaches_down))


@dataclass(frozen=True, slots=True)
class View:
    """The scopes that hold something for these codes: `full` ones entirely, `above` ones only what reaches down."""

    codes: tuple[str, ...]
    full: tuple[str, ...]
    above: tuple[str, ...]

    def parts(self) -> list[View]:
        """One view a scope, each a walk of one index."""
        return [View(self.codes, (scope,), ()) for scope in self.full] \
            + [View(self.codes, (), (scope,)) for scope in self.above]

    def shows(self, record_type: str, scope: str) -> bool:
        return covers(self.codes, scope) or (record_type in REACHING and _above(self.codes, scope))

    def condition(self) -> ColumnElement[bool]:
        """SQL for "in this view"."""
        return self.saw(Record.type, Record.scope)

    def saw(self, record_type: Any, scope: Any) -> ColumnElement[bool]:
        """SQL for "a record of this type in this scope is in the view", for columns of any table.

        It names nothing that is empty: SQLite would search a second index for it, and sort what it found.
        """
        arms = [_among(scope, self.full)] if self.full else []
        if self.above:
            arms.append(and_(_among(scope, self.above), record_type.in_(REACHING)))
        return or_(false(), *arms)


def view_of(session: Session, codes: Sequence[str], since_seq: int = -1) -> View:
    """The view of these codes, less the scopes in which nothing changed after `since_seq`."""
    seen = session.connection().execute(SEEN_SINCE, {"since": since_seq}).scalars().all()
    return View(tuple(codes), tuple(scope for scope in seen if covers(codes, scope)),
                tuple(scope for scope in seen if _above(codes, scope) and not covers(codes, scope)))


def note_changes(session: Session, changes: Iterable[tuple[str, int]]) -> None:
    """Note the newest change of each scope, of (scope, number) in any order; only behind the open gate."""
    newest: dict[str, int] = {}
    for scope, seq in changes:
        if seq > newest.get(scope, 0):
            newest[scope] = seq
    for scope, seq in newest.items():
        if not session.connection().execute(CHANGED, {"b_scope": scope, "b_seq": seq}).rowcount:
            session.connection().execute(insert(SEEN), {"scope": scope, "last_seq": seq})


def _among(scope: Any, codes: tuple[str, ...]) -> Any:
    return scope == codes[0] if len(codes) == 1 else scope.in_(codes)


def concerns(codes: Iterable[str], scope: str) -> bool:
    """May a change in this scope matter to a reader of these codes? Only what reaches down does from above."""
    codes = tuple(codes)
    return covers(codes, scope) or _above(codes, scope)


def _above(codes: Iterable[str], scope: str) -> bool:
    return any(code.startswith(scope) and code != scope for code in codes)
