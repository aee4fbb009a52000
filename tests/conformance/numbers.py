"""Section 2: numbering, gaps, replays and forks."""

from __future__ import annotations

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import a_finding
from tests.conformance.office import Office
from tests.conformance.wire import granted, new_id, refused

holds = subject("push", "2")


@holds("n counts the device's mutations: dense, from 1")
def numbers_begin_with_one(office: Office) -> None:
    device = office.device()
    refused(device.push({**device.create("finding", a_finding()), "n": 0}), (400, 409, 422))
    device.give({**device.create("finding", a_finding()), "n": 1})


@holds("A push whose first n is above last_n + 1 gets 409 sequence_gap with expect")
def a_gap_is_refused_with_what_is_expected(office: Office) -> None:
    device = office.device()
    first, skipped, third = (device.create("finding", a_finding()) for _ in range(3))
    device.give(first)
    problem = refused(device.push(third), 409, "sequence_gap")
    must_be(problem.get("expect"), 2, "expect")
    must_be(device.hello()["device"]["last_n"], 1, "last_n")
    device.deliver(skipped, third)


@holds("Numbers inside a push are consecutive, else 422 batch_not_consecutive")
def numbers_inside_a_push_are_consecutive(office: Office) -> None:
    device = office.device()
    one, two, three = (device.create("finding", a_finding()) for _ in range(3))
    for batch in ((one, three), (two, one), (one, one)):
        refused(device.push(*batch), 422, "batch_not_consecutive")
    must_be(device.hello()["device"]["last_n"], 0, "last_n")


@holds("Answer 200 whenever envelope, signature and numbering are right; what is wrong with a single mutation is its "
       "outcome")
def only_bad_mutations_are_still_an_answer(office: Office) -> None:
    device = office.device()
    bad = [device.create("spaceship", {}), device.create("finding", {}), device.create("finding", {}, scope="999999")]
    must_be([outcome["outcome"] for outcome in device.deliver(*bad)], ["quarantined"] * 3, "outcomes")
    must_be(device.hello()["device"]["last_n"], 3, "last_n")


@holds('"last_n": 42, "epoch": "...", "server_time": "...", "checkpoint": "..."}')
def the_answer_tells_last_n_and_epoch(office: Office) -> None:
    device = office.device()
    answer = granted(device.push(device.create("finding", a_finding()), device.create("finding", a_finding())))
    must_have(answer, "outcomes last_n epoch server_time checkpoint", "the answer of a push")
    must_be((answer["last_n"], answer["epoch"]), (2, device.hello()["epoch"]), "last_n and epoch")


@holds("Sending the same n and id again returns the first outcome with replayed: true and changes nothing, for ever")
def replay_answers_the_first_outcome(office: Office) -> None:
    device = office.device()
    mutation = device.create("finding", a_finding())
    first = device.give(mutation)
    must_be(first["replayed"], False, "replayed at first")
    for _ in range(3):
        must_be(device.deliver(mutation)[0], {**first, "replayed": True}, "outcome of the replay")


@holds("Sending the same n and id again returns the first outcome with replayed: true and changes nothing, for ever")
def a_late_replay_changes_nothing(office: Office) -> None:
    device = office.device()
    mutation = device.create("finding", a_finding("第一"))
    first = device.give(mutation)
    edit = device.edit("finding", mutation["record_id"], 1, set={"text": "第二"})
    second = device.give(edit)
    device.give(device.deletion("finding", mutation["record_id"], 2))
    other = device.report()
    must_be(device.deliver(mutation, edit), [{**first, "replayed": True}, {**second, "replayed": True}], "replays")
    refused(device.owner.get(f"/records/finding/{mutation['record_id']}"), (404, 410))
    must_be(device.owner.record("finding", other)["version"], 1, "version of another record")
    must_be(device.hello()["device"]["last_n"], 4, "last_n")


@holds("Sending the same n and id again returns the first outcome with replayed: true and changes nothing, for ever")
def a_quarantined_one_is_replayed_too(office: Office) -> None:
    device = office.device()
    mutation = device.create("finding", a_finding(class_code="9876"))
    first = device.give(mutation, "quarantined")
    must_be(device.deliver(mutation)[0], {**first, "replayed": True}, "outcome of the replay")
    mine = [row for row in granted(device.get("/quarantine"))["items"] if row["n"] == mutation["n"]]
    must_be(len(mine), 1, "quarantined once:")


