"""Memory of the serving processes, from /proc."""

from __future__ import annotations

from pathlib import Path

from tests.running import Server


def worker_rss_mb(server: Server) -> float:
    """Resident memory (MB) of the largest process that answers requests, what it shares with others included."""
    return max(_rss_mb(pid) for pid in server.answering())


def _rss_mb(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
