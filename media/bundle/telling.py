"""How the program of a bundle speaks, a line a finding in Chinese and English, and how it reads the bag.

Part of the program that a bundle carries. On a console that cannot print Chinese it speaks English in ASCII.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BROKEN = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading a file that somebody altered may raise."""


class Report:
    """What was found so far; `failures` is how much does not hold."""

    def __init__(self) -> None:
        self.failures = 0
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text file, as programs have
        try:
            "门前✓✗–—".encode(sys.stdout.encoding or "ascii")
            self.chinese = True
        except UnicodeError:
            self.chinese = False

    def right(self, chinese: str, english: str) -> None:
        self.say("✓", "[ok]", chinese, english)

    def wrong(self, chinese: str, english: str) -> None:
        self.failures += 1
        self.say("✗", "[WRONG]", chinese, english)

    def note(self, chinese: str, english: str) -> None:
        self.say("–", "[note]", chinese, english)

    def say(self, mark: str, plain_mark: str, chinese: str, english: str) -> None:
        line = f"{mark} {chinese} {english}" if self.chinese else f"{plain_mark} {english}"
        print("".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in line))

    @contextlib.contextmanager
    def reading(self, path: str) -> Iterator[None]:
        """Whatever goes wrong inside is a failure that names the file."""
        try:
            yield
        except BROKEN as error:
            self.wrong(f"{path} 不成立:", f"{path} does not hold: {type(error).__name__}: {error}")

    def group(self, failures: int, chinese: str, english: str) -> None:
        """Say that a group of checks holds, unless it added to the failures."""
        if self.failures == failures:
            self.right(chinese, english)


class Entry:
    """An entry of the journal as the log has it: its exact text, and what that says."""

    def __init__(self, line: str) -> None:
        told = json.loads(line)
        self.index: int = told["index"]
        self.text: str = told["leaf"]
        said = json.loads(self.text)
        self.at: str = said["at"]
        self.kind: str = said["kind"]
        self.actor: str = said["actor"]
        self.about: str = said["about"]
        self.body: dict[str, Any] = said["body"]
        self.aside: dict[str, str] | None = told.get("aside")


class Bag:
    """An unpacked bag; `digests` are the files that are there, `entries` those of the journal by index, which
    was so large, with that root, at the export."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.digests: dict[str, str] = {}
        self.entries: dict[int, Entry] = {}
        self.key, self.size, self.root_hash = "", 0, b""
        self._case: dict[str, Any] = {}

    def text(self, path: str) -> str:
        return (self.root / path).read_bytes().decode("utf-8")

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a text file without their ends, one at a time."""
        with (self.root / path).open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.rstrip("\n")

    def case(self) -> dict[str, Any]:
        """data/case.json, read once."""
        if not self._case:
            self._case = json.loads(self.text("data/case.json"))
        return self._case
