"""What befalls handhelds: restarts, crashes, old copies, clones, wrong clocks. Each is a step of a script."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sync.device.client import Problem, Unreachable
from tests.simulator.installation import Crash

if TYPE_CHECKING:
    from tests.simulator.world import Hand, World

YEARS = (-12, -3, 2, 20)


def restart(world: World, hand: Hand) -> None:
    hand.reopen()


def keep_copy(world: World, hand: Hand) -> None:
    """The phone is backed up."""
    hand.copies.append(hand.copy(f"copy-{len(hand.copies)}"))


def go_back(world: World, hand: Hand) -> None:
    """The phone is restored from an old backup: what was made since and not delivered is gone with the phone."""
    if hand.copies:
        hand.go_back(world.dice.choice(hand.copies))


def clone(world: World, hand: Hand) -> None:
    """The store is copied onto another phone, and both go on."""
    if len(world.hands) < 5:
        world.add_clone(hand)


def jump_clock(world: World, hand: Hand) -> None:
    hand.offset = timedelta(days=365 * world.dice.choice(YEARS), seconds=world.dice.randrange(10**6))


def upgrade(world: World, hand: Hand) -> None:
    """A newer app, which knows a field that the older one did not."""
    hand.upgraded = True
    hand.reopen()


def enrol_anew(world: World, hand: Hand) -> None:
    hand.device.enrol_anew(world.invite(hand.person))


class Dying:
    """A SQLite connection whose process dies at the n-th statement; COMMIT counts twice, before and after."""

    def __init__(self, real: Any, countdown: int) -> None:
        self.real, self.countdown = real, countdown

    def execute(self, sql: str, *parameters: Any) -> Any:
        self._count()
        done = self.real.execute(sql, *parameters)
        if sql == "COMMIT":
            self._count()
        return done

    def _count(self) -> None:
        self.countdown -= 1
        if self.countdown < 0:
            raise Crash

    def __getattr__(self, name: str) -> Any:
        if self.countdown < 0:
            raise Crash
        return getattr(self.real, name)


def crash_within(world: World, hand: Hand, act: Callable[[World, Hand], None]) -> None:
    """Let the app die at some statement of an act; its file is opened again."""
    store = hand.device.store
    dying = Dying(store._db, world.dice.randrange(60))
    store._db = dying  # type: ignore[assignment]  # stands in for the connection
    try:
        act(world, hand)
    except Crash:
        world.count("crashed", "device")
        hand.seam.arm(None)
    finally:
        store._db = dying.real
        if dying.countdown < 0:
            hand.reopen()


def note_refusal(world: World, hand: Hand, failure: Problem | Unreachable) -> None:
    """A device that the server does not know (any more) enrols anew, mostly."""
    if isinstance(failure, Problem) and failure.status == 401 and failure.code != "signature_invalid" \
            and world.dice.random() < 0.6:
        with suppress(Unreachable, Problem):
            hand.device.enrol_anew(world.invite(hand.person))
