"""Waiting for a hint that there is something to pull (sync/README.md, `GET /sync/poke`). Serves `device`."""

from __future__ import annotations

import time

from sync.device.client import PASSING, Client, Problem, Unreachable

COME_AGAIN_S = 3.0


def wait_for_poke(client: Client, cursor: str | None, timeout_s: float) -> bool:
    """True when a poke came, False when none did in about this time (the server's next heartbeat may pass first).

    Where the server keeps no such line, or the network is gone, the time is waited out. Raises Problem when the one
    who asks is refused.
    """
    until = time.monotonic() + timeout_s
    while (left_s := until - time.monotonic()) > 0:
        pause_s = COME_AGAIN_S
        try:
            if _listen(client, cursor, left_s, until):
                return True
        except Unreachable:
            pass  # the line was cut, or silent until the end of our time
        except Problem as problem:
            if problem.status != 404 and problem.status not in PASSING:
                raise
            pause_s = problem.retry_after or timeout_s
        if (left_s := until - time.monotonic()) > 0:
            client.patience.wait(min(pause_s, left_s))
    return False


def _listen(client: Client, cursor: str | None, left_s: float, until: float) -> bool:
    """One line, until it ends: did a poke come?"""
    with client.stream("/sync/poke", params={"cursor": cursor}, headers={"Accept": "text/event-stream"},
                       timeout_s=left_s) as answer:
        for text in answer.iter_lines():
            if text == "event: poke":
                return True
            if time.monotonic() >= until:
                return False
    return False
