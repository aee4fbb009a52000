"""Uploads of several connections at once, ours beside @tus/server; attribution over HTTP."""

from __future__ import annotations

import base64
import hashlib
import re
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from server.demo.town import Town
from tests.bench.documents import SCOPE
from tests.bench.line import Line
from tests.bench.table import Prepared, Row, beside, interleaved, timed
from tests.bureau import Bureau, a_photo, eventually
from tests.wire import granted

PLACES = 300
UNCHECKED = re.compile(r'^menqian_waiting\{what="unchecked_photos"\} 0(\.0)?$', re.MULTILINE)
TUS = {"Tus-Resumable": "1.0.0"}


class Load(NamedTuple):
    """So many uploads of so many bytes over so many connections, whole or in chunks."""

    kilobytes: int
    chunk: int | None
    lanes: int
    uploads: int

    def __str__(self) -> str:
        chunks = f", chunks of {self.chunk // 1024} KiB" if self.chunk else ""
        return f"upload {self.kilobytes:,} kB x {self.lanes} connections{chunks}"


LOADS = (Load(2_000, None, 4, 40), Load(2_000, 262_144, 4, 24), Load(50, None, 8, 160))


class Uploaded(NamedTuple):
    """A server that takes uploads: where they begin, whose they are on each connection, and how to wait until it does
    nothing else any more."""

    name: str
    url: str
    path: str
    tokens: tuple[str, ...] = ()
    rest: Callable[[], None] = lambda: None


def ours(bureau: Bureau) -> Uploaded:
    """Menqian: it hashes what came, stores it durably, and checks it behind; it rests when all is checked."""
    devices = [bureau.handheld(SCOPE) for _ in range(max(load.lanes for load in LOADS))]

    def rest() -> None:
        assert eventually(lambda: UNCHECKED.search(httpx.get(f"{bureau.url}/metrics", timeout=60).text),
                          within_s=600, every_s=0.5), "photos are not checked"

    return Uploaded("menqian", bureau.url, "/api/v1/uploads", tuple(str(device.token) for device in devices), rest)


def upload_rows(bureau: Bureau, peer: Uploaded | None, rounds: int) -> Iterator[Row]:
    """Different JPEGs padded to size, so that every check of ours runs. All wait until all rest, then upload in
    turns."""
    servers = [ours(bureau), *([peer] if peer else [])]
    for load in LOADS:
        def prepared(server: Uploaded, number: int, load: Load = load) -> Prepared:
            photos = [padded(a_photo(Random(f"{load} {number} {n}").getrandbits(60), (160, 120)),
                             load.kilobytes * 1000) for n in range(load.uploads)]
            for each in servers:
                each.rest()
            return load.uploads, lambda: _upload(server, photos, load)

        rates = interleaved(rounds, {server.name: lambda number, server=server: prepared(server, number)
                                     for server in servers})
        aims = {peer.name: 1.0} if peer else {}
        for server in servers:
            yield Row(f"{server.name}: {load}", f"{statistics.median(rates[server.name]):,.1f} uploads/s "
                      f"({min(rates[server.name]):,.1f} to {max(rates[server.name]):,.1f})",
                      "" if server is peer else beside(rates, server.name, aims))


def _upload(server: Uploaded, photos: list[bytes], load: Load) -> None:
    """Each connection brings its share, one photo after the other."""
    with ThreadPoolExecutor(load.lanes) as pool:
        list(pool.map(lambda lane: _bring(server, lane, photos[lane::load.lanes], load.chunk), range(load.lanes)))


def _bring(server: Uploaded, lane: int, photos: list[bytes], chunk: int | None) -> None:
    token = {"Authorization": f"Bearer {server.tokens[lane]}"} if server.tokens else {}
    line = Line(server.url, {**TUS, **token})
    for photo in photos:
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in
                            (("sha256", hashlib.sha256(photo).hexdigest()), ("filetype", "image/jpeg")))
        begun = line.told("POST", server.path, None, {
            "Upload-Length": str(len(photo)), "Upload-Metadata": metadata, "Content-Length": "0"})
        where = urlsplit(begun["Location"]).path
        for offset in range(0, len(photo), chunk or len(photo)):
            line.told("PATCH", where, photo[offset:offset + (chunk or len(photo))], {
                "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"})
    line.connection.close()


def padded(photo: bytes, size: int) -> bytes:
    """The JPEG with comment segments behind its start marker, so that it has this size and decodes the same."""
    missing, segments = size - len(photo), b""
    while missing > len(segments) + 4:
        body = min(65_533, missing - len(segments) - 4)
        segments += b"\xff\xfe" + (body + 2).to_bytes(2) + bytes(body)
    return photo[:2] + segments + photo[2:]


def attribution_row(bureau: Bureau, town: Town) -> Row:
    """Which zone a place lies in, asked one at a time over one connection."""
    random = Random(7)
    shops = [random.choice(town.shops) for _ in range(PLACES)]
    times = [timed(lambda shop=shop: granted(bureau.admin.get("/zones/attribute", params={
        "lon": shop.lon, "lat": shop.lat, "crs": "EPSG:4326", "accuracy_m": 8}))) for shop in shops]
    return Row(f"attribution over HTTP among {len(town.zones['features'])} zones, one connection",
               f"{1 / statistics.mean(times):,.0f} /s (median {statistics.median(times) * 1000:.1f} ms)")
