"""Incidents as people look through them: what is not settled first, forks before gaps, by what waits longest.

Serves the page; `GET /records?type=incident` lists them for everybody else. What they are is `media/incidents.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import case, select, tuple_
from sqlalchemy.orm import Session

from media.incidents import FORK, SEVERITIES, UNSETTLED
from server.trade.incident import STATUSES
from server.trade.statuses import must_be_scope
from sync.kept import Kept, kept_from
from sync.models import Record
from sync.records import RECORD
from sync.scope import view_of

KINDS = tuple(sorted(SEVERITIES, key=lambda kind: kind != FORK))
RANK = case((Record.class_code == FORK, 0), else_=1)
SETTLED = tuple(status for status in STATUSES if status not in UNSETTLED)


def incident_page(session: Session, scopes: Sequence[str], asked: Mapping[str, str], limit: int
                  ) -> tuple[list[Kept], str | None]:
    """Incidents that the scopes cover, and the cursor of the next page. `asked`: `kind`, `scope` (begins so), `state`
    (`settled`, or else what is not), `cursor` as given out; raises `scope_unknown`."""
    statuses = SETTLED if asked.get("state") == "settled" else UNSETTLED
    query = select(RECORD).where(view_of(session, scopes).condition(), Record.type == "incident",
                                 Record.status.in_(statuses), Record.deleted.is_(False))
    if asked.get("kind") in KINDS:
        query = query.where(Record.class_code == asked["kind"])
    if asked.get("scope"):
        must_be_scope(asked["scope"])
        query = query.where(Record.scope.startswith(asked["scope"], autoescape=True))
    rank, _, seq = asked.get("cursor", "").partition(".")
    if rank.isdecimal() and seq.isdecimal() and max(len(rank), len(seq)) < 16:
        query = query.where(tuple_(RANK, Record.created_seq) > tuple_(int(rank), int(seq)))
    rows = session.execute(query.order_by(RANK, Record.created_seq).limit(limit + 1)).mappings().all()
    page: list[Any] = list(rows[:limit])
    following = f"{int(page[-1]['class_code'] != FORK)}.{page[-1]['created_seq']}" if len(rows) > limit else None
    return [kept_from(row) for row in page], following
