"""The database session of a request, and the one place where transactions end (decision 7)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Session

from media import models as media_models
from schemas.values import parse_time
from server import models as server_models
from server.house import house
from server.keeping import models as keeping_models
from server.meters import meters
from sync import append_only, journal
from sync.gate import open_gate, open_snapshot, open_unsynced, prepare_sqlite
from sync.models import Base, Clock
from sync.records import Door

__all__ = ["db", "initialise", "jotting", "keeping_models", "media_models", "reading", "server_models", "upgrade",
           "writing"]

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False, "autoflush": True})


def connect(app: Flask, url: str) -> None:
    """Bind the app to its database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    of_engine = {"connect_args": {"timeout": 30}} if url.startswith("sqlite:") else {
        "pool_pre_ping": True, "pool_size": 16, "max_overflow": 16}
    # What a statement failed with may be anybody's name or number: no log shall have it.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"hide_parameters": True, **of_engine}
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)


def migrations() -> Any:
    """flask-migrate's configuration of this app's schema scripts. Only `init`, `restore` and `doctor` load alembic."""
    from flask_migrate import Migrate
    migrate = Migrate(current_app, db, directory=f"{current_app.root_path}/migrations", render_as_batch=True)
    return migrate.get_config()


def upgrade(revision: str = "head") -> None:
    """Bring the schema to that revision."""
    from flask_migrate import upgrade as migrate
    migrations()
    migrate(revision=revision)


def initialise() -> None:
    """Migrate the database to the newest schema and start its clock."""
    upgrade()
    if db.session.get(Clock, 1) is None:
        db.session.add(Clock(id=1, seq=0, epoch=str(uuid.uuid4()), floor_seq=0, journal_size=0, journal_peaks=[]))
    db.session.commit()


def guard_again() -> None:
    """Put up the triggers of the journal where some are missing; needs the owner of the tables."""
    with db.engine.begin() as connection:
        append_only.guard_again(connection)


@contextmanager
def reading() -> Iterator[None]:
    """One snapshot for all that is read inside."""
    db.session.rollback()
    open_snapshot(db.session())
    try:
        yield
    finally:
        db.session.rollback()


@contextmanager
def writing(checkpoint: bool = False) -> Iterator[Door]:
    """The door, behind the open gate. Commits at the end of the block, or rolls everything back.

    A checkpoint is signed in the same transaction when the newest is older than the setting, or when asked for.
    """
    db.session.rollback()
    session = db.session()
    state = house()
    now = state.clock()
    asked = time.perf_counter()
    entered, looked_up = None, {}
    try:
        gate = open_gate(session)
        entered = time.perf_counter()
        door = Door(session, gate, now, state.rules, state.random_bytes)
        looked_up = door.looked_up
        yield door
        door.flush()
        newest = journal.newest_checkpoint(session)
        if checkpoint or _is_due(newest, door.gate.frontier.size):
            newest = journal.issue_checkpoint(session, door.gate.frontier, state.signer, now)
        session.commit()
        door.checkpoint = newest.note if newest else None
    except BaseException:
        session.rollback()
        raise
    finally:
        looked_up.clear()  # some of it knows the door, which would lie in memory until all garbage is walked
        meters().waited.observe((entered or time.perf_counter()) - asked)
        if entered is not None:
            meters().held.observe(time.perf_counter() - entered)


@contextmanager
def jotting() -> Iterator[Session]:
    """A transaction behind no gate whose rows nobody misses after a power cut. Commits at the end of the block, or
    rolls everything back."""
    db.session.rollback()
    session = db.session()
    try:
        open_unsynced(session)
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


def fresh_checkpoint() -> str | None:
    """The newest checkpoint's note; signed now when entries came since and the newest is older than the setting."""
    size, newest = journal.size_and_newest(db.session())
    if _is_due(newest, size):
        with writing() as door:
            pass
        return door.checkpoint
    return newest.note if newest else None


def _is_due(newest: journal.Signed | None, size: int) -> bool:
    if newest is None or newest.size >= size:
        return newest is None and size > 0
    return house().clock() - parse_time(newest.at) >= timedelta(seconds=house().settings.checkpoint_seconds)
