"""What the server has of a device: how far its numbering came, what became of its mutations, which photos are verified.

Serves the signed receipt (`statements.py`). All is read from one snapshot (`gate.open_snapshot`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.merkle import Frontier
from sync.models import Clock, Device, Receipt, Record
from sync.statements import changes_root, photos_root

OUTCOMES = ("applied", "merged", "conflicted", "held", "quarantined", "dismissed")
LACKING = ("expected", "partial", "stored", "damaged", "refused")


def statement_of(session: Session, device_id: str, origin: str, at: str) -> dict[str, Any]:
    """The statement of a receipt at the wire time `at`.

    `outcomes` counts the device's mutations by what became of them until now, `changes` has the root over what they
    were (`statements.changes_root`), `photos` tells of its person's photos: how many are verified, the root over their
    digests (`statements.photos_root`), and how many are in each other state.
    """
    clock = session.execute(select(Clock.epoch, Clock.journal_size, Clock.journal_peaks).where(Clock.id == 1)).one()
    device = session.execute(select(Device.user_id, Device.last_n).where(Device.id == device_id)).one()
    states = photo_states(session, device.user_id)
    verified = [digest for digest, state in states.items() if state == "verified"]
    lacking = Counter(state for state in states.values() if state != "verified")
    return {"origin": origin, "device_id": device_id, "user_id": device.user_id, "at": at, "epoch": clock.epoch,
            "last_n": device.last_n, "outcomes": _outcomes(session, device_id),
            "changes": {"root": changes_root(arrived_changes(session, device_id))},
            "photos": {"verified": len(verified), "root": photos_root(verified),
                       **{state: lacking[state] for state in LACKING}},
            "journal": {"size": clock.journal_size,
                        "root": Frontier.from_json(clock.journal_size, clock.journal_peaks).root().hex()}}


def verified_photos(session: Session, user_id: str) -> list[str]:
    """The digests, sorted, of the photos of a person's devices that were checked and found as captured."""
    return sorted(digest for digest, state in photo_states(session, user_id).items() if state == "verified")


def arrived_changes(session: Session, device_id: str) -> Iterator[tuple[int, str | None, str]]:
    """Number, id and digest (`push.digest_of`) of each mutation of a device, in the order of the numbers."""
    rows = session.execute(select(Receipt.n, Receipt.id, Receipt.digest).where(Receipt.device_id == device_id)
                           .order_by(Receipt.n)).yield_per(1000)
    return ((row.n, row.id, row.digest) for row in rows)


def photo_states(session: Session, user_id: str) -> dict[str, str]:
    """The state of each photo that evidence of a person's devices names; the best one where several name it."""
    devices: Sequence[str] = session.execute(select(Device.id).where(Device.user_id == user_id)).scalars().all()
    rows = session.execute(select(Record.sha256, Record.media_state).where(
        Record.device_id.in_(devices), Record.media_state.is_not(None), Record.sha256.is_not(None))).all()
    found: dict[str, str] = {}
    for digest, state in rows:
        if digest and state and found.get(digest) != "verified":
            found[digest] = state
    return found


def _outcomes(session: Session, device_id: str) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for outcome, settled in session.execute(select(Receipt.outcome, Receipt.settled)
                                            .where(Receipt.device_id == device_id)).yield_per(1000):
        became = (settled or outcome)["outcome"]
        counted[became if became in OUTCOMES else outcome["outcome"]] += 1
    return {name: counted[name] for name in OUTCOMES}
