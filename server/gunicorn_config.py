"""gunicorn's hooks: a worker must not outlive its parent, or a killed server would keep its port."""

from __future__ import annotations

import ctypes
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the Linux kernel to kill this process when its parent dies, however that dies (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def post_fork(server: Any, worker: Any) -> None:
    die_with_parent()
