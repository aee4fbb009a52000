"""The audit of records: is each what its history adds up to, and do lists show it as what it is?

Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.records import RECORD_TYPES, Merge, RecordType
from sync.audit import Audit, batches, stream
from sync.equality import same
from sync.kept import MARKS, RECORD
from sync.merge import SCOPE
from sync.models import History, Record
from sync.rules import Rules
from sync.settlement import DELETED
from sync.values import put_value

PROMOTED = tuple(name for name in MARKS if name not in ("review_state", "risk", "cell"))
"""The columns that follow from a record's fields alone; `cell` and `risk` follow from settings as well."""


def check_records(audit: Audit, session: Session, rules: Rules) -> None:
    """Every record against its history: the versions are dense, the newest is the record's, and so are its values, also
    those by which lists find it."""
    versions = stream(session, select(
        History.record_id, History.version, History.seq, History.op, History.changed, History.at, History.actor,
        History.device_id).order_by(History.record_id, History.version))
    grouped = ((record_id, list(group)) for record_id, group in groupby(versions, key=lambda row: row.record_id))
    for batch in batches(grouped):
        records = {row.id: row for row in session.execute(select(
            Record.id, Record.type, Record.version, Record.fields, Record.deleted, Record.seq,
            Record.created_seq, Record.created_by, Record.created_at, Record.updated_at, Record.device_id,
            *(RECORD.c[name] for name in PROMOTED)).where(Record.id.in_([record_id for record_id, _ in batch])))}
        for record_id, history in batch:
            if record_id in records:
                _check_record(audit, records[record_id], history, rules)
            else:
                audit.wrong("record_missing", record_id, "its history stands, the record does not")
    known = select(History.record_id).where(History.record_id == Record.id).exists()
    for (record_id,) in stream(session, select(Record.id).where(~known)):
        audit.wrong("record_unknown", record_id, "the record has no history")


def _check_record(audit: Audit, record: Any, history: list[Any], rules: Rules) -> None:
    audit.checked["records"] += 1
    numbers = [row.version for row in history]
    if numbers != list(range(1, record.version + 1)):
        audit.wrong("version_wrong", record.id, f"version {record.version}, its history ends at {numbers[-1]} "
                                                f"with {len(numbers)} versions")
        return
    if record.type not in RECORD_TYPES:
        audit.wrong("record_altered", record.id, f"no record type {record.type!r}")
        return
    try:
        fields, replayed = orjson.loads(record.fields), replay(RECORD_TYPES[record.type], history)
    except ValueError:
        audit.wrong("record_altered", record.id, "the record or its history is no JSON any more")
        return
    altered = [name for name in sorted({*fields, *replayed}) if not same(fields.get(name), replayed.get(name))]
    altered += _altered_columns(record, history)
    altered = altered or _altered_marks(record, fields, rules)
    if altered:
        audit.wrong("record_altered", record.id, f"{', '.join(altered)} differs from the history")


def replay(declared: RecordType, history: Iterable[Any], fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """The fields that the versions of a record add up to, oldest first, on top of these `fields`."""
    fields = {} if fields is None else fields
    for row in history:
        for unit, change in orjson.loads(row.changed).items():
            if unit != SCOPE and (row.op, unit) != ("delete", DELETED):  # of the record, not of its fields
                _put_back(declared, fields, unit, change)
    return fields


def _altered_columns(record: Any, history: list[Any]) -> list[str]:
    """The columns of a record, beside its fields, that are not what its versions say."""
    first, last = history[0], history[-1]
    said = {"created_at": first.at, "created_by": first.actor, "created_seq": first.seq, "device_id": first.device_id,
            "updated_at": last.at, "seq": last.seq, "deleted": _is_deleted(history)}
    return [name for name, value in said.items() if getattr(record, name) != value]


def _altered_marks(record: Any, fields: dict[str, Any], rules: Rules) -> list[str]:
    """The columns that lists filter and sort by which are not what the rules make of the record's fields."""
    declared = RECORD_TYPES[record.type]
    try:
        promoted = rules.of(declared).promote(declared.known(fields))
    except (LookupError, TypeError, AttributeError, ValueError):  # record and history were altered alike
        return ["what every record of its type has"]
    return [name for name in PROMOTED if getattr(record, name) != promoted.get(name)]


def _is_deleted(history: Iterable[Any]) -> bool:
    """Is a record with these versions a tombstone? The last of its deletions and restorations tells."""
    return [row.op for row in history if row.op in ("delete", "restore")][-1:] == ["delete"]


def _put_back(declared: RecordType, fields: dict[str, Any], unit: str, change: Mapping[str, Any]) -> None:
    """Apply one unit's change. Points that were appended are told alone, with nothing before them."""
    if declared.rule(unit) is Merge.APPEND and change["from"] == []:
        fields[unit] = [*(fields.get(unit) or ()), *change["to"]]
    else:
        put_value(declared, fields, unit, change["to"])
