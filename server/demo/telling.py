"""How the demonstration speaks: Chinese with English beside it, plain text, aligned by the width of its characters.

Serves every part of `server.demo` that prints. What was told is kept, so that a later run can tell it again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

RULE = "─" * 100
TICK, CROSS = "✓", "✗"


class Telling:
    """Prints lines at once and remembers them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.lines: list[str] = []

    def say(self, line: str = "") -> None:
        """Print one line."""
        self.lines.append(line)
        print(line, file=self._out, flush=True)

    def title(self, line: str) -> None:
        """Print a heading between two rules."""
        for each in (RULE, line, RULE):
            self.say(each)

    def step(self, chinese: str, english: str) -> None:
        """Say what is being done now."""
        self.say(f"● {chinese}  {english}")

    def fact(self, line: str) -> None:
        """Say what came of it."""
        self.say(f"    {line}")

    def table(self, chinese: str, english: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Print a table; numbers stand to the right."""
        self.say()
        self.say(f"■ {chinese}  {english}")
        for line in table_lines(head, [list(row) for row in rows]):
            self.say(f"    {line}")


def table_lines(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """The lines of a table: head, a rule, rows."""
    texts = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(head, *texts, strict=True)]
    lines = ["  ".join(padded(cell, wide) for cell, wide in zip(head, widths, strict=True)).rstrip()]
    lines.append("  ".join("─" * wide for wide in widths))
    for row, text in zip(rows, texts, strict=True):
        cells = (padded(shown, wide, right=isinstance(cell, int))
                 for cell, shown, wide in zip(row, text, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    return lines


def width(text: str) -> int:
    """Columns that a terminal gives the text: two for a Chinese character, none for a combining mark."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 0 if unicodedata.combining(char) else 1
               for char in text)


def padded(text: str, wide: int, *, right: bool = False) -> str:
    """The text with blanks up to a width, in columns."""
    blanks = " " * max(0, wide - width(text))
    return blanks + text if right else text + blanks


def shortened(text: str, wide: int) -> str:
    """The text, cut to a width in columns, with an ellipsis where something is missing."""
    if width(text) <= wide:
        return text
    while width(text) > wide - 1:
        text = text[:-1]
    return text + "…"


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:.2f} MB"
