"""Section 2: what becomes of one mutation, groups, held ones, limits."""

from __future__ import annotations

import itertools
from typing import Any

from tests.conformance.checks import must, must_be, subject
from tests.conformance.device import EVENT, a_finding, place
from tests.conformance.office import Office
from tests.conformance.wire import granted, moment, new_id, refused

holds = subject("push", "2")
WRONG: list[Any] = [None, 7, True, "text", [], {}, {"a": 1}, ["x"], 10**18, "\u0000"]
MALFORMED: dict[str, tuple[dict[str, Any], str | None]] = {
    "a type that nobody knows": ({"type": "spaceship"}, "type_unknown"),
    "a creation without scope": ({"scope": None}, "scope_required"),
    "a scope that is no code": ({"scope": "999999999"}, None),
    "a class that nobody knows": ({"set": a_finding(class_code="9876")}, "class_unknown"),
    "no place": ({"set": {"observed_at": moment(), "class_scheme": EVENT, "class_code": "0504"}}, None),
    "no time of observation": ({"set": {"address": "武宜路2号"}}, None),
    "a time that is none": ({"set": a_finding(observed_at="yesterday")}, None),
    "a text that is a list": ({"set": {**a_finding(), "text": ["x"]}}, None),
    "a position off the earth": ({"set": a_finding(position=place(500, 91))}, None),
    "an op that nobody knows": ({"op": "explode"}, None),
    "a set that is no object": ({"set": "everything"}, None),
    "a record id that is none": ({"record_id": "../etc"}, None),
    "an unknown member": ({"colour": "red"}, None),
}


@holds("put (create when base is 0 and the record does not exist, else edit)")
def a_put_creates_and_edits(office: Office) -> None:
    device = office.device()
    finding = device.create("finding", a_finding("一"))
    must_be(device.give(finding)["version"], 1, "version")
    must_be(device.give(device.edit("finding", finding["record_id"], 1, set={"text": "二"}))["version"], 2, "version")
    record = device.owner.record("finding", finding["record_id"])
    must_be((record["version"], record["fields"]["text"]), (2, "二"), "version and text")


@holds("Only changed fields are named")
def an_edit_leaves_what_it_does_not_name(office: Office) -> None:
    device = office.device()
    finding = device.report(text="原来", address="武宜路2号", tags=["夜间"])
    device.give(device.edit("finding", finding, 1, set={"text": "后来"}))
    fields = device.owner.fields("finding", finding)
    must_be((fields["text"], fields["address"], fields["tags"]), ("后来", "武宜路2号", ["夜间"]), "fields")


@holds("delete (tombstone, with set.reason)")
def a_delete_leaves_a_tombstone_with_its_reason(office: Office) -> None:
    device = office.device()
    finding = device.report()
    must_be(device.give(device.deletion("finding", finding, 1, "拍错了"))["version"], 2, "version of the tombstone")
    refused(device.owner.get(f"/records/finding/{finding}"), (404, 410))
    history = device.owner.history("finding", finding)
    must("拍错了" in str(history), "the reason in the history", history)
    other = device.report()
    device.give({**device.deletion("finding", other, 1), "set": {}}, "quarantined")


@holds("scope is required when creating")
def a_creation_needs_a_scope(office: Office) -> None:
    device = office.device()
    device.give({**device.create("finding", a_finding()), "scope": None}, "quarantined", "scope_required")


@holds("A device's own later edits on top of its own unsent edits keep the same base; they never conflict with "
       "themselves")
def own_later_edits_keep_their_base(office: Office) -> None:
    device = office.device()
    created = device.create("finding", a_finding())
    edits = [device.edit("finding", created["record_id"], 0, set={"text": text}) for text in ("二", "三", "四")]
    came = device.deliver(created, *edits)
    must_be([each["version"] for each in came], [1, 2, 3, 4], "versions")
    must(all(each["outcome"] in ("applied", "merged") and not each["conflicts"] for each in came), "no conflict", came)
    must_be(device.owner.fields("finding", created["record_id"])["text"], "四", "text")


@holds("makes the consecutive mutations that carry it all-or-nothing")
def a_group_is_applied_whole(office: Office) -> None:
    device, group = office.device(), new_id()
    came = device.deliver(*(device.create("finding", a_finding(), group=group) for _ in range(3)))
    must_be([each["outcome"] for each in came], ["applied"] * 3, "outcomes of the group")


@holds("when one cannot be applied, all of them are quarantined, the others with code group_failed")
def a_group_with_one_bad_mutation_is_quarantined_whole(office: Office) -> None:
    device, group = office.device(), new_id()
    before = device.create("finding", a_finding())
    good, bad, late = (device.create("finding", fields, group=group) for fields in (a_finding(), {}, a_finding()))
    came = device.deliver(before, good, bad, late, device.create("finding", a_finding()))
    must_be([each["outcome"] for each in came], ["applied", *["quarantined"] * 3, "applied"], "outcomes")
    codes = [each["problem"]["code"] for each in came[1:4]]
    must(codes[0] == codes[2] == "group_failed" != codes[1], "group_failed for the others", codes)
    for mutation in (good, late):
        refused(device.owner.get(f"/records/finding/{mutation['record_id']}"), 404)


@holds("A group lies within one push")
def a_group_that_is_not_consecutive_is_never_half_applied(office: Office) -> None:
    device, group = office.device(), new_id()
    first, between = device.create("finding", a_finding(), group=group), device.create("finding", a_finding())
    answer = device.push(first, between, device.create("finding", {}, group=group))
    if answer.status_code == 200:
        kinds = [each["outcome"] for each in answer.json()["outcomes"]]
        must_be((kinds[0], kinds[2]), ("quarantined", "quarantined"), "both parts of the group")
    else:
        refused(answer, (400, 422))


