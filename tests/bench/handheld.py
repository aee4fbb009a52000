"""The handheld on a mid-range phone: Debian's chromium with its processor slowed four times and a phone's size.

The page is opened again and again without a network, as from its icon: all comes from the service worker's cache.
"""

from __future__ import annotations

import gzip
import statistics
from collections.abc import Iterator
from pathlib import Path
from random import Random

from playwright.sync_api import CDPSession, Page, sync_playwright

from server.handheld.edition import edition
from tests.bench.deployment import Deployment
from tests.bench.documents import SCOPE, batches, findings
from tests.bench.table import Row, spread
from tests.fieldwork import Pocket

SLOWED, BUDGET_BYTES = 4, 250_000
MANY = 5_000
SHOWN = (("first", "first contentful paint from cache", "wanted under 1,000 ms"),
         ("largest", "largest contentful paint", "Lighthouse calls 2,500 ms good"),
         ("stands", "today's screen stands", ""), ("longest", "longest task of the start", ""),
         ("blocked", "total blocking time", "Lighthouse calls 200 ms good"),
         ("shift", "layout shift", "Lighthouse calls 0.1 good"))
# What Lighthouse calls a start's vitals, from the navigation's beginning: first and largest contentful paint (W3C Paint
# Timing, Largest Contentful Paint), total blocking time (what tasks last beyond 50 ms), longest task, layout shift.
VITALS = """() => new Promise((done) => {
    const seen = {paint: [], 'largest-contentful-paint': [], longtask: [], 'layout-shift': []};
    for (const type of Object.keys(seen)) {
        new PerformanceObserver((list) => seen[type].push(...list.getEntries())).observe({ type, buffered: true });
    }
    setTimeout(() => done({
        first: seen.paint.find((one) => one.name === 'first-contentful-paint').startTime,
        largest: seen['largest-contentful-paint'].at(-1).startTime,
        blocked: seen.longtask.reduce((sum, one) => sum + Math.max(0, one.duration - 50), 0),
        longest: Math.max(0, ...seen.longtask.map((one) => one.duration)),
        shift: seen['layout-shift'].reduce((sum, one) => sum + (one.hadRecentInput ? 0 : one.value), 0),
    }), 1500);
})"""
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
        for name, what, wanted in SHOWN:
            values = [start[name] for start in starts]
            told = f"{max(values):.3f} at most" if name == "shift" else spread(values, "ms")
            yield Row(f"handheld: {what}, processor slowed {SLOWED} x, {MANY:,} findings on it", told, wanted)
        yield _list_row(phone)
        phone.context.close()


def _slowed(phone: Pocket) -> CDPSession:
    session = phone.context.new_cdp_session(phone.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    return session


def _start(phone: Pocket, url: str) -> dict[str, float]:
    """Open the app in a new tab; its vitals and, as `stands`, when today's screen is there, in ms."""
    phone.page.close()
    phone.page = page = phone.context.new_page()
    session = _slowed(phone)
    page.goto(f"{url}/handheld/")
    page.get_by_role("navigation", name="主导航").wait_for()
    stands: float = page.evaluate("() => performance.now()")
    vitals: dict[str, float] = page.evaluate(VITALS)
    session.detach()
    return vitals | {"stands": stands}


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
