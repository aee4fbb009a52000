"""Snapshots on the engine alone: with the tail they are what a pull from the beginning brings."""

from __future__ import annotations

import gzip
import io
from typing import Any

import orjson
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from sync import snapshot
from sync.gate import open_snapshot
from sync.models import Clock
from sync.pull import Reader, pull
from tests.sync.desk import SECRET, Desk

A, B = "320412100", "320412102"


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


def written(desk: Desk, *codes: str) -> tuple[snapshot.Written, bytes]:
    out = io.BytesIO()
    with Session(desk.engine) as session:
        open_snapshot(session)
        return snapshot.write_snapshot(session, codes, out), out.getvalue()


def lines(content: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in gzip.decompress(content).splitlines()]


def deletion(record_id: str) -> dict[str, Any]:
    return {"type": "finding", "record_id": record_id, "op": "delete", "base": 1, "set": {"reason": "误报"}}


def tail(desk: Desk, reader: Reader, made: snapshot.Written) -> list[dict[str, Any]]:
    with Session(desk.engine) as session:
        cursor = snapshot.continuation(session, reader, made, SECRET)["cursor"]
        return orjson.loads(orjson.dumps(pull(session, reader, cursor, 1000, SECRET)["changes"]))


def test_a_snapshot_has_a_head_the_changes_of_a_pull_and_their_number(desk, monkeypatch):
    monkeypatch.setattr(snapshot, "PAGE", 2)
    writer = desk.device(scopes=(A,))
    desk.push(writer, *(desk.finding(text=str(number)) for number in range(5)))
    made, content = written(desk, A)
    head, *changes, end = lines(content)
    assert head == {"snapshot": 1, "epoch": made.epoch, "codes": [A]}
    assert changes == desk.pull_all(writer)[0]
    assert end == {"changes": 5} and made.changes == 5


def test_a_snapshot_holds_nothing_deleted_and_nothing_out_of_scope(desk):
    city = desk.device(scopes=("3204",))
    gone, kept, _ = desk.push(city, desk.finding(scope=A), desk.finding(scope=A), desk.finding(scope=B))
    desk.push(city, deletion(gone["record_id"]))
    _, *changes, _ = lines(written(desk, A)[1])
    assert [change["id"] for change in changes] == [kept["record_id"]]


def test_the_tail_brings_what_changed_left_and_was_deleted_since(desk):
    city, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A,))
    still, edited, left, gone = (each["record_id"] for each in desk.push(
        city, *(desk.finding(scope=A) for _ in range(4))))
    made, _ = written(desk, A)
    new, *_ = desk.push(city, desk.finding(scope=A), desk.edit(edited, 1, set={"text": "b"}),
                        desk.edit(left, 1, scope=B), deletion(gone))
    ops = {change["id"]: change["op"] for change in tail(desk, Reader(reader.id, (A,)), made)}
    assert ops == {edited: "put", left: "forget", gone: "delete", new["record_id"]: "put"}
    assert still not in ops


def test_the_same_records_give_the_same_bytes(desk):
    desk.push(desk.device(scopes=(A,)), *(desk.finding() for _ in range(3)))
    assert written(desk, A, "32")[1] == written(desk, "32", A, A)[1]


def test_how_far_a_snapshot_is_behind_is_counted_in_its_own_view(desk):
    city = desk.device(scopes=("3204",))
    desk.push(city, desk.finding(scope=A))
    made, _ = written(desk, A)
    desk.push(city, *(desk.finding(scope=B) for _ in range(5)), *(desk.finding(scope=A) for _ in range(2)))
    with Session(desk.engine) as session:
        assert snapshot.is_behind(session, made, 1) and not snapshot.is_behind(session, made, 2)
        assert snapshot.is_worth_it(session, (A,), 3) and not snapshot.is_worth_it(session, (A,), 4)


@pytest.mark.parametrize(("column", "value"), [("epoch", "another"), ("seq", 0), ("floor_seq", 99)])
def test_a_snapshot_of_another_history_or_below_the_floor_is_not_used(desk, column, value):
    desk.push(desk.device(scopes=(A,)), desk.finding(scope=A))
    made, _ = written(desk, A)
    with Session(desk.engine) as session:
        assert snapshot.log_of(session).goes_on_from(made)
        session.execute(update(Clock).values({column: value}))
        assert not snapshot.log_of(session).goes_on_from(made)
