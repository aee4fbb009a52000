"""Memory of the serving processes, from /proc."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

from tests.running import children_of


def worker_rss_mb(process: subprocess.Popen[bytes] | None) -> float:
    """Resident memory (MB) of the largest gunicorn worker below this process."""
    assert process is not None
    return max(_rss_mb(pid) for pid in _below(process.pid) if "gunicorn" in _command(pid))


def _below(pid: int) -> list[int]:
    children = children_of(pid)
    return [*children, *(grandchild for child in children for grandchild in _below(child))]


def _command(pid: int) -> str:
    with suppress(OSError):  # it may have ended
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return ""


def _rss_mb(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
