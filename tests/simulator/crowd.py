"""Truly concurrent writers: devices in threads of their own on one server, and what must hold when they are quiet.

The order of what happens is the machine's; only what each does is drawn from the seed. Nothing is followed step by step
then: the same promises are checked afterwards, of rows, histories, receipts, conflicts and devices together.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from typing import Any

import httpx
import orjson

from sync.device.client import API, Problem, Unreachable
from tests.simulator import acts, properties, quiet
from tests.simulator.installation import POINT, SAID, Answer, Crash
from tests.simulator.people import SCOPES
from tests.simulator.remembered import TAKEN
from tests.simulator.script import Script
from tests.simulator.seam import Sent
from tests.simulator.world import Hand, World

ACTS = ("create", "edit", "edit", "edit", "group", "poison", "refer", "delete", "push", "push", "push", "pull", "pull")
FAULTS = (None, None, None, "lose_request", "lose_answer", "duplicate", "cut_answer")
TIMES = 9
PAUSE_S = 0.02
WRITERS = 3


class Crowd(World):
    """A world whose devices act at the same time; requests reach the server from many threads."""

    def deliver(self, sent: Sent, act: Any = None) -> Answer:
        """Hand a request to the server; what it says to a writer whose commit was made to fail is trouble."""
        try:
            answer = self.server.answer(sent.method, sent.target, sent.headers, sent.body)
        except Crash:
            raise httpx.RemoteProtocolError("the worker went away") from None
        if answer.status == 500:
            properties.a_rolled_back_writer_neither_stalls_nor_skips(None, None, answer.status, SAID[-1])
        if sent.path == "/devices" and answer.status == 201:
            enrolment = orjson.loads(answer.body)
            self.owners[enrolment["device_id"]] = enrolment["user"]["username"]
        return answer

    def run(self) -> None:
        """Let everybody work at once."""
        with ThreadPoolExecutor(len(self.hands) + 1) as pool:
            running = [pool.submit(self._work, hand) for hand in self.hands]
            running.append(pool.submit(self._office))
            for future in running:
                future.result()
        POINT.disarm()

    def _work(self, hand: Hand) -> None:
        corner = Corner(self, hand)
        for _ in range(TIMES):
            hand.seam.arm(corner.dice.choice(FAULTS), corner.dice.randrange(2))
            do = corner.dice.choice(ACTS)
            corner.count("step", do)
            with suppress(Unreachable, Problem):
                getattr(acts, do)(corner, hand)
            hand.seam.arm(None)
        self.counts.update(corner.counts)

    def _office(self) -> None:
        """Moves of records while they are edited, and commits that fail under somebody."""
        dice = Random(f"{self.seed} office")
        for _ in range(TIMES // 2):
            found = self.ask("chen", "GET", "/records?type=finding&limit=20")[1]["items"]
            if found:
                record = dice.choice(found)
                self.ask("chen", "POST", f"/records/finding/{record['id']}/commands",
                         {"name": "move", "args": {"scope": dice.choice(SCOPES), "reason": "why"}})
            POINT.arm("fail", dice.randrange(3))


class Corner:
    """What one thread needs of the world: its own dice, its own unique values."""

    def __init__(self, world: Crowd, hand: Hand) -> None:
        self.dice = Random(f"{world.seed} corner {hand.index}")
        self.now, self.server, self.hands = world.now, world.server, [hand]
        self.named, self.made_at, self.poison = world.named, world.made_at, world.poison
        self.awaited, self.equal_value = world.awaited, world.equal_value
        self.counts: Counter[tuple[str, str]] = Counter()
        self._hand, self._serial = hand, 0

    def token(self, prefix: str = "v") -> str:
        self._serial += 1
        return f"{prefix}{self._hand.index}-{self._serial:04d}~"

    def count(self, kind: str, name: str) -> None:
        self.counts[kind, name] += 1


def play(world: Crowd) -> None:
    """One schedule: work at once, heal, and hold everything against the promises. Raises Broken."""
    reader = _Reader(world)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(reader.follow)
        try:
            world.run()
        finally:
            reader.over = True
        reading.result()
    _heal(world)
    reader.catch_up()
    _check(world)
    whole = _Reader(world)
    whole.catch_up()
    different = {key for key in {*reader.rows, *whole.rows} if reader.rows.get(key) != whole.rows.get(key)}
    for key in different or {None}:
        properties.nothing_before_a_cursor_appears_later(key, 1 if key is None else 0, 0)


class _Reader:
    """Pulls page by page while others write, and keeps what it got."""

    def __init__(self, world: Crowd) -> None:
        self.world, self.over = world, False
        self.hand = world.hands[-1]
        self.token, self.device_id = self.hand.device.client.token, self.hand.device.id
        self.cursor = ""
        self.rows: dict[tuple[str, str], Any] = {}

    def follow(self) -> None:
        while not self.over:
            self.page(3)
            time.sleep(PAUSE_S)  # or it would take the machine from the writers

    def catch_up(self) -> None:
        while self.page(1000):
            pass

    def page(self, limit: int) -> bool:
        target = f"{API}/sync/pull?limit={limit}" + (f"&cursor={self.cursor}" if self.cursor else "")
        answer = self.world.deliver(Sent("GET", target, [("authorization", f"Bearer {self.token}")], b"",
                                         self.device_id))
        if answer.status != 200:
            return True
        page = orjson.loads(answer.body)
        for change in page["changes"]:
            key = (change["type"], change["id"])
            before = self.rows.pop(key, {"version": 0})["version"]
            if change["op"] == "put":
                properties.versions_and_cursors_never_go_back(str(key), before, change["version"])
                self.rows[key] = {"version": change["version"], "fields": change["fields"]}
        self.cursor = page["cursor"]
        more: bool = page["more"]
        return more


def _heal(world: Crowd) -> None:
    for _ in range(quiet.ROUNDS):
        before = world.oracle.clock()
        for hand in world.hands:
            quiet.exchange(world, hand)
        if before == world.oracle.clock() and not any(hand.device.unsent() for hand in world.hands):
            return
    raise properties.Broken("each_device_equals_its_scope", f"not quiet after {quiet.ROUNDS} rounds")


def _check(world: Crowd) -> None:
    epoch = world.server.read("SELECT epoch FROM clock")[0][0]
    for hand in world.hands:
        quiet.check_device(world, hand, epoch)
    quiet.check_histories(world)
    quiet.check_held(world)
    _check_receipts(world)
    numbers = [row[0] for row in world.server.read("SELECT seq FROM history")]
    properties.versions_and_cursors_never_go_back("numbers given twice", 0, len(set(numbers)) - len(numbers))
    for (text,) in world.server.read("SELECT fields FROM record WHERE type = 'conflict'"):
        properties.equal_values_never_conflict(orjson.loads(text))


def _check_receipts(world: Crowd) -> None:
    """What a device was told stands in its store as the server has it, groups whole, values kept."""
    receipts = {row[0]: orjson.loads(row[1]) for row in world.server.read("SELECT id, outcome FROM receipt")}
    groups: dict[str, list[str]] = {}
    bodies: dict[str, Any] = {}
    for hand in world.hands:
        for row in hand.device.store.run("SELECT id, body, outcome FROM mutation").fetchall():
            body, kept = orjson.loads(row[1]), receipts[row[0]]
            told = orjson.loads(row[2]) if row[2] else {"outcome": None}
            properties.effect_and_receipt_both_or_neither(
                told["outcome"] == kept["outcome"], f"{hand.index} was told {told}, kept is {kept}")
            if body.get("group"):
                groups.setdefault(body["group"], []).append(kept["outcome"])
            if kept["outcome"] in TAKEN and kept["version"]:
                found = world.server.read("SELECT 1 FROM history WHERE record_id = ? AND version = ?",
                                          body["record_id"], kept["version"])
                properties.effect_and_receipt_both_or_neither(bool(found), f"{kept} has no history")
            world.count("outcome", kept["outcome"])
            bodies[row[0]] = body
    quiet.check_texts(world, bodies)
    for outcomes in groups.values():
        properties.a_group_wholly_or_not_at_all(outcomes)


def drawn(seed: int) -> Script:
    """The script of a crowd says only the seed and how many devices."""
    return Script(seed, WRITERS, ())
