"""Who is measured: Menqian, the raw SQLite loop and two published sync servers, each spoken to in its own words.

All take the same documents in batches of 100. Calls are encoded (and ours signed) beforehand; sending them and parsing
the answers is measured. `send` fails unless the server took every single document.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import orjson

from tests.bench.documents import BATCH, SCOPE, batches
from tests.bench.line import Line
from tests.enrolled import Handheld

Document = dict[str, Any]
PAGE = 1_000


class Contender(Protocol):
    """One server as the rounds see it; `creations` gives calls for `send`."""

    name: str

    def creations(self, documents: list[Document]) -> list[Any]: ...

    def send(self, call: Any) -> None: ...

    def pull(self) -> int: ...

    def idle_pull(self) -> None: ...


class Menqian:
    """One enrolled device: signed pushes, everything switched on."""

    name = "menqian"

    def __init__(self, device: Handheld) -> None:
        self.device = device
        self.line = Line(device.root, {"Authorization": f"Bearer {device.token}"})
        self.made: list[str] = []
        self.cursor = ""

    def creations(self, documents: list[Document]) -> list[tuple[bytes, str]]:
        mutations = [self.device.create("finding", SCOPE, document) for document in documents]
        self.made = [mutation["record_id"] for mutation in mutations]
        return [self._call(batch) for batch in batches(mutations)]

    def edits(self, texts: list[str]) -> list[tuple[bytes, str]]:
        """One edit of each record of the newest creations."""
        mutations = [self.device.edit("finding", made, 1, set={"text": text})
                     for made, text in zip(self.made, texts, strict=True)]
        return [self._call(batch) for batch in batches(mutations)]

    def _call(self, mutations: list[Document]) -> tuple[bytes, str]:
        body = orjson.dumps({"mutations": mutations})
        return body, self.device.sign(body)

    def send(self, call: tuple[bytes, str]) -> None:
        body, signature = call
        answer = self.line.call("POST", "/api/v1/sync/push", body, {"Menqian-Signature": signature})
        assert all(outcome["outcome"] == "applied" for outcome in answer["outcomes"]), answer["outcomes"]

    def pull(self, most_pages: int | None = None) -> int:
        """Pull from the beginning, to the end or so many pages; how many changes came."""
        seen = 0
        for page in islice(pages(self.line), most_pages):
            seen, self.cursor = seen + len(page["changes"]), page["cursor"]
        return seen

    def idle_pull(self) -> None:
        page = self.line.call("GET", f"/api/v1/sync/pull?limit={PAGE}&cursor={self.cursor}")
        assert page["changes"] == [], page


def pages(line: Line, cursor: str = "") -> Iterator[Document]:
    """The pages of a pull, from the cursor or the beginning to the end."""
    more = True
    while more:
        page = line.call("GET", f"/api/v1/sync/pull?limit={PAGE}" + (cursor and f"&cursor={cursor}"))
        cursor, more = page["cursor"], page["more"]
        yield page


class RawLoop:
    """The yardstick: the bare SQLite loop that any acknowledged mutation costs, record + history + ledger row.

    100 a transaction, WAL, synchronous=FULL, no network, nothing else done.
    """

    name = "raw SQLite loop"

    def __init__(self, folder: Path) -> None:
        self.base = sqlite3.connect(folder / "raw.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self.base.execute(f"PRAGMA {pragma}")
        self.base.executescript("""
            CREATE TABLE record (id TEXT PRIMARY KEY, type TEXT, version INT, scope TEXT, seq INT, fields TEXT);
            CREATE INDEX record_scope ON record (scope, seq);
            CREATE TABLE history (record_id TEXT, version INT, changed TEXT, PRIMARY KEY (record_id, version));
            CREATE TABLE ledger (device TEXT, n INT, id TEXT, outcome TEXT, PRIMARY KEY (device, n));""")
        self.n = 0

    def creations(self, documents: list[Document]) -> list[list[Document]]:
        return list(batches(documents))

    def send(self, documents: list[Document]) -> None:
        self.base.execute("BEGIN IMMEDIATE")
        for document in documents:
            self.n += 1
            record_id, text = str(uuid.uuid4()), json.dumps(document)
            self.base.execute("INSERT INTO record VALUES (?, 'finding', 1, ?, ?, ?)", (record_id, SCOPE, self.n, text))
            self.base.execute("INSERT INTO history VALUES (?, 1, ?)", (record_id, text))
            self.base.execute("INSERT INTO ledger VALUES ('d', ?, ?, ?)",
                              (self.n, str(uuid.uuid4()), '{"outcome":"applied"}'))
        self.base.execute("COMMIT")


class Pouch:
    """pouchdb-server on leveldb. It does not sync its file at a commit (leveldb's default)."""

    name = "pouchdb-server"

    def __init__(self, url: str) -> None:
        self.line = Line(url)
        self.line.call("PUT", "/bench")
        self.made: list[Document] = []
        self.since: Any = 0

    def creations(self, documents: list[Document]) -> list[bytes]:
        self.made = [{"_id": str(uuid.uuid4()), "type": "finding", "scope": SCOPE, **document}
                     for document in documents]
        return [orjson.dumps({"docs": batch}) for batch in batches(self.made)]

    def edits(self, texts: list[str]) -> list[bytes]:
        revisions: dict[str, str] = {}
        for batch in batches(self.made):
            found = self.line.call("POST", "/bench/_all_docs", orjson.dumps({"keys": [one["_id"] for one in batch]}))
            revisions |= {row["id"]: row["value"]["rev"] for row in found["rows"]}
        edited = [{**one, "_rev": revisions[one["_id"]], "text": text}
                  for one, text in zip(self.made, texts, strict=True)]
        return [orjson.dumps({"docs": batch}) for batch in batches(edited)]

    def send(self, body: bytes) -> None:
        assert all(one.get("ok") for one in self.line.call("POST", "/bench/_bulk_docs", body))

    def pull(self) -> int:
        seen, since, got = 0, 0, PAGE
        while got == PAGE:
            page = self.line.call("GET", f"/bench/_changes?include_docs=true&limit={PAGE}&since={since}")
            got, since = len(page["results"]), page["last_seq"]
            seen += got
        self.since = since
        return seen

    def idle_pull(self) -> None:
        page = self.line.call("GET", f"/bench/_changes?include_docs=true&limit={PAGE}&since={self.since}")
        assert page["results"] == [], page


class Kinto:
    """Kinto on PostgreSQL, one collection. Its pushes are slow (some 100 a second): it is beside the pulls alone."""

    name = "Kinto"
    collection = "/v1/buckets/bench/collections/finding"

    def __init__(self, url: str) -> None:
        self.line = Line(url, {"Authorization": "Basic " + base64.b64encode(b"bench:bench").decode()})
        self.line.call("PUT", "/v1/buckets/bench")
        self.line.call("PUT", self.collection)
        self.since = ""

    def creations(self, documents: list[Document]) -> list[bytes]:
        made = [{"id": str(uuid.uuid4()), "type": "finding", "scope": SCOPE, **document} for document in documents]
        defaults = {"method": "POST", "path": f"{self.collection}/records"}
        return [orjson.dumps({"defaults": defaults, "requests": [{"body": {"data": one}} for one in batch]})
                for batch in batches(made)]

    def send(self, body: bytes) -> None:
        answers = self.line.call("POST", "/v1/batch", body)["responses"]
        assert len(answers) == BATCH, len(answers)
        assert all(answer["status"] == 201 for answer in answers), answers

    def pull(self) -> int:
        seen, since, got = 0, "", PAGE
        while got == PAGE:
            page = self.line.call("GET", f"{self.collection}/records?_sort=last_modified&_limit={PAGE}" + since)["data"]
            got, since = len(page), f"&_since={page[-1]['last_modified']}" if page else since
            seen += got
        self.since = since
        return seen

    def idle_pull(self) -> None:
        page = self.line.call("GET", f"{self.collection}/records?_sort=last_modified&_limit={PAGE}" + self.since)
        assert page["data"] == [], page
