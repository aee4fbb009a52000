"""What belongs to a case: a finding or an enforcement record, with all that is about it or named by it.

What the one who asks does not see is known by type and id only. Everything is read in the snapshot that is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from media.checked import CHECKED
from media.derivatives import ENTRY as COPIED
from media.models import CaptureEntry, Photo, Rendition
from media.sources import opening
from schemas.problems import Problem
from schemas.values import is_uuid
from server.auth import Principal
from server.listing import sees
from sync.bulk import Among
from sync.kept import RECORD, Kept, kept_from
from sync.models import Checkpoint, Device, JournalEntry, Record

ROOTS = ("finding", "enforcement")
ABOUT = ("evidence", "task", "conflict")
NAMED = ("inspection_id", "party_id")


@dataclass(slots=True)
class Case:
    """The records, the one that was asked for first; photos by digest, those that no record of the case
    opens, their copies, since when the store holds them, and the devices that took them."""

    records: list[Kept]
    unseen: list[dict[str, str]]
    photos: dict[str, Photo] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    renditions: dict[str, dict[str, Rendition]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)

    @property
    def root(self) -> Kept:
        return self.records[0]

    @property
    def evidence(self) -> list[Kept]:
        return [kept for kept in self.records if kept.type == "evidence"]

    @property
    def digests(self) -> list[str]:
        return list(dict.fromkeys(kept.fields["sha256"] for kept in self.evidence))


def root_of(session: Session, asker: Principal, record_id: str) -> Kept:
    """The finding or enforcement record, deleted ones too; raises `not_found`."""
    row = session.execute(select(RECORD).where(Record.id == record_id)).mappings().first() \
        if is_uuid(record_id) else None
    known = row is not None and row["type"] in ROOTS
    if row is None or not known or not asker.covers(row["scope"]):
        raise Problem("not_found", "没有此案,或无权知晓 no such case, or no right to know of it", hidden=known)
    return kept_from(row)


def gather(session: Session, scopes: Sequence[str], root: Kept) -> Case:
    """The case of the record."""
    finding = root.id if root.type == "finding" else root.fields.get("finding_id")
    trunk = {root.id: root}
    if finding:
        of_finding = and_(Record.type == "enforcement", Record.fields.contains(f'"finding_id":"{finding}"'))
        trunk |= _read(session, or_(Record.id == finding, of_finding))
    named = _read(session, Among(Record.id, list({kept.fields[name] for kept in trunk.values() for name in NAMED
                                                  if isinstance(kept.fields.get(name), str)})))
    subjects = [*trunk, *(kept.id for kept in named.values() if kept.type == "inspection")]
    about = _read(session, and_(Among(Record.about_id, subjects), Record.type.in_(ABOUT)))
    about |= _read(session, Among(Record.id, _decisions(session, list(trunk))))
    disputes = _read(session, and_(Among(Record.about_id, [*named, *about]), Record.type == "conflict"))
    found = {**trunk, **named, **about, **disputes}.values()
    case = Case([kept for kept in found if kept is root or sees(scopes, kept.type, kept.scope)],
                [{"type": kept.type, "id": kept.id} for kept in found
                 if kept is not root and not sees(scopes, kept.type, kept.scope)])
    _add_photos(session, case)
    return case


def _read(session: Session, condition: ColumnElement[bool]) -> dict[str, Kept]:
    rows = session.execute(select(RECORD).where(condition).order_by(Record.created_seq)).mappings()
    return {row["id"]: kept_from(row) for row in rows}


def _decisions(session: Session, ids: list[str]) -> list[str]:
    """The ids of the review decisions on these records, which the journal knows."""
    return [body["decision_id"] for body in session.execute(select(JournalEntry.body).where(
        Among(JournalEntry.about, ids), JournalEntry.kind == "decision")).scalars()]


def _add_photos(session: Session, case: Case) -> None:
    digests = case.digests
    case.photos = {photo.sha256: photo for photo in session.execute(
        select(Photo).where(Among(Photo.sha256, digests))).scalars()}
    ids = {kept.id for kept in case.evidence}
    opened = opening(session, digests).keys()
    case.closed = set(case.photos) - {kept.fields["sha256"] for kept in case.evidence if kept.id in opened}
    for made in session.execute(select(Rendition).where(
            Among(Rendition.parent, digests), Rendition.disposed_at.is_(None))).scalars():
        foreign = made.evidence_id is not None and made.evidence_id not in ids  # made of the same photo in another case
        if made.parent not in case.closed and not foreign:
            case.renditions.setdefault(made.parent, {})[made.kind] = made
    devices = list({kept.device_id for kept in case.evidence if kept.device_id})
    case.devices = list(session.execute(select(Device).where(Among(Device.id, devices)).order_by(Device.id)).scalars())


def chain_between(session: Session, case: Case, device_id: str) -> Iterator[CaptureEntry]:
    """The device's chain from the first to the last photo of the case, by number."""
    ids = [kept.id for kept in case.evidence if kept.device_id == device_id]
    own = session.execute(select(CaptureEntry.seq).where(Among(CaptureEntry.record_id, ids),
                                                         CaptureEntry.device_id == device_id)).scalars().all()
    if own:
        yield from session.execute(select(CaptureEntry).where(
            CaptureEntry.device_id == device_id, CaptureEntry.seq.between(min(own), max(own)))
            .order_by(CaptureEntry.seq, CaptureEntry.record_id).execution_options(yield_per=500)).scalars()


def beacons_of(session: Session, captures: Iterable[Mapping[str, Any]]) -> dict[str, Checkpoint]:
    """By root the checkpoints that the devices had seen at these captures."""
    roots = {beacon for capture in captures if isinstance(beacon := capture.get("beacon"), str)}
    rows = session.execute(select(Checkpoint).where(Among(Checkpoint.root, sorted(roots))).order_by(
        Checkpoint.size.desc())).scalars()
    return {row.root: row for row in rows}


class Happening(NamedTuple):
    """An entry of the journal; of a change's body only the version is kept."""

    index: int
    at: str
    kind: str
    actor: str
    about: str
    body: Mapping[str, Any]


def happenings_of(session: Session, case: Case) -> Iterator[Happening]:
    """The journal's entries about records, openings, checks, copies and disposals of photos, enrolments of devices of
    the case, oldest first."""
    ids, devices = {kept.id for kept in case.records}, {device.id for device in case.devices}
    rows = session.execute(select(
        JournalEntry.index, JournalEntry.at, JournalEntry.kind, JournalEntry.actor, JournalEntry.about,
        JournalEntry.body).where(Among(JournalEntry.about, [*ids, *devices, *case.digests])).order_by(
            JournalEntry.index).execution_options(yield_per=500))
    for row in rows:
        enrolled = row.about in devices and row.kind == "device_enrolled"
        seen = row.kind in ("opened", COPIED) and row.body.get("evidence_id") in ids
        if row.about in ids or enrolled or seen or row.kind in (CHECKED, "disposed"):
            happened = Happening(*row)
            yield happened._replace(body={"version": row.body["version"]}) if row.kind == "change" else happened
