"""The result of a run for people (a table) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from tests.conformance.checks import Check
from tests.conformance.runner import Result


def line_of(result: Result) -> str:
    """One result: a line when it passed; with sentence, expectation and what came when it did not."""
    check = result.check
    head = f"{'ok  ' if result.passed else 'FAIL'} {check.name:<72} {check.section:>3} {result.seconds:7.2f} s"
    if result.passed:
        return head
    return "\n".join([head, f"       protocol {check.section}: {check.sentence}", f"       expected: {result.expected}",
                      f"       came:     {result.came}"])


def summary(results: Sequence[Result]) -> str:
    failed = [result.check.name for result in results if not result.passed]
    said = f"{len(results) - len(failed)} of {len(results)} checks passed"
    return said if not failed else f"{said}; failed: {', '.join(failed)}"


def listing(checks: Iterable[Check]) -> str:
    """Name, section and sentence of each check."""
    return "\n".join(f"{check.name:<72} {check.section:>3}  {check.sentence}" for check in checks)


def as_json(url: str, results: Sequence[Result]) -> str:
    """`{url, passed, failed, checks: [{name, section, sentence, passed, expected, came, seconds}]}`."""
    failed = sum(not result.passed for result in results)
    rows = [{"name": result.check.name, "section": result.check.section, "sentence": result.check.sentence,
             "passed": result.passed, "expected": result.expected, "came": result.came, "seconds": result.seconds}
            for result in results]
    return json.dumps({"url": url, "passed": len(results) - failed, "failed": failed, "checks": rows},
                      ensure_ascii=False, indent=2)
