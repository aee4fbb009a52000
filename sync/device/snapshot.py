"""The first synchronisation from a prepared file: asked for, downloaded, resumed after a cut, verified.

Serves `exchange`, to which a snapshot is a large first page. What it brings is applied only when its bytes have the
digest that the server told; where the server has no snapshot, a plain pull brings the same.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from sync.device.client import Client, Problem, Unreachable
from sync.device.store import Store

OFFERS_AT_MOST = 3
NO_SNAPSHOT = frozenset({404, 405, 503})
"""An older server has no such call; a busy one is still making the file."""


class Changes:
    """The changes of a verified file: read one by one, as many as the server told."""

    def __init__(self, path: Path, count: int) -> None:
        self._path, self._count = path, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        with gzip.open(self._path) as lines:
            next(lines)  # the head, which tells what the offer told already
            yield from map(orjson.loads, islice(lines, self._count))


class Snapshots:
    """Fetches the newest snapshot of the device's scopes into the store's directory."""

    def __init__(self, store: Store, client: Client) -> None:
        self._directory, self._client = store.directory, client

    def load(self) -> dict[str, Any] | None:
        """The page that the snapshot is, with `more` to come after it; None where a plain pull must do.

        Raises Unreachable and Problem; what was downloaded stays and the next try goes on with it.
        """
        damaged: str | None = None
        for _ in range(OFFERS_AT_MOST):
            offer = self._ask(damaged)
            if offer is None:
                return None
            path = self._directory / f"snapshot-{offer['sha256']}.gz"
            self.remove(but=path)
            try:
                self._download(offer, path)
            except Problem as problem:
                if problem.status != 404:
                    raise
                continue  # made anew since, or for other scopes
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == offer["sha256"]:
                    return {**offer, "changes": Changes(path, offer["changes"]), "more": True, "media_wanted": []}
            path.unlink()
            damaged = offer["sha256"]
        return None

    def remove(self, but: Path | None = None) -> None:
        """Remove the files, once they are applied or outdated."""
        for path in self._directory.glob("snapshot-*.gz"):
            if path != but:
                path.unlink()

    def _ask(self, damaged: str | None) -> dict[str, Any] | None:
        try:
            answer = self._client.request("POST", "/sync/snapshot", json={"damaged": damaged} if damaged else {})
        except Problem as problem:
            if problem.status in NO_SNAPSHOT:
                return None
            raise
        offer: dict[str, Any] | None = orjson.loads(answer.content) if answer.content else None
        return offer

    def _download(self, offer: Mapping[str, Any], path: Path) -> None:
        """Append what is missing; gives up after as many failures without a byte as patience has tries."""
        failures = 0
        while (have := _size(path)) < offer["bytes"]:
            try:
                self._append(offer, path, have)
            except (Unreachable, Problem) as failure:
                failures = 0 if _size(path) > have else failures + 1
                delay_s = self._client.patience.delay_s(failures + 1, failure)
                if delay_s is None or failures >= self._client.patience.tries:
                    raise
                self._client.patience.wait(delay_s)

    def _append(self, offer: Mapping[str, Any], path: Path, have: int) -> None:
        """One GET from byte `have` on; a server that gives all from the start is taken at its word."""
        headers = {"Accept-Encoding": "identity", "Accept": "application/gzip"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": f'"{offer["sha256"]}"'}
        with (self._client.stream("/" + offer["url"], headers=headers) as answer,
              path.open("ab" if answer.status_code == 206 else "wb") as file):
            for part in answer.iter_raw():
                file.write(part)
                if file.tell() > offer["bytes"]:  # not the file that was offered: its digest will tell
                    return
        if _size(path) < offer["bytes"]:
            raise Unreachable("the snapshot ended early")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
