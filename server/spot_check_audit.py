"""The audit of spot checks: frame, secret, draw, sample and verdicts against the journal; each draw is run again.

Serves `bin/menqian verify`; writes nothing. One check is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from server.models import SpotCheck, SpotSample
from server.rules import sampling
from sync.audit import Audit, batches, holds, journalled, parsed, stream
from sync.erased import Erasures
from sync.journal import first_checkpoint_after
from sync.models import JournalEntry

JSON = ("asked", "scopes", "frame", "allocation")
PLAIN = ("title", "made_by", "made_at", "state", "size", "frame_digest", "commitment", "secret", "frozen_index",
         "beacon", "seed", "drawn_at")


def check_spot_checks(audit: Audit, session: Session, erased: Erasures) -> None:
    """Every spot check, its sample and its verdicts; none is missing of which the journal tells. What of a verdict
    was lawfully erased is not asked for."""
    for (check_id,) in stream(session, select(SpotCheck.id).order_by(SpotCheck.id)):
        audit.checked["spot_checks"] += 1
        row = session.execute(select(
            SpotCheck.id, *(getattr(SpotCheck, name) for name in PLAIN),
            *(type_coerce(getattr(SpotCheck, name), Text).label(name) for name in JSON)).where(
            SpotCheck.id == check_id)).mappings().one()
        check = {**row, **{name: parsed(row[name]) for name in JSON}}
        entries = {entry.kind: entry for entry in session.execute(
            journalled().where(JournalEntry.about == check_id))}
        altered = [*_freezing(check, entries), *_drawing(session, check, entries)]
        if altered:
            audit.wrong("spot_check_altered", check_id, f"{', '.join(altered)} differs from the journal or the draw")
        _check_verdicts(audit, session, check_id, erased)
    for (check_id,) in stream(session, select(JournalEntry.about).outerjoin(
            SpotCheck, SpotCheck.id == JournalEntry.about).where(
            JournalEntry.kind == "spot_check_frozen", SpotCheck.id.is_(None))):
        audit.wrong("spot_check_missing", check_id, "the journal tells of it")
    for check_id, record_id in stream(session, select(SpotSample.check_id, SpotSample.record_id).outerjoin(
            SpotCheck, SpotCheck.id == SpotSample.check_id).where(SpotCheck.id.is_(None))):
        audit.wrong("spot_sample_unknown", record_id, f"drawn for {check_id}, which is not there")


def _freezing(check: Mapping[str, Any], entries: Mapping[str, Any]) -> list[str]:
    """What of a check is not as it was frozen."""
    entry = entries.get("spot_check_frozen")
    if entry is None:
        return ["its freezing"]
    body = parsed(entry.body) or {}
    told = {"frozen_index": entry.number, "made_by": entry.actor, "made_at": entry.at,
            **{name: body.get(name) for name in ("size", "frame_digest", "commitment", "scopes")}}
    altered = [name for name, value in told.items() if check[name] != value]
    asked = check["asked"]
    if not holds(entry, {"title": check["title"]}):
        altered.append("title")
    counted = {name: body.get(name) for name in ("size", "frame_size", "frame_digest", "commitment", "aside")
               if name in body}
    if not isinstance(asked, dict) or {**asked, **counted} != body:
        altered.append("asked")
    try:
        digest = sampling.frame_digest(_frame(check))
    except (ValueError, TypeError):
        digest = None
    if digest != body.get("frame_digest") or len(check["frame"]) != body.get("frame_size"):
        altered.append("frame")
    if not _opens(check["secret"], body.get("commitment")):
        altered.append("secret")
    return altered


def _frame(check: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(record_id, stratum) for record_id, stratum in check["frame"]]


def _opens(secret: str, commitment: Any) -> bool:
    try:
        return sampling.commitment(secret) == commitment
    except ValueError:
        return False


def _drawing(session: Session, check: Mapping[str, Any], entries: Mapping[str, Any]) -> list[str]:
    """What of a check is not as it was drawn, or as the draw gives when it is run again."""
    entry, sample = entries.get("draw"), [dict(row) for row in session.execute(
        select(SpotSample.record_id, SpotSample.stratum, SpotSample.rank).where(SpotSample.check_id == check["id"])
        .order_by(SpotSample.stratum, SpotSample.rank)).mappings()]
    if entry is None:
        undrawn = {"state": "frozen", "beacon": None, "seed": None, "allocation": None, "drawn_at": None}
        return [*(name for name, value in undrawn.items() if check[name] != value), *(["sample"] if sample else [])]
    body = parsed(entry.body) or {}
    told = {"state": "drawn", "drawn_at": entry.at,
            **{name: body.get(name) for name in ("beacon", "seed", "allocation", "secret", "commitment")}}
    altered = [name for name, value in told.items() if check[name] != value]
    signed = first_checkpoint_after(session, check["frozen_index"])
    if (signed is None or signed.root != check["beacon"]) and "beacon" not in altered:
        altered.append("beacon")
    try:
        again = sampling.prove(_frame(check), check["size"], check["beacon"], check["secret"])
    except (ValueError, TypeError):
        return [*altered, "draw"]
    by_place = sorted(again["sample"], key=lambda one: (one["stratum"], one["rank"]))
    if sorted(sample, key=lambda one: (one["stratum"], one["rank"])) != by_place:
        altered.append("sample")
    return altered + [name for name in ("seed", "allocation") if again[name] != check[name] and name not in altered]


def _check_verdicts(audit: Audit, session: Session, check_id: str, erased: Erasures) -> None:
    """The verdicts of a sample against the entries of it."""
    rows = stream(session, select(
        SpotSample.record_id, SpotSample.verdict, SpotSample.judged_by, SpotSample.judged_at, SpotSample.note,
        type_coerce(SpotSample.values, Text).label("second")).where(SpotSample.check_id == check_id)
        .order_by(SpotSample.record_id))
    for batch in batches(rows):
        told = {}
        for entry in session.execute(journalled().where(
                JournalEntry.about.in_([row.record_id for row in batch]), JournalEntry.kind == "verdict")):
            if (parsed(entry.body) or {}).get("check_id") == check_id:
                told[entry.about] = entry
        for row in batch:
            audit.checked["verdicts"] += row.verdict is not None
            if altered := _altered_verdict(row, told.get(row.record_id),
                                           (check_id, row.record_id) in erased.verdicts):
                audit.wrong("verdict_altered", row.record_id,
                            f"{', '.join(altered)} in the spot check {check_id} differs from the journal")


def _altered_verdict(row: Any, entry: Any, is_erased: bool) -> list[str]:
    body = parsed(entry.body) or {} if entry else {}
    said = {"verdict": body.get("verdict"), "judged_by": entry and entry.actor, "judged_at": entry and entry.at}
    altered = [name for name, value in said.items() if getattr(row, name) != value]
    if entry and not is_erased and not holds(entry, {"values": parsed(row.second), "note": row.note}):
        altered.append("values or note")
    return altered
