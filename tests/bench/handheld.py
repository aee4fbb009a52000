"""The handheld on a mid-range phone: Debian's chromium with its processor slowed four times and a phone's size.

The page is opened again and again without a network, as from its icon: all comes from the service worker's cache.
"""

from __future__ import annotations

import gzip
import statistics
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from server.handheld.edition import edition
from tests.bench.deployment import Deployment
from tests.bench.documents import SCOPE, batches, findings
from tests.bench.table import Row, spread
from tests.fieldwork import Pocket

SLOWED, BUDGET_BYTES = 4, 250_000
MANY = 5_000
# First contentful paint (W3C Paint Timing) and the longest task of the start, ms from the navigation's beginning.
PAINTED = """() => new Promise((done) => new PerformanceObserver((list, observer) => {
    const [first] = list.getEntriesByName('first-contentful-paint');
    if (first) { observer.disconnect(); done(first.startTime); }
}).observe({ type: 'paint', buffered: true }))"""
LONGEST = """() => new Promise((done) => { const found = [0];
    new PerformanceObserver((list) => found.push(...list.getEntries().map((one) => one.duration)))
        .observe({ type: 'longtask', buffered: true });
    setTimeout(() => done(Math.max(...found)), 1500); })"""
FLUNG = """async () => { const frames = [];
    for (let step = 0, last = performance.now(); step < 200; step++) {
        scrollBy(0, 900);
        last = await new Promise((resolve) => requestAnimationFrame(() => {
            frames.push(performance.now() - last); resolve(performance.now()); }));
    }
    return frames; }"""


def handheld_rows(deployment: Deployment, folder: Path, rounds: int) -> Iterator[Row]:
    """Start, list and size of the app."""
    scripts = [one.content for name, one in edition().files.items() if name.endswith(".js")]
    size = sum(len(gzip.compress(content)) for content in scripts)
    yield Row("handheld: all JavaScript, compressed file by file", f"{size / 1000:,.0f} kB in {len(scripts)} files",
              f"wanted at most {BUDGET_BYTES / 1000:,.0f} kB")
    inspector = deployment.bureau.person("inspector", scopes=(SCOPE,))
    bulk = deployment.device()
    for batch in batches([bulk.create("finding", SCOPE, fields) for fields in findings(Random(5), MANY)]):
        bulk.deliver(*batch)
    with sync_playwright() as play:
        phone = Pocket(play, deployment.server.url, folder / "profile")
        phone.enrol(deployment.bureau.invite(inspector.username))
        phone.see("/findings")
        phone.page.get_by_role("button", name="全部").click()
        phone.page.wait_for_function(
            "(many) => Number(document.querySelector('main .hint').textContent.match(/[0-9]+/)) >= many", arg=MANY,
            timeout=120_000)
        phone.context.set_offline(True)
        starts = [_start(phone, deployment.server.url) for _ in range(rounds)]
        for place, (what, wanted) in enumerate((("first paint from cache", "wanted under 1,000 ms"),
                                                ("today's screen stands", ""), ("longest task of the start", ""))):
            values = [start[place] for start in starts]
            yield Row(f"handheld: {what}, processor slowed {SLOWED} x, {MANY:,} findings on it", spread(values, "ms"),
                      wanted)
        yield _list_row(phone)
        phone.context.close()


def _slowed(phone: Pocket) -> CDPSession:
    session = phone.context.new_cdp_session(phone.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    return session


def _start(phone: Pocket, url: str) -> tuple[float, float, float]:
    """Open the app in a new tab; first paint, today's screen, longest task, in ms."""
    phone.page.close()
    phone.page = page = phone.context.new_page()
    session = _slowed(phone)
    page.goto(f"{url}/handheld/")
    page.get_by_role("navigation", name="主导航").wait_for()
    stands: Any = page.evaluate("() => performance.now()")
    painted: Any = page.evaluate(PAINTED)
    longest: Any = page.evaluate(LONGEST)
    session.detach()
    return float(painted), float(stands), float(longest)


def _list_row(phone: Pocket) -> Row:
    page: Page = phone.see("/findings")
    page.get_by_role("button", name="全部").click()
    page.locator(".windowed li").first.wait_for()
    session = _slowed(phone)
    frames: list[float] = page.evaluate(FLUNG)
    session.detach()
    frames.sort()
    return Row(f"handheld: a list of {MANY:,} findings flung, between two frames, processor slowed {SLOWED} x",
               f"median {statistics.median(frames):,.0f} ms, p95 {frames[len(frames) * 95 // 100]:,.0f} ms, "
               f"longest {frames[-1]:,.0f} ms", "60 frames a second are 17 ms")
