"""The gate with truly concurrent writers: number order is commit order, and a cursor never hides a row."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.gate import open_gate
from sync.models import Clock
from tests.engines import running_postgres
from tests.sync.desk import Desk

WRITERS, PUSHES = 4, 12


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk(request, tmp_path: Path):
    if request.param == "sqlite":
        yield Desk(tmp_path)
        return
    with running_postgres(tmp_path / "pg") as url:
        desk = Desk(tmp_path, url=url)
        yield desk
        desk.engine.dispose()


def test_what_a_cursor_has_passed_never_appears_later(desk):
    writers = [desk.device() for _ in range(WRITERS)]
    batches = {writer.id: [[desk.numbered(writer, desk.finding()) for _ in range(3)] for _ in range(PUSHES)]
               for writer in writers}

    def write(writer):
        for batch in batches[writer.id]:
            outcomes = desk.push_raw(writer, batch)
            assert {outcome["outcome"] for outcome in outcomes} == {"applied"}

    reader = desk.device()
    seen: list[str] = []
    cursor = None
    with ThreadPoolExecutor(WRITERS) as pool:
        running = [pool.submit(write, writer) for writer in writers]
        while not all(future.done() for future in running):
            changes, cursor = desk.pull_all(reader, cursor, limit=5)
            seen += [change["id"] for change in changes]
        for future in running:
            future.result()
    changes, cursor = desk.pull_all(reader, cursor)
    seen += [change["id"] for change in changes]
    assert len(seen) == len(set(seen)) == WRITERS * PUSHES * 3


def test_a_second_writer_waits_at_the_gate_and_a_rollback_leaves_no_gap(desk):
    order: list[str] = []

    def second():
        with Session(desk.engine) as session:
            gate = open_gate(session)
            order.append(f"second {gate.next()}")
            session.rollback()

    with Session(desk.engine) as session:
        first = open_gate(session)
        number = first.next()
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append(f"first {number}")
        session.rollback()
    thread.join()
    assert order == ["first 1", "second 1"]
    with Session(desk.engine) as session:
        assert session.execute(select(Clock.seq)).scalar_one() == 0


def test_the_gate_must_come_first_in_a_transaction(desk):
    with Session(desk.engine) as session:
        session.execute(select(Clock.seq))
        with pytest.raises(RuntimeError):
            open_gate(session)
