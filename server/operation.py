"""Operation (protocol section 12): healthz, readyz, metrics. They stand at the root and need no login."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Blueprint, Flask, Response, g, request
from sqlalchemy import func, select, text

from media.models import Photo
from schemas.values import parse_time
from server import holds, intake, jobs, nightly
from server.db import db
from server.house import house
from server.meters import Levels, meters, told
from server.wire import answer
from sync.models import Clock, Held, Quarantined

bp = Blueprint("operation", __name__)
WAITING = {"held": select(func.count()).select_from(Held),
           "quarantined": select(func.count()).where(Quarantined.state == "open"),
           "unchecked_photos": select(func.count()).where(Photo.state == "stored")}


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.after_request(_count)
    meters()  # made now, before there are threads


@bp.get("/healthz")
def healthz() -> Response:
    """The process lives."""
    return answer({"status": "ok"})


@bp.get("/readyz")
def readyz() -> Response:
    """Database, media store and queue can be reached, and photos have room; says what is not so. That holds wait is
    told, and makes nobody turn away: photos are taken all the same."""
    parts = {"database": _works(lambda: db.session.execute(text("SELECT 1"))),
             "media": _works(house().store.check), "queue": _works(jobs.check),
             "spool": "full" if intake.lacks_room(house().settings) else "ok"}
    ready = all(part == "ok" for part in parts.values())
    store = house().store
    waiting = {"holds": holds.trouble(db.session(), store) or "ok"} if store.holding and parts["database"] == "ok" \
        else {}
    return answer({"status": "ok" if ready else "unavailable", **parts, **waiting}, 200 if ready else 503)


@bp.get("/metrics")
def metrics() -> Response:
    """Prometheus text: what all processes of this server counted, and what stands now."""
    clock = db.session.execute(select(Clock.seq, Clock.journal_size).where(Clock.id == 1)).one()
    waiting = {what: db.session.execute(query).scalar_one() for what, query in WAITING.items()}
    audited = nightly.newest(db.session())
    ended = parse_time(audited.ended_at).timestamp() if audited else 0
    body, content_type = told(Levels({
        "menqian_seq": ("Number of the newest change", clock.seq),
        "menqian_journal_entries": ("Entries in the journal", clock.journal_size),
        "menqian_holds_behind": ("Changes not looked at for holds, at most",
                                 holds.behind(db.session(), house().store)),
        "menqian_waiting": ("What waits for a person or a job", waiting),
        "menqian_audit_problems": ("Faults that the newest audit found", nightly.problems_of(audited)),
        "menqian_audit_ended_seconds": ("When the newest audit ended, Unix time; 0 for none", ended)}))
    return Response(body, content_type=content_type)


def _works(check: Callable[[], object]) -> str:
    """`ok`, or the kind of failure; the text of it goes to the log only."""
    try:
        check()
    except Exception as error:  # noqa: BLE001  whatever fails here is what readyz exists to report
        return type(error).__name__
    return "ok"


def _count(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    meters().requests.labels(endpoint, str(response.status_code)).inc()
    if "began" in g:
        meters().seconds.labels(endpoint).observe(time.perf_counter() - g.began)
    return response
