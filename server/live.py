"""The live lines of one process: whoever waits for news hears a poke when there is something to pull.

Serves `server/api/poke.py` and the pages. One thread holds all lines and asks the database once a second for all of
them. A poke carries nothing, so that losing one, or a line, or this whole module, loses nothing.
"""

from __future__ import annotations

import atexit
import queue
import resource
import selectors
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import structlog
from flask import Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from schemas.problems import Problem
from server.auth import Principal, me, still_stand
from server.db import db, reading
from server.detached import Detached, can_detach
from server.house import house
from sync.news import is_behind, newest, news_since

LOOK_S, HEARTBEAT_S, RETRY_MS = 1.0, 15.0, 3_000
LINES_A_READER = 4
KIND = "text/event-stream"
POKE, HEARTBEAT = b"event: poke\ndata: {}\n\n", b":\n\n"
NO_MORE = "不再接受实时连接,请定期同步 No more live lines: pull now and then"
log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Line:
    """An open connection: who listens, up to which number he knows all, when it ends and when it was last written."""

    socket: socket.socket
    who: Principal
    since: int
    until: float
    said_at: float


class Live:
    """The lines of this process and the thread that holds them; only that thread touches what is not a queue."""

    def __init__(self, app: Flask, most: int, seconds: float) -> None:
        self._app, self._most, self._seconds = app, most, seconds
        self._new: queue.SimpleQueue[Line] = queue.SimpleQueue()
        self._lines: list[Line] = []
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = False

    @property
    def has_room(self) -> bool:
        """May another line be opened? Never more than half of the files that this process may have."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = self._most if files == resource.RLIM_INFINITY else min(self._most, files // 2)
        return len(self._lines) + self._new.qsize() < most

    def hold(self, line: socket.socket, who: Principal, since: int, spread: float) -> None:
        """Keep this line; `spread` (0 to 1) shortens its life by up to a fifth, so that not all come again at once."""
        now = time.monotonic()
        self._new.put(Line(line, who, since, now + self._seconds * (1 - spread / 5), now))
        with self._starting:
            if self._thread is None:
                self._begin()
        self._waker.send(b"\0")

    def stop(self) -> None:
        """End the thread and all lines; their listeners come again, to another process."""
        self._stopped = True
        if self._thread:
            self._waker.send(b"\0")
            self._thread.join(LOOK_S)

    def _begin(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def _run(self) -> None:
        look_at = time.monotonic()
        while not self._stopped:
            self._hear(LOOK_S if self._lines else None)
            now = time.monotonic()
            if self._lines and now >= look_at:
                look_at = now + LOOK_S
                self._look()
            for line in list(self._lines):
                if now >= line.until:
                    self._drop(line)
                elif now - line.said_at >= HEARTBEAT_S:
                    self._say(line, HEARTBEAT)
        for line in list(self._lines):
            self._drop(line)

    def _hear(self, timeout_s: float | None) -> None:
        """Wait for new lines; one on which the other end says anything, or hangs up, is over."""
        for key, _ in self._selector.select(timeout_s):
            if key.data is None:
                with suppress(BlockingIOError):
                    self._wake.recv(4096)
            else:
                self._drop(key.data)
        with suppress(queue.Empty):
            while True:
                self._add(self._new.get_nowait())

    def _add(self, line: Line) -> None:
        """The oldest line of a reader who has too many gives way: most likely it is dead."""
        others = [each for each in self._lines if each.who.id == line.who.id]
        for old in others[:max(0, len(others) - LINES_A_READER + 1)]:
            self._drop(old)
        self._lines.append(line)
        self._selector.register(line.socket, selectors.EVENT_READ, line)

    def _look(self) -> None:
        """Ask once for all lines what changed, and poke those whom it concerns."""
        lines = list(self._lines)
        try:
            with self._app.app_context():
                news = news_since(db.session(), min(line.since for line in lines), {line.who.id for line in lines})
                stand = still_stand([line.who for line in lines])
                db.session.remove()
        except SQLAlchemyError as error:
            log.warning("live_cannot_look", error=type(error).__name__)
            return
        for line, stands in zip(lines, stand, strict=True):
            if not stands:  # whoever may still listen comes again, with the rights that he has now
                self._drop(line)
            elif news.concern(line.who.reader(), line.since):
                self._say(line, POKE)
            line.since = max(line.since, news.seq)

    def _say(self, line: Line, text: bytes) -> None:
        """Send, or drop a line that takes nothing any more."""
        line.said_at = time.monotonic()
        try:
            whole = line.socket.send(text) == len(text)
        except OSError:
            whole = False
        if not whole:
            self._drop(line)

    def _drop(self, line: Line) -> None:
        if line in self._lines:
            self._lines.remove(line)
            self._selector.unregister(line.socket)
            with suppress(OSError):
                line.socket.shutdown(socket.SHUT_RDWR)
            line.socket.close()


def init_app(app: Flask) -> None:
    """Prepare the lines of this process; nothing runs before the first."""
    settings = app.extensions["menqian"].settings
    app.extensions["menqian_live"] = Live(app, settings.poke_lines, settings.poke_minutes * 60)


def listening(cursor: str | None) -> Response:
    """The answer that stays open for the one who asks. A device says up to where it has pulled; it is poked at once
    when there is more. Raises `unavailable` when no more lines are held: the caller goes on asking now and then.

    Behind a server that gives up no connection (not gunicorn's threads) the answer ends at once.
    """
    live: Live = current_app.extensions["menqian_live"]
    if not live.has_room:
        raise Problem("unavailable", NO_MORE, retry_after=60)
    principal = me()
    with reading():
        since = newest(db.session())
        late = principal.device_id is not None \
            and is_behind(db.session(), principal.reader(), cursor, house().settings.secret_key)
    first = f"retry: {RETRY_MS}\n\n".encode() + (POKE if late else b"")
    spread = house().random_bytes(1)[0] / 255
    answer = Detached(KIND, first, lambda line: live.hold(line, principal, since, spread)) \
        if can_detach() and request.method == "GET" else Response(first, mimetype=KIND)
    answer.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    return answer
