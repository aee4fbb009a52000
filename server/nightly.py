"""The audit that nobody has to think of: every night, and when somebody asks; its result is an entry and a row.

Serves the worker, `menqian verify --record` and the pages. One run at a time, whoever works: it is taken behind the
gate, and one of which nothing was heard for a while (its worker was killed) is taken again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from schemas.values import parse_time, stamp
from server.audit import audit
from server.db import db, writing
from server.house import house
from server.models import AuditRun
from server.rules.worktime import BEIJING
from server.run_audit import KIND, digest_of
from sync.audit import Audit
from sync.gate import MODE
from sync.models import JournalEntry
from sync.records import Door

NIGHTLY = "nightly"
BEAT_SECONDS = 2
LOST_AFTER = timedelta(minutes=5)


def ask(door: Door, actor: str) -> AuditRun:
    """Ask for a run, unless one waits or runs already: then it is that one."""
    under_way = _under_way(door.session)
    if under_way is not None:
        return under_way
    run = AuditRun(id=door.new_id(), asked_by=actor, asked_at=door.at, state="waiting")
    door.session.add(run)
    return run


def wanted(session: Session, now: datetime, at: time | None) -> bool:
    """Is there a run to take, one that waits, was lost, or is due this night? From few rows and without the gate."""
    run = _under_way(session)
    return _may_be_taken(run, now) if run is not None else night_due(session, now, at) is not None


def night_due(session: Session, now: datetime, at: time | None) -> str | None:
    """The night (its date in the city) whose audit has not been begun: the newest whose hour has passed, also when the
    server was down then. None where nothing was installed yet at that hour, or where nights are off."""
    if at is None:
        return None
    local = now.astimezone(BEIJING)
    due = datetime.combine(local.date(), at, BEIJING)
    due = due if due <= local else due - timedelta(days=1)
    first = session.execute(select(JournalEntry.at).order_by(JournalEntry.index).limit(1)).scalar()
    if first is None or parse_time(first) > due:
        return None
    night = due.date().isoformat()
    begun = session.execute(select(AuditRun.id).where(AuditRun.night == night)).scalar()
    return night if begun is None else None


def take(door: Door, at: time | None) -> str | None:
    """Take what is `wanted`, so that no other worker does; gives the id of the run."""
    run = _under_way(door.session)
    if run is None and (night := night_due(door.session, door.now, at)):
        run = AuditRun(id=door.new_id(), night=night, asked_by=NIGHTLY, asked_at=door.at, state="waiting")
        door.session.add(run)
    if run is None or not _may_be_taken(run, door.now):
        return None
    run.state, run.began_at, run.seen_at = "running", door.at, door.at
    return run.id


def perform(run_id: str) -> dict[str, Any]:
    """Do a run that was taken, and enter its result; gives it as `server.audit` does."""
    found = Audit()
    with _beating(run_id, found):
        try:
            result = audit(found)
        except Exception:  # whatever it is goes on up; the run is told to have failed first
            db.session.rollback()
            _conclude(run_id, "failed", {"ok": False, "checked": dict(found.checked), "found": dict(found.found),
                                         "problems": found.problems})
            raise
    _conclude(run_id, "ended", result)
    return result


def record(actor: str) -> dict[str, Any]:
    """A run of one's own, at once."""
    with writing() as door:
        run = AuditRun(id=door.new_id(), asked_by=actor, asked_at=door.at, state="running", began_at=door.at,
                       seen_at=door.at)
        door.session.add(run)
    return perform(run.id)


def newest(session: Session) -> AuditRun | None:
    """The run that came to its end last."""
    return session.execute(select(AuditRun).where(AuditRun.state.in_(("ended", "failed"))).order_by(
        AuditRun.ended_at.desc()).limit(1)).scalar()


def runs(session: Session, most: int) -> list[AuditRun]:
    """The newest runs, newest first."""
    return list(session.execute(select(AuditRun).order_by(AuditRun.asked_at.desc()).limit(most)).scalars())


def problems_of(run: AuditRun | None) -> int:
    """How many faults a run found; one that failed is itself one."""
    return 0 if run is None else sum((run.found or {}).values()) + (run.state == "failed")


def _under_way(session: Session) -> AuditRun | None:
    return session.execute(select(AuditRun).where(AuditRun.ended_at.is_(None)).order_by(AuditRun.asked_at)
                           .limit(1)).scalar()


def _may_be_taken(run: AuditRun, now: datetime) -> bool:
    return run.seen_at is None or parse_time(run.seen_at) < now - LOST_AFTER


@contextmanager
def _beating(run_id: str, found: Audit) -> Iterator[None]:
    """Tell every two seconds how far a run has come, beside its one long snapshot."""
    engine, clock, over = db.engine.execution_options(**{MODE: "IMMEDIATE"}), house().clock, threading.Event()

    def tell() -> None:
        while not over.wait(BEAT_SECONDS):
            with suppress(SQLAlchemyError), engine.begin() as connection:  # the next beat tells again
                connection.execute(update(AuditRun).where(AuditRun.id == run_id, AuditRun.ended_at.is_(None)).values(
                    seen_at=stamp(clock()), checked=dict(found.checked)))

    beat = threading.Thread(target=tell, daemon=True)
    beat.start()
    try:
        yield
    finally:
        over.set()
        beat.join()


def _conclude(run_id: str, state: str, result: dict[str, Any]) -> None:
    with writing() as door:
        run = door.session.get_one(AuditRun, run_id, populate_existing=True)
        if run.ended_at is not None:  # it was thought lost, and another worker was quicker
            return
        run.state, run.seen_at, run.ended_at = state, door.at, door.at
        run.checked, run.found, run.problems = result["checked"], result["found"], result["problems"]
        door.record_entry(KIND, run.asked_by, run.id, {
            "ok": result["ok"], "state": state, "night": run.night, "began_at": run.began_at,
            "checked": run.checked, "found": run.found, "result": digest_of(run)})
