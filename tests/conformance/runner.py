"""Runs the checks one after another and tells what each found. A check that fails stops no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import httpx

from tests.conformance.checks import Broken, Check
from tests.conformance.office import Office

# What a check meets when an answer has another shape than it reads: that, too, is a finding about the server.
MISSHAPEN = (LookupError, TypeError, ValueError, AttributeError)


class Result(NamedTuple):
    """What a check found; `expected` and `came` are None when the server keeps the sentence."""

    check: Check
    expected: str | None
    came: str | None
    seconds: float

    @property
    def passed(self) -> bool:
        return self.expected is None


def run(office: Office, checks: Iterable[Check], told: Callable[[Result], None] | None = None) -> list[Result]:
    """Play the checks in order; `told` hears each result as soon as it is known."""
    results = []
    for check in checks:
        started = time.monotonic()
        expected, came = found(office, check)
        results.append(Result(check, expected, came, round(time.monotonic() - started, 3)))
        if told:
            told(results[-1])
    return results


def found(office: Office, check: Check) -> tuple[str | None, str | None]:
    """(expected, came) of one check, both None when it passed."""
    try:
        check.play(office)
    except Broken as broken:
        return broken.expected, broken.came
    except httpx.HTTPError as error:
        return "an answer", f"{type(error).__name__}: {error}"
    except MISSHAPEN as error:
        return "answers of the shape that the protocol gives", f"{type(error).__name__}: {error}"
    return None, None
