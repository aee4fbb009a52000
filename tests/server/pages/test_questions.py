"""Conflicts over one thing are one question; one answer settles them all alike."""

from __future__ import annotations

from typing import Any

from server.pages.questions import Question, questions, resolutions


def conflict(id: str, theirs: tuple[Any, int], mine: tuple[Any, int], *, field: str = "text", kind: str = "value",
             base: Any = None) -> dict[str, Any]:
    """Each side is (value, when it arrived); the one who brought it is named after the time."""
    sides = {side: value for side, (value, _) in (("theirs", theirs), ("mine", mine))}
    by = {f"{side}_by": {"user_id": f"user {at}", "writer": f"device {at}", "device_id": f"device {at}", "at": str(at)}
          for side, (_, at) in (("theirs", theirs), ("mine", mine))}
    by["mine_by"]["made_at"] = f"made {mine[1]}"
    return {"id": id, "version": 1, "field": field, "kind": kind, "base": base, **sides, **by}


def values(question: Question) -> list[tuple[Any, str]]:
    return [(answer.value, answer.keys) for answer in question.answers]


def settled(question: Question, value: Any) -> list[Any]:
    return [one.get("value", one["choice"]) for one in resolutions(question, value)]


def test_three_who_changed_one_field_are_one_question() -> None:
    question, = questions([conflict("a", ("甲", 1), ("乙", 2)), conflict("b", ("乙", 2), ("丙", 3))])
    assert values(question) == [("甲", "1"), ("乙", ""), ("丙", "2")]
    assert [[by["who"] for by in answer.by] for answer in question.answers] == [["user 1"], ["user 2"], ["user 3"]]
    assert question.answers[1].by[0]["made_at"] == "made 2"
    assert settled(question, "甲") == ["theirs", "甲"]
    assert settled(question, "乙") == ["mine", "theirs"]
    assert settled(question, "丙") == ["丙", "mine"]
    assert settled(question, "丁") == ["丁", "丁"]
    assert [question.answer(answer.name) for answer in question.answers] == list(question.answers)
    assert question.answer("mine.c") is None and question.answer("base.a") is None


def test_what_came_first_and_again_last_is_one_answer_with_both_keys() -> None:
    question, = questions([conflict("b", ("乙", 2), ("甲", 3)), conflict("a", ("甲", 1), ("乙", 2))])
    assert values(question) == [("甲", "1 2"), ("乙", "")]
    assert [by["who"] for by in question.answers[0].by] == ["user 1", "user 3"]


def test_true_is_not_one_and_a_position_is_itself_however_it_was_normalized() -> None:
    flag, = questions([conflict("a", (1, 1), (True, 2))])
    assert len(flag.answers) == 2
    sent = {"lon": 1.0, "lat": 2.0, "crs": "GCJ-02"}
    place, = questions([conflict("a", ({**sent, "lon": 3.0}, 1), (sent, 2)),
                        conflict("b", ({**sent, "normalized": {}}, 2), ({**sent, "lon": 4.0}, 3))])
    assert len(place.answers) == 3
    assert settled(place, place.answers[1].value) == ["mine", "theirs"]
    assert settled(place, {**sent, "lon": 5.0, "normalized": {}})[0] == {**sent, "lon": 5.0}


def test_a_deletion_and_all_edits_against_it_are_one_question() -> None:
    deletion = {"field": "deleted", "kind": "deletion"}
    question, = questions([
        conflict("a", ({"text": "甲"}, 1), (True, 2), **deletion),
        conflict("b", (True, 2), ({"source": "video"}, 3), base={"source": "patrol"}, **deletion)])
    assert values(question) == [({"text": "甲"}, "1"), (True, "2")]
    assert [by["value"] for by in question.answers[0].by] == [{"text": "甲"}, {"source": "video"}]
    assert len(question.answers[1].by) == 1
    assert question.base == {"source": "patrol"}
    assert settled(question, True) == ["mine", "theirs"]
    assert settled(question, {"text": "甲"}) == ["theirs", "mine"]


def test_each_command_and_each_field_is_a_question_of_its_own() -> None:
    command = ({"status": "filed"}, 1), ({"command": "close", "args": {}}, 2)
    asked = questions([conflict("a", *command, field="status", kind="command"),
                       conflict("b", *command, field="status", kind="command"),
                       conflict("c", ("甲", 1), ("乙", 2)), conflict("d", ("甲", 1), ("乙", 2), field="address"),
                       conflict("e", ("32", 1), ("33", 2), field="scope", kind="scope")])
    assert [question.id for question in asked] == ["a", "b", "c", "d", "e"]
    assert settled(asked[0], command[0][0]) == ["theirs"]
    assert settled(asked[1], command[1][0]) == ["mine"]
