"""A phone whose browser can be killed, and what its inspector does beside findings (tests/patrols.py), for a shift."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from tests.paperwork import sign
from tests.patrols import HERE
from tests.phones import ARGUMENTS, CHROMIUM, TALL

EVERYTHING = "全部送达"


class Pocket:
    """A phone with a profile on disk, so that its browser can be killed and started again. Its address is the server's
    as the phone knows it, perhaps through a bad line."""

    def __init__(self, play: Playwright, url: str, profile: Path) -> None:
        self._play, self.url, self._profile = play, url, profile
        self.complaints: list[str] = []
        self.context: BrowserContext
        self.start()

    def start(self, *, offline: bool = False) -> Page:
        """Open the app, as by its icon."""
        self.context = self._play.chromium.launch_persistent_context(
            str(self._profile), executable_path=str(CHROMIUM), args=ARGUMENTS, viewport=TALL, locale="zh-CN",
            timezone_id="Asia/Shanghai", geolocation=HERE, permissions=["geolocation"], has_touch=True)
        self.context.set_default_timeout(20_000)
        self.context.set_offline(offline)
        self.page = self.context.pages[0]
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{self.url}/handheld/")
        self.page.locator("main").wait_for()
        return self.page

    def enrol(self, code: str) -> None:
        """Enrol, and wait until the app would open without a network."""
        self.page.goto(f"{self.url}/handheld/#/enrol/{code}")
        self.page.get_by_role("button", name="登记", exact=True).click()
        self.page.get_by_role("navigation", name="主导航").wait_for()
        self.page.wait_for_function("() => navigator.serviceWorker.controller !== null", timeout=40_000)

    def kill(self) -> None:
        """kill -9 of the browser with all its processes: an empty battery."""
        mine = str(self._profile).encode()
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal() and mine in _command_of(folder):
                with suppress(ProcessLookupError):  # its parent's end took it along
                    os.kill(int(folder.name), signal.SIGKILL)
        with suppress(Error):  # there is nothing left that could be closed in order
            self.context.close()

    def see(self, path: str) -> Page:
        """Go to a screen of the app."""
        self.page.evaluate("path => { location.hash = path; }", path)
        self.page.locator("main").wait_for()
        return self.page


def _command_of(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return b""


def inspect(phone: Pocket, zone: str, sticker: str) -> None:
    """Answer the daily checklist of a zone, all in order."""
    page = phone.see("/inspect")
    page.get_by_role("button", name=zone).click()
    page.get_by_role("button", name="开始检查").click()
    items = page.locator("article.item")
    items.first.wait_for()
    for place in range(items.count()):
        items.nth(place).get_by_role("radio", name="合格", exact=True).check()
    page.get_by_label("贴花编号").fill(sticker)
    page.get_by_role("button", name="结束检查").click()
    page.get_by_role("dialog").get_by_role("button", name="确认结束").click()
    expect(page.get_by_text("等待送达")).to_be_visible()


def sign_letter(phone: Pocket, zone: str) -> None:
    """Have the responsibility letter of a zone signed on the screen."""
    page = phone.see("/letter")
    page.get_by_role("button", name=zone).click()
    page.get_by_role("button", name="已全部宣读").click()
    page.get_by_role("radio", name="当场签名", exact=True).check()
    sign(page)
    page.get_by_role("button", name="存为已签").click()
    page.get_by_role("button", name=re.compile(f"{zone}.*已签")).wait_for()


def deliver_everything(phone: Pocket, *, within_s: int, told: Callable[[], str] = str) -> None:
    """Ask for a sync, again and again as a person would, until the app says that everything was delivered."""
    page = phone.see("/sync")
    for _ in range(within_s // 5):
        if page.get_by_role("heading", name=EVERYTHING).count():
            return
        # Its words change while it is looked at: what stands there now is pressed, if it can be.
        page.evaluate("() => document.querySelector('.standing .buttons button.primary:enabled')?.click()")
        page.wait_for_timeout(5_000)
    raise AssertionError(f"not everything was delivered: {page.locator('main').inner_text()[:1500]} {told()}")
