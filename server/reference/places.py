"""Places: administrative divisions and scopes (divisions.csv), and where coordinates are shifted (gcj02_area.json)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import shapely
from shapely.geometry import shape

from server.reference.files import document, table

COUNTY_DIGITS = 6
LONGEST_CODE = 20  # digits of the longest public grid code, CJ/T 349-2010


@dataclass(frozen=True)
class Division:
    """A division code with its name; `level` is province, city, county, street, town, township, zone or community."""

    code: str
    name: str
    level: str
    parent: str
    code_system: str
    source: str
    confidence: str
    valid_from: str
    valid_to: str
    note: str


@cache
def divisions() -> dict[str, Division]:
    """Every listed division by code, abolished ones included."""
    return {row["code"]: Division(**row) for row in table("divisions")}


def known_scope(code: object) -> bool:
    """True for a listed code, and for digits that start with a listed county code (streets outside the list, grids)."""
    return isinstance(code, str) and len(code) <= LONGEST_CODE and _is_known(code)


@lru_cache(maxsize=4096)
def _is_known(code: str) -> bool:
    if not (code.isascii() and code.isdigit()):
        return False
    return code in divisions() or (len(code) > COUNTY_DIGITS and code[:COUNTY_DIGITS] in divisions())


@cache
def gcj02_area() -> Any:
    """The polygon inside which GCJ-02 and BD-09 are shifted (shapely, EPSG:4490 degrees, prepared for point tests)."""
    area = shape(document("gcj02_area")["geometry"])
    shapely.prepare(area)
    return area
