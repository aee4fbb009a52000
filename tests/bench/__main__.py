"""The benchmark: every figure of the speed section, beside the raw SQLite loop and published sync servers.

`.venv/bin/python -m tests.bench [--only push,pull] [--peers] [--engine postgresql]` prints a Markdown table. The server
is the real one, in its own processes; the client is on the same machine and is part of what is measured. Ratios hold
within one run only.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.bench.checking import check_row, cut_row, memory_row, shift_row
from tests.bench.contenders import Menqian
from tests.bench.deployment import deployed
from tests.bench.first import first_rows
from tests.bench.growing import growing_rows
from tests.bench.handheld import handheld_rows
from tests.bench.journal import journal_rows
from tests.bench.memory import worker_rss_mb
from tests.bench.peers import running_kinto, running_pouch, running_tus, start_peer
from tests.bench.pushing import pull_rows, push_rows, raw_loop
from tests.bench.reusing import reuse_rows
from tests.bench.shift import shift_rows
from tests.bench.table import Row, heading
from tests.bench.uploading import attribution_row, upload_rows

T = TypeVar("T")


@dataclass(slots=True)
class Asked:
    """What the command line asked for, and where to work."""

    folder: Path
    engine: str
    count: int
    records: int
    entries: int
    devices: int
    photos: int
    rounds: int
    peers: bool
    notes: list[str] = field(default_factory=list)


def push(asked: Asked) -> list[Row]:
    with ExitStack() as stack:
        deployment = stack.enter_context(deployed(asked.folder / "own", asked.engine))
        pouch = peer(asked, stack, running_pouch)
        return push_rows(Menqian(deployment.device()), raw_loop(asked.folder / "raw"), pouch, asked.count, asked.rounds)


def pull(asked: Asked) -> list[Row]:
    with ExitStack() as stack:
        deployment = stack.enter_context(deployed(asked.folder / "own", asked.engine))
        peers = [peer(asked, stack, running_pouch), peer(asked, stack, running_kinto)]
        return pull_rows([Menqian(deployment.device()), *(one for one in peers if one)], asked.count, asked.rounds)


def peer(asked: Asked, stack: ExitStack, start: Callable[[Path], AbstractContextManager[T]]) -> T | None:
    """The peer, if peers were asked for and this one runs here; else the reason goes to the notes."""
    if not asked.peers:
        return None
    started = start_peer(stack, start, asked.folder / start.__name__)
    if isinstance(started, str):
        asked.notes.append(started)
        return None
    return started


def grow(asked: Asked) -> Iterable[Row]:
    return growing_rows(asked.folder, asked.engine, asked.records, asked.rounds)


def first(asked: Asked) -> Iterable[Row]:
    return first_rows(asked.folder, asked.engine, max(asked.devices // 10, 2))


def shift(asked: Asked) -> Iterable[Row]:
    return shift_rows(asked.folder, asked.devices, asked.rounds)


def journal(asked: Asked) -> Iterable[Row]:
    return journal_rows(asked.folder, asked.engine, asked.entries, asked.rounds)


def media(asked: Asked) -> Iterable[Row]:
    with deployed(asked.folder / "media", asked.engine) as deployment, ExitStack() as stack:
        beside = peer(asked, stack, running_tus)
        yield check_row(asked.rounds)
        yield memory_row(deployment)
        yield cut_row(deployment, asked.folder / "device")
        yield from upload_rows(deployment.bureau, beside, asked.rounds)
        yield attribution_row(deployment.bureau, deployment.town)
        yield shift_row(deployment, asked.photos)
        yield Row("memory of the serving worker after this", f"{worker_rss_mb(deployment.server):,.0f} MB")


def handheld(asked: Asked) -> Iterable[Row]:
    with deployed(asked.folder / "handheld", asked.engine) as deployment:
        yield from handheld_rows(deployment, asked.folder, asked.rounds)


def reuse(asked: Asked) -> Iterable[Row]:
    return reuse_rows(asked.folder, asked.engine, asked.records)


SECTIONS: dict[str, Callable[[Asked], Iterable[Row]]] = {"push": push, "pull": pull, "first": first, "shift": shift,
                                                          "grow": grow, "journal": journal, "media": media,
                                                          "reuse": reuse, "handheld": handheld}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"sections, of {','.join(SECTIONS)}")
    parser.add_argument("--peers", action="store_true", help="install and run the published servers beside")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--count", type=int, default=10_000, help="findings to push")
    parser.add_argument("--records", type=int, default=1_000_000,
                        help="records of the largest deployment of `grow`, photos of `reuse`")
    parser.add_argument("--entries", type=int, default=1_000_000, help="entries of `journal`")
    parser.add_argument("--devices", type=int, default=1_000,
                        help="devices of `shift`; a tenth of them in `first`")
    parser.add_argument("--photos", type=int, default=200,
                        help="photos of a shift that queue for their check in `media`")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is measured, in turns")
    parser.add_argument("--data", type=Path, help="directory to work in (default: a temporary one)")
    given = parser.parse_args()
    names = given.only.split(",")
    if unknown := set(names) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}")
    print("\n".join(heading(given.engine)), flush=True)
    for name in names:
        with tempfile.TemporaryDirectory(dir=given.data, prefix=f"menqian-bench-{name}-") as folder:
            asked = Asked(Path(folder), given.engine, given.count, given.records, given.entries, given.devices,
                          given.photos, given.rounds, given.peers)
            for row in SECTIONS[name](asked):
                print("| " + " | ".join(row) + " |", flush=True)
            for note in asked.notes:
                print(f"| {note} | | |", flush=True)


if __name__ == "__main__":
    main()
