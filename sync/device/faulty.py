"""A network that fails: a test and demo aid between the client and its real transport. Nothing in a device needs it.

One seed, one sequence of faults. It loses requests (the server never saw them), loses answers (it did), sends twice,
and cuts uploads in the middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import httpx


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely each fault is for a request, 0 to 1; their sum is at most 1."""

    lose_request: float = 0.0
    lose_answer: float = 0.0
    duplicate: float = 0.0
    cut: float = 0.0


class FaultyTransport(httpx.BaseTransport):
    """Wraps a transport; `offline` loses every request, `faults` lists what happened to whom."""

    def __init__(self, inner: httpx.BaseTransport, random: Random, odds: Odds) -> None:
        self.inner, self.odds = inner, odds
        self.offline = False
        self.faults: list[tuple[str, str]] = []
        self._random = random

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, or fail as a network would: with an httpx.TransportError."""
        if self.offline:
            raise httpx.ConnectError("no network", request=request)
        content = request.read()
        fault = self._draw(cuttable=len(content) > 1)
        if fault is None:
            return self.inner.handle_request(request)
        self.faults.append((fault, f"{request.method} {request.url.path}"))
        if fault == "lose_request":
            raise httpx.ConnectTimeout("the request was lost", request=request)
        if fault == "cut":
            self._send_part(request, content[:self._random.randrange(1, len(content))])
            raise httpx.WriteError("the connection broke while sending", request=request)
        self._finish(self.inner.handle_request(request))
        if fault == "duplicate":
            return self.inner.handle_request(request)
        raise httpx.ReadError("the answer was lost", request=request)

    def close(self) -> None:
        """Close the real transport."""
        self.inner.close()

    def _draw(self, *, cuttable: bool) -> str | None:
        draw = self._random.random()
        for name in ("lose_request", "lose_answer", "duplicate", "cut"):
            draw -= getattr(self.odds, name)
            if draw < 0:
                return name if name != "cut" or cuttable else None
        return None

    def _send_part(self, request: httpx.Request, part: bytes) -> None:
        """Announce the whole length and break off; a WSGI transport, which reads all first, just gets too little."""
        breaks = not isinstance(self.inner, httpx.WSGITransport)
        cut = httpx.Request(request.method, request.url, headers=request.headers, stream=_Cut(part, breaks=breaks),
                            extensions=request.extensions)
        with suppress(httpx.TransportError):  # the cut itself; the caller raises it for every transport alike
            self._finish(self.inner.handle_request(cut))

    @staticmethod
    def _finish(answer: httpx.Response) -> None:
        answer.read()
        answer.close()


class _Cut(httpx.SyncByteStream):
    """A body that ends too early."""

    def __init__(self, part: bytes, *, breaks: bool) -> None:
        self._part, self._breaks = part, breaks

    def __iter__(self) -> Iterator[bytes]:
        yield self._part
        if self._breaks:
            raise httpx.WriteError("cut")
