import pytest

from sync.device.view import Made, Row, edited, shown

ID = "0193b0a0-0000-7000-8000-000000000001"


def a_row(version=7, **fields):
    return Row("finding", ID, version, "320412100", fields, "2026-11-22T01:00:00.000Z")


def made(state="waiting", version=None, op="put", n=1, problem=None, **members):
    return Made(n, {"op": op, "base": 7, **members}, state, version, {"problem": problem} if problem else None)


@pytest.mark.parametrize(("type", "before", "body", "after"), [
    ("finding", {"text": "a", "address": "b"}, {"set": {"text": "c"}}, {"text": "c", "address": "b"}),
    ("finding", {"text": "a"}, {"set": {"text": None}}, {}),
    ("finding", {"status": "filed"}, {"set": {"status": "closed"}}, {"status": "filed"}),
    ("finding", {"tags": ["a", "b"]}, {"add": {"tags": ["c", "a"]}, "remove": {"tags": ["b"]}}, {"tags": ["a", "c"]}),
    ("finding", {"tags": ["a"]}, {"add": {"tags": ["a"]}, "remove": {"tags": ["a"]}}, {"tags": ["a"]}),
    ("finding", {}, {"add": {"tags": ["c"]}}, {"tags": ["c"]}),
    ("finding", {"tags": ["a"]}, {"set": {"tags": ["b"]}}, {"tags": ["b"]}),
    ("inspection", {"answers": {"1": {"value": 1}, "2": {"value": 2}}},
     {"set": {"answers": {"2": {"value": 3}, "1": None}}}, {"answers": {"2": {"value": 3}}}),
    ("track", {"points": [{"id": "p", "lon": 1}]}, {"add": {"points": [{"id": "p", "lon": 2}, {"id": "q"}]}},
     {"points": [{"id": "p", "lon": 1}, {"id": "q"}]}),
    ("evidence", {"sha256": "aa"}, {"set": {"sha256": "bb", "note": "n"}}, {"sha256": "aa", "note": "n"}),
    ("of_a_later_version", {"a": 1}, {"set": {"b": 2}, "add": {"c": [3]}}, {"a": 1, "b": 2, "c": [3]}),
])
def test_an_edit_follows_the_merge_rule_of_each_field(type, before, body, after):
    assert edited(type, before, body) == after


def test_an_edit_leaves_what_it_was_given_alone():
    before = {"tags": ["a"], "text": "a"}
    edited("finding", before, {"set": {"text": "b"}, "add": {"tags": ["b"]}})
    assert before == {"tags": ["a"], "text": "a"}


def test_undelivered_edits_stand_on_whatever_row_came_meanwhile():
    record = shown("finding", ID, a_row(9, text="theirs", address="theirs"), [made(set={"text": "mine"})])
    assert record.fields == {"text": "mine", "address": "theirs"}
    assert (record.version, record.unsent) == (9, 1)


def test_a_record_made_here_is_seen_before_the_server_knows_it():
    record = shown("finding", ID, None, [made(set={"text": "a"}, scope="320412100"), made(n=2, set={"text": "b"})])
    assert (record.fields, record.scope, record.version, record.unsent) == ({"text": "b"}, "320412100", 0, 2)


def test_an_acknowledged_edit_is_shown_until_its_row_arrives():
    edit = made("applied", 8, set={"text": "mine"})
    assert shown("finding", ID, a_row(7, text="old"), [edit]).fields == {"text": "mine"}
    assert shown("finding", ID, a_row(8, text="theirs"), [edit]).fields == {"text": "theirs"}


def test_a_held_edit_is_shown():
    assert shown("finding", ID, a_row(text="old"), [made("held", set={"text": "mine"})]).fields == {"text": "mine"}


def test_a_quarantined_edit_is_not_shown_but_told():
    record = shown("finding", ID, a_row(text="old"), [made("quarantined", set={"text": 5}, problem={"code": "x"})])
    assert record.fields == {"text": "old"} and record.problems == [{"code": "x"}] and record.unsent == 0


def test_a_quarantined_creation_is_all_there_is_and_is_shown():
    record = shown("finding", ID, None, [made("quarantined", set={"text": "a"}, scope="1", problem={"code": "x"})])
    assert record.fields == {"text": "a"} and record.problems == [{"code": "x"}]


def test_a_deletion_hides_the_record_at_once():
    assert shown("finding", ID, a_row(text="a"), [made(op="delete", set={"reason": "误报"})]) is None


def test_a_command_changes_nothing_before_the_server_has_carried_it_out():
    record = shown("finding", ID, a_row(status="checking"), [made(op="command", command={"name": "close"})])
    assert record.fields == {"status": "checking"} and record.unsent == 1


def test_edits_of_a_record_that_is_gone_do_not_bring_it_back():
    assert shown("finding", ID, None, [made(set={"text": "a"})]) is None
