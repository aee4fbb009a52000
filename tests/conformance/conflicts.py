"""Sections 4 and 5: conflict records, deletions against edits, and resolution by each party."""

from __future__ import annotations

from typing import Any

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import Device
from tests.conformance.office import Office
from tests.conformance.wire import Parts, granted, refused

holds = subject("conflicts", "5")
RESOLVE = ('command resolve {choice: "theirs" | "mine" | "value", value?} by either writer, '
           "a reviewer or a supervisor in scope")
DELETION = "A delete against an edit: the record stays deleted, the edit is kept on the tombstone and a conflict opens"


class Dispute:
    """A finding whose text right set to 右 and left, later and without having seen it, to 左."""

    def __init__(self, office: Office) -> None:
        self.left, self.right = office.pair()
        self.finding = self.left.report(text="原来")
        self.right.give(self.right.edit("finding", self.finding, 1, set={"text": "右"}))
        came = self.left.give(self.left.edit("finding", self.finding, 1, set={"text": "左"}), "conflicted")
        must(len(came["conflicts"]) == 1, "one conflict", came)
        self.id = came["conflicts"][0]

    def text(self) -> str:
        return self.left.owner.fields("finding", self.finding)["text"]

    def record(self) -> Parts:
        return self.left.owner.record("conflict", self.id)

    def settle(self, device: Device, choice: Parts) -> Parts:
        return device.deliver(device.command("conflict", self.id, self.record()["version"], "resolve", choice))[0]


@holds("theirs is the value that stood when the mutation came, mine the value it brought, winner is theirs or mine")
def a_conflict_names_both_values(office: Office) -> None:
    dispute = Dispute(office)
    record = dispute.record()
    fields = record["fields"]
    must_have(fields, "record_type record_id field base theirs mine winner opened_at state", "a conflict")
    expected: dict[str, Any] = {"record_type": "finding", "record_id": dispute.finding, "field": "text", "base": "原来",
                                "theirs": "右", "mine": "左", "winner": "mine", "state": "open"}
    must_be({name: fields[name] for name in expected}, expected, "conflict")
    must_be(record["scope"], office.scope, "scope")


@holds("| conflict | server, one per overlap:")
def there_is_one_conflict_for_each_overlap(office: Office) -> None:
    left, right = office.pair()
    finding = left.report(text="原来", address="老地方")
    right.give(right.edit("finding", finding, 1, set={"text": "右", "address": "右边"}))
    came = left.give(left.edit("finding", finding, 1, set={"text": "左", "address": "左边"}), "conflicted")
    of = sorted(left.owner.fields("conflict", id)["field"] for id in came["conflicts"])
    must_be(of, ["address", "text"], "fields in conflict")


@holds("| conflict | server, one per overlap:")
def both_devices_pull_the_conflict(office: Office) -> None:
    dispute = Dispute(office)
    for device in (dispute.left, dispute.right):
        device.catch_up()
        row = device.rows.get(("conflict", dispute.id))
        must(row is not None and row["fields"]["theirs"] == "右", "the conflict in the pull", row)


@holds(RESOLVE)
def either_writer_resolves_it(office: Office) -> None:
    for party in ("left", "right"):
        for choice, text in (({"choice": "theirs"}, "右"), ({"choice": "mine"}, "左"),
                             ({"choice": "value", "value": "商定"}, "商定")):
            dispute = Dispute(office)
            must_be(dispute.settle(getattr(dispute, party), choice)["outcome"], "applied", f"outcome for {party}")
            must_be(dispute.text(), text, f"text after {party} chose {choice['choice']}")
            must(dispute.record()["fields"]["state"] != "open", "a settled conflict", dispute.record())


@holds("| bound | position; classification | merges as one value, never halves of two |")
def a_bound_value_is_resolved_whole(office: Office) -> None:
    left, right = office.pair()
    finding = left.report(severity="minor")
    right.give(right.edit("finding", finding, 1, set={"severity": "serious"}))
    came = left.give(left.edit("finding", finding, 1, set={"class_code": "0507"}), "conflicted")
    reviewer = office.person("reviewer")
    granted(reviewer.command("conflict", came["conflicts"][0], "resolve", {"choice": "theirs"}))
    fields = reviewer.fields("finding", finding)
    must_be((fields["class_code"], fields["severity"]), ("0504", "serious"), "class and severity of the other author")


@holds(RESOLVE)
def a_reviewer_or_a_supervisor_resolves_it(office: Office) -> None:
    for role in ("reviewer", "supervisor"):
        dispute = Dispute(office)
        granted(office.person(role).command("conflict", dispute.id, "resolve", {"choice": "theirs"}))
        must_be(dispute.text(), "右", f"text after a {role} chose theirs")


