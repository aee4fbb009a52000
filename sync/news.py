"""Whether somebody has something to pull, told from very few rows. Serves the server's live lines.

A poke is a hint: it may come for nothing, for a wider scope than the reader's, and may be lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from sync.cursors import read_cursor
from sync.models import Clock, Receipt, ScopeSeen
from sync.pull import Reader
from sync.scope import concerns, view_of


@dataclass(frozen=True, slots=True)
class News:
    """What changed up to the number `seq`: scopes, and devices for which something was settled, with the number of
    their newest change."""

    seq: int
    scopes: dict[str, int]
    devices: dict[str, int]

    def concern(self, reader: Reader, since: int) -> bool:
        """Is there something for this reader, who knows all up to `since`?"""
        return self.devices.get(reader.id, 0) > since \
            or any(seq > since and concerns(reader.scopes, scope) for scope, seq in self.scopes.items())


def newest(session: Session) -> int:
    """The number of the newest change."""
    return session.execute(select(Clock.seq).where(Clock.id == 1)).scalar_one()


def news_since(session: Session, since: int, devices: Iterable[str]) -> News:
    """What changed after `since`; of settlements only those of these devices. One row is read when nothing did."""
    seq = newest(session)
    if seq <= since:
        return News(seq, {}, {})
    scopes = session.execute(select(ScopeSeen.scope, ScopeSeen.last_seq).where(ScopeSeen.last_seq > since))
    settled = session.execute(
        select(Receipt.device_id, func.max(Receipt.settled_seq))
        .where(Receipt.device_id.in_(list(devices)), Receipt.settled_seq > since).group_by(Receipt.device_id))
    return News(seq, {scope: last_seq or 0 for scope, last_seq in scopes},
                {device_id: settled_seq or 0 for device_id, settled_seq in settled})


def is_behind(session: Session, reader: Reader, cursor_text: str | None, secret: bytes) -> bool:
    """Would a pull from this cursor bring something, or fail in a way that the reader should know of?"""
    clock = session.execute(select(Clock.seq, Clock.epoch, Clock.floor_seq).where(Clock.id == 1)).one()
    if cursor_text is None:
        return True
    try:
        cursor = read_cursor(cursor_text, secret, reader.id, clock.epoch, clock.seq, clock.floor_seq)
    except Problem:
        return True
    view = view_of(session, reader.scopes, cursor.seq)
    return bool(cursor.pending or set(cursor.codes) != set(reader.scopes) or view.full or view.above) \
        or reader.id in news_since(session, cursor.seq, (reader.id,)).devices
