"""The score of an inspection: what its checklist's full points leave after deductions (domain.md sections 6 and 22.3).

Pure; serves `derive` of inspections and the pages that show why points were lost. Points and thresholds are the
checklist's (a city edits them there), never constants here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Verdict = Literal["pass", "fail"]


@dataclass(frozen=True, slots=True)
class Score:
    """Points left, exact, and why; `points` is None where there is nothing to score or nothing was answered yet.

    `deductions`: item id -> points lost. `fatal`: failed items each of which fails the whole, whatever points are left.
    `unanswered`: items without an answer that can be read; they cost nothing until they are answered.
    """

    points: Decimal | None
    full_points: Decimal
    deductions: Mapping[str, Decimal] = field(default_factory=dict)
    fatal: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """No fatal item failed."""
        return not self.fatal


def score(checklist: Mapping[str, Any], answers: Mapping[str, Any]) -> Score:
    """`max(0, full_points - deductions)` of a checklist `{full_points, items}` and answers {item id: {value, note}}.

    A failed `pass_fail` item (value "fail" or false; "pass", "na" or true pass) loses its points, at most what the item
    has; a number or percent loses what its `thresholds`, if a city has set any, say; date, text, choice and photo lose
    nothing. Answers to items that the checklist does not have are passed over.
    """
    full = _exact(checklist["full_points"])
    deductions, fatal, unanswered = dict[str, Decimal](), list[str](), list[str]()
    for line in checklist["items"]:
        value = _value(answers.get(line["id"]))
        lost = _deduction(line, value)
        if lost is None:
            unanswered.append(line["id"])
        elif lost or (line["answer"] == "pass_fail_fatal" and _verdict(value) == "fail"):
            deductions[line["id"]] = lost
            if line["answer"] == "pass_fail_fatal":
                fatal.append(line["id"])
    scored = full > 0 and len(unanswered) < len(checklist["items"])
    points = max(Decimal(0), full - sum(deductions.values())) if scored else None
    return Score(points, full, deductions, tuple(fatal), tuple(unanswered))


def _deduction(line: Mapping[str, Any], value: object) -> Decimal | None:
    """What the answer costs; None when there is no answer of the kind that this line of the checklist asks for."""
    points = _exact(line.get("points") or 0)
    if line["answer"] in ("pass_fail", "pass_fail_fatal"):
        verdict = _verdict(value)
        return None if verdict is None else points if verdict == "fail" else Decimal(0)
    if line["answer"] in ("number", "percent"):
        return None if not _is_number(value) else min(points, _beyond(line.get("thresholds") or [], _exact(value)))
    return None if value in (None, "") else Decimal(0)


def _beyond(thresholds: list[Mapping[str, Any]], value: Decimal) -> Decimal:
    """The heaviest `deduct` among thresholds `{"below" or "above": limit, "deduct": points}` that the value crosses."""
    crossed = [_exact(each["deduct"]) for each in thresholds
               if ("below" in each and value < _exact(each["below"]))
               or ("above" in each and value > _exact(each["above"]))]
    return max(crossed, default=Decimal(0))


def _verdict(value: object) -> Verdict | None:
    if value == "fail" or value is False:
        return "fail"
    return "pass" if value in ("pass", "na") or value is True else None


def _value(answer: object) -> object:
    return answer.get("value") if isinstance(answer, Mapping) else None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and Decimal(str(value)).is_finite()


def _exact(number: object) -> Decimal:
    """The decimal that was written, so that 0.1 is a tenth."""
    return Decimal(str(number))
