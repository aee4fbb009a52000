"""The gate: one commit-ordered number per deployment (decision 1).

The clock row is locked from numbering to commit, so that number order is commit order and a rollback leaves no gap.
SQLite begins IMMEDIATE (a deferred transaction fails at once when it turns from reading to writing); PostgreSQL locks
the row. Nothing here commits.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, event, select, update
from sqlalchemy.orm import Session

from sync.merkle import Frontier
from sync.models import Clock, table_of

MODE, UNSYNCED = "menqian_begin", "menqian_unsynced"
CLOCK = table_of(Clock)
LOCK = select(CLOCK.c.seq, CLOCK.c.epoch, CLOCK.c.journal_peaks, CLOCK.c.journal_size).where(CLOCK.c.id == 1) \
    .with_for_update()
CLOSE = update(CLOCK).where(CLOCK.c.id == 1).values(
    seq=bindparam("b_seq"), journal_size=bindparam("b_size"), journal_peaks=bindparam("b_peaks"))


@dataclass(slots=True)
class Gate:
    """The open gate: the only giver of numbers until the transaction ends. `written`: what stands in the clock."""

    seq: int
    epoch: str
    frontier: Frontier
    written: tuple[int, int] = (-1, -1)

    def next(self) -> int:
        self.seq += 1
        return self.seq


def open_gate(session: Session) -> Gate:
    """Lock the clock for the rest of this transaction. The session must not have begun one already."""
    if session.in_transaction():
        raise RuntimeError("the gate must be the first thing in a transaction")
    if session.get_bind().dialect.name == "sqlite":
        session.connection(execution_options={MODE: "IMMEDIATE"})
    clock = session.connection().execute(LOCK).one()
    return Gate(clock.seq, clock.epoch, Frontier.from_json(clock.journal_size, clock.journal_peaks),
                (clock.seq, clock.journal_size))


def close_gate(session: Session, gate: Gate) -> None:
    """Write back the numbers that were given out; the lock itself ends with the commit."""
    now = (gate.seq, gate.frontier.size)
    if now != gate.written:
        session.connection().execute(CLOSE, {
            "b_seq": gate.seq, "b_size": gate.frontier.size, "b_peaks": gate.frontier.to_json()})
        gate.written = now


def open_unsynced(session: Session) -> None:
    """Begin a transaction behind no gate, for a row that nobody misses when a power cut takes it: its commit does not
    wait for the disk. It is lost whole, or not at all, and no commit that follows one stands without it."""
    connection = session.connection(execution_options={MODE: "IMMEDIATE", UNSYNCED: True})
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")


def open_snapshot(session: Session) -> None:
    """Make all that this transaction reads come from one snapshot (SQLite in WAL mode does so by itself)."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def prepare_sqlite(engine: Engine) -> None:
    """Teach a SQLite engine the durable settings and explicit transactions."""

    @event.listens_for(engine, "connect")
    def configure(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # DBAPI connection: we emit BEGIN ourselves
        cursor = connection.cursor()  # type: ignore[attr-defined]  # as above
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000",
                       "wal_autocheckpoint=8000", "cache_size=-16000", "temp_store=MEMORY",
                       "recursive_triggers=ON"):  # so that INSERT OR REPLACE is refused as DELETE is
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        unsynced = bool(connection.get_execution_options().get(UNSYNCED))
        if unsynced != connection.info.get(UNSYNCED, False):  # stays with the connection until said otherwise
            connection.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if unsynced else 'FULL'}")
            connection.info[UNSYNCED] = unsynced
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(MODE, 'DEFERRED')}")
