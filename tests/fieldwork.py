"""What an inspector does with the handheld, tap by tap, for tests that follow a whole shift."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.bureau import a_photo
from tests.phones import ARGUMENTS, CHROMIUM, PLACE, TALL

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
            timezone_id="Asia/Shanghai", geolocation=PLACE, permissions=["geolocation"], has_touch=True)
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
                os.kill(int(folder.name), signal.SIGKILL)
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


def begin_finding(phone: Pocket) -> Page:
    """Begin a finding; its address names it at once."""
    phone.see("/find")
    phone.page.wait_for_url("**/#/find/*")
    phone.page.get_by_role("heading", name="照片").wait_for()
    return phone.page


def photograph(page: Page, count: int = 1) -> list[bytes]:
    """Take photos with what stands in for the phone's own camera."""
    page.get_by_role("button", name=re.compile("^(拍照|再拍)$")).click()
    contents = [a_photo() for _ in range(count)]
    page.get_by_label("用手机相机拍").set_input_files(
        [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": content} for n, content in enumerate(contents)])
    page.get_by_text(f"已拍 {count} 张").wait_for()
    page.get_by_role("button", name="完成").click()
    return contents


def classify(page: Page, typed: str, name: str) -> None:
    page.get_by_label("搜索类别").fill(typed)
    page.get_by_role("list", name="找到的类别").get_by_role("button", name=name).click()


def save_finding(page: Page) -> str:
    """Keep the finding and give its id."""
    page.get_by_role("button", name="保存", exact=True).click()
    page.wait_for_url("**/#/findings/*")
    return str(page.url.rsplit("/", 1)[1])


def sign(page: Page) -> None:
    """Two strokes across the box, and the confirmation."""
    board = page.locator(".signature canvas")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    assert box is not None
    for height in (0.35, 0.65):
        page.mouse.move(box["x"] + 20, box["y"] + box["height"] * height)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * (1 - height), steps=6)
        page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] * height, steps=6)
        page.mouse.up()
    page.get_by_role("button", name="确认签名").click()
    expect(page.locator(".signature")).to_have_count(0)


def inspect(phone: Pocket, zone: str) -> None:
    """Answer the daily checklist of a zone, all in order."""
    page = phone.see("/inspect")
    page.get_by_role("button", name=zone).click()
    page.get_by_role("button", name="开始检查").click()
    items = page.locator("article.item")
    items.first.wait_for()
    for place in range(items.count()):
        items.nth(place).get_by_text("合格", exact=True).click()
    page.get_by_label("贴花编号").fill("MQ-0001")
    page.get_by_role("button", name="结束检查").click()
    page.get_by_role("dialog").get_by_role("button", name="确认结束").click()
    expect(page.get_by_text("等待送达")).to_be_visible()


def sign_letter(phone: Pocket, zone: str) -> None:
    """Have the responsibility letter of a zone signed on the screen."""
    page = phone.see("/letter")
    page.get_by_role("button", name=zone).click()
    page.get_by_role("button", name="已全部宣读").click()
    page.get_by_text("当场签名", exact=True).click()
    sign(page)
    page.get_by_role("button", name="存为已签").click()
    page.get_by_role("button", name=re.compile(f"{zone}.*已签")).wait_for()


def deliver_everything(phone: Pocket, *, within_s: int, told: Callable[[], str] = str) -> None:
    """Ask for a sync, again and again as a person would, until the app says that everything was delivered."""
    page = phone.see("/sync")
    for _ in range(within_s // 5):
        if page.get_by_role("heading", name=EVERYTHING).count():
            return
        button = page.get_by_role("button", name="立即同步")
        if button.count() and button.is_enabled():
            button.click()
        page.wait_for_timeout(5_000)
    raise AssertionError(f"not everything was delivered: {page.locator('main').inner_text()[:1500]} {told()}")
