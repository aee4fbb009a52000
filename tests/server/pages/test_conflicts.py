"""The page of conflicts: every value beside the others, what stands now, one answer for all conflicts of a question."""

from __future__ import annotations

import re
from typing import Any

import pytest

from server.pages import conflicts
from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import PLACE, SCOPE, Visitor, said
from tests.wire import EVENT, Person, granted, position

HIDDEN = re.compile(r'<input type="hidden" name="((?:version\.|seen).*?)" value="(.*?)">')
STANDS = "现在生效"
MOVED = "记录现值又有变化"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the page hands to the API, call by call."""
    calls: list[dict[str, Any]] = []
    settle = conflicts.settle
    monkeypatch.setattr(conflicts, "settle", lambda record_id, given: calls.append(given) or settle(record_id, given))
    return calls


def apart(office: Indoors, device: Handheld, *sets: dict[str, Any], **fields: Any) -> tuple[str, list[str]]:
    """A finding that inspectors edited apart, the first of `sets` by the first of them; the conflicts."""
    finding = device.report(SCOPE, **fields)
    found: list[str] = []
    for who, change in enumerate(sets):
        other = office.handheld(SCOPE, who=f"第{who}人")
        outcome, = other.deliver(other.edit("finding", finding, 1, set=change))
        found += outcome["conflicts"]
    return finding, found


def hidden(page: str) -> dict[str, str]:
    return dict(HIDDEN.findall(page))


def answers(page: str) -> list[tuple[str, str]]:
    """(name, all that is said of it) of each answer on the page, in their order."""
    return re.findall(r'class="side-value.*?value="(\S+?)" data-key(.*?)</label>', page, re.S)


def standing(page: str) -> list[str]:
    return [name for name, text in answers(page) if STANDS in text]


def test_a_conflict_shows_both_values_and_is_settled(office: Indoors, visitor: Visitor, device: Handheld,
                                                   supervisor: Person) -> None:
    finding, (conflict,) = apart(office, device, {"text": "甲的描述"}, {"text": "乙的描述"}, text="原来的描述")
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    assert all(text in page for text in ("原来的描述", "甲的描述", "乙的描述", f"choice.{conflict}", "测试机"))
    assert f"/conflicts?about_id={finding}" in visitor.see(f"/records/finding/{finding}")
    third = {f"choice.{conflict}": "value", f"value.{conflict}": "丙的描述", **hidden(page)}
    said(visitor.send(f"/conflicts/{finding}", hidden(page)), 422, "请先选择")
    said(visitor.send(f"/conflicts/{finding}", {**third, f"choice.{conflict}": "mine.x"}), 422, "没有这个选项")
    assert visitor.send(f"/conflicts/{finding}", third).status_code == 303
    assert device.owner.record("finding", finding)["fields"]["text"] == "丙的描述"
    said(visitor.send(f"/conflicts/{finding}", third), 409, "状态已变化")


@pytest.mark.parametrize(("chosen", "text", "choices"), [
    (0, "甲", ["theirs", "甲"]), (1, "乙", ["mine", "theirs"]), (2, "丙", ["丙", "mine"]), (None, "丁", ["丁", "丁"])])
def test_three_values_of_one_field_are_one_question_with_one_answer(
        office: Indoors, visitor: Visitor, device: Handheld, supervisor: Person, sent: list[dict[str, Any]],
        chosen: int | None, text: str, choices: list[str]) -> None:
    finding, (first, second) = apart(office, device, {"text": "甲"}, {"text": "乙"}, {"text": "丙"})
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    names = [name for name, _ in answers(page)]
    assert names == [f"theirs.{first}", f"mine.{first}", f"mine.{second}"]
    assert standing(page) == [f"mine.{second}"]
    choice = {f"choice.{first}": "value", f"value.{first}": text} if chosen is None else \
        {f"choice.{first}": names[chosen]}
    assert visitor.send(f"/conflicts/{finding}", {**hidden(page), **choice}).status_code == 303
    record = supervisor.record("finding", finding)
    assert record["fields"]["text"] == text
    given, = sent
    assert [one.get("value", one["choice"]) for one in given["resolutions"]] == choices
    assert given["record_version"] == 4, "the version that was looked at"
    assert not granted(supervisor.get("/conflicts", params={"record_id": finding}))["items"]


def test_what_is_too_much_for_one_call_waits_for_the_next(
        office: Indoors, visitor: Visitor, device: Handheld, supervisor: Person,
        monkeypatch: pytest.MonkeyPatch) -> None:
    finding, (first, second) = apart(office, device, {"text": "甲"}, {"text": "乙"}, {"text": "丙"})
    monkeypatch.setattr(conflicts, "MOST", 1)
    visitor.signed_in(supervisor)
    for conflict in (first, second):
        page = visitor.see("/conflicts", about_id=finding)
        choice = {f"choice.{conflict}": "value", f"value.{conflict}": "丁", **hidden(page)}
        assert visitor.send(f"/conflicts/{finding}", choice).status_code == 303
    assert "丁" not in visitor.see("/conflicts", about_id=finding)


@pytest.mark.parametrize("number", ["x", "0", "9" * 5000])
def test_a_version_that_is_none_is_refused(office: Indoors, visitor: Visitor, device: Handheld, supervisor: Person,
                                         number: str) -> None:
    finding, (conflict,) = apart(office, device, {"text": "甲"}, {"text": "乙"})
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    for name in hidden(page):
        wrong = {**hidden(page), f"choice.{conflict}": f"theirs.{conflict}", name: number}
        said(visitor.send(f"/conflicts/{finding}", wrong), 422, "请更正")


def test_a_filter_by_person_shows_the_whole_question(office: Indoors, visitor: Visitor, device: Handheld,
                                                   supervisor: Person) -> None:
    finding, _ = apart(office, device, {"text": "甲"}, {"text": "乙"}, {"text": "丙"})
    first = office.person("inspector", scopes=(SCOPE,), who="第0人")
    assert len(answers(visitor.signed_in(supervisor).see("/conflicts", about_id=finding, person=first.id))) == 3


def test_who_may_settle_some_conflicts_of_a_question_settles_those(
        office: Indoors, visitor: Visitor, device: Handheld, sent: list[dict[str, Any]]) -> None:
    finding, (first, second) = apart(office, device, {"text": "甲"}, {"text": "乙"}, {"text": "丙"})
    page = visitor.signed_in(office.person("inspector", scopes=(SCOPE,), who="第0人")).see(
        "/conflicts", about_id=finding)
    assert "须由他人裁决" in page
    choice = {f"choice.{first}": f"mine.{second}"}
    assert visitor.send(f"/conflicts/{finding}", {**hidden(page), **choice}).status_code == 303
    assert [one["id"] for one in sent[0]["resolutions"]] == [first]


def test_the_mark_stands_on_the_value_that_stands_now(office: Indoors, visitor: Visitor, device: Handheld,
                                                    supervisor: Person) -> None:
    finding, (conflict,) = apart(office, device, {"text": "甲"}, {"text": "乙"})
    assert "原值" in visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    assert standing(visitor.see("/conflicts", about_id=finding)) == [f"mine.{conflict}"]
    granted(supervisor.edit("finding", finding, 3, set={"text": "甲"}))
    page = visitor.see("/conflicts", about_id=finding)
    assert standing(page) == [f"theirs.{conflict}"] and MOVED not in page
    granted(supervisor.edit("finding", finding, 4, set={"text": "丁"}))
    page = visitor.see("/conflicts", about_id=finding)
    assert standing(page) == [] and MOVED in page


def deleted(office: Indoors, device: Handheld) -> tuple[str, list[str]]:
    """A finding that one deleted and two edited, one before and one after."""
    finding, _ = apart(office, device, {"text": "甲"}, text="原来的描述")
    before, = device.deliver(device.remove("finding", finding, 1))
    late = office.handheld(SCOPE, who="晚到的人")
    after, = late.deliver(late.edit("finding", finding, 1, set={"address": "晚到的地址"}))
    return finding, before["conflicts"] + after["conflicts"]


@pytest.mark.parametrize(("side", "choices"), [(0, ["theirs", "mine"]), (1, ["mine", "theirs"])])
def test_a_deletion_against_edits_is_one_question(
        office: Indoors, visitor: Visitor, device: Handheld, supervisor: Person, sent: list[dict[str, Any]], side: int,
        choices: list[str]) -> None:
    finding, (first, _) = deleted(office, device)
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    back, stay = answers(page)
    assert "恢复并采用修改" in back[1] and "甲" in back[1] and "晚到的地址" in back[1]
    assert "保持删除" in stay[1] and standing(page) == [stay[0]]
    choice = {f"choice.{first}": (back, stay)[side][0]}
    assert visitor.send(f"/conflicts/{finding}", {**hidden(page), **choice}).status_code == 303
    assert [one["choice"] for one in sent[0]["resolutions"]] == choices
    answer = supervisor.get(f"/records/finding/{finding}")
    if side == 0:
        assert granted(answer)["fields"] | {"text": "甲", "address": "晚到的地址"} == granted(answer)["fields"]
    else:
        assert answer.status_code == 404 or answer.json()["deleted"]


def test_a_record_that_came_back_meanwhile_is_said(office: Indoors, visitor: Visitor, device: Handheld,
                                                 supervisor: Person) -> None:
    finding, (first, second) = deleted(office, device)
    granted(supervisor.post(f"/conflicts/{finding}/resolutions", {"resolutions": [
        {"id": first, "version": 1, "choice": "theirs"}]}))
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    assert "记录现已恢复" in page and standing(page) == []
    assert "再次删除" in page and "保持删除" not in page
    assert [name for name, _ in answers(page)] == [f"theirs.{second}", f"mine.{second}"]
    choice = {f"choice.{second}": f"mine.{second}", **hidden(page)}
    assert visitor.send(f"/conflicts/{finding}", choice).status_code == 303
    assert supervisor.record("finding", finding)["fields"]["address"] == "晚到的地址"


def test_a_command_stays_a_question_of_its_own(office: Indoors, visitor: Visitor, device: Handheld,
                                             supervisor: Person) -> None:
    finding, boss = device.report(SCOPE), office.handheld(SCOPE, roles=("supervisor",))
    late = [boss.command("finding", finding, 1, "cancel", {"reason": "误报"}, {"status": "filed"}) for _ in range(2)]
    outcomes = boss.deliver(*late)
    found = {one for outcome in outcomes for one in outcome["conflicts"]}
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    assert len(answers(page)) == 2 * len(found)
    assert all(name.startswith("theirs.") for name in standing(page)) and standing(page)
    assert "保持现状" in page and "执行命令" in page


def test_a_conflict_over_a_first_class_says_that_there_was_none(office: Indoors, visitor: Visitor, device: Handheld,
                                                              supervisor: Person) -> None:
    none = {"class_scheme": None, "class_code": None}
    finding, (conflict,) = apart(office, device, {"severity": "重"}, {
        "class_scheme": EVENT, "class_code": "0504", "severity": "轻"}, **none)
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    assert "None" not in page
    assert re.sub("<option.*?</option>", "", page).count("无类别") == 2, "before, and in the other's value"
    assert "None" not in visitor.see(f"/records/finding/{finding}")
    third = {f"choice.{conflict}": "value", f"value.{conflict}": f"{EVENT}|0101", f"value.{conflict}.severity": "中"}
    assert visitor.send(f"/conflicts/{finding}", {**hidden(page), **third}).status_code == 303
    fields = supervisor.record("finding", finding)["fields"]
    assert (fields["class_code"], fields["severity"]) == ("0101", "中")


def test_a_third_place_is_given_in_degrees(office: Indoors, visitor: Visitor, device: Handheld,
                                         supervisor: Person) -> None:
    finding, (conflict,) = apart(
        office, device, *({"position": position(PLACE[0] + step, PLACE[1], "GCJ-02")} for step in (1e-3, -1e-3)),
        position=position(*PLACE))
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    assert "相距" in page and '<option value="GCJ-02" selected>' in page
    third = {f"choice.{conflict}": "value", f"value.{conflict}.lon": "119.95", f"value.{conflict}.lat": "",
             f"value.{conflict}.crs": "GCJ-02", **hidden(page)}
    said(visitor.send(f"/conflicts/{finding}", third), 422, "请填写第三个值")
    assert visitor.send(f"/conflicts/{finding}", {**third, f"value.{conflict}.lat": "31.8"}).status_code == 303
    stands = supervisor.record("finding", finding)["fields"]["position"]
    assert (stands["lon"], stands["lat"], stands["crs"]) == (119.95, 31.8, "GCJ-02")


def test_a_third_time_is_given_on_the_clock_of_beijing(office: Indoors, visitor: Visitor, device: Handheld,
                                                     supervisor: Person) -> None:
    finding, (conflict,) = apart(office, device, *({"observed_at": f"2026-11-2{day}T18:59:47.496Z"} for day in (1, 2)))
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    assert 'type="datetime-local" step="1"' in page and 'value="2026-11-23T02:59:47"' in page
    third = {f"choice.{conflict}": "value", f"value.{conflict}": "2026-11-22T08:30:01", **hidden(page)}
    assert visitor.send(f"/conflicts/{finding}", third).status_code == 303
    assert supervisor.record("finding", finding)["fields"]["observed_at"] == "2026-11-22T00:30:01.000Z"


def test_a_text_is_left_empty_only_by_choice(office: Indoors, visitor: Visitor, device: Handheld,
                                           supervisor: Person) -> None:
    finding, (conflict,) = apart(office, device, {"text": "甲"}, {"text": "乙"})
    page = visitor.signed_in(supervisor).see("/conflicts", about_id=finding)
    blank = {f"choice.{conflict}": "value", f"value.{conflict}": " ", **hidden(page)}
    said(visitor.send(f"/conflicts/{finding}", blank), 422, "请填写第三个值 Give the third value")
    assert supervisor.record("finding", finding)["fields"]["text"] == "乙"
    assert visitor.send(f"/conflicts/{finding}", {**blank, f"value.{conflict}.empty": "1"}).status_code == 303
    assert "text" not in supervisor.record("finding", finding)["fields"]
