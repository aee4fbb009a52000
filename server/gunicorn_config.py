"""gunicorn's hooks: a worker must not outlive its parent, or a killed server would keep its port."""

from __future__ import annotations

import ctypes
import resource
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1
FILES = 4096


def die_with_parent() -> None:
    """Ask the Linux kernel to kill this process when its parent dies, however that dies (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def post_fork(server: Any, worker: Any) -> None:
    """What each worker does first: it may hold many live lines, each an open file."""
    die_with_parent()
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < FILES:
        wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
