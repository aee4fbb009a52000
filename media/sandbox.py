"""A bounded child process in which hostile pictures are opened. Serves decoding and renditions.

A child (`python -m media.sandbox`) is used again and again; a picture that makes it hang, grow or crash costs only that
child. Both sides speak length-prefixed JSON on pipes, never pickle, so that a child taken over cannot reach its parent.
The child gets no environment but what Python needs: no credentials, no settings.
"""

import atexit
import importlib
import json
import os
import resource
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any, BinaryIO

ADDRESS_SPACE_BYTES = 1536 * 1024 * 1024
CPU_S = 20
TIMEOUT_S = 40.0  # of the wall clock, longer than the processor may take because the machine is shared
CHILDREN = max(1, min(4, os.cpu_count() or 1))
NICE = 10
CALLS_A_CHILD = 200  # memory that a decoder loses ends with its child
KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
ROOT = Path(__file__).resolve().parent.parent
LENGTH = struct.Struct(">I")
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS}


class OutOfBounds(Exception):
    """The call was ended at a limit (time, processor, memory) or took its process down; the message says which."""


class ChildLost(Exception):
    """The child was stopped from outside or did not start, which says nothing about the picture. Try again."""


class CallFailed(Exception):
    """The function raised; the message names what."""


def run(function: Callable[..., Any], *arguments: Any, timeout: float = TIMEOUT_S, cpu_s: int = CPU_S) -> Any:
    """Call an importable function in a child, for so many seconds of processor time at most; arguments and result are
    what JSON can hold.

    Raises OutOfBounds, CallFailed or ChildLost. Waits while all children are busy, which does not count in `timeout`.
    """
    with _slots:
        child = _take()
        try:
            answer = child.call({"function": f"{function.__module__}:{function.__qualname__}",
                                 "arguments": arguments, "cpu_s": cpu_s}, timeout)
        except BaseException:
            child.kill()
            raise
        if child.calls < CALLS_A_CHILD:
            _idle.append(child)
        else:
            child.kill()
    if "bound" in answer:
        raise OutOfBounds(answer["bound"])
    if "error" in answer:
        raise CallFailed(answer["error"])
    return answer["result"]


def _take() -> "_Child":
    """Return an idle child that still lives, else a new one."""
    while True:
        try:
            child = _idle.pop()
        except IndexError:  # asking first would race with another thread
            return _Child()
        if child.process.poll() is None:
            return child
        child.kill()


class _Child:
    """One child process, its pipes, and how it ended."""

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        # One thread: numpy's BLAS reserves address space for each processor, more than the limit on a large machine.
        environment |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "media.sandbox"], cwd=ROOT, env=environment, bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.calls = 0

    def call(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.calls += 1
        deadline = time.monotonic() + timeout
        body = json.dumps(request).encode()
        try:
            self.process.stdin.write(LENGTH.pack(len(body)) + body)
            [length] = LENGTH.unpack(self._read(LENGTH.size, deadline))
            answer: dict[str, Any] = json.loads(self._read(length, deadline))
        except (BrokenPipeError, EOFError):
            raise self._end(request["cpu_s"]) from None
        return answer

    def _read(self, wanted: int, deadline: float) -> bytes:
        """Read exactly so many bytes; raises EOFError when the child ends, OutOfBounds at the deadline."""
        assert self.process.stdout
        handle, content = self.process.stdout.fileno(), b""
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            while len(content) < wanted:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise OutOfBounds("took too long")
                block = os.read(handle, wanted - len(content))
                if not block:
                    raise EOFError
                content += block
        return content

    def _end(self, cpu_s: int) -> Exception:
        """Say how the process ended, and whether the call or somebody outside ended it."""
        code = self.process.wait()
        if code == -signal.SIGXCPU:
            return OutOfBounds(f"took more than {cpu_s} s of processor time")
        name = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return OutOfBounds(f"crashed the decoder ({name})") if -code in CRASHES else ChildLost(name)

    def kill(self) -> None:
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


_idle: list[_Child] = []
_slots = threading.BoundedSemaphore(CHILDREN)


def close() -> None:
    """End all idle children."""
    while _idle:
        _idle.pop().kill()


def _forget() -> None:
    """After a fork: the children belong to the parent, and a lock may have been held by a thread that is not here."""
    global _slots
    _idle.clear()
    _slots = threading.BoundedSemaphore(CHILDREN)


atexit.register(close)
os.register_at_fork(after_in_child=_forget)


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """The child: answer calls until the parent closes the pipe. It holds no lock, so that it may stand back for those
    who answer requests."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while len(head := requests.read(LENGTH.size)) == LENGTH.size:
        request = json.loads(requests.read(LENGTH.unpack(head)[0]))
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = ceil(used.ru_utime + used.ru_stime) + request["cpu_s"]
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
        body = json.dumps(_answer(request)).encode()
        answers.write(LENGTH.pack(len(body)) + body)
        answers.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    module, _, name = request["function"].partition(":")
    try:
        return {"result": getattr(importlib.import_module(module), name)(*request["arguments"])}
    except MemoryError:
        return {"bound": f"needs more than {ADDRESS_SPACE_BYTES // 1024**2} MiB of memory"}
    except Exception as error:  # noqa: BLE001 - reported to the parent, which raises CallFailed
        return {"error": f"{type(error).__name__}: {error}"}


def _main() -> None:
    """Keep the pipe to ourselves: whatever a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    _main()
