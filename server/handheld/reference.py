"""What a handheld must know of the trade without a network: merge rules by field, classes, checklists, figures.

Made of the same declarations and tables as the server's own rules. Serves `edition`.
"""

from __future__ import annotations

from typing import Any

from schemas.records import RECORD_TYPES
from server.reference import checklists, classes, divisions, offences, settings, table

ORIGIN = {"source", "confidence", "valid_from", "valid_to", "note"}


def reference(tiles: str = "") -> dict[str, Any]:
    """`reference.json`; `tiles` is the address of map tiles, if there are any."""
    return {
        "record_types": {name: {field: declared.rule.value for field, declared in one.fields.items()}
                         for name, one in RECORD_TYPES.items()},
        "create_rights": {row["type"]: row["create"].split() for row in table("record_rights")},
        "classes": [{"scheme": one.scheme, "code": one.code, "name": one.name, "name_en": one.name_en}
                    for one in classes().values()],
        "conditions": [{name: row[name] for name in ("scheme", "code", "condition", "filing_condition",
                                                     "collection_requirement", "collection_requirement_en")}
                       for row in table("class_conditions") if row["set"] == "default"],
        "offences": [{**{name: one.row[name] for name in ("scope", "class_scheme", "class_code", "breached_article",
                                                          "penalty_article", "source")},
                      "code": one.code, "name": one.name, "precondition": one.precondition}
                     for one in offences().values()],
        "checklists": list(checklists().values()),
        "return_reasons": [{"zh": row["zh"], "en": row["en"]} for row in table("return_reasons")],
        "divisions": {code: one.name for code, one in divisions().items()},
        "attribution": settings("attribution"),
        "duplicates": settings("duplicates"),
        "duties": _told("zone_duties"),
        "task_kinds": _told("task_kinds"),
        "enforcement_kinds": _told("enforcement_kinds"),
        "visits": settings("visits"),
        "map": {"tile_url": tiles or None},
    }


def _told(name: str) -> list[dict[str, str]]:
    """The rows of a table without the words about their origin."""
    return [{column: value for column, value in row.items() if column not in ORIGIN} for row in table(name)]
