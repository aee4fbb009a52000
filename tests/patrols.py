"""An inspector with a phone in a street of six shops, for tests: what he taps, and what the office then has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.bureau import Bureau, a_photo, collection, east_north, eventually, frontage
from tests.phones import ARGUMENTS, HEADLESS, Phone
from tests.wire import Person, granted, new_id

SCOPE = "320402001"
HERE = {"longitude": 119.9912, "latitude": 31.7702, "accuracy": 6}
NOWHERE = {"longitude": 119.9912, "latitude": 31.8002, "accuracy": 5}
MIDDLE = (HERE["longitude"], HERE["latitude"])
SHOPS = ("药房", "水果店", "五金店", "包子铺", "理发店", "便利店")


def a_street(office: Bureau) -> dict[str, str]:
    """Six shops of 8 m side by side; the phone stands where the third meets the fourth. Their ids by name."""
    ids = {name: new_id() for name in SHOPS}
    granted(office.admin.post("/zones/import", collection(*[
        frontage(*east_north(*MIDDLE, 8.0 * n - 24, -3), SCOPE, name=name, zone_id=ids[name],
                 sticker_serial=f"CZ-{n:04d}") for n, name in enumerate(SHOPS)])))
    return ids


@contextmanager
def with_camera(chromium: Browser, office: Bureau, film: Path | None = None) -> Iterator[Phone]:
    """A phone in that street, not yet enrolled, with a camera that turns or that sees this film."""
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
              *([f"--use-file-for-fake-video-capture={film}"] if film else [])]
    browser = chromium.browser_type.launch(executable_path=str(HEADLESS), args=[*ARGUMENTS, *camera])
    try:
        one = Phone(browser, office.url)
        one.context.grant_permissions(["camera", "geolocation"])
        one.context.set_geolocation(HERE)
        yield one
        assert one.complaints == []
    finally:
        browser.close()


def inspector_of(office: Bureau) -> Person:
    return office.person("inspector", scopes=(SCOPE,))


def begin(one: Phone) -> Page:
    """Begin a finding; its address names it at once."""
    one.page.evaluate("location.hash = '/find'")
    one.page.wait_for_url("**/#/find/*")
    one.page.get_by_role("heading", name="照片").wait_for()
    return one.page


def count_taps(page: Page) -> None:
    page.evaluate("""() => { window.taps = 0; addEventListener('pointerdown', () => { taps += 1; }, true); }""")


def photograph(page: Page, role: str = "全景") -> bytes:
    """Take one photo with what stands in for the phone's own camera."""
    page.get_by_role("button", name="拍照").or_(page.get_by_role("button", name="再拍")).click()
    page.get_by_label(role, exact=True).check()
    content = shoot(page)
    page.get_by_role("button", name="完成", exact=True).click()
    return content


def shoot(page: Page) -> bytes:
    content = a_photo()
    page.get_by_label("用手机相机拍").set_input_files({"name": "p.jpg", "mimeType": "image/jpeg", "buffer": content})
    page.get_by_text("已存在本机。").wait_for()
    return content


def classify(page: Page, typed: str, name: str) -> None:
    page.get_by_label("搜索类别").fill(typed)
    page.get_by_role("list", name="找到的类别").get_by_role("button", name=name).click()


def save(page: Page) -> str:
    """Keep the finding and give its id."""
    page.get_by_role("button", name="保存", exact=True).click()
    page.get_by_text("本机做过的").wait_for()
    return str(page.url.rsplit("/", 1)[1])


def go_online(one: Phone) -> None:
    """Have the network back and sync at once, where the app does not do it by itself already."""
    one.context.set_offline(False)
    button = one.see("/sync").get_by_role("button", name=re.compile("立即同步|正在同步"))
    button.wait_for()
    if button.is_enabled():
        button.click()


def delivered(office: Bureau, finding: str) -> dict[str, Any]:
    """The finding's fields on the server, once they are there."""
    owner = inspector_of(office)
    assert eventually(lambda: owner.get(f"/records/finding/{finding}").status_code == 200, within_s=40)
    return dict(owner.record("finding", finding)["fields"])


def shows(one: Phone, finding: str, *words: str) -> bool:
    """Does the finding's screen say all of this, if need be after some more syncs?"""
    return eventually(partial(_shows, one, finding, words), within_s=60)


def _shows(one: Phone, finding: str, words: tuple[str, ...]) -> bool:
    go_online(one)
    page = one.see(f"/findings/{finding}")
    page.wait_for_timeout(1500)
    text = page.locator("main").inner_text()
    return all(each in text for each in words)


def photo_of(office: Bureau, finding: str) -> dict[str, Any]:
    """The one photo of a finding as the office has it."""
    found = granted(inspector_of(office).get("/records", params={"type": "evidence", "limit": 500}))["items"]
    photo, = (each for each in found if each["fields"]["about"]["id"] == finding)
    return photo
