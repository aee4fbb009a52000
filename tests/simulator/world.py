"""The simulated world: people, their devices, the office, one server, one clock; all driven by one seeded random.

A step of a script names what happens and carries its own seed, so that steps can be left out and the others stay what
they were. `World.run` plays a script; `quiet.heal` ends it.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson

from sync.device.client import API, Patience, Problem, Unreachable
from sync.device.device import Device
from tests.simulator import acts, mishaps, office, properties, watching
from tests.simulator.installation import BEGIN, POINT, SAID, Answer, Crash, Installation
from tests.simulator.oracle import Oracle
from tests.simulator.people import Person, Template
from tests.simulator.script import Script, Step
from tests.simulator.seam import LATE_STEPS, Seam, Sent

PATIENCE = Patience(tries=2, wait=lambda _: None)


class Hand:
    """One handheld: its directory, the open device, its wire, its clock's error, copies of its store."""

    def __init__(self, world: World, index: int, person: Person, directory: Path) -> None:
        self.world, self.index, self.person, self.directory = world, index, person, directory
        self.random = Random(f"{world.seed} device {index}")
        self.offset = timedelta()
        self.upgraded = index % 2 == 0
        self.copies: list[Path] = []
        self.seam = Seam(world, self)
        self.device_id: str | None = None
        self.device = self._open()

    def _open(self) -> Device:
        device = Device.open(self.directory, transport=self.seam, clock=self.clock, random=self.random.randbytes,
                             patience=PATIENCE, invite=lambda: self.world.invite(self.person))
        self.device_id = device.id
        return device

    def clock(self) -> datetime:
        return self.world.now + self.offset

    def reopen(self) -> None:
        """The app was killed and starts again."""
        with suppress(Crash):
            self.device.close()
        self.device = self._open()

    def copy(self, name: str) -> Path:
        """A copy of the store, as a phone's backup would have it."""
        target = self.directory.with_name(f"{self.directory.name}-{name}")
        shutil.rmtree(target, ignore_errors=True)
        self.device.close()
        shutil.copytree(self.directory, target)
        self.device = self._open()
        return target

    def go_back(self, copy: Path) -> None:
        """The store is replaced by an older copy of itself."""
        self.device.close()
        shutil.rmtree(self.directory)
        shutil.copytree(copy, self.directory)
        self.device = self._open()


