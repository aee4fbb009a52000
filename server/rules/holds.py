"""Whose photos a store holds: those of cases that are open, by `server/reference/holds.csv`.

A type stands in the table with the states in which its records are free, and with the field through which they belong
to another case, whose photos then prove them too. What the table does not name is no case. Pure.
Serves server/cases.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from server.reference import table


@dataclass(frozen=True)
class Kind:
    """A type of case: in which states it is over, and the field that names the case to which it belongs; often none."""

    free_in: frozenset[str]
    through: str


@cache
def kinds() -> dict[str, Kind]:
    """The types of cases by name."""
    return {row["type"]: Kind(frozenset(row["free_in"].split()), row["through"]) for row in table("holds")}


def is_open(record_type: str, status: str | None, deleted: bool = False) -> bool:
    """Is this record a case that is not over? A state that the table does not know is none in which it is."""
    kind = kinds().get(record_type)
    return kind is not None and not deleted and status not in kind.free_in
