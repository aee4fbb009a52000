"""`python -m tests.simulator`: play schedules, or one of them again.

    --seed 123            one schedule           --script FILE      a script as a failure printed it
    --schedules N         seeds from --from on   --long             100,000 schedules
    --jobs 2              processes              --plant NAME       with a bug planted into the engine
    --engine postgresql   concurrent writers on a real PostgreSQL
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.engines import running_postgres
from tests.simulator import runs
from tests.simulator.runs import Tally
from tests.simulator.script import Script
from tests.simulator.telling import missing, tell

LONG = 100_000
PORTION = 250


def main() -> int:
    """Exit 0 when every promise held."""
    asked = _asked()
    if asked.script or asked.seed is not None:
        return _one(asked)
    with engine(asked.engine) as url:
        tally = _play(asked, url)
    print(tell(tally))
    gaps = missing(tally) if tally.schedules >= 1000 and not tally.failures and asked.engine == "sqlite" else []
    if gaps:
        print("never happened: " + ", ".join(gaps))
    return 1 if tally.failures or gaps else 0


@contextmanager
def engine(name: str) -> Iterator[str | None]:
    """The URL of a PostgreSQL that runs meanwhile, None for SQLite."""
    if name == "sqlite":
        yield None
        return
    with TemporaryDirectory() as folder, running_postgres(Path(folder)) as url:
        yield url


def _play(asked: argparse.Namespace, url: str | None) -> Tally:
    tally = Tally()
    portions = [range(first, min(first + PORTION, asked.start + asked.schedules))
                for first in range(asked.start, asked.start + asked.schedules, PORTION)]
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(runs.portion, portion, asked.plant, asked.shrink, url) for portion in portions]
        for done, future in enumerate(running, 1):
            tally.add(future.result())
            if done % 4 == 0:
                print(f"{tally.schedules} schedules, {len(tally.failures)} failures", file=sys.stderr, flush=True)
            if len(tally.failures) >= asked.failures:
                for waiting in running[done:]:
                    waiting.cancel()
                break
    return tally


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--from", dest="start", type=int, default=0)
    parser.add_argument("--long", dest="schedules", action="store_const", const=LONG)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--failures", type=int, default=1, help="end after so many")
    parser.add_argument("--plant")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--no-shrink", dest="shrink", action="store_false")
    return parser.parse_args()


def _one(asked: argparse.Namespace) -> int:
    script = Script.read(asked.script) if asked.script else Script.drawn(asked.seed)
    with runs.planted(asked.plant), runs.stage() as here:
        failure = here.play(script)
        if failure is not None and asked.shrink:
            failure = here.shrunk(failure)
    print(failure.text() if failure else "every promise held")
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
