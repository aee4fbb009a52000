"""A record as the door holds it, and its table row."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from sqlalchemy import RowMapping

from schemas.records import RecordType, record_type
from sync.merge import Stamps
from sync.models import Record, table_of

RECORD = table_of(Record)
MARKS = ("status", "class_code", "zone_id", "inspector_id", "due_at", "observed_at", "about_id", "sha256",
         "media_state", "lon", "lat", "review_state", "risk",
         "cell")
NO_MARKS = dict.fromkeys(MARKS)


class Kept(NamedTuple):
    """A record as the door holds it; nothing in it is ever changed in place. `marks` are the columns that are no part
    of the document, all of them, `size` how many characters fields and stamps had when they were read."""

    id: str
    type: str
    version: int
    scope: str
    seq: int
    created_seq: int
    deleted: bool
    fields: dict[str, Any]
    stamps: Stamps
    created_at: str
    created_by: str
    updated_at: str
    device_id: str | None
    marks: dict[str, Any]
    size: int = 0

    @property
    def declared(self) -> RecordType:
        return record_type(self.type)

    def to_wire(self) -> dict[str, Any]:
        """The record as protocol section 4 shows it."""
        return {"type": self.type, "id": self.id, "version": self.version, "scope": self.scope, "fields": self.fields,
                "created_at": self.created_at, "created_by": self.created_by, "updated_at": self.updated_at,
                **({"deleted": True} if self.deleted else {})}


def kept_from(row: RowMapping) -> Kept:
    """A record from its table row."""
    return Kept(row["id"], row["type"], row["version"], row["scope"], row["seq"], row["created_seq"], row["deleted"],
                orjson.loads(row["fields"]), orjson.loads(row["stamps"]), row["created_at"], row["created_by"],
                row["updated_at"], row["device_id"],
                {name: row[name] for name in MARKS}, len(row["fields"]) + len(row["stamps"]))


def to_row(kept: Kept) -> dict[str, Any]:
    """The table row of a record."""
    return {**kept.marks, "id": kept.id, "type": kept.type, "version": kept.version, "scope": kept.scope,
            "seq": kept.seq, "created_seq": kept.created_seq, "deleted": kept.deleted,
            "fields": orjson.dumps(kept.fields).decode(), "stamps": orjson.dumps(kept.stamps).decode(),
            "created_at": kept.created_at, "created_by": kept.created_by, "updated_at": kept.updated_at,
            "device_id": kept.device_id}