class World:
    """See the module."""

    def __init__(self, script: Script, server: Installation, template: Template, folder: Path) -> None:
        self.seed, self.script, self.server, self.folder = script.seed, script, server, folder
        self.now = BEGIN
        self.dice = Random(f"{script.seed} world")
        server.replace_by(template.database)
        server.random, server.now = Random(f"{script.seed} server"), lambda: self.now
        self.people = {key: Person(**{**vars(person), "ever": list(person.scopes), "scopes": list(person.scopes)})
                       for key, person in template.people.items()}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.serial = 0
        self.step = 0
        self.poison: set[str] = set()
        self.corrections: dict[str, Mapping[str, Any]] = {}
        self.made_at: dict[str, str] = {}
        self.named: dict[str, set[str]] = {}
        self.late: list[tuple[int, Sent]] = []
        self.owners = dict(template.owners)
        self.backups: list[tuple[Path, bytes, bytes]] = []
        self.cursors: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.told: dict[tuple[str, str, str], int] = {}
        self.awaited: list[str] = []
        self.equal_value = "equal~"
        self.oracle = Oracle(self)
        self.oracle.begin(template.made, next(iter(template.owners)))
        self.hands: list[Hand] = []
        for index, (directory, person) in enumerate(template.devices[:script.devices]):
            shutil.copytree(directory, folder / f"device-{index}")
            self.hands.append(Hand(self, index, self.people[person], folder / f"device-{index}"))

    def count(self, kind: str, name: str) -> None:
        self.counts[kind, name] += 1

    def token(self, prefix: str = "v") -> str:
        """A value that stands nowhere else in this world."""
        self.serial += 1
        return f"{prefix}{self.serial:04d}~"

    def owner_of(self, device_id: str) -> Person:
        return self.people[self.owners[device_id]]

    def user_of(self, writer: str) -> str:
        return self.people[self.owners[writer]].id if writer in self.owners else writer

    # running

    def run(self) -> None:
        """Play all steps of the script; raises Broken."""
        for number, step in enumerate(self.script.steps):
            self.step = number
            self.play(step)

    def play(self, step: Step) -> None:
        self.dice = Random(f"{self.seed} {step.salt}")
        self.now += timedelta(seconds=self.dice.randrange(1, 900))
        self.count("step", step.do)
        hand = self.hands[step.who % len(self.hands)]
        hand.seam.arm(step.fault if step.fault != "device_crash" else None, self.dice.randrange(3))
        act = next(getattr(where, step.do) for where in (acts, mishaps, office) if hasattr(where, step.do))
        try:
            if step.fault == "device_crash":
                self.count("fault", step.fault)
                mishaps.crash_within(self, hand, act)
            else:
                act(self, hand)
        except (Unreachable, Problem) as failure:
            self.count("refusal", failure.code if isinstance(failure, Problem) else "unreachable")
            mishaps.note_refusal(self, hand, failure)
        hand.seam.arm(None)
        self.deliver_due(self.step)

    # the server's side of the seam

    def deliver(self, sent: Sent, act: Mapping[str, Any] | None = None) -> Answer:
        """Hand a request to the server and let the oracle look at what came of it. Raises Crash."""
        before = self.oracle.clock()
        try:
            answer = self.server.answer(sent.method, sent.target, sent.headers, sent.body)
        except Crash as crash:
            self.server.kill()
            answer = Answer(*crash.args[0]) if crash.args else None
            self.oracle.follow(sent, answer, before, act)
            raise
        if answer.status >= 500 and POINT.struck != "fail":
            properties.a_rolled_back_writer_neither_stalls_nor_skips(None, None, answer.status, SAID[-1])
        POINT.struck = None
        self._learn(sent, answer)
        self.oracle.follow(sent, answer, before, act)
        return answer

    def _learn(self, sent: Sent, answer: Answer) -> None:
        if sent.path == "/devices" and answer.status == 201:
            enrolment = orjson.loads(answer.body)
            self.owners[enrolment["device_id"]] = enrolment["user"]["username"]
        elif sent.path == "/sync/pull" and answer.status == 200:
            watching.check_page(self, sent, orjson.loads(answer.body))

    def deliver_later(self, sent: Sent) -> None:
        """The network keeps a request for some steps."""
        self.late.append((self.step + 1 + self.dice.randrange(LATE_STEPS), sent))

    def deliver_due(self, step: int) -> None:
        """Deliver the requests whose time has come; nobody waits for their answers any more."""
        due = [sent for at, sent in self.late if at <= step]
        self.late = [(at, sent) for at, sent in self.late if at > step]
        for sent in due:
            self.count("delivered", "late")
            self.deliver(sent)

    def tick(self) -> None:
        """One round of the background worker."""
        before = self.oracle.clock()
        with self.server.app.app_context():
            self.server.app.extensions["menqian_tasks"]["tick"]()
        self.oracle.follow(Sent("TICK", "", [], b"", None), None, before)

    def add_clone(self, hand: Hand) -> None:
        index = len(self.hands)
        copy = hand.copy("clone")
        copy.rename(self.folder / f"device-{index}")
        self.hands.append(Hand(self, index, hand.person, self.folder / f"device-{index}"))

    def restart_server(self) -> None:
        self.server.kill()

    def check_sending(self, hand: Hand, sent: Sent) -> None:
        """What a device sends names only what its person changed."""
        hand.device_id = hand.device.id if hasattr(hand, "device") else hand.device_id
        for raw in sent.mutations() or ():
            if (named := self.named.get(raw["id"])) is not None:
                found = {name for where in ("set", "add", "remove") for name in raw.get(where) or ()}
                properties.an_edit_names_only_what_was_changed(raw["id"], sorted(named), sorted(found))

    # the office

    def ask(self, who: str, method: str, path: str, body: Any = None, act: Mapping[str, Any] | None = None) -> Any:
        """(status, document) of a call by somebody of the office."""
        headers = [("authorization", f"Bearer {self.people[who].token}"), ("content-type", "application/json")]
        sent = Sent(method, f"{API}{path}", headers, orjson.dumps(body if body is not None else {}), None)
        answer = self.deliver(sent, {**act, "writer": self.people[who].id} if act else None)
        return answer.status, orjson.loads(answer.body) if answer.body else None

    def invite(self, person: Person) -> str:
        status, document = self.ask("root", "POST", "/devices/invitations", {"username": person.username})
        assert status == 201, document
        code: str = document["code"]
        return code

    def close(self) -> None:
        for hand in self.hands:
            hand.device.close()
