"""Many findings in little time: rows like those that the door writes, made after a few that it wrote.

At the end some are pushed again: a replay must be known, and a new push of the same content must leave the same rows.
"""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

from sqlalchemy import Engine, create_engine, event, text, update
from sqlalchemy.orm import Session

from sync import journal
from sync.bulk import insert_rows
from sync.gate import close_gate, open_gate, prepare_sqlite
from sync.kept import RECORD
from sync.models import Device, History, Receipt, ScopeSeen, table_of
from tests.bench.deployment import Deployment
from tests.bench.documents import CITY, THIS_YEAR, Span, finding, findings
from tests.bench.patterns import Pattern, Row, Rows, must_be_alike, pattern_of
from tests.enrolled import Handheld

TOWNS = ("320402109", "320404116", "320411101", "320411103", "320411104", "320411105", "320411122", "320412001")
PATTERNS, CHECKED, AT_ONCE = 10, 3, 20_000
A_DAY = 2_740  # findings of a city: a million in a year


def fill(deployment: Deployment, count: int) -> None:
    """Add findings to other towns of the city, spread over its area and as many days as a city needs for so many."""
    engine, random = open_engine(deployment.database_url), Random(count)
    span = Span(THIS_YEAR.since, min(count / A_DAY, THIS_YEAR.days))
    devices = [deployment.bureau.handheld(*TOWNS) for _ in TOWNS]
    patterns = [pattern for device, town in zip(devices, TOWNS, strict=True)
                for pattern in _patterns(engine, device, town, random)]
    turns = itertools.cycle(patterns)
    for start in range(0, count, AT_ONCE):
        newest = _write(engine, [next(turns) for _ in range(min(AT_ONCE, count - start))], random, span)
    for pattern, mutation, rows in newest[-CHECKED:]:
        _must_be_as_pushed(engine, pattern, mutation, rows)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


def open_engine(url: str) -> Engine:
    """The deployment's database, from outside of its server."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine)
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA cache_size=-400000"))
    return engine


def _patterns(engine: Engine, device: Handheld, town: str, random: Random) -> list[Pattern]:
    mutations = [device.create("finding", town, document)
                 for document in findings(random, PATTERNS, CITY, THIS_YEAR)]
    assert {outcome["outcome"] for outcome in device.deliver(*mutations)} == {"applied"}
    return [pattern_of(engine, device, mutation) for mutation in mutations]


def _write(engine: Engine, patterns: list[Pattern], random: Random, span: Span) -> list[tuple[Pattern, Row, Rows]]:
    """One transaction of rows behind the gate."""
    with Session(engine) as session:
        gate = open_gate(session)
        made = []
        for pattern in patterns:
            mutation = pattern.device.create("finding", pattern.kept.scope, finding(random, CITY, span))
            made.append((pattern, mutation, pattern.rows_of(mutation, gate.next())))
        insert_rows(session, RECORD, [rows.record for _, _, rows in made])
        insert_rows(session, table_of(History), [rows.history for _, _, rows in made])
        insert_rows(session, table_of(Receipt), [rows.receipt for _, _, rows in made])
        journal.append(session, gate.frontier, [rows.entry for _, _, rows in made])
        for device_id, last_n in {pattern.device.id: mutation["n"] for pattern, mutation, _ in made}.items():
            session.execute(update(Device).where(Device.id == device_id).values(last_n=last_n))
        session.execute(update(ScopeSeen).where(ScopeSeen.scope.in_(TOWNS)).values(last_seq=gate.seq))
        close_gate(session, gate)
        session.commit()
    return made


def _must_be_as_pushed(engine: Engine, pattern: Pattern, mutation: dict[str, Any], rows: Rows) -> None:
    """Fail unless the server knows the finding, and writes the same rows of another one with its content."""
    replayed, = pattern.device.deliver(mutation)
    assert replayed == {**rows.receipt["outcome"], "replayed": True}, replayed
    again = pattern.device.create("finding", pattern.kept.scope, mutation["set"])
    pattern.device.deliver(again)
    must_be_alike(rows, pattern_of(engine, pattern.device, again).rows)