@holds("not applied: not valid, not allowed, not in scope, unknown type. Kept whole, with problem, where a supervisor "
       "sees it")
def what_is_malformed_is_quarantined(office: Office) -> None:
    device = office.device()
    for case, (change, code) in MALFORMED.items():
        came = device.deliver({**device.create("finding", a_finding()), **change})[0]
        must(came["outcome"] == "quarantined" and came["problem"], f"{case}: quarantined with a problem", came)
        must(code is None or came["problem"]["code"] == code, f"{case}: {code}", came["problem"])


@holds("not applied: not valid, not allowed, not in scope, unknown type. Kept whole, with problem, where a supervisor "
       "sees it")
def what_is_not_in_scope_is_quarantined(office: Office) -> None:
    device = office.device()
    device.give(device.create("finding", a_finding(), scope=office.elsewhere), "quarantined", "out_of_scope")
    there = office.device(scopes=(office.elsewhere,)).report()
    device.give(device.edit("finding", there, 1, set={"text": "不归我管"}), "quarantined")


@holds("not applied: not valid, not allowed, not in scope, unknown type. Kept whole, with problem, where a supervisor "
       "sees it")
def what_is_not_allowed_is_quarantined(office: Office) -> None:
    auxiliary = office.device(roles=("auxiliary",))
    fields = {"kind": "order_now", "facts": "店外经营", "officers": [auxiliary.user["id"]]}
    auxiliary.give(auxiliary.create("enforcement", fields), "quarantined")
    inspector = office.device()
    finding = inspector.report()
    inspector.give(inspector.command("finding", finding, 1, "cancel", {"reason": "x"}), "quarantined")
    must_be(inspector.owner.fields("finding", finding)["status"], "reported", "status")


@holds("A mutation never blocks the next one")
def a_poison_mutation_delays_nobody(office: Office) -> None:
    device = office.device()
    members = ("type", "record_id", "op", "base", "scope", "set", "add", "remove", "group", "command", "made_at")
    for member in members:
        bad = [{**device.create("finding", a_finding()), member: value} for value in WRONG]
        good = device.create("finding", a_finding())
        answer = device.push(*bad, good)
        if answer.status_code != 200 and member == "group":  # groups belong to the envelope
            refused(answer, (400, 422))
            device.numbers = itertools.count(bad[0]["n"])
            continue
        outcomes = granted(answer)["outcomes"]
        must_be(outcomes[-1]["outcome"], "applied", f"outcome after mutations with a wrong {member}")


@holds("More than mutations_per_push is 413 batch_too_large")
def more_than_the_limit_is_too_large(office: Office) -> None:
    device = office.device()
    mutations = [device.create("finding", a_finding()) for _ in range(501)]
    refused(device.push(*mutations), 413, "batch_too_large")
    must_be(device.hello()["device"]["last_n"], 0, "last_n")
    must_be({each["outcome"] for each in device.deliver(*mutations[:500])}, {"applied"}, "outcomes of 500")


@holds("a single mutation over mutation_bytes is quarantined with mutation_too_large")
def a_mutation_too_large_is_quarantined(office: Office) -> None:
    device = office.device()
    came = device.deliver(*(device.create("finding", a_finding(remark=remark)) for remark in ("", "x" * 65_536, "")))
    must_be([each["outcome"] for each in came], ["applied", "quarantined", "applied"], "outcomes")
    must_be(came[1]["problem"]["code"], "mutation_too_large", "code")


@holds("push_bytes: 8388608")
def a_push_over_push_bytes_is_too_large(office: Office) -> None:
    device = office.device()
    # A server that refuses before it has read eight megabytes may close the line behind its answer (RFC 9112, 9.3).
    refused(device.send(b'{"mutations": [' + b" " * 8_388_608 + b"]}", Connection="close"), 413)


@holds("waits for a record it refers to; applied when that arrives, quarantined after 5 days")
def what_waits_is_held_and_then_applied(office: Office) -> None:
    parent, device = office.pair()
    creation = parent.create("finding", a_finding())
    child = device.capture(b"before its finding", creation["record_id"])
    first = device.give(child, "held")
    refused(device.owner.get(f"/records/evidence/{child['record_id']}"), 404)
    parent.give(creation)
    device.owner.record("evidence", child["record_id"])
    settled = {"outcome": "applied", "version": 1, "problem": None}
    must_be(device.deliver(child)[0], {**first, "replayed": True, "settled": settled}, "replay")


@holds("comes in settled of the next pull")
def what_was_settled_comes_with_the_next_pull(office: Office) -> None:
    parent, device = office.pair()
    creation = parent.create("finding", a_finding())
    child = device.capture(b"before its finding", creation["record_id"])
    device.give(child, "held")
    device.catch_up()
    must(child["id"] not in [news["id"] for news in device.settled], "nothing settled yet", device.settled)
    parent.give(creation)
    device.catch_up()
    news = [each for each in device.settled if each["id"] == child["id"]]
    must(len(news) == 1 and news[0]["n"] == child["n"], "one settled entry with n and id", device.settled)
    must_be((news[0].get("settled") or news[0])["outcome"], "applied", "what became of it")
    device.catch_up()
    must_be(len([each for each in device.settled if each["id"] == child["id"]]), 1, "told once:")


@holds("waits for a record it refers to; applied when that arrives, quarantined after 5 days")
def an_edit_that_overtakes_its_creation_waits(office: Office) -> None:
    author, reader = office.pair()
    creation = author.create("finding", a_finding("先到的后写"))
    edit = reader.edit("finding", creation["record_id"], 1, set={"address": "后来补的"})
    reader.give(edit, "held")
    author.give(creation)
    must_be(author.owner.fields("finding", creation["record_id"])["address"], "后来补的", "address")

