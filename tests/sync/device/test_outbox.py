from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from sync.device.outbox import Outbox, uuid7
from sync.device.store import Store


def make(outbox, count=1, **members):
    return [outbox.make("put", "finding", outbox.new_id(), 0, scope="320412100", set={"text": "门前堆物"}, **members)
            for _ in range(count)]


def numbers(batch):
    return [each.n for each in batch]


def outcome(n, outcome="applied", version=1, **members):
    return {"n": n, "outcome": outcome, "version": version, "conflicts": [], "problem": None, **members}


def test_numbers_are_dense_from_one_and_outlive_the_process(store, outbox, clock, random_bytes):
    make(outbox, 3)
    store.close()
    again = Outbox(Store(store.directory), clock, random_bytes)
    make(again)
    assert numbers(again.batch(10, 10**6)) == [1, 2, 3, 4]


def test_what_is_sent_is_the_mutation_with_its_number(outbox):
    mutation_id, = make(outbox)
    waiting, = outbox.batch(10, 10**6)
    body = orjson.loads(waiting.wire)
    assert body == {"n": 1, "id": mutation_id, "type": "finding", "record_id": body["record_id"], "op": "put",
                    "base": 0, "scope": "320412100", "set": {"text": "门前堆物"}, "made_at": "2026-11-22T01:00:00.003Z"}
    assert outbox.batch(10, 10**6)[0].wire == waiting.wire


def test_ids_are_uuids_of_version_7_in_order_of_time(outbox):
    ids = [outbox.new_id() for _ in range(50)]
    assert ids == sorted(ids)
    assert {(UUID(each).version, UUID(each).variant) for each in ids} == {(7, "specified in RFC 4122")}


def test_the_published_vector_of_uuid_7():
    # RFC 9562 appendix A.6: 2022-02-22T19:22:22.000Z, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
    at = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    rest = bytes.fromhex("0cc318c4dc0c0c07398f")
    assert uuid7(at, lambda size: rest[:size]) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def test_a_batch_keeps_to_count_and_bytes(outbox):
    make(outbox, 5)
    assert numbers(outbox.batch(3, 10**6)) == [1, 2, 3]
    size = len(outbox.batch(1, 0)[0].wire)
    assert numbers(outbox.batch(100, 2 * size + 2)) == [1, 2]
    assert numbers(outbox.batch(100, 1)) == [1]


def test_a_group_is_never_divided(outbox):
    make(outbox)
    with outbox.group() as group:
        make(outbox, 3)
    make(outbox)
    assert numbers(outbox.batch(3, 10**6)) == [1]
    outbox.receive([outcome(1)])
    batch = outbox.batch(2, 10**6)
    assert numbers(batch) == [2, 3, 4] and {orjson.loads(each.wire)["group"] for each in batch} == {group}


def test_a_group_that_fails_half_way_leaves_nothing(outbox):
    with suppress(ZeroDivisionError), outbox.group():
        make(outbox)
        raise ZeroDivisionError
    make(outbox)
    assert [orjson.loads(each.wire).get("group") for each in outbox.batch(10, 10**6)] == [None]


def test_what_no_push_could_hold_is_refused_while_the_person_still_has_it(store, outbox):
    store.put("limits", {"mutations_per_push": 2, "push_bytes": 3000})
    with pytest.raises(ValueError, match="no push"):
        outbox.make("put", "finding", outbox.new_id(), 0, set={"text": "x" * 3000})
    with pytest.raises(ValueError, match="3 mutations"), outbox.group():
        make(outbox, 3)
    assert outbox.batch(10, 10**6) == []


def test_only_a_receipt_ends_the_waiting(outbox):
    make(outbox, 4)
    outbox.receive([outcome(1), outcome(2, "held", None), outcome(3, "quarantined", None, problem={"code": "bad"})])
    assert numbers(outbox.batch(10, 10**6)) == [4]
    assert [(made.n, made.state) for made in outbox.made()] == [
        (1, "applied"), (2, "held"), (3, "quarantined"), (4, "waiting")]
    assert outbox.made(state="quarantined")[0].problem == {"code": "bad"}


def test_a_replay_tells_what_became_of_it_since(outbox):
    make(outbox)
    outbox.receive([outcome(1, "held", None, replayed=True, settled={"outcome": "applied", "version": 4})])
    assert [(made.state, made.version) for made in outbox.made()] == [("applied", 4)]


def test_news_of_what_has_no_receipt_leave_no_gap(outbox):
    _, second, _ = make(outbox, 3)
    settled = {"outcome": "dismissed", "version": None, "problem": None}
    outbox.settle([{"id": second, **settled}])
    assert numbers(outbox.batch(10, 10**6)) == [1, 2, 3]
    outbox.receive([outcome(1), outcome(2, "quarantined", None, replayed=True, settled=settled), outcome(3)])
    assert outbox.batch(10, 10**6) == [] and outbox.health()["unsent"] == 0


@pytest.mark.parametrize(("later", "state"), [("applied", "applied"), ("quarantined", "quarantined"),
                                              ("dismissed", None), ("something new", None)])
def test_news_settle_what_was_held(outbox, later, state):
    mutation_id, = make(outbox)
    outbox.receive([outcome(1, "held", None)])
    outbox.settle([{"id": mutation_id, "outcome": later, "version": None, "problem": None}])
    assert [made.state for made in outbox.made()] == [state] * (state is not None)


def test_what_a_restored_server_lost_waits_again(outbox):
    make(outbox, 4)
    outbox.receive([outcome(n) for n in (1, 2, 3)])
    outbox.close_applied()
    assert outbox.deliver_again(1) == 2
    assert numbers(outbox.batch(10, 10**6)) == [2, 3, 4]


def test_a_new_enrolment_numbers_anew_and_keeps_ids_and_order(store, outbox):
    ids = make(outbox, 4)
    outbox.receive([outcome(1), outcome(2, "held", None)])
    outbox.number_anew("device-2")
    store.put("device_id", "device-2")
    assert [(each.n, each.id) for each in outbox.batch(10, 10**6)] == [(1, ids[1]), (2, ids[2]), (3, ids[3])]
    make(outbox)
    assert numbers(outbox.batch(10, 10**6)) == [1, 2, 3, 4]


def test_the_health_counts_what_is_not_acknowledged(outbox):
    make(outbox, 2)
    size = sum(len(each.body) for each in outbox.batch(10, 10**6))
    health = outbox.health()
    assert (health["unsent"], health["unsent_bytes"]) == (2, size)
    assert health["oldest_unsent_at"] < health["device_time"]
    outbox.receive([outcome(1), outcome(2)])
    assert outbox.health()["oldest_unsent_at"] is None