@holds(RESOLVE)
def a_stranger_does_not_resolve_it(office: Office) -> None:
    dispute = Dispute(office)
    stranger = office.device(who="stranger")
    refused(stranger.owner.command("conflict", dispute.id, "resolve", {"choice": "theirs"}), 403)
    must_be(dispute.settle(stranger, {"choice": "theirs"})["outcome"], "quarantined", "outcome for a stranger")
    foreign = office.person("supervisor", scopes=(office.elsewhere,))
    refused(foreign.command("conflict", dispute.id, "resolve", {"choice": "theirs"}), (403, 404))
    must_be((dispute.text(), dispute.record()["fields"]["state"]), ("左", "open"), "text and state")


@holds(RESOLVE)
def a_choice_that_is_none_is_refused(office: Office) -> None:
    dispute = Dispute(office)
    for choice in ({}, {"choice": "both"}, {"choice": "value"}):
        refused(office.person("supervisor").command("conflict", dispute.id, "resolve", choice), 422)


@holds(RESOLVE)
def it_is_resolved_once(office: Office) -> None:
    dispute, supervisor = Dispute(office), office.person("supervisor")
    granted(supervisor.command("conflict", dispute.id, "resolve", {"choice": "theirs"}))
    refused(supervisor.command("conflict", dispute.id, "resolve", {"choice": "mine"}), 409)
    must_be(dispute.text(), "右", "text")


@holds("the later arrival wins, the other value stands in the conflict record and can be restored by resolve")
def a_resolution_reaches_the_other_device(office: Office) -> None:
    dispute = Dispute(office)
    dispute.right.catch_up()
    dispute.settle(dispute.left, {"choice": "theirs"})
    dispute.right.catch_up()
    rows = dispute.right.rows
    must_be(rows["finding", dispute.finding]["fields"]["text"], "右", "text on the other device")
    state = rows["conflict", dispute.id]["fields"]["state"]
    must(state != "open", "the conflict settled on the other device", state)


@holds("the rule of section 5 decided, conflicts names the open conflict records, nothing is lost")
def every_value_is_in_row_or_conflict(office: Office) -> None:
    devices = [office.device(who=f"writer {i}") for i in range(4)]
    finding = devices[0].report(text="原来")
    for i, device in enumerate(devices):
        device.deliver(device.edit("finding", finding, 1, set={"text": f"值{i}"}))
    devices[0].catch_up()
    about = [row["fields"] for (type, _), row in devices[0].rows.items()
             if type == "conflict" and row["fields"]["record_id"] == finding]
    must_be(devices[0].rows["finding", finding]["fields"]["text"], "值3", "text of the last arrival")
    losers = sorted(fields["theirs"] for fields in about)
    must_be(losers, ["值0", "值1", "值2"], "every other value, in exactly one conflict:")


@holds(DELETION)
def an_edit_of_a_deleted_record_is_kept(office: Office) -> None:
    left, right = office.pair()
    finding = left.report()
    left.catch_up()
    right.give(right.deletion("finding", finding, 1))
    came = left.give(left.edit("finding", finding, 1, set={"text": "不能丢的话"}), "conflicted")
    must(len(came["conflicts"]) == 1, "one conflict", came)
    left.catch_up()
    must(("finding", finding) not in left.rows, "a record that stays deleted", "there again")
    conflict, history = left.owner.fields("conflict", came["conflicts"][0]), left.owner.history("finding", finding)
    must("不能丢的话" in str(conflict), "the edit in the conflict", conflict)
    must("不能丢的话" in str(history), "the edit on the tombstone", history)


@holds(DELETION)
def a_deletion_after_an_unseen_edit_opens_a_conflict(office: Office) -> None:
    left, right = office.pair()
    finding = left.report()
    right.give(right.edit("finding", finding, 1, set={"text": "右边改了"}))
    came = left.give(left.deletion("finding", finding, 1), "conflicted")
    must(len(came["conflicts"]) == 1, "one conflict", came)
    right.catch_up()
    must(("finding", finding) not in right.rows, "a deleted record", "still there")
    conflict = left.owner.fields("conflict", came["conflicts"][0])
    must("右边改了" in str(conflict), "the edit in the conflict", conflict)


@holds(DELETION)
def a_deleted_record_can_be_brought_back_with_its_edit(office: Office) -> None:
    left, right = office.pair()
    finding = left.report(text="原来")
    right.give(right.deletion("finding", finding, 1))
    came = left.give(left.edit("finding", finding, 1, set={"text": "不能丢的话"}), "conflicted")
    supervisor = office.person("supervisor")
    granted(supervisor.command("conflict", came["conflicts"][0], "resolve", {"choice": "mine"}))
    must_be(supervisor.fields("finding", finding)["text"], "不能丢的话", "text of the record that came back")
    right.catch_up()
    must(("finding", finding) in right.rows, "the record in the next pull", "not there")
