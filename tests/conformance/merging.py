"""Section 5: the merge rules, rule by rule, as two writers meet them."""

from __future__ import annotations

from typing import Any

from tests.conformance.checks import must, must_be, subject
from tests.conformance.device import Device, place
from tests.conformance.office import Office
from tests.conformance.wire import Parts, moment, new_id, sha256

holds = subject("merge", "5")
SET_CASES: dict[str, tuple[list[str], Parts, Parts, set[str]]] = {  # at base, theirs, mine, expected
    "two adds": (["a"], {"add": {"tags": ["b"]}}, {"add": {"tags": ["c"]}}, {"a", "b", "c"}),
    "an add and a remove of others": (["a"], {"remove": {"tags": ["a"]}}, {"add": {"tags": ["b"]}}, {"b"}),
    "remove, then add": (["a"], {"remove": {"tags": ["a"]}}, {"add": {"tags": ["a"]}}, {"a"}),
    "add, then remove": (["a"], {"add": {"tags": ["a"]}}, {"remove": {"tags": ["a"]}}, {"a"}),
    "two removes": (["a", "b"], {"remove": {"tags": ["a"]}}, {"remove": {"tags": ["a"]}}, {"b"}),
}


def apart(left: Device, right: Device, id: str, theirs: Parts, mine: Parts, *, type: str = "finding",
          base: int = 1) -> Parts:
    """Right's edit, then left's on the same base; left's outcome."""
    right.give(right.edit(type, id, base, **theirs))
    return left.deliver(left.edit(type, id, base, **mine))[0]


@holds("A field conflicts when another writer changed it after base and the values differ. Otherwise both stay")
def edits_of_different_fields_are_merged(office: Office) -> None:
    left, right = office.pair()
    finding = left.report()
    came = apart(left, right, finding, {"set": {"address": "右边的地址"}}, {"set": {"text": "左边的说明"}})
    must_be((came["outcome"], came["version"], came["conflicts"]), ("merged", 3, []), "outcome, version, conflicts")
    fields = left.owner.fields("finding", finding)
    must_be((fields["address"], fields["text"]), ("右边的地址", "左边的说明"), "both fields")


@holds("A field conflicts when another writer changed it after base and the values differ. Otherwise both stay")
def equal_values_never_conflict(office: Office) -> None:
    left, right = office.pair()
    finding = left.report()
    came = apart(left, right, finding, {"set": {"text": "一样"}}, {"set": {"text": "一样"}})
    must(came["outcome"] in ("applied", "merged") and not came["conflicts"], "no conflict over equal values", came)


@holds("A field conflicts when another writer changed it after base and the values differ. Otherwise both stay")
def whoever_saw_the_other_edit_does_not_conflict(office: Office) -> None:
    left, right = office.pair()
    finding = left.report()
    right.give(right.edit("finding", finding, 1, set={"text": "右"}))
    must_be(left.give(left.edit("finding", finding, 2, set={"text": "左"}))["conflicts"], [], "conflicts")


@holds("A field conflicts when another writer changed it after base and the values differ. Otherwise both stay")
def a_writer_never_conflicts_with_itself(office: Office) -> None:
    left, right = office.pair()
    finding = left.report()
    right.give(right.edit("finding", finding, 1, set={"address": "别处"}))
    for text in ("一", "二", "三"):
        came = left.deliver(left.edit("finding", finding, 1, set={"text": text}))[0]
        must(not came["conflicts"], "no conflict with own edits", came)
    must_be(left.owner.fields("finding", finding)["text"], "三", "text")


@holds("A writer is a device, or a person on the web")
def two_devices_of_one_person_are_two_writers(office: Office) -> None:
    left = office.device()
    right = office.device(owner=left.owner)
    finding = left.report()
    came = apart(left, right, finding, {"set": {"text": "右"}}, {"set": {"text": "左"}})
    must_be((came["outcome"], len(came["conflicts"])), ("conflicted", 1), "outcome and conflicts")


