"""Conflicts that people settle: listed with both values and their authors, settled together, told to the author."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import Person, granted, refused

SCOPE, ELSEWHERE = "320412100", "320412102"


@pytest.fixture
def left(bureau: Bureau) -> Handheld:
    return bureau.handheld(owner=bureau.newcomer("inspector", scopes=(SCOPE,)))


@pytest.fixture
def right(bureau: Bureau) -> Handheld:
    return bureau.handheld(owner=bureau.newcomer("inspector", scopes=(SCOPE,)))


@pytest.fixture
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=("320412",))


def apart(left: Handheld, right: Handheld, **fields: str) -> tuple[str, list[str]]:
    """A finding, and the conflicts about fields that two people changed apart: first `甲…`, then `乙…`."""
    finding = left.report(SCOPE)
    first, later = ({name: who + value for name, value in fields.items()} for who in "甲乙")
    right.deliver(right.edit("finding", finding, 1, set=first))
    outcome, = left.deliver(left.edit("finding", finding, 1, set=later))
    assert outcome["outcome"] == "conflicted"
    return finding, outcome["conflicts"]


def listed(reader: Person, **asked: Any) -> list[dict[str, Any]]:
    return granted(reader.get("/conflicts", params=asked))["items"]


def settle(person: Person, record_id: str, *resolutions: dict[str, Any]) -> Any:
    return person.post(f"/conflicts/{record_id}/resolutions", {"resolutions": list(resolutions)})


def test_the_list_shows_both_values_their_authors_and_what_stands_now(left: Handheld, right: Handheld,
                                                                       supervisor: Person) -> None:
    finding, conflicts = apart(left, right, text="文字", address="地址")
    record, = listed(supervisor, record_id=finding)
    assert (record["record_type"], record["record_id"], record["scope"]) == ("finding", finding, SCOPE)
    assert [one["id"] for one in record["conflicts"]] == conflicts
    one = next(each for each in record["conflicts"] if each["field"] == "text")
    assert (one["theirs"], one["mine"], one["present"], one["winner"]) == ("甲文字", "乙文字", "乙文字", "mine")
    assert one["theirs_by"] | {"at": ""} == {"writer": right.id, "user_id": right.user["id"], "device_id": right.id,
                                             "at": ""}
    assert (one["mine_by"]["user_id"], one["mine_by"]["device_id"]) == (left.user["id"], left.id)
    assert one["may_settle"] is True


def test_the_list_is_filtered_by_place_type_person_and_age(left: Handheld, right: Handheld, bureau: Bureau,
                                                           supervisor: Person) -> None:
    finding, _ = apart(left, right, text="筛选")

    def found(**asked: Any) -> bool:
        return finding in {item["record_id"] for item in listed(supervisor, limit=200, **asked)}

    assert found(scope=SCOPE) and not found(scope=ELSEWHERE)
    assert found(record_type="finding") and not found(record_type="inspection")
    assert found(person=left.user["id"]) and found(person=right.user["id"])
    assert not found(person=supervisor.id)
    assert found(older_than_h=0) and not found(older_than_h=1)
    assert listed(bureau.person("supervisor", scopes=("320402001",)), record_id=finding) == []


def test_the_list_comes_in_pages(left: Handheld, right: Handheld, supervisor: Person) -> None:
    made = [apart(left, right, text=str(number))[0] for number in range(3)]
    seen, cursor = [], {}
    while True:
        page = granted(supervisor.get("/conflicts", params={"limit": 1, "person": left.user["id"], **cursor}))
        seen += [item["record_id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == made


def test_all_conflicts_of_a_record_are_settled_at_once(left: Handheld, right: Handheld, supervisor: Person) -> None:
    finding, (one, other) = apart(left, right, text="文字", address="地址")
    answer = granted(settle(supervisor, finding, {"id": one, "version": 1, "choice": "theirs"},
                            {"id": other, "version": 1, "choice": "value", "value": "丙地址"}))
    assert [each["outcome"] for each in answer["outcomes"]] == ["applied", "applied"]
    fields = supervisor.record("finding", finding)["fields"]
    assert (fields["text"], fields["address"]) == ("甲文字", "丙地址")
    assert listed(supervisor, record_id=finding) == []


def test_one_stale_conflict_settles_none(left: Handheld, right: Handheld, supervisor: Person) -> None:
    finding, (one, other) = apart(left, right, text="文字", address="地址")
    left.deliver(left.edit("finding", finding, 1, set={"address": "乙又改"}))      # folds into the open one
    answer = refused(settle(supervisor, finding, {"id": one, "version": 1, "choice": "theirs"},
                            {"id": other, "version": 1, "choice": "theirs"}), 409, "state_moved")
    assert answer["stale"] == [{"id": other, "version": 2, "state": "open"}]
    assert supervisor.record("finding", finding)["fields"]["text"] == "乙文字"
    assert len(listed(supervisor, record_id=finding)[0]["conflicts"]) == 2


def test_one_refused_value_settles_none(left: Handheld, right: Handheld, supervisor: Person) -> None:
    finding, (one, other) = apart(left, right, text="文字", address="地址")
    refused(settle(supervisor, finding, {"id": one, "version": 1, "choice": "theirs"},
                   {"id": other, "version": 1, "choice": "value", "value": 7}), 422, "field_invalid")
    assert len(listed(supervisor, record_id=finding)[0]["conflicts"]) == 2


def test_a_conflict_of_another_record_is_not_settled_along(left: Handheld, right: Handheld, supervisor: Person) -> None:
    finding, _ = apart(left, right, text="一")
    _, (foreign,) = apart(left, right, text="二")
    refused(settle(supervisor, finding, {"id": foreign, "version": 1, "choice": "theirs"}), 404, "not_found")
    refused(settle(supervisor, finding), 422)


def test_a_colleague_who_wrote_neither_value_does_not_settle(left: Handheld, right: Handheld, bureau: Bureau) -> None:
    finding, (one,) = apart(left, right, text="文字")
    inspector = bureau.person("inspector", scopes=(SCOPE,), who="neither")
    assert listed(inspector, record_id=finding)[0]["conflicts"][0]["may_settle"] is False
    refused(settle(inspector, finding, {"id": one, "version": 1, "choice": "theirs"}), 403, "role_forbidden")
    granted(settle(right.owner, finding, {"id": one, "version": 1, "choice": "theirs"}))


def test_the_author_learns_what_became_of_it_even_when_the_record_has_left_his_scope(
        left: Handheld, right: Handheld, supervisor: Person) -> None:
    finding, (one,) = apart(left, right, text="文字")
    left.catch_up()
    granted(supervisor.command("finding", finding, "move", {"scope": ELSEWHERE, "reason": "区划调整"}))
    granted(settle(supervisor, finding, {"id": one, "version": 2, "choice": "value", "value": "丙文字"}))
    page = granted(left.pull(left.cursor))
    told, = page["resolved"]
    assert (told["conflict_id"], told["record_id"], told["field"]) == (one, finding, "text")
    assert (told["choice"], told["value"], told["by"]) == ("value", "丙文字", supervisor.id)
    assert ("conflict", one) in {(change["type"], change["id"]) for change in page["changes"]
                                 if change["op"] == "forget"}
    assert granted(left.pull(page["cursor"]))["resolved"] == []
    right.catch_up()
    assert granted(right.pull(right.cursor))["resolved"] == []


def test_whoever_s_value_was_displaced_learns_of_it_too_also_by_a_pull_from_the_beginning(
        left: Handheld, right: Handheld, supervisor: Person, bureau: Bureau) -> None:
    right.catch_up()
    finding, (one,) = apart(left, right, text="文字")
    granted(settle(supervisor, finding, {"id": one, "version": 1, "choice": "theirs"}))
    for cursor in (right.cursor, None):
        assert [told["value"] for told in resolved(right, cursor) if told["conflict_id"] == one] == ["甲文字"]
    for other in (bureau.handheld(owner=right.owner), bureau.handheld(SCOPE)):  # enrolled since; another person
        assert one not in {told["conflict_id"] for told in resolved(other, None)}


def resolved(device: Handheld, cursor: str | None) -> list[dict[str, Any]]:
    """What all pages from this cursor on tell of conflicts."""
    told, more = [], True
    while more:
        page = granted(device.pull(cursor))
        told += page["resolved"]
        cursor, more = page["cursor"], page["more"]
    return told


def three(left: Handheld, right: Handheld, bureau: Bureau) -> tuple[str, list[str]]:
    """A finding whose text three people changed apart: 甲, 乙, 丙; and the conflicts (甲, 乙) and (乙, 丙)."""
    finding, (first,) = apart(left, right, text="")
    outcome, = (third := bureau.handheld(SCOPE)).deliver(third.edit("finding", finding, 1, set={"text": "丙"}))
    return finding, [first, *outcome["conflicts"]]


def test_choices_that_would_leave_two_values_in_one_place_settle_none(left: Handheld, right: Handheld, bureau: Bureau,
                                                                      supervisor: Person) -> None:
    finding, (one, other) = three(left, right, bureau)
    refused(settle(supervisor, finding, {"id": one, "version": 1, "choice": "theirs"},
                   {"id": other, "version": 1, "choice": "theirs"}), 422, "choice_invalid")
    assert supervisor.record("finding", finding)["fields"]["text"] == "丙"
    granted(settle(supervisor, finding, {"id": one, "version": 1, "choice": "theirs"},
                   {"id": other, "version": 1, "choice": "value", "value": "甲"}))
    assert supervisor.record("finding", finding)["fields"]["text"] == "甲"


def test_what_was_changed_since_it_was_looked_at_is_not_settled_over(left: Handheld, right: Handheld,
                                                                      supervisor: Person) -> None:
    finding, (one,) = apart(left, right, text="文字")
    seen = supervisor.record("finding", finding)["version"]
    granted(supervisor.edit("finding", finding, seen, set={"address": "别处"}))
    right.deliver(right.edit("finding", finding, seen + 1, set={"text": "已清理"}))
    given = {"resolutions": [{"id": one, "version": 1, "choice": "theirs"}], "record_version": seen}
    answer = refused(supervisor.post(f"/conflicts/{finding}/resolutions", given), 409, "state_moved")
    assert [stale["id"] for stale in answer["stale"]] == [one]
    assert supervisor.record("finding", finding)["fields"]["text"] == "已清理"
    granted(supervisor.post(f"/conflicts/{finding}/resolutions", {**given, "record_version": seen + 2}))


def test_a_device_does_not_settle_for_a_value_that_it_never_saw(left: Handheld, right: Handheld,
                                                                supervisor: Person) -> None:
    finding, (one,) = apart(left, right, text="文字")
    left.deliver(left.edit("finding", finding, 1, set={"text": "乙又改"}))
    outcome, = right.deliver(right.command("conflict", one, 1, "resolve", {"choice": "mine"}))
    assert (outcome["outcome"], outcome["problem"]["code"]) == ("quarantined", "state_moved")
    outcome, = right.deliver(right.command("conflict", one, 2, "resolve", {"choice": "mine"}))
    assert outcome["outcome"] == "applied"


def test_what_shall_stay_deleted_is_deleted_though_another_conflict_brought_it_back(
        left: Handheld, right: Handheld, bureau: Bureau, supervisor: Person) -> None:
    finding, third = left.report(SCOPE), bureau.handheld(SCOPE)
    left.deliver(left.remove("finding", finding, 1))
    (one,), (other,) = (device.deliver(device.edit("finding", finding, 1, set={field: "迟到"}))[0]["conflicts"]
                        for device, field in ((right, "text"), (third, "address")))
    keep, restore = ({"id": other, "version": 1, "choice": choice} for choice in ("theirs", "mine"))
    back = {"id": one, "version": 1, "choice": "mine"}
    refused(settle(supervisor, finding, back, keep), 422, "choice_invalid")
    granted(settle(supervisor, finding, back))
    assert supervisor.record("finding", finding)["fields"]["text"] == "迟到"
    granted(settle(supervisor, finding, keep))
    refused(supervisor.get(f"/records/finding/{finding}"), 404, "not_found")
    refused(settle(supervisor, finding, restore), 409, "state_moved")


def test_late_edits_that_contradict_each_other_do_not_bring_a_record_back_together(
        left: Handheld, right: Handheld, bureau: Bureau, supervisor: Person) -> None:
    finding, third = left.report(SCOPE), bureau.handheld(SCOPE)
    left.deliver(left.remove("finding", finding, 1))
    changes = {right: {"text": "乙", "address": "路口"}, third: {"text": "丙"},
               bureau.handheld(SCOPE): {"condition": "某状"}}
    (one,), (other,), (apart,) = (device.deliver(device.edit("finding", finding, 1, set=change))[0]["conflicts"]
                                  for device, change in changes.items())
    first, second, fitting = ({"id": each, "version": 1, "choice": "mine"} for each in (one, other, apart))
    problem = refused(settle(supervisor, finding, first, second), 422, "choice_invalid")
    assert list(problem["errors"]) == ["text"]
    granted(settle(supervisor, finding, first, fitting))
    fields = supervisor.record("finding", finding)["fields"]
    assert (fields["text"], fields["address"], fields["condition"]) == ("乙", "路口", "某状")


def test_a_third_value_that_is_not_said_empties_nothing(left: Handheld, right: Handheld, supervisor: Person) -> None:
    finding, (one,) = apart(left, right, text="文字")
    unsaid = {"id": one, "version": 1, "choice": "value"}
    refused(settle(supervisor, finding, unsaid), 422, "choice_invalid")
    assert supervisor.record("finding", finding)["fields"]["text"] == "乙文字"
    granted(settle(supervisor, finding, {**unsaid, "value": None}))
    assert "text" not in supervisor.record("finding", finding)["fields"]


def test_repeats_of_one_writer_are_one_conflict_and_all_values_stay(left: Handheld, right: Handheld,
                                                                    supervisor: Person) -> None:
    finding, (one,) = apart(left, right, text="一")
    for value in ("乙二", "乙三"):
        outcome, = left.deliver(left.edit("finding", finding, 1, set={"text": value}))
        assert outcome["conflicts"] == [one]
    kept, = listed(supervisor, record_id=finding)[0]["conflicts"]
    assert (kept["theirs"], kept["mine"], kept["version"]) == ("甲一", "乙三", 3)
    history = granted(supervisor.get(f"/records/conflict/{one}/history"))["items"]
    assert [entry["changed"]["mine"]["to"] for entry in history] == ["乙一", "乙二", "乙三"]


def test_a_conflict_over_what_was_not_there_or_was_cleared_says_null(left: Handheld, right: Handheld,
                                                                    supervisor: Person) -> None:
    finding = left.report(SCOPE)
    right.deliver(right.edit("finding", finding, 1, set={"condition": "甲"}))
    (conflict,), = (outcome["conflicts"] for outcome in left.deliver(
        left.edit("finding", finding, 1, set={"condition": None})))
    left.catch_up()
    for fields in (left.rows["conflict", conflict]["fields"], supervisor.record("conflict", conflict)["fields"]):
        assert (fields["base"], fields["theirs"], fields["mine"]) == (None, "甲", None)
    granted(settle(supervisor, finding, {"id": conflict, "version": 1, "choice": "mine"}))
    assert "condition" not in supervisor.record("finding", finding)["fields"]
    assert supervisor.record("conflict", conflict)["fields"]["mine"] is None


def test_edits_of_a_deleted_record_are_one_conflict(left: Handheld, right: Handheld, supervisor: Person) -> None:
    finding = left.report(SCOPE)
    right.deliver(right.remove("finding", finding, 1))
    outcomes = left.deliver(left.edit("finding", finding, 1, set={"text": "不能丢"}),
                            left.edit("finding", finding, 1, set={"address": "也不能丢"}))
    assert outcomes[0]["conflicts"] == outcomes[1]["conflicts"]
    kept, = listed(supervisor, record_id=finding)[0]["conflicts"]
    assert kept["mine"] == {"text": "不能丢", "address": "也不能丢"}
    granted(settle(supervisor, finding, {"id": kept["id"], "version": kept["version"], "choice": "mine"}))
    fields = supervisor.record("finding", finding)["fields"]
    assert (fields["text"], fields["address"]) == ("不能丢", "也不能丢")


def test_a_command_that_is_sent_again_is_one_conflict(left: Handheld, right: Handheld, supervisor: Person) -> None:
    finding = left.report(SCOPE)
    granted(supervisor.command("finding", finding, "cancel", {"reason": "误报"}))
    for _ in range(2):
        outcome, = left.deliver(left.command("finding", finding, 1, "cancel", {"reason": "重复"},
                                             {"status": "reported"}))
        assert outcome["outcome"] == "conflicted", outcome
    assert len(listed(supervisor, record_id=finding)[0]["conflicts"]) == 1
