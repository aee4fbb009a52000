"""Photos and places: uploads of several connections at once, attribution over HTTP."""

from __future__ import annotations

import statistics
from concurrent.futures import ThreadPoolExecutor
from random import Random

from server.demo.town import Town
from tests.bench.documents import SCOPE
from tests.bench.table import Row, timed
from tests.bureau import Bureau, a_photo
from tests.handheld import Handheld
from tests.wire import granted

LOADS = ((2_000, None, 4, 40), (2_000, 262_144, 4, 24), (50, None, 8, 160))  # kB, chunk, connections, uploads
PLACES = 300


def upload_rows(bureau: Bureau) -> list[Row]:
    """Different JPEGs padded to size, so that every check runs."""
    return [_upload_row(bureau, *load) for load in LOADS]


def _upload_row(bureau: Bureau, kilobytes: int, chunk: int | None, lanes: int, number: int) -> Row:
    devices = [bureau.handheld(SCOPE) for _ in range(lanes)]
    photos = [padded(a_photo(kilobytes * 1000 + n, (160, 120)), kilobytes * 1000) for n in range(number)]

    def send(lane: int) -> None:
        for photo in photos[lane::lanes]:
            _upload(devices[lane], photo, chunk)

    with ThreadPoolExecutor(lanes) as pool:
        seconds = timed(lambda: list(pool.map(send, range(lanes))))
    return Row(f"upload {kilobytes:,} kB x {lanes} connections" + (f", chunks of {chunk // 1024} KiB" if chunk else ""),
               f"{number / seconds:,.1f} uploads/s")


def padded(photo: bytes, size: int) -> bytes:
    """The JPEG with comment segments behind its start marker, so that it has this size and decodes the same."""
    missing, segments = size - len(photo), b""
    while missing > len(segments) + 4:
        body = min(65_533, missing - len(segments) - 4)
        segments += b"\xff\xfe" + (body + 2).to_bytes(2) + bytes(body)
    return photo[:2] + segments + photo[2:]


def _upload(device: Handheld, photo: bytes, chunk: int | None) -> None:
    answer = device.upload(photo, **({"chunk": chunk} if chunk else {}))
    assert answer.status_code == 204, answer.text


def attribution_row(bureau: Bureau, town: Town) -> Row:
    """Which zone a place lies in, asked one at a time over one connection."""
    random = Random(7)
    shops = [random.choice(town.shops) for _ in range(PLACES)]
    times = [timed(lambda shop=shop: granted(bureau.admin.get("/zones/attribute", params={
        "lon": shop.lon, "lat": shop.lat, "crs": "EPSG:4326", "accuracy_m": 8}))) for shop in shops]
    return Row(f"attribution over HTTP among {len(town.zones['features'])} zones, one connection",
               f"{1 / statistics.mean(times):,.0f} /s (median {statistics.median(times) * 1000:.1f} ms)")
