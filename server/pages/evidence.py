"""The photos of a record, each with what device, file and server say, and in which layers its integrity holds.

Nothing is one green tick: every layer says what was compared. Disagreement stands in amber beside the rule that fired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from media.models import Photo
from server import holds
from server.db import db
from server.house import house
from server.pages.lookups import learn_names, types_of
from server.pages.values import apart_m
from sync import journal
from sync.kept import Kept, kept_from
from sync.models import Device, JournalEntry, Record
from sync.records import RECORD

ROLES = ("scene", "before", "close", "sign", "after", "document", "other")
FACT_OF = {"clock_suspect": "time", "time_conflict": "time", "late": "time", "place_conflict": "place",
           "unsigned": "person", "signature_invalid": "person", "chain_gap": "person", "chain_fork": "person",
           "edited_software": "person", "reused_exact": "digest", "reused_near": "digest", "trailing_data": "digest",
           "animated": "digest", "screenshot": "digest",
           "exif_invalid": "digest"}
SEVERE = frozenset({"signature_invalid", "chain_fork", "reused_exact", "edited_software"})
DOUBTS_OF_TIME = frozenset({"clock_suspect", "time_conflict"})


@dataclass(frozen=True, slots=True)
class Panel:
    """One photo as the page shows it. `flags_on` groups the flags by the row of facts that they put in doubt."""

    kept: Kept
    media: Mapping[str, Any]
    photo: Photo | None
    device: Device | None
    entry: int | None
    in_log: bool
    flags: list[dict[str, Any]]
    held_at: str | None = None
    flags_on: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, Any]:
        return self.kept.fields

    @property
    def showable(self) -> bool:
        """Copies to look at are made by the check."""
        return self.media.get("state") == "verified"

    @property
    def exif(self) -> Mapping[str, Any]:
        return self.media.get("exif") or {}

    def layers(self) -> list[tuple[str, str]]:
        """(layer, `ok`, `warn`, `bad` or `wait`) in the order in which a photo earns them."""
        codes = {flag["code"] for flag in self.flags}
        capture = self.fields.get("capture") or {}
        state = self.media.get("state")
        bracket = self.fields.get("bracket") or {}
        return [
            ("hash", "ok" if state == "verified" else "bad" if state in ("damaged", "refused") else "wait"),
            ("signature", "bad" if "signature_invalid" in codes else
             "ok" if capture.get("sig") and "unsigned" not in codes else "warn"),
            ("chain", "bad" if "chain_fork" in codes else
             "ok" if capture.get("seq") and "chain_gap" not in codes else "warn"),
            ("bracket", "ok" if bracket.get("not_before") and not codes & DOUBTS_OF_TIME else "warn"),
            ("log", "ok" if self.in_log else "wait"),
            *([("hold", "ok" if self.held_at else "wait")] if self.store_holds else [])]

    @property
    def store_holds(self) -> bool:
        """Is the store asked to hold photos of open cases (Object Lock)? A directory cannot, and has no such layer."""
        return house().store.holding


def evidence_about(record_ids: Iterable[str]) -> list[Kept]:
    """The live evidence about these records, oldest first."""
    rows = db.session.execute(select(RECORD).where(
        Record.type == "evidence", Record.about_id.in_(list(record_ids)), Record.deleted.is_(False))
        .order_by(Record.created_seq)).mappings()
    return [kept_from(row) for row in rows]


def panels(evidence: list[Kept], scopes: tuple[str, ...]) -> list[Panel]:
    """A panel for each photo, by step and time."""
    digests = {kept.fields["sha256"] for kept in evidence}
    photos = {photo.sha256: photo for photo in db.session.execute(
        select(Photo).where(Photo.sha256.in_(digests))).scalars()}
    devices = {device.id: device for device in db.session.execute(
        select(Device).where(Device.id.in_({kept.device_id for kept in evidence if kept.device_id}))).scalars()}
    learn_names([*(kept.created_by for kept in evidence), *(device.user_id for device in devices.values())])
    entries = _entries([kept.id for kept in evidence])
    signed = journal.newest_checkpoint(db.session())
    flags = {kept.id: list(kept.fields.get("flags") or ()) for kept in evidence}
    known = types_of((flag["about"] for found in flags.values() for flag in found if flag.get("about")), scopes)
    held = holds.standing(db.session(), digests, house().store)
    made = [_panel(kept, photos, devices, held, entries.get(kept.id), signed.size if signed else 0,
                   [{**flag, "about_type": known.get(flag.get("about", ""))} for flag in flags[kept.id]])
            for kept in evidence]
    return sorted(made, key=lambda panel: (ROLES.index(panel.fields["role"]), panel.kept.created_seq))


def _panel(kept: Kept, photos: Mapping[str, Photo], devices: Mapping[str, Device], held: Mapping[str, str],
           entry: int | None, signed: int, flags: list[dict[str, Any]]) -> Panel:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for flag in flags:
        flag["severe"] = flag["code"] in SEVERE
        grouped.setdefault(FACT_OF.get(flag["code"], "digest"), []).append(flag)
    return Panel(kept, kept.fields.get("media") or {}, photos.get(kept.fields["sha256"]),
                 devices.get(kept.device_id or ""), entry, entry is not None and entry < signed, flags,
                 held.get(kept.fields["sha256"]), grouped)


def _entries(ids: list[str]) -> dict[str, int]:
    """By record the number of its newest journal entry."""
    rows = db.session.execute(select(JournalEntry.about, func.max(JournalEntry.index)).where(
        JournalEntry.about.in_(ids), JournalEntry.kind == "change").group_by(JournalEntry.about))
    return {str(about): index for about, index in rows}


def file_place(panel: Panel) -> dict[str, Any] | None:
    """The place that the file claims, shaped as a position (EXIF is WGS 84, which is EPSG:4490 within centimetres)."""
    claimed = panel.exif.get("position")
    return {**claimed, "crs": "EPSG:4326", "normalized": claimed} if claimed else None


def distance_between(panel: Panel) -> float | None:
    """Metres between the place that the device says and the one that the file says."""
    return apart_m(panel.fields.get("position"), file_place(panel))
