"""A bad line between a client and a real server: a proxy on 127.0.0.1 that cuts, delays, repeats and reorders requests.

It knows as much HTTP/1.1 as it takes to see where a request and its answer end. One seed, one sequence of fates; which
request meets which of them depends on how the clients' connections come.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import BinaryIO, NamedTuple, Self

BLOCK_BYTES = 4096
LONGEST_DELAY_S = 0.15
PATIENCE_S = 30.0


class Odds(NamedTuple):
    """How likely each fate of a request is, 0 to 1. What only a PATCH can meet passes others by."""

    cut: float = 0.0
    """The connection breaks after some bytes of the body."""
    lose: float = 0.0
    """The server gets all, and the connection breaks before its answer is through."""
    delay: float = 0.0
    again_during: float = 0.0
    """A PATCH arrives twice, on two connections at once."""
    again_after: float = 0.0
    """A PATCH arrives a second time when it was answered."""
    late: float = 0.0
    """A PATCH is stuck: its connection breaks, and it arrives behind or beside the next one of its upload."""


BAD = Odds(cut=0.12, lose=0.05, delay=0.1, again_during=0.05, again_after=0.05, late=0.05)


class Request(NamedTuple):
    """The head of a request as it came, and how long its body is."""

    method: str
    path: str
    head: bytes
    length: int


class BadNetwork:
    """The way to 127.0.0.1:`port` while the context lasts; `url` stands for that of the server.

    `sent` counts the bytes of PATCH bodies that clients sent, by path, and `faults` what befell whom.
    """

    def __init__(self, port: int, seed: int, odds: Odds = BAD) -> None:
        self.port, self.odds = port, odds
        self.sent: Counter[str] = Counter()
        self.faults: Counter[tuple[str, str]] = Counter()
        self.cut_connections = self.connections = 0
        self._random = Random(seed)
        self._stuck: defaultdict[str, list[bytes]] = defaultdict(list)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for stuck in list(self._stuck.values()):
            for request in stuck:
                self._repeat(request)
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _start(self, work: Callable[..., object], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        with suppress(OSError):  # closed at the end
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        """Carry the requests of one connection, until one of them breaks it."""
        client.settimeout(PATIENCE_S)
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as server, \
                client.makefile("rb") as asked, server.makefile("rb") as answered:
            while request := _read_request(asked):
                if not self._carry(request, asked, server, answered, client):
                    self.cut_connections += 1
                    with self._lock:
                        harshly = self._random.random() < 0.5
                    if harshly:  # a reset instead of an end
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return

    def _carry(self, request: Request, asked: BinaryIO, server: socket.socket, answered: BinaryIO,
               client: socket.socket) -> bool:
        """One request and its answer; False when the connection broke."""
        fate, draw = self._fate(request)
        if fate == "delay":
            time.sleep(draw * LONGEST_DELAY_S)
        whole = request.head
        if fate in ("again_during", "again_after", "late"):
            whole += self._body(request, asked, request.length)
            if fate == "late":
                self._stuck[request.path].append(whole)
                return False
        overtaken = self._stuck.pop(request.path, []) if request.method == "PATCH" else []
        beside = [*overtaken, whole] if fate == "again_during" else overtaken if draw < 0.5 else []
        threads = [self._start(self._repeat, one) for one in beside]
        server.sendall(whole)
        if whole == request.head:
            until = int(draw * request.length) if fate == "cut" else request.length
            for _ in range(0, until, BLOCK_BYTES):
                server.sendall(self._body(request, asked, min(BLOCK_BYTES, until)))
                until -= BLOCK_BYTES
        if fate == "cut":
            return False
        answer = _read_answer(answered, request.method)
        for thread in threads:
            thread.join(PATIENCE_S)
        if draw >= 0.5 or fate == "again_after":
            for one in [*(overtaken if draw >= 0.5 else []), *([whole] if fate == "again_after" else [])]:
                self._repeat(one)
        if fate == "lose" or not answer:
            return False
        client.sendall(answer)
        return True

    def _fate(self, request: Request) -> tuple[str, float]:
        """What this request meets, and a number from 0 to 1 that says where or how much."""
        with self._lock:
            draw, where = self._random.random(), self._random.random()
            for name, odds in self.odds._asdict().items():
                draw -= odds
                if draw < 0:
                    if request.method != "PATCH" and name in ("again_during", "again_after", "late"):
                        break
                    self.faults[name, request.path] += 1
                    return name, where
        return "", where

    def _body(self, request: Request, asked: BinaryIO, size: int) -> bytes:
        """So many bytes of the body, counted as they come; raises ConnectionError when the client leaves."""
        block = asked.read(size)
        if request.method == "PATCH":
            with self._lock:
                self.sent[request.path] += len(block)
        if len(block) < size:
            raise ConnectionError("the client is gone")
        return block

    def _repeat(self, request: bytes) -> None:
        """Bring a whole request to the server on a connection of its own; nobody waits for its answer."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as server, \
                server.makefile("rb") as answered:
            server.sendall(request)
            _read_answer(answered, "PATCH")


def _read_head(file: BinaryIO) -> tuple[bytes, dict[str, str]]:
    """A head with its empty line, and its fields; nothing at the end."""
    lines = []
    while (line := file.readline()).strip():
        lines.append(line)
    fields = (line.decode("latin-1").partition(":") for line in lines[1:])
    return b"".join([*lines, line]) if lines else b"", {name.strip().lower(): value.strip()
                                                       for name, _, value in fields}


def _read_request(file: BinaryIO) -> Request | None:
    head, fields = _read_head(file)
    if not head:
        return None
    method, path, _ = head.decode("latin-1").split(" ", 2)
    return Request(method, path, head, int(fields.get("content-length", 0)))


def _read_answer(file: BinaryIO, method: str) -> bytes:
    """An answer whole; nothing when the server went away before."""
    head, fields = _read_head(file)
    length = 0 if method == "HEAD" else int(fields.get("content-length", 0))
    return head + file.read(length)
