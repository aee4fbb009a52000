"""What a push, a pull and an idle pull cost among ten thousand records and among a million: the same, if all is well.

Three deployments of different size run side by side and take turns; the town that is measured is alike in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests.bench.contenders import Menqian
from tests.bench.deployment import Deployment, deployed
from tests.bench.documents import BATCH, SCOPE, THIS_YEAR, findings
from tests.bench.fill import TOWNS, fill
from tests.bench.memory import worker_rss_mb
from tests.bench.table import Prepared, Rates, Row, interleaved, median_ratio

IN_TOWN, PUSHED, IDLE_PULLS, CITY_PAGES = 5_000, 5 * BATCH, 50, 5
WANTED, MEMORY_WANTED_MB = 1.3, 250


def growing_rows(folder: Path, engine: str, records: int, rounds: int) -> Iterator[Row]:
    """Rates at a hundredth, a tenth and all of the records, and what they become from the smallest on."""
    sizes = [records // 100, records // 10, records]
    random = Random(7)
    with ExitStack() as stack:
        deployments = {size: stack.enter_context(deployed(folder / str(size), engine)) for size in sizes}
        for size, deployment in deployments.items():
            town = Menqian(deployment.device())
            for call in town.creations(findings(random, min(IN_TOWN, size // 2), span=THIS_YEAR)):
                town.send(call)
            fill(deployment, size - min(IN_TOWN, size // 2))
        for what, unit, work in WORKS:
            yield _row(what, unit, rounds, {
                str(size): work(deployment, random) for size, deployment in deployments.items()})
        memory = worker_rss_mb(deployments[records].server)
        yield Row(f"memory of a worker among {records:,} records after this", f"{memory:,.0f} MB",
                  f"wanted under {MEMORY_WANTED_MB}")


def _row(what: str, unit: str, rounds: int, works: dict[str, Callable[[int], Prepared]]) -> Row:
    smallest, *larger = works
    interleaved(1, works)  # what is read for the first time is not what grows
    rates = interleaved(rounds, works)
    costs = ", ".join(f"{median_ratio(rates, smallest, size):.2f}" for size in larger)
    return Row(f"{what} among {', '.join(f'{int(size):,}' for size in works)} records",
               f"{', '.join(_middle(rates, size) for size in works)} {unit}",
               f"cost x {costs} (wanted at most {WANTED})")


def _middle(rates: Rates, size: str) -> str:
    return f"{sorted(rates[size])[len(rates[size]) // 2]:,.0f}"


def _pushing(deployment: Deployment, random: Random) -> Callable[[int], Prepared]:
    device = Menqian(deployment.device())

    def prepare(_: int) -> Prepared:
        calls = device.creations(findings(random, PUSHED))
        return PUSHED, lambda: [device.send(call) for call in calls]
    return prepare


def _pulling(deployment: Deployment, _: Random) -> Callable[[int], Prepared]:
    device = Menqian(deployment.device())
    count = device.pull()
    return lambda _: (count, device.pull)


def _pulling_the_city(deployment: Deployment, _: Random) -> Callable[[int], Prepared]:
    device = Menqian(deployment.bureau.handheld(*TOWNS, SCOPE))
    count = device.pull(CITY_PAGES)
    return lambda _: (count, lambda: device.pull(CITY_PAGES))


def _idling(deployment: Deployment, _: Random) -> Callable[[int], Prepared]:
    device = Menqian(deployment.device())
    device.pull()
    return lambda _: (IDLE_PULLS, lambda: [device.idle_pull() for _ in range(IDLE_PULLS)])


WORKS = (("push of new findings", "mutations/s", _pushing), ("first pull of a town", "records/s", _pulling),
         ("the first pages of a whole city", "records/s", _pulling_the_city), ("idle pull", "/s", _idling))
