"""Runs schedules, one after the other in this process, and tells what happened; serves the command line and tests."""

from __future__ import annotations

import gc
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulator import crowd, planted_devices, properties, quiet
from tests.simulator.crowd import Crowd
from tests.simulator.installation import POINT, Crash, Installation, place
from tests.simulator.people import Template, make_template
from tests.simulator.planted import PLANTED
from tests.simulator.postgres import PostgresInstallation
from tests.simulator.properties import CHECKED, Broken
from tests.simulator.script import Script, shrink
from tests.simulator.world import World


@dataclass(frozen=True)
class Failure:
    """A promise that a schedule broke."""

    script: Script
    promise: str
    seen: str

    def text(self) -> str:
        said = properties.PROMISES.get(self.promise, "the simulation itself runs through")
        return f"seed {self.script.seed} breaks `{self.promise}`: {said}\n{self.seen}\n{self.script.text()}"


@dataclass
class Tally:
    """What schedules did: counts of steps, faults, outcomes and checks."""

    schedules: int = 0
    seconds: float = 0.0
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.schedules += other.schedules
        self.seconds += other.seconds
        self.counts += other.counts
        self.failures += other.failures


class Stage:
    """Where schedules are played: one installation and its template."""

    def __init__(self, directory: Path, url: str | None = None) -> None:
        self.directory, self.crowded = directory, url is not None
        self.server = PostgresInstallation(directory / "server", url) if url else Installation(directory / "server")
        self.template: Template = make_template(self.server, directory)

    def play(self, script: Script, counts: Counter[tuple[str, str]] | None = None) -> Failure | None:
        """Play one script from the template; gives the promise that it broke."""
        folder = self.directory / "schedule"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        world = (Crowd if self.crowded else World)(script, self.server, self.template, folder)
        try:
            if isinstance(world, Crowd):
                crowd.play(world)
            else:
                world.run()
                quiet.heal(world)
        except Broken as broken:
            return Failure(script, broken.promise, f"after step {world.step}: {broken.seen}")
        except (Exception, Crash):  # noqa: BLE001  whatever else goes wrong is a failure of that schedule, with its seed
            return Failure(script, "runs_through", f"after step {world.step}: {traceback.format_exc()[-3000:]}")
        finally:
            POINT.disarm()  # or what follows in this process would meet it
            if counts is not None:
                counts.update(world.counts)
            world.close()
        return None

    def shrunk(self, failure: Failure) -> Failure:
        """The same broken promise by a script as short as possible."""
        best = failure

        def fails(script: Script) -> bool:
            nonlocal best
            found = self.play(script)
            if found is None or found.promise != failure.promise:
                return False
            best = found
            return True

        shrink(failure.script, fails)
        return best

    def close(self) -> None:
        self.server.close()
        shutil.rmtree(self.directory, ignore_errors=True)


@contextmanager
def stage(url: str | None = None) -> Iterator[Stage]:
    """A stage that is cleared away afterwards; with the URL of a PostgreSQL one for concurrent writers."""
    made = Stage(place(), url)
    gc.collect()
    gc.freeze()  # as `server.wsgi` does: collections were a twentieth of the time
    gc.set_threshold(20_000, 20, 50)
    try:
        yield made
    finally:
        gc.unfreeze()
        made.close()


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """With a bug planted into the engine, when one is named."""
    if name is None:
        yield
        return
    with PLANTED[name].plant():
        yield


def caught(name: str, most: int = 2000, first: int = 0) -> tuple[int, Failure | None]:
    """Play schedules with a planted bug until a promise breaks: how many that took, and which promise."""
    with planted(name):
        tally = run(range(first, first + most), shrinking=False)
    return tally.schedules, next(iter(tally.failures), None)


def portion(seeds: range, plant: str | None, shrinking: bool, url: str | None) -> Tally:
    """The work of one process of many."""
    with planted(plant):
        return run(seeds, most_failures=len(seeds), shrinking=shrinking, url=url)


def run(seeds: Iterable[int], *, most_failures: int = 1, shrinking: bool = True, url: str | None = None) -> Tally:
    """Play the schedules of these seeds; ends early after so many failures. With `url` on that PostgreSQL."""
    tally, began = Tally(), time.perf_counter()
    checked = Counter(CHECKED)
    with stage(url) as here:
        for seed in seeds:
            failure = here.play(crowd.drawn(seed) if url else Script.drawn(seed), tally.counts)
            tally.schedules += 1
            if failure is not None:
                tally.failures.append(here.shrunk(failure) if shrinking and not url else failure)
                if len(tally.failures) >= most_failures:
                    break
    tally.counts.update({("check", name): count - checked[name] for name, count in CHECKED.items()})
    tally.seconds = time.perf_counter() - began
    return tally


assert planted_devices.__doc__  # imported for the bugs that it registers
