"""Photos of open cases are held by a store that is asked to: the walk over what changed, and what it tells the store.

Rounds of a hundred records follow the sequence; what the store was told stands in rows, so that a killed round is made
again, and the store is never asked what it holds. One process walks at a time, by a lease. Serves the tick,
`menqian media move`, `menqian restore`, readyz and metrics.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from hashlib import sha256 as sha256_of
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from media.models import HoldWalk, PhotoHold
from media.stores import NotStored, Store, StoreUnavailable
from schemas.values import stamp
from server.cases import cases_of, named, open_cases, photos_named_by, photos_of
from server.db import db, reading, writing
from server.house import house
from server.keeping import orders
from server.keeping.files import below
from server.reference import table
from sync.audit import batches
from sync.bulk import Among
from sync.models import Clock, Record

RECORDS = 100
AT_ONCE = 8
LEASE = timedelta(minutes=10)  # longer than any round: eight calls of a store that answers nothing


class Due(NamedTuple):
    """What a round has to do: photos to hold and to free; the walk then stands at `seq`, with `more` records after."""

    hold: list[str]
    free: list[str]
    seq: int
    more: bool


@dataclass
class Told:
    """What the store did, what was not there to be held, and the failure that stopped it."""

    held: list[str] = field(default_factory=list)
    freed: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    trouble: StoreUnavailable | None = None


def standing(session: Session, digests: Iterable[str], store: Store) -> dict[str, str]:
    """By digest since when the store holds it; what is in doubt, or was never to be held, is left out."""
    rows = session.execute(select(PhotoHold.sha256, PhotoHold.held_at).where(
        PhotoHold.place == store.place, PhotoHold.held_at.is_not(None), Among(PhotoHold.sha256, list(digests))))
    return {row.sha256: row.held_at for row in rows} if store.holding else {}


def settle(store: Store, *, within_s: float = 2.0, again: bool = False) -> Told | None:
    """Tell the store what to hold and what to free, round by round, until nothing waits or the time is over.

    `again` takes up the photos that were not there when they were to be held. A store that fails is left until the
    next time; what it did by then is noted. None: another process does this now.
    """
    told = Told()
    if not store.holding or not (again or behind(db.session(), store)):
        return told
    if not _claim(store.place):
        return None
    ends_at, more = time.monotonic() + within_s, True
    while more:
        with reading():
            due = _due(db.session(), store.place, again)
        again = False
        if due.hold or due.free:
            with writing() as door:
                _intend(door.session, store.place, due)
        now = _tell(store, due)
        more = due.more and now.trouble is None and time.monotonic() < ends_at
        with writing() as door:
            _note(door.session, store.place, due, now, stamp(door.now + LEASE) if more else None, door.at)
        told = Told(told.held + now.held, told.freed + now.freed, told.absent + now.absent, now.trouble)
    return told


def behind(session: Session, store: Store) -> int:
    """How many changes at most the store has not been told of; 0 for one that is not asked to hold."""
    if not store.holding:
        return 0
    walk = session.get(HoldWalk, store.place, populate_existing=True)
    return _newest(session) - (walk.seq if walk is not None and walk.rules == _rules() else 0)


def trouble(session: Session, store: Store) -> str | None:
    """The kind of failure that stopped the last round."""
    walk = session.get(HoldWalk, store.place, populate_existing=True) if store.holding else None
    return walk.trouble if walk else None


def tell_anew(session: Session) -> None:
    """Nothing is known of what stores hold: after a restore, each photo is told again."""
    session.execute(update(PhotoHold).values(held_at=None))
    session.execute(update(HoldWalk).values(seq=0, trouble=None, busy_until=None))


def _claim(place: str) -> bool:
    """Take the lease, and begin anew where the rules are others; False while another process walks."""
    with writing() as door:
        walk = door.session.get(HoldWalk, place, populate_existing=True)
        if walk is None:
            walk = HoldWalk(place=place, seq=0, rules=_rules())
            door.session.add(walk)
        if walk.busy_until is not None and walk.busy_until > door.at:
            return False
        walk.busy_until = stamp(door.now + LEASE)
        if walk.rules != _rules():
            walk.seq, walk.rules = 0, _rules()
    return True


def _due(session: Session, place: str, again: bool) -> Due:
    since = session.execute(select(HoldWalk.seq).where(HoldWalk.place == place)).scalar_one()
    newest = _newest(session)
    rows = session.execute(select(Record.id, Record.type, Record.seq, Record.about_id, Record.sha256).where(
        Record.seq > since).order_by(Record.seq).limit(RECORDS)).all()
    cases = cases_of(session, [(row.id, row.type, row.about_id) for row in rows])
    until = rows[-1].seq if len(rows) == RECORDS else newest
    ordered = orders.covered(session, since, until)
    ordered |= below(session, orders.held(session, cases | {row.id for row in rows}))
    photos = photos_of(session, cases | ordered) | photos_named_by(session, ordered)
    photos |= {row.sha256 for row in rows if row.type == "evidence" and row.sha256}
    standing = select(PhotoHold.sha256, PhotoHold.held_at).where(PhotoHold.place == place)
    if again:
        photos |= {row.sha256 for row in session.execute(standing.where(PhotoHold.held_at.is_(None)))}
    evidence = named(session, photos)
    opened = open_cases(session, {each.about_id for each in evidence})
    opened |= orders.held(session, {one for each in evidence for one in (each.id, each.about_id)})
    wanted = {each.sha256 for each in evidence if not opened.isdisjoint((each.id, each.about_id))}
    checked = {each.sha256 for each in evidence if each.checked}
    stand = {row.sha256: row.held_at for row in session.execute(standing.where(
        Among(PhotoHold.sha256, list(photos))))}
    return Due(sorted(sha256 for sha256 in wanted & checked if not stand.get(sha256)), sorted(stand.keys() - wanted),
               until, len(rows) == RECORDS)


def _intend(session: Session, place: str, due: Due) -> None:
    """Write down what is in doubt from now on: a hold of which no row told would never be lifted, one that was lifted
    when its row still said that it is on would never be put on again."""
    session.execute(update(PhotoHold).where(PhotoHold.place == place, Among(PhotoHold.sha256, due.free))
                    .values(held_at=None))
    stand = set(session.execute(select(PhotoHold.sha256).where(
        PhotoHold.place == place, Among(PhotoHold.sha256, due.hold))).scalars())
    session.add_all(PhotoHold(sha256=sha256, place=place) for sha256 in due.hold if sha256 not in stand)


def _tell(store: Store, due: Due) -> Told:
    """Some at once; the first failure lets the rest wait."""
    told, now = Told(), house().clock()
    acts = [*((told.held, sha256, partial(store.hold, sha256, now)) for sha256 in due.hold),
            *((told.freed, sha256, partial(store.release, sha256)) for sha256 in due.free)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for some in batches(acts, AT_ONCE):
            failures = threads.map(_attempt, (act for _, _, act in some))
            for (done, sha256, _), failure in zip(some, failures, strict=True):
                if isinstance(failure, StoreUnavailable):
                    told.trouble = failure
                else:
                    (done if failure is None else told.absent).append(sha256)
            if told.trouble:
                break
    return told


def _attempt(act: Callable[[], None]) -> NotStored | StoreUnavailable | None:
    try:
        act()
    except (NotStored, StoreUnavailable) as failure:
        return failure
    return None


def _note(session: Session, place: str, due: Due, told: Told, busy_until: str | None, at: str) -> None:
    """Write down what the store did; the walk goes on only where it did all."""
    session.execute(update(PhotoHold).where(PhotoHold.place == place, Among(PhotoHold.sha256, told.held))
                    .values(held_at=at))
    session.execute(delete(PhotoHold).where(PhotoHold.place == place, Among(PhotoHold.sha256, told.freed)))
    walk = session.get_one(HoldWalk, place, populate_existing=True)
    failed = type(told.trouble).__name__ if told.trouble else None
    walk.trouble, walk.busy_until = failed, busy_until
    if not failed:
        walk.seq = due.seq


def _newest(session: Session) -> int:
    newest: int = session.execute(select(Clock.seq).where(Clock.id == 1)).scalar_one()
    return newest


def _rules() -> str:
    """The digest of the table by which photos are held: when it is another, all are looked at again."""
    return sha256_of(repr(table("holds")).encode()).hexdigest()
