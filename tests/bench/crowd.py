"""Many devices at once: enrolled beforehand, each on a connection of its own, driven from processes of their own."""

from __future__ import annotations

import gc
import itertools
import secrets
import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from operator import attrgetter
from typing import NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.orm import Session

from schemas.values import stamp
from server.auth import hash_token
from server.house import wall_clock
from sync.models import Device
from tests.bench.deployment import Deployment
from tests.bench.fill import open_engine
from tests.bench.line import Line
from tests.enrolled import Handheld

CLIENTS = 2  # processes
LEAD_S = 3.0  # until the clients have started
T = TypeVar("T")


class Member(NamedTuple):
    """A device of the crowd: where and as whom it calls, when after the start, and what it has to push (body,
    signature)."""

    url: str
    token: str
    at_s: float = 0.0
    body: bytes = b""
    signature: str = ""

    def line(self) -> Line:
        return Line(self.url, {"Authorization": f"Bearer {self.token}"})


class Enrolled(Handheld):
    """A device that makes and signs mutations and has no connection of its own; `enrol` makes it known."""

    def __init__(self, url: str) -> None:
        self.root, self.id, self.token = url, str(uuid.uuid4()), secrets.token_urlsafe(32)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.numbers = itertools.count(1)


def enrol(deployment: Deployment, count: int, *scopes: str) -> list[Enrolled]:
    """Devices of one inspector of these scopes, written beside the server: enrolling is not what is measured."""
    owner = deployment.bureau.person("inspector", scopes=scopes)
    engine, now = open_engine(deployment.database_url), stamp(wall_clock())
    made = [Enrolled(deployment.server.url) for _ in range(count)]
    with Session(engine) as session, session.begin():
        session.add_all(Device(
            id=device.id, user_id=owner.id, token_hash=hash_token(device.token), name="bench", platform="android",
            app_version="1.0.0", public_key=device.public_key(), enrolled_at=now, last_seen_at=now) for device in made)
    engine.dispose()
    return made


def at_once(work: Callable[[Member], T], members: Sequence[Member], lanes: int) -> list[tuple[float, float, T]]:
    """Do each member's work when its time comes, at most `lanes` at the same time: (due, done, result) of each.

    Seconds after the start. Who waits for a lane is late already: the wait counts. Lanes are taken in the order of
    times, so that nobody waits for one in which another sleeps until his own.
    """
    start = time.time() + LEAD_S
    waiting = sorted(members, key=attrgetter("at_s"))
    shares = [(work, waiting[client::CLIENTS], lanes // CLIENTS, start) for client in range(CLIENTS)]
    with ProcessPoolExecutor(CLIENTS, mp_context=get_context("fork")) as pool:
        return [one for share in pool.map(_share, shares) for one in share]


def _share(share: tuple[Callable[[Member], T], Sequence[Member], int, float]) -> list[tuple[float, float, T]]:
    work, members, lanes, start = share
    gc.disable()  # no device walks what a hundred others hold in the same process
    with ThreadPoolExecutor(lanes) as pool:
        return list(pool.map(partial(_in_time, work, start), members))


def _in_time(work: Callable[[Member], T], start: float, member: Member) -> tuple[float, float, T]:
    time.sleep(max(start + member.at_s - time.time(), 0))
    result = work(member)
    return member.at_s, time.time() - start, result


def percentile_95(figures: Sequence[float]) -> float:
    return statistics.quantiles(figures, n=20)[-1] if len(figures) > 1 else figures[0]