@holds("| latest | scalars | the later arrival wins, the other value stands in the conflict record and can be restored "
       "by resolve |")
def of_two_scalars_the_later_arrival_wins(office: Office) -> None:
    left, right = office.pair()
    finding = left.report(text="原来")
    came = apart(left, right, finding, {"set": {"text": "右"}}, {"set": {"text": "左"}})
    must_be((came["outcome"], len(came["conflicts"])), ("conflicted", 1), "outcome and conflicts")
    must_be(left.owner.fields("finding", finding)["text"], "左", "text")


@holds("A time a device claims is data; order never depends on it")
def clocks_change_no_winner(office: Office) -> None:
    left, right = office.pair()
    finding = left.report()
    right.give({**right.edit("finding", finding, 1, set={"text": "右"}), "made_at": "2099-01-01T00:00:00.000Z"})
    left.give({**left.edit("finding", finding, 1, set={"text": "左"}), "made_at": "1999-01-01T00:00:00.000Z"},
              "conflicted")
    must_be(left.owner.fields("finding", finding)["text"], "左", "text of the later arrival")


@holds("| bound | position; classification | merges as one value, never halves of two |")
def a_position_is_never_half_of_two(office: Office) -> None:
    left, right = office.pair()
    finding = left.report(position=place(119.90, 31.60))
    theirs, mine = place(119.91, 31.61, accuracy_m=20), place(119.92, 31.62, accuracy_m=5)
    came = apart(left, right, finding, {"set": {"position": theirs}}, {"set": {"position": mine}})
    must_be(came["outcome"], "conflicted", "outcome")
    kept = left.owner.fields("finding", finding)["position"]
    must_be({name: kept[name] for name in mine}, mine, "position of the later arrival, whole:")


@holds("| bound | position; classification | merges as one value, never halves of two |")
def a_classification_is_never_half_of_two(office: Office) -> None:
    left, right = office.pair()
    finding = left.report(severity="minor")
    came = apart(left, right, finding, {"set": {"severity": "serious"}}, {"set": {"class_code": "0507"}})
    must_be(came["outcome"], "conflicted", "outcome")
    fields = left.owner.fields("finding", finding)
    pair = (fields["class_code"], fields["severity"])
    must(pair in {("0507", "minor"), ("0504", "serious")}, "class and severity of one author", pair)


@holds("| set | tags, officers | add / remove; an add and a concurrent remove of the same member: the add wins |")
def sets_merge_by_member(office: Office) -> None:
    left, right = office.pair()
    for case, (base, theirs, mine, expected) in SET_CASES.items():
        finding = left.report(tags=base)
        came = apart(left, right, finding, theirs, mine)
        must_be(came["conflicts"], [], f"conflicts of {case}")
        must_be(set(left.owner.fields("finding", finding)["tags"]), expected, f"tags after {case}")


@holds("| map | answers, duties | per key, then as latest |")
def maps_merge_by_key(office: Office) -> None:
    left, right = office.pair()
    inspection = left.create("inspection", {"started_at": moment(-600), "answers": {"a1": {"value": "pass"}}})
    left.give(inspection)
    id, passed, failed = inspection["record_id"], {"value": "pass", "note": "左"}, {"value": "fail", "note": "右"}
    came = apart(left, right, id, {"set": {"answers": {"a2": failed}}}, {"set": {"answers": {"a3": passed}}},
                 type="inspection")
    must_be((came["outcome"], came["conflicts"]), ("merged", []), "outcome and conflicts of other keys")
    clash = left.give(left.edit("inspection", id, 1, set={"answers": {"a2": passed}}), "conflicted")
    must_be(len(clash["conflicts"]), 1, "conflicts over one key:")
    conflict = left.owner.fields("conflict", clash["conflicts"][0])
    must_be((conflict["theirs"], conflict["mine"]), (failed, passed), "theirs and mine")
    answers = left.owner.fields("inspection", id)["answers"]
    must_be({key: answers[key]["value"] for key in sorted(answers)}, {"a1": "pass", "a2": "pass", "a3": "pass"},
            "answers")


