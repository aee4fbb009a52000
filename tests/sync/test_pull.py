"""Pulls on the engine alone: pages, scopes, forgets, tampered cursors."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from schemas.problems import Problem
from tests.sync.desk import Desk

A, B = "320412100", "320412102"


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def applied(changes):
    rows = {}
    for change in changes:
        if change["op"] == "put":
            rows[change["id"]] = change
        else:
            rows.pop(change["id"], None)
    return rows


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_any_page_size_gives_the_same_rows_in_commit_order(desk, limit):
    writer = desk.device()
    desk.push(writer, *(desk.finding(text=str(number)) for number in range(7)))
    changes, _ = desk.pull_all(writer, limit=limit)
    assert [change["fields"]["text"] for change in changes] == [str(number) for number in range(7)]


def test_an_idle_pull_gives_nothing_and_later_changes_come_once(desk):
    writer = desk.device()
    [made] = desk.push(writer, desk.finding())
    _, cursor = desk.pull_all(writer)
    assert desk.pull_all(writer, cursor)[0] == []
    desk.push(writer, desk.edit(made["record_id"], 1, set={"text": "b"}),
              desk.edit(made["record_id"], 1, set={"text": "c"}))
    [change] = desk.pull_all(writer, cursor)[0]
    assert (change["version"], change["fields"]["text"]) == (3, "c")


@pytest.mark.parametrize("scopes", [(A,), (A, B), tuple(f"3204121{n:02}" for n in range(20))])
def test_a_page_reads_no_more_than_it_holds(desk, scopes):
    """SQLite walks an index a scope, or one of many, in the order of the numbers and merges the walks as it goes; a
    sorted page would read all that is still to come."""
    writer = desk.device(scopes=scopes)
    desk.push(writer, *(desk.finding(scope=scope) for scope in scopes for _ in range(3)))
    plans: list[str] = []

    def explain(connection, _cursor, statement, parameters, *_):
        if "group_concat" in statement:
            rows = connection.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in rows)

    event.listen(desk.engine, "before_cursor_execute", explain)
    assert len(desk.pull(writer, limit=2)["changes"]) == 2
    walks = {plan for plan in plans if plan.startswith(("SEARCH record", "SCAN record"))}
    assert walks == {"SEARCH record USING INDEX ix_record_scope_seq (scope=? AND seq>? AND seq<?)" if len(scopes) < 9
                     else "SEARCH record USING INDEX ix_record_seq (seq>? AND seq<?)"}
    assert not [plan for plan in plans if "B-TREE" in plan], plans


def test_nothing_out_of_scope_is_sent(desk):
    city = desk.device(scopes=("3204",))
    desk.push(city, desk.finding(scope=A), desk.finding(scope=B), desk.finding(scope="320404116"))
    reader = desk.device(scopes=(A, B))
    assert {change["scope"] for change in desk.pull_all(reader)[0]} == {A, B}


def test_a_record_that_moves_away_is_forgotten_and_comes_back_whole(desk):
    city, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A,))
    [made] = desk.push(city, desk.finding(scope=A))
    record_id = made["record_id"]
    _, cursor = desk.pull_all(reader)
    desk.push(city, desk.edit(record_id, 1, scope=B))
    changes, cursor = desk.pull_all(reader, cursor)
    assert [(change["op"], change["id"]) for change in changes] == [("forget", record_id)]
    desk.push(city, desk.edit(record_id, 2, scope=A))
    [change] = desk.pull_all(reader, cursor)[0]
    assert change["op"] == "put" and change["fields"]["address"]


def test_a_record_that_left_and_came_back_between_two_pulls_is_only_a_change(desk):
    city, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A,))
    [made] = desk.push(city, desk.finding(scope=A))
    _, cursor = desk.pull_all(reader)
    desk.push(city, desk.edit(made["record_id"], 1, scope=B), desk.edit(made["record_id"], 1, scope=A))
    assert [change["op"] for change in desk.pull_all(reader, cursor)[0]] == ["put"]


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_a_granted_scope_brings_its_records_and_sends_nothing_else_again(desk, limit):
    city, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A,))
    desk.push(city, desk.finding(scope=A), desk.finding(scope=B), desk.finding(scope=B))
    _, cursor = desk.pull_all(reader)
    changes, cursor = desk.pull_all(reader, cursor, limit=limit, scopes=(A, B))
    assert [change["scope"] for change in changes] == [B, B]
    assert desk.pull_all(reader, cursor, scopes=(A, B))[0] == []


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_a_withdrawn_scope_is_forgotten(desk, limit):
    city, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A, B))
    made = desk.push(city, desk.finding(scope=A), desk.finding(scope=B), desk.finding(scope=B))
    first, cursor = desk.pull_all(reader)
    changes, _ = desk.pull_all(reader, cursor, limit=limit, scopes=(A,))
    assert {change["op"] for change in changes} == {"forget"}
    assert set(applied([*first, *changes])) == {made[0]["record_id"]}


def test_a_first_pull_tells_no_tombstones_twice_and_a_known_record_dies(desk):
    writer = desk.device()
    [made] = desk.push(writer, desk.finding())
    first, cursor = desk.pull_all(writer)
    desk.push(writer, {"type": "finding", "record_id": made["record_id"], "op": "delete", "base": 1,
                       "set": {"reason": "误报"}})
    changes, _ = desk.pull_all(writer, cursor)
    assert [change["op"] for change in changes] == ["delete"]
    assert applied([*first, *changes]) == {}


def test_a_tampered_or_foreign_cursor_is_refused(desk):
    one, other = desk.device(), desk.device()
    cursor = desk.pull(one)["cursor"]
    for writer, text in ((one, cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")), (other, cursor), (one, "%%%")):
        with pytest.raises(Problem) as refused:
            desk.pull(writer, text)
        assert refused.value.code == "cursor_invalid"


def test_a_cursor_beyond_the_log_tells_a_restored_server(desk, tmp_path):
    writer = desk.device()
    desk.push(writer, desk.finding())
    cursor = desk.pull_all(writer)[1]
    with desk.writing() as door:
        door.gate.seq = 0
    with pytest.raises(Problem) as refused:
        desk.pull(writer, cursor)
    assert refused.value.code == "log_forked"


def test_a_forget_is_never_lost_behind_records_that_came_back(desk):
    city, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A,))
    made = [outcome["record_id"] for outcome in desk.push(city, *(desk.finding(scope=A) for _ in range(3)))]
    _, cursor = desk.pull_all(reader)
    desk.push(city, *(desk.edit(record_id, 1, scope=B) for record_id in made))
    desk.push(city, *(desk.edit(record_id, 2, scope=A) for record_id in made[:2]))
    changes, _ = desk.pull_all(reader, cursor, limit=1)
    assert {(change["op"], change["id"]) for change in changes} == {
        ("put", made[0]), ("put", made[1]), ("forget", made[2])}


def test_an_office_record_that_reached_down_is_forgotten_when_it_moves(desk):
    office, reader = desk.device(scopes=("32",)), desk.device(scopes=(A,))
    [made] = desk.push(office, {"type": "notice", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": "3204",
                                "set": {"title": "通知"}})
    changes, cursor = desk.pull_all(reader)
    assert [change["op"] for change in changes] == ["put"]
    desk.push(office, desk.edit(made["record_id"], 1, type="notice", scope="3205"))
    assert [change["op"] for change in desk.pull_all(reader, cursor)[0]] == ["forget"]


@pytest.mark.parametrize("limit", [1, 1000])
def test_what_left_a_scope_just_before_it_was_withdrawn_is_forgotten_too(desk, limit):
    writer = desk.device(scopes=("3204",))
    made = desk.push(writer, *(desk.finding(text=str(number)) for number in range(3)), desk.finding(scope=B))
    reader = desk.device(scopes=(A, B))
    first, cursor = desk.pull_all(reader, limit=limit)
    desk.push(writer, *(desk.edit(outcome["record_id"], 1, scope="320412104") for outcome in made[:2]))
    later, cursor = desk.pull_all(reader, cursor, limit, scopes=(B,))
    assert set(applied([*first, *later])) == {made[3]["record_id"]}
    assert desk.pull_all(reader, cursor, limit, scopes=(B,))[0] == []


def test_a_change_is_the_record_as_it_stands_whatever_its_fields_hold(desk):
    writer = desk.device()
    said = '"引号"\\ \n\t\u2028 {"a": [1]} \x7f 😀'
    [made] = desk.push(writer, desk.finding(text=said, extra={"深": [None, 1.5, "'"]}))
    [change] = desk.pull_all(writer)[0]
    assert change == {**desk.record(made["record_id"]).to_wire(), "op": "put"}
    desk.push(writer, {**desk.edit(made["record_id"], 1, set={"reason": "误报"}), "op": "delete"})
    [change] = desk.pull_all(writer)[0]
    assert change == {"type": "finding", "id": made["record_id"], "op": "delete", "version": 2}


def test_a_record_comes_once_to_a_reader_whose_scopes_overlap(desk):
    reader = desk.device(scopes=("3204", A))
    made = {"type": "class", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": "3204",
            "set": {"scheme": "s", "code": "c", "name": "n"}}
    desk.push(desk.device(scopes=("3204",)), made)
    assert [change["id"] for change in desk.pull_all(reader)[0]] == [made["record_id"]]


def test_a_record_that_left_two_scopes_is_forgotten_once(desk):
    mover, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A, B))
    [made] = desk.push(mover, desk.finding(scope=A))
    _, cursor = desk.pull_all(reader)
    desk.push(mover, desk.edit(made["record_id"], 1, scope=B), desk.edit(made["record_id"], 2, scope="320404116"))
    for limit in (1, 1000):
        changes, _ = desk.pull_all(reader, cursor, limit=limit)
        assert changes == [{"type": "finding", "id": made["record_id"], "op": "forget"}]
