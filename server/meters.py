"""What the processes of a server count together, for `/metrics`.

prometheus_client decides when it is loaded whether processes count into one directory (its "multiprocess mode"). So it
is loaded with the app, when `serve` has named the directory; a process that is no server's counts for itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram
    from prometheus_client.metrics_core import GaugeMetricFamily

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


class Meters(NamedTuple):
    """Requests by endpoint and status, their seconds, and the seconds before the gate (`waited`) and behind it."""

    requests: Counter
    seconds: Histogram
    waited: Histogram
    held: Histogram


@cache
def meters() -> Meters:
    """The meters of this process; made with its first app, before there are threads."""
    from prometheus_client import Counter, Histogram
    gate = Histogram("menqian_gate_seconds", "Time before the gate and behind it, where nobody else writes", ["part"])
    return Meters(Counter("menqian_requests_total", "Requests by endpoint and status", ["endpoint", "status"]),
                  Histogram("menqian_request_seconds", "Time of a request", ["endpoint"]),
                  gate.labels("waited"), gate.labels("held"))


def count_together(directory: Path) -> None:
    """Have this process and those that it forks count into an empty directory; before anything is counted."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    os.environ[DIRECTORY] = str(directory)


@dataclass(frozen=True, eq=False)
class Levels:
    """What stands when it is asked: gauges by name, each with what it tells and its value, or values by `what`."""

    gauges: Mapping[str, tuple[str, float | Mapping[str, float]]]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As prometheus_client asks of a collector."""
        from prometheus_client.metrics_core import GaugeMetricFamily
        for name, (telling, value) in self.gauges.items():
            if isinstance(value, Mapping):
                gauge = GaugeMetricFamily(name, telling, labels=["what"])
                for what, one in value.items():
                    gauge.add_metric([what], one)
                yield gauge
            else:
                yield GaugeMetricFamily(name, telling, value=value)


def told(levels: Levels) -> tuple[bytes, str]:
    """The counts of all processes, and the levels, in Prometheus's text format, with its content type."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector
    counted, now = REGISTRY, CollectorRegistry()
    if DIRECTORY in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    now.register(levels)
    return generate_latest(counted) + generate_latest(now), CONTENT_TYPE_LATEST
