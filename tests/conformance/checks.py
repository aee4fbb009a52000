"""What a check is: a stable name, the sentence of the protocol that it holds a server to, and what it found.

A module a subject registers its checks with `holds = subject("push", "2")` and `@holds("sentence")`. A check is a
function of the `Office`; it returns when the server keeps the sentence and raises `Broken` when it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Play = Callable[..., None]


class Check(NamedTuple):
    """One promise of the protocol and the play that shows whether it is kept."""

    name: str
    section: str
    sentence: str
    play: Play

    @property
    def subject(self) -> str:
        return self.name.partition(".")[0]


class Broken(Exception):
    """The server did something else: what was expected, and what came."""

    def __init__(self, expected: str, came: object) -> None:
        super().__init__(f"expected {expected}; came {came}")
        self.expected, self.came = expected, str(came)


CHECKS: dict[str, Check] = {}


def subject(name: str, section: str) -> Callable[[str], Callable[[Play], Play]]:
    """The decorator of a module's checks; a check is called `subject.words-of-its-function`."""
    def holds(sentence: str) -> Callable[[Play], Play]:
        def register(play: Play) -> Play:
            full = f"{name}.{play.__name__.replace('_', '-')}"
            if full in CHECKS:
                raise ValueError(f"two checks are called {full}")
            CHECKS[full] = Check(full, section, sentence, play)
            return play
        return register
    return holds


def chosen(only: str | None) -> Iterator[Check]:
    """The checks of the named subjects, or of these names; all without. Raises ValueError for a name of none."""
    wanted = [name.strip() for name in only.split(",") if name.strip()] if only is not None else None
    known = {check.subject for check in CHECKS.values()} | set(CHECKS)
    if wanted is not None and (not wanted or set(wanted) - known):
        raise ValueError(f"no such subject or check: {', '.join(sorted(set(wanted) - known)) or '(none named)'}")
    return (check for check in CHECKS.values() if wanted is None or {check.name, check.subject} & set(wanted))


def must(fact: bool, expected: str, came: object) -> None:
    """Raise Broken unless the fact is so."""
    if not fact:
        raise Broken(expected, came)


def must_be(came: Any, expected: Any, of: str) -> None:
    """Raise Broken unless the value that came is the expected one."""
    must(came == expected, f"{of} {expected!r}", f"{came!r}")


def must_have(came: Any, members: str, of: str) -> None:
    """Raise Broken unless the object has all of these members (names with blanks between)."""
    missing = set(members.split()) - set(came if isinstance(came, dict) else ())
    must(not missing, f"{of} with {', '.join(sorted(missing))}", came)
