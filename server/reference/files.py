"""How the reference files are read: CSV tables and JSON documents beside this module, each once a process."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
Row = dict[str, str]


@cache
def table(name: str) -> tuple[Row, ...]:
    """The rows of `name`.csv, as texts; callers must not change them."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def document(name: str) -> Any:
    """The content of `name`.json; callers must not change it."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@cache
def settings(name: str) -> dict[str, Any]:
    """The figures of `name`.json without the words about their origin."""
    origin = {"about", "source", "confidence", "valid_from", "valid_to"}
    return {key: value for key, value in document(name).items() if key not in origin}


def valid_on(rows: Iterable[Row], on: date | None) -> list[Row]:
    """The rows that hold on a day (bounds included, an empty bound is open); all of them when no day is asked for."""
    if on is None:
        return list(rows)
    day = on.isoformat()
    return [row for row in rows if row["valid_from"] <= day and (not row["valid_to"] or day <= row["valid_to"])]
