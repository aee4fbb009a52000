"""First figures of the embedded default: push, pull, upload, attribution, memory, beside the raw SQLite loop.

`.venv/bin/python -m tests.bench [--count N] [--data DIR]` prints a Markdown table. The server is the real one, in its
own processes; the client is on the same machine and is part of what is measured. Ratios hold within one run only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from server.demo.town import make_town
from tests.bench.memory import worker_rss_mb
from tests.bench.raw import raw_inserts
from tests.bureau import PASSWORD, Bureau, a_photo
from tests.handheld import Handheld
from tests.running import Server
from tests.wire import Person, granted

SCOPE = "320412100"
Row = tuple[str, str, str]


def finding(random: Random) -> dict[str, object]:
    """A finding of ordinary size, with a position in the demo's town."""
    return {"observed_at": "2026-11-22T01:02:03.456Z", "class_scheme": "GB/T 30428.2-2013:event",
            "class_code": "0504", "text": "店外经营,占用人行道约两米", "source": "patrol", "tags": ["夜间"],
            "position": {"lon": 119.944 + random.random() / 100, "lat": 31.694 + random.random() / 100,
                         "crs": "EPSG:4326", "accuracy_m": 8.0, "provider": "gps"}}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--count", type=int, default=5_000, help="findings to push")
    parser.add_argument("--data", type=Path, help="directory to work in (default: a temporary one)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.data) as folder:
        for row in measure(Path(folder), asked.count):
            print(f"| {row[0]} | {row[1]} | {row[2]} |", flush=True)


def measure(folder: Path, count: int) -> list[Row]:
    random = Random(7)
    raw = raw_inserts(folder, count, finding(random))
    server = Server(folder / "server", settings={"MENQIAN_LOG_LEVEL": "warning"})
    server.cli("init")
    server.cli("user", "add", "root", "--name", "管理员", "--role", "admin", "--scope", "32", "--password-stdin",
               stdin=PASSWORD)
    server.start()
    try:
        bureau = Bureau(server.url, Person(server.url, "root", PASSWORD))
        device = bureau.handheld(SCOPE)
        return [("raw SQLite loop (record + history + ledger row)", f"{raw:,.0f} mutations/s", "1.00"),
                *push_rows(device, random, count, raw), pull_row(device, raw), *upload_rows(bureau, raw),
                attribution_row(bureau, random, raw), memory_row(server)]
    finally:
        server.stop()


def push_rows(device: Handheld, random: Random, count: int, raw: float) -> list[Row]:
    """Batches of 100 new findings: encoded beforehand, signed and sent inside the measured time."""
    bodies = [json.dumps({"mutations": [device.create("finding", SCOPE, finding(random)) for _ in range(100)]},
                         ensure_ascii=False).encode() for _ in range(count // 100)]
    times = [timed(lambda body=body: granted(device.send(body))) for body in bodies]
    rate = count / sum(times)
    return [("push of new findings, batches of 100, signed",
             f"{rate:,.0f} mutations/s (median batch {statistics.median(times) * 1000:,.0f} ms)", ratio(rate, raw))]


def pull_row(device: Handheld, raw: float) -> Row:
    began = time.perf_counter()
    seen, cursor, more = 0, None, True
    while more:
        page = granted(device.pull(cursor, 1000))
        seen, cursor, more = seen + len(page["changes"]), page["cursor"], page["more"]
    rate = seen / (time.perf_counter() - began)
    return ("first pull, pages of 1,000", f"{rate:,.0f} records/s", ratio(rate, raw))


def upload_rows(bureau: Bureau, raw: float) -> list[Row]:
    """Different JPEGs padded to size with a trailing comment, so that every check runs."""
    rows = []
    for kilobytes, chunk, lanes, number in ((2_000, None, 4, 40), (2_000, 262_144, 4, 24), (50, None, 8, 160)):
        devices = [bureau.handheld(SCOPE) for _ in range(lanes)]
        photos = [padded(a_photo(kilobytes * 1000 + n, (160, 120)), kilobytes * 1000) for n in range(number)]

        def send(lane: int, devices: list[Handheld] = devices, photos: list[bytes] = photos, chunk: int | None = chunk,
                 lanes: int = lanes) -> None:
            for photo in photos[lane::lanes]:
                granted_upload(devices[lane], photo, chunk)
        with ThreadPoolExecutor(lanes) as pool:
            began = time.perf_counter()
            list(pool.map(send, range(lanes)))
            rate = number / (time.perf_counter() - began)
        said = f"upload {kilobytes:,} kB x {lanes} connections" + (f", chunks of {chunk // 1024} KiB" if chunk else "")
        rows.append((said, f"{rate:,.1f} uploads/s", ratio(rate, raw)))
    return rows


def padded(photo: bytes, size: int) -> bytes:
    """The JPEG with comment segments behind its start marker, so that it has this size and decodes the same."""
    missing, segments = size - len(photo), b""
    while missing > len(segments) + 4:
        body = min(65_533, missing - len(segments) - 4)
        segments += b"\xff\xfe" + (body + 2).to_bytes(2) + bytes(body)
    return photo[:2] + segments + photo[2:]


def granted_upload(device: Handheld, photo: bytes, chunk: int | None) -> None:
    answer = device.upload(photo, **({"chunk": chunk} if chunk else {}))
    assert answer.status_code == 204, answer.text


def attribution_row(bureau: Bureau, random: Random, raw: float) -> Row:
    town = make_town(1)
    assert granted(bureau.admin.post("/zones/import", town.zones))["rejected"] == []
    shops = [random.choice(town.shops) for _ in range(300)]
    times = [timed(lambda shop=shop: granted(bureau.admin.get("/zones/attribute", params={
        "lon": shop.lon, "lat": shop.lat, "crs": "EPSG:4326", "accuracy_m": 8}))) for shop in shops]
    rate = 1 / statistics.mean(times)
    return (f"attribution over HTTP among {len(town.zones['features'])} zones, one connection",
            f"{rate:,.0f} /s (median {statistics.median(times) * 1000:.1f} ms)", ratio(rate, raw))


def memory_row(server: Server) -> Row:
    return ("memory of the serving worker after all this", f"{worker_rss_mb(server.process):,.0f} MB resident", "")


def ratio(rate: float, raw: float) -> str:
    return f"{rate / raw:.3f}"


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
