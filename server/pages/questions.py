"""What a person is asked about one record: conflicts over one thing are one question, with every value brought for it.

Serves the page of conflicts. Which conflicts one answer settles, and how, follows from the answer alone, so that no two
of a question can be settled apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.equality import plain, same
from sync.kept import Kept

SIDES = ("theirs", "mine")
FIRST, LAST = "1", "2"


@dataclass
class Answer:
    """A value that was brought; `name` is the side of a conflict that has it, as the form sends it.

    `by` are those who brought it, in order of arrival, `keys` those that choose it, `stands` whether it is so now.
    """

    name: str
    value: Any
    by: list[dict[str, Any]] = field(default_factory=list)
    keys: str = ""
    stands: bool = False


@dataclass
class Question:
    """Conflicts over one field, over one deletion, or of one command; the answers in order of arrival."""

    kind: str
    field: str
    conflicts: Sequence[Mapping[str, Any]]
    answers: Sequence[Answer]

    @property
    def id(self) -> str:
        return str(self.conflicts[0]["id"])

    @property
    def base(self) -> Any:
        """What stood before; of a deletion, before each of the edits."""
        bases = [one["base"] for one in self.conflicts]
        if self.kind != "deletion":
            return bases[0]
        return {name: value for base in bases for name, value in (base or {}).items()}

    def answer(self, name: str) -> Answer | None:
        """The answer that this side of a conflict gives."""
        side, _, conflict_id = name.partition(".")
        values = [one[side] for one in self.conflicts if one["id"] == conflict_id and side in SIDES]
        return next((each for each in self.answers for value in values if _alike(self.kind, each.value, value)), None)


def questions(conflicts: Iterable[Mapping[str, Any]]) -> list[Question]:
    """The questions that the conflicts of one record come to."""
    about: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in conflicts:
        about.setdefault((one["kind"], one["id"] if one["kind"] == "command" else one["field"]), []).append(one)
    return [Question(kind, each[0]["field"], each, _answers(kind, each)) for (kind, _), each in about.items()]


def mark_standing(question: Question, present: Any, kept: Kept | None) -> None:
    """Mark the answer that is so now, if one is; `present` is what stands in the record, `kept` all of it."""
    for answer in question.answers if kept else ():
        answer.stands = _stands(question.kind, answer, present, kept.fields if kept else {})


def resolutions(question: Question, value: Any) -> Iterator[dict[str, Any]]:
    """What settles each conflict of the question with this one value."""
    for one in question.conflicts:
        side = next((side for side in SIDES if _alike(question.kind, one[side], value)), None)
        told = {"choice": side} if side else {"choice": "value", "value": plain(value)}
        yield {"id": one["id"], "version": one["version"], **told}


def _answers(kind: str, conflicts: Sequence[Mapping[str, Any]]) -> list[Answer]:
    found: list[Answer] = []
    last = None
    for one, side in sorted(((one, side) for one in conflicts for side in SIDES), key=_arrived):
        last = next((each for each in found if _alike(kind, each.value, one[side])), None)
        if last is None:
            found.append(last := Answer(f"{side}.{one['id']}", one[side]))
        _credit(last, one[side], one.get(f"{side}_by") or {})
    if last:
        found[0].keys = FIRST
        second = found[-1] if kind == "deletion" else last
        second.keys = f"{second.keys} {LAST}".strip()
    return found


def _arrived(brought: tuple[Mapping[str, Any], str]) -> str:
    one, side = brought
    return (one.get(f"{side}_by") or {}).get("at") or ""


def _credit(answer: Answer, value: Any, by: Mapping[str, Any]) -> None:
    """Name who brought it, once for each time it came."""
    who = {"who": by.get("user_id") or by.get("writer"), "device": by.get("device_id") or by.get("writer"),
           "at": by.get("at"), "value": value}
    known = next((each for each in answer.by if all(same(each[name], who[name]) for name in who)), None)
    if known is None:
        answer.by.append(known := {**who, "made_at": None})
    known["made_at"] = known["made_at"] or by.get("made_at")


def _alike(kind: str, one: Any, other: Any) -> bool:
    """One answer: equal values; of a deletion, whether it deletes, whatever was edited."""
    return (one is True) == (other is True) if kind == "deletion" else same(one, other)


def _stands(kind: str, answer: Answer, present: Any, fields: Mapping[str, Any]) -> bool:
    if kind == "deletion":
        edits = [each["value"] for each in answer.by]
        return present is True if answer.value is True else present is False and all(_holds(fields, e) for e in edits)
    if kind == "command":
        return _holds(fields, answer.value) and "command" not in answer.value
    return same(present, answer.value)


def _holds(fields: Mapping[str, Any], values: Any) -> bool:
    return isinstance(values, Mapping) and all(same(fields.get(name), value) for name, value in values.items())
