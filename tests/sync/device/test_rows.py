import hashlib

import pytest

from sync.device.rows import Rows

ONE, TWO = "0193b0a0-0000-7000-8000-000000000001", "0193b0a0-0000-7000-8000-000000000002"


@pytest.fixture
def rows(store):
    return Rows(store)


def put(id, version=1, at="2026-11-22T01:00:00.000Z", **fields):
    return {"type": "finding", "id": id, "op": "put", "version": version, "scope": "320412100", "fields": fields,
            "updated_at": at}


def seen(rows):
    return {row.id: (row.version, row.fields) for row in rows.of_type("finding")}


def test_a_put_replaces_and_a_delete_removes(rows):
    rows.take([put(ONE, text="a")])
    rows.take([put(TWO)])
    rows.take([put(ONE, 2, text="b")])
    rows.take([{"type": "finding", "id": TWO, "op": "delete", "version": 2}])
    assert seen(rows) == {ONE: (2, {"text": "b"})}


def test_a_forgotten_row_stays_while_an_edit_on_it_is_undelivered(rows, outbox):
    rows.take([put(ONE)])
    rows.take([put(TWO)])
    outbox.make("put", "finding", ONE, 1, set={"text": "mine"})
    for id in (ONE, TWO):
        rows.take([{"type": "finding", "id": id, "op": "forget"}])
    rows.finish()
    assert list(seen(rows)) == [ONE]
    outbox.receive([{"n": 1, "outcome": "quarantined", "version": None}])
    rows.drop_forgotten()
    assert seen(rows) == {}


def test_a_row_that_comes_back_is_no_longer_forgotten(rows):
    rows.take([put(ONE)])
    rows.take([{"type": "finding", "id": ONE, "op": "forget"}])
    rows.take([put(ONE, 2)])
    rows.finish()
    assert seen(rows) == {ONE: (2, {})}


def test_a_new_snapshot_is_shown_only_when_it_is_whole(rows):
    rows.take([put(ONE, 5, text="old")])
    rows.take([put(TWO, 5)])
    rows.begin_again()
    rows.take([put(ONE, 3, text="restored")])
    assert seen(rows) == {ONE: (5, {"text": "old"}), TWO: (5, {})}
    rows.finish()
    assert seen(rows) == {ONE: (3, {"text": "restored"})}
    rows.take([put(ONE, 4)])
    assert seen(rows) == {ONE: (4, {})}


def test_a_snapshot_that_was_broken_off_is_begun_empty(rows):
    rows.take([put(ONE)])
    rows.begin_again()
    rows.take([put(TWO)])
    rows.begin_again()
    rows.take([put(ONE, 2)])
    rows.finish()
    assert seen(rows) == {ONE: (2, {})}


def test_a_row_with_an_undelivered_edit_survives_a_new_snapshot_without_it(rows, outbox):
    rows.take([put(ONE)])
    rows.take([put(TWO)])
    outbox.make("put", "finding", ONE, 1, set={"text": "mine"})
    rows.begin_again()
    rows.finish()
    assert list(seen(rows)) == [ONE]


def test_only_the_very_same_state_is_unchanged_in_a_new_snapshot(rows):
    rows.take([put(ONE, 5)])
    rows.take([put(TWO, 5)])
    rows.begin_again()
    rows.take([put(ONE, 5)])
    rows.take([put(TWO, 5, at="2026-11-22T02:00:00.000Z")])
    assert rows.unchanged("finding", ONE) and not rows.unchanged("finding", TWO)


def test_the_digests_are_those_of_the_protocol(rows):
    rows.take([put(TWO, 3)])
    rows.take([put(ONE, 2)])
    expected = hashlib.sha256(f"{ONE} 2\n{TWO} 3\n".encode()).hexdigest()
    assert rows.digests() == {("320412100", "finding"): (2, expected)}
