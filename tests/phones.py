"""A phone in the hand, for tests: Debian's chromium at a phone's size, enrolled by an invitation's address.

Whatever the browser complains about on the way fails the test, but for what it says of a network that is off.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.running import ROOT

CHROMIUM = Path("/usr/bin/chromium")
SHELL = Path("/usr/bin/chromium-headless-shell")  # the same engine without a desktop's part: two thirds of the time
HEADLESS = SHELL if SHELL.exists() else CHROMIUM
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions"]
SMALL, TALL = {"width": 360, "height": 640}, {"width": 412, "height": 915}
PLACE = {"longitude": 119.9476, "latitude": 31.7013, "accuracy": 6}
PIN = "2468"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
HARMLESS = ("net::ERR_", "status of 4", "status of 5", "Failed to fetch")
NO_ROOM = """() => {
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); };
    window.makeRoom = () => { IDBObjectStore.prototype.put = put; };
}"""


class Phone:
    """One browser profile and its page. `complaints` are errors of scripts and of the policy."""

    def __init__(self, browser: Browser, url: str, *, size: dict[str, int] | None = None, scheme: str = "light",
                 **options: Any) -> None:
        self.url = url
        self.complaints: list[str] = []
        self.context: BrowserContext = browser.new_context(
            viewport=size or SMALL, locale="zh-CN", timezone_id="Asia/Shanghai", color_scheme=scheme, has_touch=True,
            geolocation=PLACE, permissions=["geolocation"], accept_downloads=True, **options)
        self.page = self.another_tab()

    def another_tab(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)
        return page

    def enrol(self, code: str) -> Phone:
        """Open the address of an invitation, as its QR code names it, and enrol."""
        self.page.goto(f"{self.url}/handheld/#/enrol/{code}")
        self.page.get_by_role("button", name="登记", exact=True).click()
        self.page.get_by_role("navigation", name="主导航").wait_for()
        return self

    def see(self, path: str) -> Page:
        """Go to a screen of the app, `/sync`, and wait until its heading stands."""
        if self.page.url.startswith(f"{self.url}/handheld/"):
            self.page.evaluate("path => { location.hash = path; }", path)
            self.page.wait_for_function("path => location.hash === '#' + path", arg=path)
        else:
            self.page.goto(f"{self.url}/handheld/#{path}")
        self.page.locator("main").wait_for()
        return self.page

    def overflow_px(self) -> int:
        """How much wider the page is than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def small_targets(self) -> list[str]:
        """What is to be tapped and is lower than 48 px, by its words; links within a text are none."""
        found: list[str] = self.page.evaluate("""() => [...document.querySelectorAll(
            'button, a[href], select, textarea, label.tick, .options label, input[type=text], input:not([type])')]
            .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 47.5)
            .map((one) => `${one.tagName} ${one.textContent || one.name}`)""")
        return found

    def broken_words(self, selector: str) -> list[str]:
        """The words, as blanks part them, that stand on more than one line."""
        found: list[str] = self.page.locator(selector).evaluate_all("""(all) => all.flatMap((one) => {
            const text = one.firstChild, range = document.createRange();
            return [...text.textContent.matchAll(/\\S+/g)].filter(({0: word, index}) => {
                range.setStart(text, index);
                range.setEnd(text, index + word.length);
                return range.getClientRects().length > 1;
            }).map(([word]) => word);
        })""")
        return found

    def serious(self) -> list[str]:
        """What axe-core finds serious or critical, with where, once nothing fades or slides any more."""
        self.page.evaluate("""async () => { await Promise.allSettled(document.getAnimations()
            .filter((one) => one.effect.getComputedTiming().iterations < Infinity).map((one) => one.finished)); }""")
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[str] = self.page.evaluate("""async () => (await axe.run(document, {resultTypes: ['violations']}))
            .violations.filter((one) => ['serious', 'critical'].includes(one.impact))
            .map((one) => [one.id, ...one.nodes.map((node) => `${node.target} ${node.failureSummary}`)].join(' | '))""")
        return found

    def close(self) -> None:
        self.context.close()

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in HARMLESS):
            self.complaints.append(message.text)


def tap_digits(page: Page, digits: str) -> None:
    for digit in digits:
        page.get_by_role("button", name=digit, exact=True).click()


def set_pin(page: Page, digits: str = PIN) -> None:
    page.get_by_role("button", name="设置 PIN").click()
    for action in ("下一步", "确定"):
        tap_digits(page, digits)
        page.get_by_role("button", name=action, exact=True).click()
    page.get_by_role("button", name="取消 PIN").wait_for()


def fill_disk(page: Page) -> None:
    """From now on this page's browser says that its disk is full."""
    page.evaluate(NO_ROOM)


def free_disk(page: Page) -> None:
    page.evaluate("makeRoom()")
