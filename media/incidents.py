"""What a break of a capture chain becomes: an incident that people explain (protocol section 7).

A fork is one at once. A gap may still be on its way, so that its break waits (`ChainBreak`) until `open_due` finds that
it is not: its device has told that it has delivered everything, was revoked, or had the time of grace. One incident a
device and stretch of missing numbers; it closes by itself when the last of them arrives. What a revoked device had told
that it had not delivered is one, too. All of them are records of the type `incident`, written through the door.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from media.capture import Flag, Link
from media.models import CaptureEntry, ChainBreak
from schemas.records import INCIDENT
from schemas.values import parse_time
from sync.health import TOLD, has_unsent
from sync.kept import Kept
from sync.models import Device, Held, Quarantined
from sync.records import Door
from sync.writers import SERVER, Writer

GAP, FORK, UNDELIVERED = "chain_gap", "chain_fork", "undelivered"
SEVERITIES = {GAP: "medium", FORK: "high", UNDELIVERED: "medium"}
UNSETTLED = ("open", "explained")
MOST_OPENED = 500
Stretch = list[int]


def note_gap(door: Door, writer: Writer, kept: Kept, link: Link, known: Iterable[Link], flags: Sequence[Flag]) -> None:
    """Remember the numbers that are missing below a new top of its device's chain; others lie in a stretch that is
    remembered already."""
    gap = next((flag["detail"] for flag in flags if flag["code"] == GAP), None)
    if gap is not None and not any(other.seq >= link.seq for other in known):
        door.add_row(ChainBreak, {"device_id": writer.device_id, "seq": link.seq, "kind": GAP, "record_id": kept.id,
                                  "missing_from": gap["missing_from"], "missing_to": gap["missing_to"],
                                  "seen_at": door.at})


def note_arrival(door: Door, writer: Writer, seq: int) -> None:
    """Take a number that came late from the incident which says that it is missing; the last one closes it."""
    for kept in _of_person(door, writer.user_id, GAP):
        missing = [list(stretch) for stretch in kept.fields["missing"]]
        if kept.fields["device"] == writer.device_id and any(low <= seq <= high for low, high in missing):
            left = [part for low, high in missing for part in _without(low, high, [seq])]
            door.amend(kept.id, {"missing": left, **({} if left else {
                "status": "closed", "closed": {"at": door.at, "by": SERVER.id}})}, op="arrived")


def note_fork(door: Door, device_id: str, user_id: str, kept: Kept, flags: Sequence[Flag]) -> None:
    """Open an incident for a fork, or add the evidence to that of its twins, which is open again then."""
    forks = [flag for flag in flags if flag["code"] == FORK]
    if not forks:
        return
    twins = [flag["about"] for flag in forks if "about" in flag]
    found = next((one for twin in (kept.id, *twins) for one in door.live(INCIDENT.name, about_id=twin)
                  if one.fields["kind"] == FORK), None)
    evidence = sorted({kept.id, *twins})
    if found is None:
        _open(door, FORK, kept.scope, device_id, user_id, about={"type": "evidence", "id": kept.id},
              seq=forks[0]["detail"]["seq"], evidence=evidence)
    elif not set(evidence) <= set(found.fields["evidence"]):
        door.amend(found.id, {"evidence": sorted({*found.fields["evidence"], *evidence}), "status": "open"})


def open_undelivered(door: Door, device: Device, scope: str, reason: str) -> None:
    """Say what a device that ends had told that it had not delivered: photos at the end of its chain leave no gap."""
    if has_unsent(device.reported):
        told = {name: device.reported[name] for name in (*TOLD, "at") if name in device.reported}
        _open(door, UNDELIVERED, scope, device.id, device.user_id, undelivered=told, note=reason)


def open_due(door: Door, grace: timedelta) -> int:
    """Open what is not on its way any more, and forget what arrived; how many incidents that were."""
    opened = 0
    for row in door.session.execute(select(ChainBreak).order_by(ChainBreak.seen_at, ChainBreak.device_id,
                                                                ChainBreak.seq)).scalars().all():
        kept, device = door.get(row.record_id), door.session.get(Device, row.device_id)
        if opened == MOST_OPENED:
            return opened
        if kept is None or device is None:
            _forget(door, row)
        elif row.kind == FORK:  # from before incidents were known
            note_fork(door, device.id, device.user_id, kept, kept.fields.get("flags") or ())
            _forget(door, row)
            opened += 1
        elif not (missing := _missing(door, row)):
            _forget(door, row)
        elif _is_due(door, row, device, grace) and not _all_wait(missing, _waiting(door, device.id)):
            _open(door, GAP, kept.scope, device.id, device.user_id, about={"type": "evidence", "id": kept.id},
                  missing_from=row.missing_from, missing_to=row.missing_to, missing=missing, evidence=[kept.id])
            _forget(door, row)
            opened += 1
    return opened


def _open(door: Door, kind: str, scope: str, device_id: str, user_id: str, **said: Any) -> None:
    fields = {"kind": kind, "severity": SEVERITIES[kind], "status": "open", "opened_at": door.at,
              "device": device_id, "inspector_id": user_id, **said}
    door.create(INCIDENT, door.new_id(), scope, fields, SERVER, op="open")


def _of_person(door: Door, user_id: str, kind: str) -> list[Kept]:
    return [kept for status in UNSETTLED for kept in door.live(INCIDENT.name, inspector_id=user_id, status=status)
            if kept.fields["kind"] == kind]


def _forget(door: Door, row: ChainBreak) -> None:
    door.session.execute(delete(ChainBreak).where(
        ChainBreak.device_id == row.device_id, ChainBreak.seq == row.seq, ChainBreak.kind == row.kind))


def _is_due(door: Door, row: ChainBreak, device: Device, grace: timedelta) -> bool:
    """Is nothing of this device on its way any more? What it told counts from when the gap was seen."""
    told: Mapping[str, Any] = device.reported or {}
    all_sent = told.get("unsent") == 0 and told.get("at", "") >= row.seen_at
    return device.state != "active" or all_sent or door.now - parse_time(row.seen_at) >= grace


def _missing(door: Door, row: ChainBreak) -> list[Stretch]:
    """The stretches of numbers that the chain still lacks."""
    low, high = row.missing_from or 0, row.missing_to or 0
    present = door.session.execute(select(CaptureEntry.seq).where(
        CaptureEntry.device_id == row.device_id, CaptureEntry.seq.between(low, high))).scalars()
    return _without(low, high, present)


def _without(low: int, high: int, present: Iterable[int]) -> list[Stretch]:
    stretches = []
    for seq in sorted({seq for seq in present if low <= seq <= high}):
        if low < seq:
            stretches.append([low, seq - 1])
        low = seq + 1
    return [*stretches, [low, high]] if low <= high else stretches


def _waiting(door: Door, device_id: str) -> set[int]:
    """The numbers of captures that the server has whole, but not as evidence: held, or quarantined, whatever became of
    it there. They are not missing; the quarantine shows them to a supervisor."""
    held = door.session.execute(select(Held.mutations).where(Held.device_id == device_id)).scalars()
    kept = door.session.execute(select(Quarantined.mutation).where(Quarantined.device_id == device_id)).scalars()
    found = (_seq_of(raw) for raw in [*(raw for unit in held for raw in unit), *kept])
    return {seq for seq in found if seq is not None}


def _seq_of(raw: Any) -> int | None:
    """The number in the chain that a mutation as it came names, if it is evidence with one."""
    fields = raw.get("set") if isinstance(raw, dict) and raw.get("type") == "evidence" else None
    capture = fields.get("capture") if isinstance(fields, dict) else None
    seq = capture.get("seq") if isinstance(capture, dict) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) else None


def _all_wait(missing: Sequence[Stretch], waiting: set[int]) -> bool:
    """Are all of these numbers among those that wait?"""
    among = [sum(low <= seq <= high for seq in waiting) == high - low + 1 for low, high in missing]
    return all(among)
