"""The database session of a request, and the one place where transactions end (decision 7)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from media import models as media_models
from schemas.values import parse_time
from server import models as server_models
from server.house import house
from sync import journal
from sync.gate import open_gate, open_snapshot, prepare_sqlite
from sync.models import Base, Checkpoint
from sync.records import Door

__all__ = ["db", "media_models", "reading", "server_models", "writing"]

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False, "autoflush": True})
migrate = Migrate()


def connect(app: Flask, url: str) -> None:
    """Bind the app to its database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"timeout": 30}} if url.startswith("sqlite:") else {
        "pool_pre_ping": True, "pool_size": 16, "max_overflow": 16}
    db.init_app(app)
    migrate.init_app(app, db, directory=f"{app.root_path}/migrations", render_as_batch=True)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)


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
    try:
        door = Door(session, open_gate(session), now, state.rules, state.random_bytes)
        yield door
        door.flush()
        if checkpoint or _checkpoint_due(door):
            journal.issue_checkpoint(session, door.gate.frontier, state.signer, now)
        session.commit()
    except BaseException:
        session.rollback()
        raise


def _checkpoint_due(door: Door) -> bool:
    newest = door.session.execute(select(Checkpoint.size, Checkpoint.at).order_by(Checkpoint.size.desc())
                                  .limit(1)).first()
    if newest is None or newest.size == door.gate.frontier.size:
        return newest is None and door.gate.frontier.size > 0
    return door.now - parse_time(newest.at) >= timedelta(seconds=house().settings.checkpoint_seconds)


def fresh_checkpoint() -> str | None:
    """The newest checkpoint's note, signed now when entries came since and it is due."""
    newest = journal.newest_checkpoint(db.session())
    size = journal.journal_size(db.session())
    if size and (newest is None or newest.size < size):
        with writing(checkpoint=True):
            pass
        newest = journal.newest_checkpoint(db.session())
    return newest.note if newest else None


