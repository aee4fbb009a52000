"""Checklists with answers and what server/rules/scoring.py makes of them, as JSON: the device must score the same."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from server.reference import checklists
from server.rules.scoring import score

VALUES: dict[str, list[Any]] = {
    "pass_fail": ["pass", "fail", "na", True, False, "", "maybe", 0, None],
    "number": [0, 1, -3, 0.1, 0.30000000000000004, 9.99, 10, 1e-7, 2.5e21, "7", True, None],
    "other": ["", "2026-11-27", "已建成", 0, False, None, []],
}
THRESHOLDS = [[], [{"above": 5, "deduct": 0.1}, {"above": 10, "deduct": 30}], [{"below": 99.9, "deduct": 2.35}],
              [{"below": 0.3, "deduct": 1}, {"above": 0.3, "deduct": 0.7}], [{"above": 1, "deduct": -2}]]


def vectors() -> list[dict[str, Any]]:
    """Every starter checklist and made-up ones of a city, each with answers of all sorts."""
    dice = random.Random(37)
    cases = [_case(dice, checklist) for checklist in checklists().values() for _ in range(6)]
    return cases + [_case(dice, _city(dice)) for _ in range(120)]


def _city(dice: random.Random) -> dict[str, Any]:
    kinds = ["pass_fail", "pass_fail_fatal", "number", "percent", "date", "text", "choice", "photo"]
    items = [{"id": f"i{place}", "answer": dice.choice(kinds), "points": dice.choice([0, 0.1, 0.2, 7, 12.5, None]),
              "thresholds": dice.choice(THRESHOLDS)} for place in range(dice.randrange(1, 9))]
    return {"full_points": dice.choice([0, 0.3, 10, 100]), "items": items}


def _case(dice: random.Random, checklist: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {"of-no-item": {"value": "fail"}}
    for item in checklist["items"]:
        kind = item["answer"].removesuffix("_fatal")
        values = VALUES["number" if kind in ("number", "percent") else kind if kind == "pass_fail" else "other"]
        if dice.random() < 0.85:
            value = dice.choice(values)
            answers[item["id"]] = dice.choice([value, [value]]) if dice.random() < 0.05 else {"value": value}
    found = score(checklist, answers)
    return {"checklist": {name: checklist[name] for name in ("full_points", "items")}, "answers": answers,
            "score": {"points": None if found.points is None else float(found.points),
                      "full_points": float(found.full_points), "fatal": list(found.fatal),
                      "unanswered": list(found.unanswered), "passed": found.passed,
                      "deductions": {name: float(lost) for name, lost in found.deductions.items()}}}


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, ensure_ascii=False)
