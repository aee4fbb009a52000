"""The audit of the zone register: is each zone version what the history of its zone record says?

Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from schemas.records import record_type
from server.models import ZoneRow
from server.zones import digest_of
from sync.audit import BODY, Audit, batches, parsed, stream
from sync.equality import same
from sync.models import History, JournalEntry, Record
from sync.record_audit import replay

NAMES = ("name", "road", "section")
TERMS = ("party", "sticker_serial", "valid_from", "valid_to")
ROW = (ZoneRow.zone_id, ZoneRow.version, ZoneRow.number, ZoneRow.scope, ZoneRow.name, ZoneRow.road, ZoneRow.section,
       type_coerce(ZoneRow.party, Text).label("party"), ZoneRow.sticker_serial, ZoneRow.valid_from, ZoneRow.valid_to,
       ZoneRow.outline, ZoneRow.digest)

Said = dict[int, dict[str, Any]]


def check_zones(audit: Audit, session: Session) -> None:
    """Every zone version against the versions of its zone record; there is no other, and none is missing."""
    for batch in batches(stream(session, select(Record.id).where(Record.type == "zone").order_by(Record.id))):
        ids = [row.id for row in batch]
        said = _said(session, ids)
        rows: dict[str, Said] = defaultdict(dict)
        for row in session.execute(select(*ROW).where(ZoneRow.zone_id.in_(ids))).mappings():
            rows[row["zone_id"]][row["version"]] = dict(row)
        for zone_id in ids:
            _check_zone(audit, zone_id, said.get(zone_id, {}), rows[zone_id])
    known = select(Record.id).where(Record.id == ZoneRow.zone_id, Record.type == "zone").exists()
    for zone_id, version in stream(session, select(ZoneRow.zone_id, ZoneRow.version).where(~known)):
        audit.wrong("zone_unknown", zone_id, f"version {version} without its zone record")


def _said(session: Session, ids: list[str]) -> dict[str, Said]:
    """By zone what its record's history says of each zone version; where a version lies, the journal tells."""
    scopes: dict[tuple[str | None, Any], Any] = {}
    for about, text in session.execute(select(JournalEntry.about, BODY).where(
            JournalEntry.about.in_(ids), JournalEntry.kind == "change")):
        body = parsed(text) or {}
        scopes[about, body.get("version")] = body.get("scope")
    history = session.execute(select(
        History.record_id, History.version, History.seq, History.op, History.changed).where(
        History.record_id.in_(ids)).order_by(History.record_id, History.version))
    return {zone_id: _versions(versions, scopes)
            for zone_id, versions in groupby(history, key=lambda row: row.record_id)}


def _versions(history: Iterable[Any], scopes: Mapping[tuple[str | None, Any], Any]) -> Said:
    said: Said = {}
    fields: dict[str, Any] = {}
    for row in history:
        changed = parsed(row.changed)
        if not isinstance(changed, dict):
            continue  # told by the audit of histories
        replay(record_type("zone"), [row], fields)
        version = fields.get("zone_version")
        if version is not None and "zone_version" in changed:
            said[version] = {name: fields.get(name) for name in (*NAMES, *TERMS, "outline")}
            said[version] |= {"scope": scopes.get((row.record_id, row.version)), "number": row.seq}
        elif version in said and not changed.keys().isdisjoint(NAMES):  # another name makes no version
            said[version] |= {**{name: fields.get(name) for name in NAMES}, "number": row.seq}
    return said


def _check_zone(audit: Audit, zone_id: str, said: Said, rows: Said) -> None:
    for version in sorted(said.keys() | rows.keys()):
        if version not in rows:
            audit.wrong("zone_missing", zone_id, f"its history tells of version {version}")
            continue
        if version not in said:
            audit.wrong("zone_unknown", zone_id, f"its history tells nothing of version {version}")
            continue
        audit.checked["zone_versions"] += 1
        row = {**rows[version], "party": parsed(rows[version]["party"]), "outline": parsed(rows[version]["outline"])}
        altered = [name for name, value in said[version].items() if not same(value, row[name])]
        if digest_of({name: row[name] for name in TERMS}, row["scope"], rows[version]["outline"]) != row["digest"]:
            altered.append("digest")
        if altered:
            audit.wrong("zone_altered", zone_id, f"version {version}: {', '.join(altered)} differs from its history")
