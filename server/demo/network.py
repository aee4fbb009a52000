"""The mobile network of the demonstration: good, bad or away, with a meter of what photos cost. Serves `patrol`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import httpx

from sync.device.client import Patience
from sync.device.faulty import FaultyTransport, Odds

GOOD = Odds()
BAD = Odds(lose_request=0.04, lose_answer=0.07, duplicate=0.03, cut=0.14)
PATIENCE = Patience(tries=10, first_s=0.02, longest_s=0.4)


class Meter(httpx.BaseTransport):
    """Counts the bytes of photos (`PATCH`) that leave the device, those that never arrive included."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner
        self.photo_bytes = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, counting its body while it is read."""
        if request.method == "PATCH":
            request = httpx.Request(request.method, request.url, headers=request.headers,
                                    stream=_Counted(request.stream, self), extensions=request.extensions)
        return self.inner.handle_request(request)

    def close(self) -> None:
        """Close the real transport."""
        self.inner.close()


class _Counted(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream, meter: Meter) -> None:
        assert isinstance(stream, httpx.SyncByteStream)
        self._stream, self._meter = stream, meter

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            self._meter.photo_bytes += len(part)
            yield part


class Network(FaultyTransport):
    """The line of one handheld: `odds` and `offline` may change while it works."""

    def __init__(self, seed: int) -> None:
        self.meter = Meter(httpx.HTTPTransport())
        super().__init__(self.meter, Random(seed), GOOD)

    def troubles(self) -> Counter[str]:
        """How often each fault struck; a cut of a photo counts as `cut in a photo`."""
        return Counter("cut in a photo" if fault == "cut" and whom.startswith("PATCH") else fault
                       for fault, whom in self.faults)
