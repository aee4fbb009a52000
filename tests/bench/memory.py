"""Memory of the serving processes, from /proc."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.running import Server


def worker_rss_mb(server: Server) -> float:
    """Resident memory (MB) of the largest process that answers requests, what it shares with others included."""
    return max(_rss_mb(pid) for pid in server.answering())


def added_mb(server: Server, work: Callable[[], object]) -> float:
    """How much more than before the work one of them had at most while it was done (Linux resets the peak on `5`)."""
    before = {pid: _rss_mb(pid) for pid in server.answering()}
    for pid in before:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    work()
    return max(_rss_mb(pid, "VmHWM") - had for pid, had in before.items())


def _rss_mb(pid: int, which: str = "VmRSS") -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024
