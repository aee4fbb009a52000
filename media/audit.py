"""The audit of what `media` keeps: do capture chains and stored photos still say what the evidence says?

Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from media import incidents
from media.capture import EntryInvalid, Flag, Link, check_link, check_signature, link_of
from media.disposal import REMOVING
from media.evidence import CHAIN_FLAGS, SIGNING_FLAGS
from media.models import CaptureEntry, ChainBreak, Photo, PhotoDisposal, Rendition
from media.stores import NotStored, Store, StoreUnavailable
from schemas.records import INCIDENT
from schemas.values import stamp
from sync.audit import Audit, batches, stream
from sync.models import Device, Record
from sync.writers import SERVER

RECENT = timedelta(days=7)
KEPT_STATES = ("stored", "verified", "damaged")


def check_chains(audit: Audit, session: Session) -> None:
    """Every chain entry against its evidence record and the device's key; every break of a chain against its flags."""
    keys = {row.id: row.public_key for row in session.execute(select(Device.id, Device.public_key))}
    flags: dict[str, set[str]] = defaultdict(set)
    evidence = stream(session, select(Record.id, Record.device_id, Record.fields).where(
        Record.type == "evidence", Record.device_id.is_not(None)).order_by(Record.id))
    for batch in batches(evidence):
        entries = {row.record_id: row for row in session.execute(select(CaptureEntry).where(
            CaptureEntry.record_id.in_([row.id for row in batch]))).scalars()}
        for row in batch:
            fields = orjson.loads(row.fields)
            flags[row.id] = {flag["code"] for flag in fields.get("flags") or ()} & (CHAIN_FLAGS | SIGNING_FLAGS)
            _check_capture(audit, row, fields, entries.get(row.id), keys.get(row.device_id), flags[row.id])
    _check_links(audit, session, flags)


def _check_capture(audit: Audit, row: Any, fields: Mapping[str, Any], entry: CaptureEntry | None,
                   key: Mapping[str, Any] | None, flags: set[str]) -> None:
    """One evidence record: its chain entry is what its own capture gives, and its signature is as good as its flags."""
    capture = fields.get("capture")
    audit.checked["captures"] += isinstance(capture, dict)
    try:
        link = link_of(row.device_id, capture, fields, row.id) if isinstance(capture, dict) else None
    except EntryInvalid:  # flagged at arrival: nothing stands in the chain for it
        link = None
    found = Link(entry.seq, entry.prev, entry.hash, entry.record_id) if entry else None
    if link != found:
        audit.wrong("capture_altered", row.id, "the entry of the capture chain is not what the evidence record gives")
    unsaid = {flag["code"] for flag in check_signature(key, row.device_id, capture, fields, row.id)} - flags
    if unsaid:
        audit.wrong("capture_unsigned", row.id, f"{', '.join(sorted(unsaid))}, of which its flags say nothing")


def _check_links(audit: Audit, session: Session, flags: Mapping[str, set[str]]) -> None:
    """Every entry follows the one before it in its device's chain, unless its flags say that it does not; and then
    there is an incident, or one that waits to be."""
    told = _told(session)
    entries = stream(session, select(CaptureEntry.device_id, CaptureEntry.seq, CaptureEntry.prev, CaptureEntry.hash,
                                     CaptureEntry.record_id).order_by(CaptureEntry.device_id, CaptureEntry.seq))
    for device_id, chain in groupby(entries, key=lambda row: row.device_id):
        below: list[Link] = []
        for _, twins in groupby(chain, key=lambda row: row.seq):
            beside = [Link(row.seq, row.prev, row.hash, row.record_id) for row in twins]
            for link in beside:
                if link.record_id not in flags:
                    audit.wrong("capture_orphan", link.record_id, f"chain entry {link.seq} without its evidence record")
                    continue
                found = check_link(link, [*below, *beside])
                audit.checked["chain_breaks"] += len(found)
                broken = {flag["code"] for flag in found} - flags[link.record_id]
                untold = {flag["code"] for flag in found if not _is_told(flag, link.seq, told[device_id])} - broken
                if untold:
                    audit.wrong("break_without_incident", link.record_id,
                                f"{', '.join(sorted(untold))} at seq {link.seq}, of which there is no incident")
                if broken:
                    audit.wrong("chain_broken", link.record_id, f"{', '.join(sorted(broken))} at seq {link.seq}, "
                                                                "of which its flags say nothing")
            below = beside


