"""A script: the steps of one schedule, drawn from a seed; written, read and shrunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import orjson

from tests.simulator.seam import FAULTS

WEIGHTS = {
    # people at work
    "create": 16, "edit": 26, "group": 4, "delete": 3, "command": 3, "poison": 4, "refer": 5, "crossing": 6,
    # devices talking
    "push": 22, "pull": 18, "sync": 8, "verify": 2, "flood": 1,
    # what happens to devices
    "restart": 3, "keep_copy": 3, "go_back": 2, "clone": 1, "jump_clock": 3, "upgrade": 1, "enrol_anew": 1,
    # the office
    "move": 3, "office_edit": 4, "office_command": 3, "change_scopes": 4, "revoke": 1, "release": 4, "dismiss": 2,
    "resolve": 5, "settle_parents": 2,
    # what happens to the server
    "restart_server": 2, "back_up": 2, "restore": 1, "night": 2, "expire_cursors": 1}
TALKING = ("push", "pull", "sync")
FAULTY = 0.45


@dataclass(frozen=True, slots=True)
class Step:
    """What happens, on or to which device, with which seed, and which fault meets it."""

    do: str
    who: int
    salt: int
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """One schedule."""

    seed: int
    devices: int
    steps: tuple[Step, ...]

    @classmethod
    def drawn(cls, seed: int) -> Script:
        """The schedule of a seed."""
        dice = Random(f"schedule {seed}")
        names, weights = list(WEIGHTS), list(WEIGHTS.values())
        steps = []
        for do in dice.choices(names, weights, k=dice.randrange(16, 36)):
            fault = None
            if do in TALKING and dice.random() < FAULTY:
                fault = dice.choice((*FAULTS, "device_crash"))
            elif do in ("create", "edit", "group") and dice.random() < 0.04:
                fault = "device_crash"
            steps.append(Step(do, dice.randrange(4), dice.getrandbits(32), fault))
        return cls(seed, dice.choice((2, 3, 3, 4)), tuple(steps))

    @classmethod
    def read(cls, file: Path) -> Script:
        found = orjson.loads(file.read_bytes())
        return cls(found["seed"], found["devices"], tuple(Step(**step) for step in found["steps"]))

    def text(self) -> str:
        """The script as JSON, one step a line."""
        lines = ",\n  ".join(orjson.dumps(asdict(step)).decode() for step in self.steps)
        return f'{{"seed": {self.seed}, "devices": {self.devices}, "steps": [\n  {lines}\n]}}\n'


def shrink(script: Script, fails: Callable[[Script], Any], tries: int = 400) -> Script:
    """A script that fails still, with as few steps and faults as leaving out can reach (delta debugging)."""
    steps: Sequence[Step] = script.steps
    size = max(1, len(steps) // 2)
    while size and tries > 0:
        start, cut = 0, False
        while start < len(steps) and tries > 0:
            fewer = (*steps[:start], *steps[start + size:])
            tries -= 1
            if fails(replace(script, steps=tuple(fewer))):
                steps, cut = fewer, True
            else:
                start += size
        if not cut or size > 1:
            size = size // 2 if not cut else size
    for place, step in enumerate(steps):
        if step.fault and tries > 0:
            calmer = (*steps[:place], replace(step, fault=None), *steps[place + 1:])
            tries -= 1
            if fails(replace(script, steps=tuple(calmer))):
                steps = calmer
    return replace(script, steps=tuple(steps))