@holds("| append | points | union, by point id |")
def points_are_united_by_id(office: Office) -> None:
    left, right = office.pair()
    points = [{"id": new_id(), "at": moment(-60), "lon": 119.9, "lat": 31.7, "crs": "EPSG:4326", "accuracy_m": 5}
              for _ in range(4)]
    track = left.create("track", {}, add={"points": points[:2]})
    left.give(track)
    came = apart(left, right, track["record_id"], {"add": {"points": points[1:3]}}, {"add": {"points": points[2:]}},
                 type="track")
    must_be(came["conflicts"], [], "conflicts")
    kept = [point["id"] for point in left.owner.fields("track", track["record_id"])["points"]]
    must_be(sorted(kept), sorted(point["id"] for point in points), "points, each once,")


@holds("| guarded | status and what commands change | a command whose expect no longer holds is not applied and opens "
       "a conflict |")
def a_command_whose_expectation_fails_opens_a_conflict(office: Office) -> None:
    first, second = (office.device(roles=("supervisor",), who=who) for who in ("", "second"))
    finding = office.device().report()
    expect, why = {"status": "reported"}, {"reason": "重复"}
    first.give(first.command("finding", finding, 1, "cancel", why, expect))
    came = second.give(second.command("finding", finding, 1, "refuse", why, expect), "conflicted")
    must(len(came["conflicts"]) == 1, "one conflict", came)
    must_be(first.owner.fields("finding", finding)["status"], "cancelled", "status")


@holds("| once | sha256, sealed fields | the first value stands; a later one becomes an amendment or is quarantined |")
def the_digest_of_a_photo_is_given_once(office: Office) -> None:
    left, right = office.pair()
    shot = left.capture(b"first bytes", left.report())
    left.give(shot)
    came = right.deliver(right.edit("evidence", shot["record_id"], 1, set={"sha256": sha256(b"other bytes")}))[0]
    must_be(left.owner.fields("evidence", shot["record_id"])["sha256"], sha256(b"first bytes"), "sha256")
    kept: list[Any] = [came, right.get("/quarantine").text]
    kept += [left.owner.record("conflict", id) for id in came["conflicts"]]
    must(sha256(b"other bytes") in str(kept), "the later value kept", kept[:1])


@holds("| server | derived fields | the client's value is ignored |")
def derived_fields_never_conflict(office: Office) -> None:
    left, right = office.pair()
    finding = left.report()
    came = apart(left, right, finding, {"set": {"status": "closed", "text": "右"}}, {"set": {"status": "filed"}})
    must(not came["conflicts"] and came["outcome"] in ("applied", "merged"), "no conflict over a derived field", came)
    must_be(left.owner.fields("finding", finding)["status"], "reported", "status")


@holds("A field the server does not know is kept and given back")
def unknown_fields_merge_like_scalars(office: Office) -> None:
    left, right = office.pair()
    finding = left.report(weather="晴")
    came = apart(left, right, finding, {"set": {"weather": "雨"}}, {"set": {"weather": "雪"}})
    must_be((came["outcome"], len(came["conflicts"])), ("conflicted", 1), "outcome and conflicts")
    must_be(left.owner.fields("finding", finding)["weather"], "雪", "weather")


@holds("Two devices that report the same thing (class, place, time): both stay, each lists the other in duplicates")
def two_reports_of_one_thing_both_stay(office: Office) -> None:
    left, right = office.pair()
    serial = int(new_id().replace("-", "")[-6:], 16)
    spot, seen = place(110 + serial / 2**24, 25.5 + serial % 997 / 1000), moment(-30)
    one, two = left.report(position=spot, observed_at=seen), right.report(position=spot, observed_at=seen)
    fields = {id: left.owner.fields("finding", id) for id in (one, two)}
    must(two in (fields[one].get("duplicates") or []) and one in (fields[two].get("duplicates") or []),
         "each in the duplicates of the other", {id: each.get("duplicates") for id, each in fields.items()})