def _told(session: Session) -> Mapping[str, list[tuple[str, int, int]]]:
    """By device the (kind, from, to) of the breaks of its chain of which there is an incident, or will be."""
    told: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for row in stream(session, select(ChainBreak.device_id, ChainBreak.kind, ChainBreak.seq, ChainBreak.missing_from,
                                      ChainBreak.missing_to)):
        told[row.device_id].append((row.kind, *((row.missing_from, row.missing_to) if row.kind == incidents.GAP
                                                else (row.seq, row.seq))))
    for text, in stream(session, select(Record.fields).where(Record.type == INCIDENT.name)):
        fields = orjson.loads(text)
        if fields["kind"] == incidents.GAP:
            by_itself = (fields.get("closed") or {}).get("by") == SERVER.id
            told[fields["device"]] += [(incidents.GAP, low, high) for low, high in (
                fields["missing"] if by_itself else [(fields["missing_from"], fields["missing_to"])])]
        elif fields["kind"] == incidents.FORK:
            told[fields["device"]].append((incidents.FORK, fields["seq"], fields["seq"]))
    return told


def _is_told(flag: Flag, seq: int, told: list[tuple[str, int, int]]) -> bool:
    low, high = (flag["detail"]["missing_from"], flag["detail"]["missing_to"]) if flag["code"] == incidents.GAP \
        else (seq, seq)
    return any(kind == flag["code"] and first <= low and high <= last for kind, first, last in told)


def check_photos(audit: Audit, session: Session, store: Store, now: datetime,
                 random_bytes: Callable[[int], bytes], percent: float) -> None:
    """Every stored photo is in the store with its size and digest; all of this week and `percent` of the others are
    read again. So are its renditions. Evidence names no other.

    Goes no further when the store cannot be reached.
    """
    since, chance = stamp(now - RECENT), percent / 100

    def is_due(stored_at: str) -> bool:
        return stored_at >= since or int.from_bytes(random_bytes(4)) < chance * 2**32

    removing = set(session.execute(select(PhotoDisposal.sha256).where(PhotoDisposal.state == REMOVING)).scalars())
    for photo in stream(session, select(Photo.sha256, Photo.bytes, Photo.stored_at).order_by(Photo.sha256)):
        if photo.sha256 in removing:  # its bytes may be gone, which is told in a moment
            continue
        audit.checked["photos"] += 1
        again = is_due(photo.stored_at)
        try:
            _check_photo(audit, store, photo, again)
        except StoreUnavailable as error:
            audit.wrong("store_unavailable", photo.sha256, str(error))
            break
    else:
        _check_renditions(audit, session, store, is_due, removing)
    kept = select(Photo.sha256).where(Photo.sha256 == Record.sha256).exists()
    for evidence_id, digest in stream(session, select(Record.id, Record.sha256).where(
            Record.type == "evidence", Record.media_state.in_(KEPT_STATES), ~kept)):
        audit.wrong("photo_unknown", evidence_id, f"says that {digest} is stored; no such photo is")


def _check_renditions(audit: Audit, session: Session, store: Store, is_due: Callable[[str], bool],
                      removing: set[str]) -> None:
    """Every rendition is in the store with its size, and some are read again: pages show nothing of a photo but it."""
    for made in stream(session, select(Rendition.parent, Rendition.kind, Rendition.sha256, Rendition.bytes,
                                       Rendition.made_at).where(Rendition.disposed_at.is_(None))
                       .order_by(Rendition.parent, Rendition.kind)):
        if made.parent in removing:
            continue
        audit.checked["renditions"] += 1
        try:
            found = store.head(made.sha256)
            if found is None:
                audit.wrong("rendition_missing", made.parent, f"its {made.kind} not in the store")
            elif found.bytes != made.bytes:
                audit.wrong("rendition_wrong", made.parent, f"its {made.kind} has {found.bytes} bytes, not "
                                                            f"{made.bytes}")
            elif is_due(made.made_at):
                audit.checked["renditions_read"] += 1
                if _digest_in(store, made.sha256) != made.sha256:
                    audit.wrong("rendition_wrong", made.parent, f"the bytes of its {made.kind} do not hash to their "
                                                                "name")
        except StoreUnavailable as error:
            audit.wrong("store_unavailable", made.sha256, str(error))
            break


def _check_photo(audit: Audit, store: Store, photo: Any, again: bool) -> None:
    found = store.head(photo.sha256)
    if found is None:
        audit.wrong("photo_missing", photo.sha256, "not in the store")
    elif (found.bytes, found.sha256) != (photo.bytes, photo.sha256):
        audit.wrong("photo_wrong", photo.sha256, f"the store has {found.bytes} bytes, not {photo.bytes}, or another "
                                                 "digest")
    elif again:
        audit.checked["photos_read"] += 1
        digest = _digest_in(store, photo.sha256)
        if digest is None:
            audit.wrong("photo_missing", photo.sha256, "not in the store")
        elif digest != photo.sha256:
            audit.wrong("photo_wrong", photo.sha256, "the bytes do not hash to their name")


def _digest_in(store: Store, name: str) -> str | None:
    """What the bytes of a file hash to, read whole; None where it went meanwhile."""
    digest = sha256()
    try:
        for block in store.open(name):
            digest.update(block)
    except NotStored:
        return None
    return digest.hexdigest()
