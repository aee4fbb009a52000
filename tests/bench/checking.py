"""What a photo costs behind the answer, how long small ones wait among the large ones of a shift, and what cut
connections cost."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import httpx
from PIL import Image

from media.decoding import strict_decode
from media.exif import read_exif
from media.renditions import LONG_SIDE_PX, render
from media.reuse import dhashes
from sync.device.client import Patience, Problem, Unreachable
from sync.device.device import Device
from tests.bad_network import BadNetwork, Odds
from tests.bench.deployment import Deployment
from tests.bench.documents import SCOPE
from tests.bench.memory import added_mb
from tests.bench.table import Row
from tests.bench.uploading import UNCHECKED, Load, padded
from tests.bureau import Bureau, a_photo
from tests.wire import a_finding, sha256

PHONE, LARGE_BYTES = (4_000, 3_000), 3_000_000
SHIFT = Load(3_000, None, 4, 0)
CUT_PHOTOS, CUT_BYTES, CUT = 30, 1_000_000, 0.3


def check_row(rounds: int) -> Row:
    """Strict decoding, EXIF, two renditions and hashes in eight orientations, in this process, as a child does it."""
    with tempfile.TemporaryDirectory() as folder:
        path, thumb = Path(folder, "photo.jpg"), Path(folder, "thumb.jpg")
        grain = Image.effect_noise(PHONE, 24).convert("RGB")
        exif = Image.Exif()
        exif[0x0110], exif[0x0112] = "bench", 6
        Image.blend(Image.effect_mandelbrot(PHONE, (-2, -1.2, 1, 1.2), 60).convert("RGB"), grain, 0.25).save(
            path, quality=88, exif=exif)
        took = []
        for _ in range(rounds + 1):
            began = time.process_time()
            assert strict_decode(str(path))["damaged"] is None
            read_exif(path)
            for kind in LONG_SIDE_PX:
                thumb.write_bytes(render(path, kind))
                if kind == "thumb":
                    dhashes(thumb)
            took.append((time.process_time() - began) * 1000)
        return Row(f"check, EXIF, two renditions, hashes of a 12-megapixel photo of {path.stat().st_size / 1e6:.1f} MB",
                   f"{statistics.median(took[1:]):,.0f} ms of one core ({min(took[1:]):,.0f} to {max(took[1:]):,.0f})",
                   "wanted 350 ms")


def shift_row(deployment: Deployment, photos: int) -> Row:
    """Twelve-megapixel photos of 3 MB queue for their check while small ones come, one after the other."""
    bureau = deployment.bureau
    devices, watcher = [bureau.handheld(SCOPE) for _ in range(SHIFT.lanes)], bureau.handheld(SCOPE)
    finding = watcher.report(SCOPE)
    stop, waits = threading.Event(), []

    def bring(lane: int) -> None:
        for n in range(lane, photos, SHIFT.lanes):
            answer = devices[lane].upload(padded(a_photo(10_000_000 + n, PHONE), LARGE_BYTES))
            assert answer.status_code == 204, answer.text

    def watch() -> None:
        while not stop.is_set():
            content = a_photo(size=(640, 480))
            evidence = watcher.capture(SCOPE, content, ("finding", finding))
            watcher.deliver(evidence)
            assert watcher.upload(content).status_code == 204
            began = time.monotonic()
            assert watcher.owner
            while watcher.owner.record("evidence", evidence["record_id"])["fields"]["media"]["state"] != "verified":
                time.sleep(0.1)
            waits.append(time.monotonic() - began)

    began = time.monotonic()
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        with ThreadPoolExecutor(SHIFT.lanes) as pool:
            list(pool.map(bring, range(SHIFT.lanes)))
        here = time.monotonic() - began
        while not UNCHECKED.search(httpx.get(f"{bureau.url}/metrics", timeout=60).text) \
                and not _only_small(bureau):
            time.sleep(1)
        done = time.monotonic() - began
    finally:
        stop.set()
        watching.join()
    return Row(f"{photos:,} photos of 12 megapixels and 3 MB, and small ones meanwhile",
               f"all here after {here:,.0f} s, all checked after {done:,.0f} s ({photos / done:.1f} /s); {len(waits)} "
               f"small ones verified after {statistics.median(waits):.1f} s (median), {max(waits):.1f} s (longest)",
               "wanted at most 10 s")


def _only_small(bureau: Bureau) -> bool:
    """Is what waits no more than the small one that is always on its way?"""
    text = httpx.get(f"{bureau.url}/metrics", timeout=60).text
    return any(line.startswith('menqian_waiting{what="unchecked_photos"} 1') and len(line.split()[-1]) <= 3
               for line in text.splitlines())


def memory_row(deployment: Deployment) -> Row:
    """What one upload of the largest size adds to the process that receives it."""
    device, content = deployment.device(), a_photo()
    large = a_photo() + bytes(64_000_000)  # not in segments: their pages, mapped from the file, would count
    assert device.upload(content).status_code == 204
    answers = []
    added = added_mb(deployment.server, lambda: answers.append(device.upload(large)))
    assert answers[0].status_code == 204, answers[0].text
    return Row("memory that an upload of 64 MB adds to a worker", f"{added:,.1f} MB", "wanted under 16 MB")


def cut_row(deployment: Deployment, folder: Path) -> Row:
    """The reference device over a line on which three of ten requests are cut: bytes that came to the proxy, and that
    the photos have."""
    bureau, patience = deployment.bureau, Patience(tries=50, wait=lambda _: None)
    person = bureau.person("inspector", scopes=(SCOPE,))
    with BadNetwork(deployment.server.port, seed=1, odds=Odds()) as network:
        device = Device.enrol(network.url, bureau.invite(person.username), "bench", folder, patience=patience)
        finding = device.create("finding", a_finding(), SCOPE)
        contents = [padded(a_photo(Random(n).getrandbits(60)), CUT_BYTES) for n in range(CUT_PHOTOS)]
        for content in contents:
            device.capture(content, about=("finding", finding), role="scene")
        device.push()
        network.odds = Odds(cut=CUT)
        while device.photos("waiting"):
            try:
                device.upload()
            except (Problem, Unreachable):
                continue
        device.close()
    for content in contents:
        assert person.head(f"/media/{sha256(content)}").status_code == 200
    twice = network.sent.total() - sum(map(len, contents))
    return Row(f"{CUT_PHOTOS} photos of 1 MB, {CUT:.0%} of requests cut",
               f"{twice / sum(map(len, contents)):.1%} of the bytes sent twice ({network.cut_connections} of "
               f"{network.connections} connections cut)", "wanted at most 5 %")
