"""A record that everybody edits for ever: its row does not grow with the edits, nor does the cost of the next one."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.bulk import Among
from sync.conflicts import MOST_EDITS
from sync.models import Receipt, Record
from tests.properties.effort import Effort, effort
from tests.sync.desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def row_size(desk: Desk, record_id: str) -> int:
    with Session(desk.engine) as session:
        return session.execute(select(func.length(Record.fields) + func.length(Record.stamps))
                               .where(Record.id == record_id)).scalar_one()


def cost(desk: Desk, writer, mutation) -> Effort:
    with effort(desk.engine) as spent:
        desk.push(writer, mutation)
    return spent


def argue(desk: Desk, writers, record_id: str, times: int, begin: int = 0) -> None:
    """The writers set one field in turn, each still looking at version 1."""
    for number in range(begin, begin + times):
        desk.push(writers[number % len(writers)], desk.edit(record_id, 1, set={"text": f"view {number}"}))


def test_the_cost_of_an_edit_does_not_grow_with_the_conflicts_of_its_record(desk):
    anna, bo = desk.device(), desk.device()
    [made] = desk.push(anna, desk.finding(text="as made"))
    argue(desk, (anna, bo), made["record_id"], 20)
    early = cost(desk, anna, desk.edit(made["record_id"], 1, set={"text": "early"}))
    argue(desk, (bo, anna), made["record_id"], 300)
    late = cost(desk, bo, desk.edit(made["record_id"], 1, set={"text": "late"}))
    assert len(desk.conflicts(made["record_id"])) == 321
    assert late.within(1.3, early), (early, late)


def test_a_part_of_a_bound_value_upon_an_old_base_reads_the_history_once(desk):
    anna, bo = desk.device(), desk.device()
    [made] = desk.push(anna, desk.finding(class_code="0101", severity="low"))
    for number in range(10):
        desk.push((anna, bo)[number % 2], desk.edit(made["record_id"], 1, set={"severity": number}))
    record = desk.record(made["record_id"])
    assert (record.fields["class_code"], record.fields["severity"]) == ("0101", 9)


def test_own_edits_of_one_field_leave_row_and_stamps_as_long_as_they_were(desk):
    anna = desk.device()
    [made] = desk.push(anna, desk.finding(text="0000", tags=["a"]))
    desk.push(anna, *(desk.edit(made["record_id"], 1, set={"text": f"{number:04}"}) for number in range(10)))
    early = row_size(desk, made["record_id"])
    for _ in range(4):
        desk.push(anna, *(desk.edit(made["record_id"], 1, set={"text": f"{number:04}"}) for number in range(250)))
    assert row_size(desk, made["record_id"]) <= early + 8


def test_stamps_grow_with_the_units_and_not_with_the_edits(desk):
    writers = [desk.device() for _ in range(6)]
    [made] = desk.push(writers[0], desk.finding(text="-"))
    for number in range(60):
        desk.push(writers[number % 6], desk.edit(made["record_id"], 1, set={"text": f"{number:03}"},
                                                 add={"tags": [f"tag {number}"]}),
                  desk.edit(made["record_id"], number, remove={"tags": [f"tag {number}"]}))
    stamps = desk.record(made["record_id"]).stamps
    assert set(stamps) == {"", "*", "text"} and all(len(marks) == 2 for name, marks in stamps.items() if name)


def test_edits_of_a_deleted_record_fold_into_conflicts_of_bounded_length(desk):
    anna, bo = desk.device(), desk.device()
    [made] = desk.push(anna, desk.finding(text="as made"))
    desk.push(anna, {**desk.edit(made["record_id"], 1), "op": "delete", "set": {"reason": "twice"}})
    for _ in range(4):
        desk.push(bo, *(desk.edit(made["record_id"], 1, set={"text": f"still there {number}"})
                        for number in range(25)))
    conflicts = desk.conflicts(made["record_id"])
    assert [len(conflict["edits"]) for conflict in conflicts] == [MOST_EDITS, MOST_EDITS, MOST_EDITS, 4]


@pytest.mark.parametrize("column", [Record.id, Receipt.id], ids=["record", "receipt"])
def test_reading_by_many_ids_seeks_each_and_reads_no_whole_table(desk, column):
    with Session(desk.engine) as session:
        query = select(column.class_).where(Among(column, ["a", "b"]))
        text = str(query.compile(desk.engine, compile_kwargs={"literal_binds": True}))
        plan = [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert plan[0].startswith(f"SEARCH {column.class_.__tablename__} USING"), plan
