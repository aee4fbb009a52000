"""The transport seam: the one place where requests and answers are lost, doubled, delayed, cut or swapped.

Serves the simulated devices as their httpx transport. Everything that reaches the server is told to the oracle.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import orjson

from sync.device.client import API
from tests.simulator.installation import POINT, Answer, Crash

if TYPE_CHECKING:
    from tests.simulator.world import Hand, World

FAULTS = ("lose_request", "lose_answer", "duplicate", "late_duplicate", "delay", "cut_request", "cut_answer",
          "stale_answer", "crash_before_commit", "crash_after_commit", "commit_fails")
LATE_STEPS = 9


class Sent(NamedTuple):
    """One request as it went over the wire; `device_id` is who sent it, as far as the seam knows."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    device_id: str | None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0].removeprefix(API)

    def mutations(self) -> list[dict[str, Any]] | None:
        """The mutations of a whole push, None for anything else."""
        if self.path != "/sync/push":
            return None
        try:
            body = gzip.decompress(self.body) if ("content-encoding", "gzip") in self.headers else self.body
            found: list[dict[str, Any]] = orjson.loads(body)["mutations"]
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            return None
        return found if all(isinstance(raw, dict) and "id" in raw for raw in found) else None


class Seam(httpx.BaseTransport):
    """The wire of one device. `arm` prepares one fault for one of the next requests."""

    def __init__(self, world: World, hand: Hand) -> None:
        self._world, self._hand = world, hand
        self._fault: str | None = None
        self._countdown = 0
        self._earlier: dict[str, Answer] = {}

    def arm(self, fault: str | None, countdown: int = 0) -> None:
        self._fault, self._countdown = fault, countdown

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, or fail as a network and a server would: with an httpx.TransportError."""
        kept = [(name.lower(), value) for name, value in request.headers.items()
                if name.lower() in ("authorization", "content-type", "content-encoding", "menqian-signature",
                                    "menqian-health", "range", "if-range")]
        sent = Sent(request.method, request.url.raw_path.decode(), kept, request.read(), self._hand.device_id)
        self._world.check_sending(self._hand, sent)
        try:
            answer = self._pass(sent, self._take())
        except httpx.TransportError as error:
            error.request = request
            raise
        return httpx.Response(answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body))

    def _take(self) -> str | None:
        """The fault of this request, if its turn has come."""
        self._countdown -= 1
        if self._fault is None or self._countdown >= 0:
            return None
        fault, self._fault = self._fault, None
        self._world.count("fault", fault)
        return fault

    def _pass(self, sent: Sent, fault: str | None) -> Answer:
        world = self._world
        if fault == "lose_request":
            raise httpx.ConnectTimeout("the request was lost")
        if fault == "delay":
            world.deliver_later(sent)
            raise httpx.ReadTimeout("the request is still on its way")
        if fault == "cut_request":
            world.deliver(sent._replace(body=sent.body[:len(sent.body) * 2 // 3]))
            raise httpx.WriteError("the connection broke while sending")
        if fault in ("crash_before_commit", "crash_after_commit", "commit_fails"):
            return self._crash(sent, fault)
        if fault == "duplicate":
            world.deliver(sent)
        if fault == "late_duplicate":
            world.deliver_later(sent)
        answer = world.deliver(sent)
        if fault == "lose_answer":
            raise httpx.ReadError("the answer was lost")
        if fault == "cut_answer":
            if not answer.body.startswith(b"{"):  # what has a length is missed by any client that counts
                raise httpx.RemoteProtocolError("the answer was cut")
            return answer._replace(body=answer.body[:len(answer.body) // 2])
        key = f"{sent.method} {sent.target}"
        earlier, self._earlier[key] = self._earlier.get(key), answer
        return earlier if fault == "stale_answer" and earlier is not None else answer

    def _crash(self, sent: Sent, fault: str) -> Answer:
        """A crash at one of the commits of this request; when it has none, the server dies right after it."""
        kind = {"crash_before_commit": "before", "crash_after_commit": "after", "commit_fails": "fail"}[fault]
        POINT.arm(kind, self._world.dice.randrange(2) if sent.path == "/sync/push" else 0)
        try:
            answer = self._world.deliver(sent)
        except Crash as crash:
            if crash.args:
                return Answer(*crash.args[0])
            raise httpx.RemoteProtocolError("the server went away") from None
        finally:
            POINT.disarm()
        if fault != "commit_fails":
            self._world.restart_server()
        return answer
