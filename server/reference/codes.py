"""Codes of the trade: classes of findings, their conditions with handling limits, and offences with amounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from server.reference.files import Row, table, valid_on

CODE_DIGITS = 4


@dataclass(frozen=True)
class Class:
    """A class of findings; `scheme` names scheme, version and kind, as `GB/T 30428.2-2013:event`. The standard has no
    English names: `name_en` is ours."""

    scheme: str
    code: str
    name: str
    name_en: str
    source: str
    confidence: str
    valid_from: str
    valid_to: str
    note: str


@dataclass(frozen=True)
class Limit:
    """A handling limit; `unit` is working_hour, working_day or hour (wall clock)."""

    amount: int
    unit: str


@dataclass(frozen=True)
class Condition:
    """When a finding of a class is filed (立案条件), when closed (结案条件), and the limit between (domain.md 4.2)."""

    id: str
    filing: str
    closing: str
    limit: Limit
    collection: str
    responsible: str
    row: Row


@dataclass(frozen=True)
class Offence:
    """An offence, its fine in yuan; `precondition` is order_unmet (fined only after an unmet order) or immediate."""

    code: str
    name: str
    subject: str
    precondition: str
    min: Decimal | None
    max: Decimal | None
    cap: Decimal | None
    row: Row


@cache
def classes() -> dict[tuple[str, str], Class]:
    """Classes by (scheme, 4-digit code); the two-digit majors stand beside them under their two digits."""
    return {(row["scheme"], row["code"]): Class(**row) for row in table("classes")}


def class_known(scheme: object, code: object) -> bool:
    """True when the class is listed with its minor."""
    texts = isinstance(scheme, str) and isinstance(code, str) and len(code) == CODE_DIGITS
    return texts and (scheme, code) in classes()


def conditions(scheme: str, code: str, *, of_set: str = "default", on: date | None = None) -> tuple[Condition, ...]:
    """The conditions of a class in one set of limits, in file order."""
    return tuple(_condition(row) for row in valid_on(_condition_rows().get((of_set, scheme, code), ()), on))


def condition(scheme: str, code: str, id: str, *, of_set: str = "default") -> Condition | None:
    """One condition of a class, or None when the set does not list it."""
    return next((one for one in conditions(scheme, code, of_set=of_set) if one.id == id), None)


@cache
def offences() -> dict[str, Offence]:
    """Offences by code; each row names the scope whose rule it is."""
    return {
        row["code"]: Offence(
            row["code"],
            row["name"],
            row["subject"],
            row["precondition"],
            _yuan(row["min"]),
            _yuan(row["max"]),
            _yuan(row["cap"]),
            row,
        )
        for row in table("offences")
    }


@cache
def _condition_rows() -> dict[tuple[str, str, str], list[Row]]:
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in table("class_conditions"):
        found.setdefault((row["set"], row["scheme"], row["code"]), []).append(row)
    return found


def _condition(row: Row) -> Condition:
    return Condition(
        row["condition"],
        row["filing_condition"],
        row["closing_condition"],
        Limit(int(row["amount"]), row["unit"]),
        row["collection_requirement"],
        row["responsible"],
        row,
    )


def _yuan(text: str) -> Decimal | None:
    return Decimal(text) if text else None
