"""What an evidence record says of its photo: state, flags, bracket. Photo and record find each other here, whoever
comes first; every change goes through the door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from media import incidents
from media.capture import EntryInvalid, Flag, Link, bracket, check_link, check_signature, link_of, touched_by
from media.facts import flags_from
from media.models import CaptureEntry, Photo, Upload
from media.reused import EXACT, NEAR, flags_for, tell, twins
from schemas.values import SHA256_HEX
from sync.kept import Kept
from sync.models import Checkpoint, Device
from sync.records import Door
from sync.writers import Writer

CHAIN_FLAGS = frozenset({"chain_gap", "chain_fork"})
SIGNING_FLAGS = frozenset({"unsigned", "signature_invalid"})
REUSE_FLAGS = frozenset({EXACT, NEAR})
ARRIVAL_FLAGS = CHAIN_FLAGS | SIGNING_FLAGS | REUSE_FLAGS


def media_of(session: Session, sha256: str) -> dict[str, Any]:
    """The state of the photo with this digest as evidence shows it: `{state, …}`."""
    photo = session.get(Photo, sha256)
    if photo is not None:
        return {"state": photo.state, **shown(photo)}
    started = session.execute(select(Upload.id).where(Upload.sha256 == sha256, Upload.state == "partial")
                              .limit(1)).first()
    if started:
        return {"state": "partial"}
    code = refusal_of(session, sha256)
    return {"state": "refused", "code": code} if code else {"state": "expected"}


def refusal_of(session: Session, sha256: str) -> str | None:
    """The code for which the bytes of this digest were refused last, whether or not evidence named them by then."""
    return session.execute(select(Upload.refused).where(Upload.sha256 == sha256, Upload.refused.is_not(None))
                           .order_by(Upload.created_at.desc()).limit(1)).scalar()


def shown(photo: Photo) -> dict[str, Any]:
    """What a checked photo's evidence tells of the file."""
    return dict(photo.found or {}) if photo.checked_at else {}


def set_media(door: Door, sha256: str, media: Mapping[str, Any],
              flags_of: Callable[[Kept], list[Flag]] | None = None) -> None:
    """Amend every evidence record that names the digest: its media, and the flags that a check of the photo makes."""
    for kept in evidence_of(door, sha256):
        flags = kept.fields.get("flags") or []
        if flags_of is not None:
            flags = [*(flag for flag in flags if flag["code"] in ARRIVAL_FLAGS), *flags_of(kept)]
        door.amend(kept.id, {"media": dict(media), "flags": flags}, op="media")


def evidence_of(door: Door, sha256: str) -> list[Kept]:
    """Every evidence record that names the digest, oldest first."""
    return door.live("evidence", sha256=sha256)


def arrival(door: Door, writer: Writer, record_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The server's fields of a new evidence record: media, flags, received_at, bracket."""
    capture = fields.get("capture")
    flags = check_signature(_key_of(door, writer), writer.device_id or "", capture, fields, record_id)
    link = _link(writer, record_id, fields)
    if link is not None:
        flags += check_link(link, _known(door, writer.device_id or "", link))
    beacon = capture.get("beacon") if isinstance(capture, dict) else None
    between = bracket(_beacon_at(door, beacon), door.at)
    photo = door.session.get(Photo, fields["sha256"])
    if photo is not None and photo.checked_at:
        flags += flags_from(photo.found or {}, {**fields, "bracket": between})
    return {"media": media_of(door.session, fields["sha256"]), "received_at": door.at, "bracket": between,
            "flags": flags_for(fields, twins(door, record_id, fields), flags)}


def arrived(door: Door, writer: Writer, kept: Kept) -> None:
    """Enter a new evidence record in its device's chain, and mend the flags of those it bears upon."""
    link = _link(writer, kept.id, kept.fields)
    if link is not None and writer.device_id:
        known = _known(door, writer.device_id, link)
        door.add_row(CaptureEntry, {"record_id": kept.id, "device_id": writer.device_id, "seq": link.seq,
                                    "hash": link.hash, "prev": link.prev})
        incidents.note_gap(door, writer, kept, link, known, kept.fields["flags"])
        incidents.note_fork(door, writer.device_id, writer.user_id, kept, kept.fields["flags"])
        if any(other.seq > link.seq for other in known):
            incidents.note_arrival(door, writer, link.seq)
        for other in touched_by(link, known):
            flags = check_link(other, _known(door, writer.device_id, other))
            touched = _replace_flags(door, other.record_id, CHAIN_FLAGS, flags)
            if touched is not None:
                incidents.note_fork(door, writer.device_id, writer.user_id, touched, flags)
    tell(door, kept, twins(door, kept.id, kept.fields), itself=False)


def _replace_flags(door: Door, record_id: str, codes: frozenset[str], flags: list[Flag]) -> Kept | None:
    kept = door.get(record_id)
    if kept is None:
        return None
    others = [flag for flag in kept.fields.get("flags") or [] if flag["code"] not in codes]
    return door.amend(record_id, {"flags": [*others, *flags]}, op="flags")


def _link(writer: Writer, record_id: str, fields: Mapping[str, Any]) -> Link | None:
    capture = fields.get("capture")
    if not isinstance(capture, dict) or writer.device_id is None:
        return None
    try:
        return link_of(writer.device_id, capture, fields, record_id)
    except EntryInvalid:  # check_signature flags what has no entry
        return None


def _known(door: Door, device_id: str, link: Link) -> list[Link]:
    """The links that bear upon this one: same seq, nearest below, nearest above."""
    near = [Link(row["seq"], row["prev"], row["hash"], row["record_id"])
            for row in door.rows(CaptureEntry) if row["device_id"] == device_id]
    own = select(CaptureEntry).where(CaptureEntry.device_id == device_id)
    below = select(CaptureEntry.seq).where(CaptureEntry.device_id == device_id, CaptureEntry.seq < link.seq) \
        .order_by(CaptureEntry.seq.desc()).limit(1).scalar_subquery()
    above = select(CaptureEntry.seq).where(CaptureEntry.device_id == device_id, CaptureEntry.seq > link.seq) \
        .order_by(CaptureEntry.seq).limit(1).scalar_subquery()
    for row in door.session.execute(own.where((CaptureEntry.seq == link.seq) | (CaptureEntry.seq == below)
                                              | (CaptureEntry.seq == above))).scalars():
        near.append(Link(row.seq, row.prev, row.hash, row.record_id))
    return near


def _key_of(door: Door, writer: Writer) -> Mapping[str, Any] | None:
    device = door.session.get(Device, writer.device_id) if writer.device_id else None
    return device.public_key if device else None


def _beacon_at(door: Door, beacon: object) -> str | None:
    """When the checkpoint with this root was issued; None for one that this journal never had."""
    if not (isinstance(beacon, str) and SHA256_HEX.fullmatch(beacon)):  # PostgreSQL takes no NUL in a text
        return None
    return door.session.execute(select(Checkpoint.at).where(Checkpoint.root == beacon)
                                .order_by(Checkpoint.at).limit(1)).scalar_one_or_none()
