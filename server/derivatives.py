"""Who may make copies of a photo, and what stands on a display copy 显示件. Serves the API and the pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from media.models import Photo, Rendition
from media.sources import opening
from schemas.problems import Problem
from server.listing import visible_record
from server.models import User
from server.pages.lookups import scope_name, zone_name
from server.pages.values import is_position, place
from server.pages.words import beijing, words
from sync.kept import Kept, kept_from
from sync.models import Record
from sync.records import RECORD
from sync.writers import covers

FONT = Path(__file__).parent / "static" / "vendor" / "fonts" / "NotoSansHans-Regular.otf"
MAKERS = ("reviewer", "supervisor")
BRACKET = {"not_before": "不早于 not before", "not_after": "不晚于 not after"}
SHORT = 12  # hex digits of a digest or id that people compare


def shown_photo(session: Session, scopes: Sequence[str], sha256: str, evidence_id: str) -> Kept:
    """The evidence record of a photo that copies can be made of; raises `not_found`, `need_missing`."""
    kept = visible_record(session, scopes, "evidence", evidence_id)
    if kept.deleted or kept.fields.get("sha256") != sha256 or kept.id not in opening(session, [sha256]):
        raise Problem("not_found", "此证据记录不是这张照片的 the evidence record is not of this photo")
    photo = session.get(Photo, sha256)
    if photo is None or photo.state != "verified":
        raise Problem("need_missing", "照片未校验,或已损坏 the photo is not checked yet, or damaged")
    return kept


def is_own_work(session: Session, user_id: str, sha256: str) -> bool:
    """Did this person take the photo? Who did does not choose what others see of it."""
    return session.execute(select(Record.id).where(
        Record.type == "evidence", Record.sha256 == sha256, Record.created_by == user_id).limit(1)).first() is not None


def visible(session: Session, scopes: Sequence[str], made: Sequence[Rendition]) -> list[Rendition]:
    """Those of the copies that somebody with these scopes may see: what stands on one is of its evidence record, and
    another record may name the same photo elsewhere."""
    named = {one.evidence_id for one in made if one.evidence_id}
    scope_of = {row.id: row.scope for row in session.execute(
        select(Record.id, Record.scope).where(Record.id.in_(named)))} if named else {}
    return [one for one in made if not one.evidence_id or covers(scopes, scope_of.get(one.evidence_id, ""))]


def lines_on(session: Session, kept: Kept, scopes: Sequence[str]) -> list[tuple[str, str]]:
    """What a display copy says of its evidence record, as (what, text); times are Beijing's."""
    fields, bracket = kept.fields, kept.fields.get("bracket") or {}
    about, subject = _subject(session, fields["about"]["id"], scopes), fields["about"]
    taker = session.get(User, kept.created_by)
    position = fields.get("position")
    known = (about.fields.get("address") or zone_name(about.marks.get("zone_id"))) if about else None
    where = f"{known or scope_name(kept.scope)}{f' · {place(position)}' if is_position(position) else ''}"
    times = [f"{side} {beijing(bracket[name])}" for name, side in BRACKET.items() if bracket.get(name)]
    number = (about.fields.get("document_no") if about else None) or subject["id"][-SHORT:]
    return [("时间 Time", f"{' · '.join(times) or '—'} (UTC+8)"),
            ("设备时间 Device says", f"{beijing(fields['captured_at'])} (UTC+8)"),
            ("地点 Place", where),
            ("拍摄 Taken by", f"{taker.name} {taker.username}" if taker else kept.created_by),
            ("案件 Case", f"{' '.join(words().get(('type', subject['type']), (subject['type'],)))} {number}"),
            ("原件 Original", f"SHA-256 {fields['sha256'][:SHORT]}…")]


def _subject(session: Session, record_id: str, scopes: Sequence[str]) -> Kept | None:
    """The record that evidence is about, where the one who asks may see it."""
    row = session.execute(select(RECORD).where(RECORD.c.id == record_id)).mappings().first()
    return kept_from(row) if row and covers(scopes, row["scope"]) else None


def code_of(kept: Kept, public_url: str | None) -> str:
    """What the QR code holds: the page of the evidence record; without an address, what is to be looked up."""
    if public_url:
        return f"{public_url}/records/evidence/{kept.id}"
    return f"sha256:{kept.fields['sha256']} evidence:{kept.id}"


def told(made: Rendition) -> dict[str, Any]:
    """A copy as the wire shows it."""
    return {"kind": made.kind, "sha256": made.sha256, "bytes": made.bytes, "parent": made.parent,
            "evidence_id": made.evidence_id, "made_by": made.made_by, "made_at": made.made_at,
            "params": {}, **made.recipe}
