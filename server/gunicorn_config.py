"""gunicorn's hooks: a worker must not outlive its parent, or a killed server would keep its port."""

from __future__ import annotations

import ctypes
import gc
import resource
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
FILES = 4096
COLLECT_AT = 50_000
"""Containers made and not freed until garbage is looked for. A push makes and frees several thousand; at Python's 700 a
twelfth of its time went into walking over them."""


def die_with_parent() -> None:
    """Ask the Linux kernel to kill this process when its parent dies, however that dies (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def post_fork(server: Any, worker: Any) -> None:
    """What each worker does first: it may hold many live lines, each an open file. What was loaded before the fork
    stays, and is never walked for garbage."""
    die_with_parent()
    gc.freeze()
    gc.set_threshold(COLLECT_AT)
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < FILES:
        wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