@holds("Sending the same n and id again returns the first outcome with replayed: true and changes nothing, for ever")
def a_replayed_conflict_opens_no_second(office: Office) -> None:
    left, right = office.pair()
    finding = left.report()
    right.give(right.edit("finding", finding, 1, set={"text": "右"}))
    mutation = left.edit("finding", finding, 1, set={"text": "左"})
    first = left.give(mutation, "conflicted")
    must_be(left.deliver(mutation)[0], {**first, "replayed": True}, "outcome of the replay")
    left.catch_up()
    about = [id for (type, id), row in left.rows.items()
             if type == "conflict" and row["fields"]["record_id"] == finding]
    must_be(len(about), 1, "conflict records:")


@holds("Sending the same n and id again returns the first outcome with replayed: true and changes nothing, for ever")
def a_push_may_begin_with_what_is_known(office: Office) -> None:
    device = office.device()
    known, new = (device.create("finding", a_finding()) for _ in range(2))
    device.give(known)
    came = device.deliver(known, new)
    must_be([outcome["replayed"] for outcome in came], [True, False], "replayed")


@holds("The same n or id with other content is 409 device_forked (action new_device")
def the_same_number_with_other_content_is_a_fork(office: Office) -> None:
    device = office.device()
    mutation = device.create("finding", a_finding("原来"))
    device.give(mutation)
    for changed in ({"set": {**mutation["set"], "text": "别的"}}, {"id": new_id()}):
        refused(device.push({**mutation, **changed}), 409, "device_forked", "new_device")
    must_be(device.owner.fields("finding", mutation["record_id"])["text"], "原来", "text")


@holds("The same n or id with other content is 409 device_forked (action new_device")
def the_same_id_with_other_content_is_a_fork(office: Office) -> None:
    device = office.device()
    mutation = device.create("finding", a_finding())
    device.give(mutation)
    again = {**mutation, "n": 2, "record_id": new_id(), "set": a_finding("别的")}
    refused(device.push(again), 409, "device_forked", "new_device")
    must_be(device.hello()["device"]["last_n"], 1, "last_n")


@holds("The same n or id with other content is 409 device_forked (action new_device")
def a_fork_applies_nothing_of_its_push(office: Office) -> None:
    device = office.device()
    first, fresh = (device.create("finding", a_finding()) for _ in range(2))
    device.give(first)
    refused(device.push({**first, "id": new_id()}, fresh), 409, "device_forked")
    refused(device.owner.get(f"/records/finding/{fresh['record_id']}"), 404)


@holds("the client enrols anew and re-numbers; nothing is dropped")
def after_a_fork_one_enrols_anew_and_nothing_is_doubled(office: Office) -> None:
    device = office.device()
    arrived = device.create("finding", a_finding())
    device.give(arrived)
    again = office.device(owner=device.owner)
    waiting = again.create("finding", a_finding("未送达"))
    came = again.deliver({**arrived, "n": 1}, {**waiting, "n": 2})
    must_be(came[1]["outcome"], "applied", "outcome of the undelivered one")
    must_be(device.owner.record("finding", arrived["record_id"])["version"], 1, "version of what had arrived")


@holds('"health": {"unsent": 12, "oldest_unsent_at": "...", "unsent_bytes": 0, "device_time": "..."}}')
def nothing_to_push_is_a_heartbeat(office: Office) -> None:
    device = office.device()
    answer = granted(device.push(health={"unsent": 0}))
    must_be((answer["outcomes"], answer["last_n"]), ([], 0), "outcomes and last_n")


@holds("The outcome, the record, its history, the log and last_n are committed together")
def what_is_answered_is_there_at_once(office: Office) -> None:
    device, reader = office.pair()
    reader.catch_up()
    mutation = device.create("finding", a_finding())
    outcome = device.give(mutation)
    record = device.owner.record("finding", mutation["record_id"])
    must_be(record["version"], outcome["version"], "version of the record")
    must_be([entry["version"] for entry in device.owner.history("finding", mutation["record_id"])], [1], "history")
    must(mutation["record_id"] in [change["id"] for change in reader.catch_up()], "the record in the log", "not there")
    must_be(device.hello()["device"]["last_n"], mutation["n"], "last_n")
