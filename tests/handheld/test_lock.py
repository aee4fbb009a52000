"""The lock against what phones do: full disks, cameras that are opened and closed again, clocks that run fast."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.bureau import Bureau
from tests.phones import PIN, Phone, fill_disk, set_pin

pytestmark = pytest.mark.browser
NO_PICTURE = """() => {
    const input = Object.assign(document.createElement('input'), {type: 'file'});
    document.body.append(input);
    input.addEventListener('click', (event) => event.preventDefault());
    input.click();
    input.dispatchEvent(new Event('cancel', {bubbles: true}));
}"""
LEAVE = """() => {
    Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => 'hidden'});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture
def page(office: Bureau, phone: Callable[..., Phone]) -> Page:
    """The settings of a phone that has a PIN."""
    page = phone().enrol(office.invite(office.newcomer("inspector").username)).see("/settings")
    set_pin(page)
    return page


def enter(page: Page, digits: str) -> None:
    page.keyboard.type(digits)
    page.keyboard.press("Enter")


def try_until_told_to_wait(page: Page, said: str = ".locked [role=alert]") -> None:
    """Wrong PINs, three of which are enough; one that is entered while the last is looked at does not count."""
    for wrong in ("1111", "2222", "3333", "4444", "5555", "6666"):
        if "请等" in "".join(page.locator(said).all_inner_texts()):
            return
        enter(page, wrong)
        page.wait_for_timeout(1500)


def test_a_full_disk_keeps_its_owner_inside_and_others_out(page: Page) -> None:
    page.reload()
    page.get_by_role("heading", name="已锁定").wait_for()
    fill_disk(page)
    said = page.locator(".locked [role=alert]")
    enter(page, "1111")
    expect(said).to_contain_text("PIN 不对")
    enter(page, PIN)
    expect(page.get_by_role("heading", name="设置", exact=True)).to_be_visible()
    page.evaluate(LEAVE)
    expect(page.get_by_role("heading", name="已锁定")).to_be_visible()
    try_until_told_to_wait(page)
    expect(said).to_contain_text(re.compile(r"请等 \d+ 秒"))
    page.set_viewport_size({"width": 640, "height": 360})
    for seen in (said, page.locator(".locked .dots"), *page.locator(".locked button").all()):
        expect(seen).to_be_in_viewport(ratio=1)


def test_another_language_locks_nobody_out(page: Page) -> None:
    page.get_by_role("radio", name="English").check()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    expect(page.get_by_role("heading", name="Locked")).to_have_count(0)


def test_a_camera_that_was_cancelled_leaves_no_door_open(page: Page) -> None:
    page.evaluate(NO_PICTURE)
    page.evaluate(LEAVE)
    expect(page.get_by_role("heading", name="已锁定")).to_be_visible()


def test_a_wait_that_a_fast_clock_set_ends_with_the_clock(page: Page) -> None:
    page.clock.set_system_time(datetime.now(UTC) + timedelta(days=365))
    page.reload()
    said = page.locator(".locked [role=alert]")
    page.get_by_role("heading", name="已锁定").wait_for()
    try_until_told_to_wait(page)
    expect(said).to_contain_text(re.compile(r"请等 \d+ 秒"))
    page.clock.set_system_time(datetime.now(UTC))
    expect(said).to_contain_text(re.compile(r"请等 (900|8\d\d) 秒"))


def test_the_settings_give_no_more_tries_than_the_lock(page: Page) -> None:
    page.get_by_role("button", name="取消 PIN").click()
    sheet = page.get_by_role("dialog")
    try_until_told_to_wait(page, "dialog [role=alert]")
    expect(sheet.get_by_role("alert")).to_contain_text(re.compile(r"请等 \d+ 秒"))
    expect(sheet.get_by_role("button", name="1", exact=True)).to_be_disabled()
    enter(page, PIN)
    page.evaluate(LEAVE)
    expect(page.locator(".locked [role=alert]")).to_contain_text(re.compile(r"请等 \d+ 秒"))


def test_nothing_looks_behind_the_lock(page: Page) -> None:
    page.evaluate("""() => {
        window.looking = 0;
        const begin = (stop) => { looking += 1; return stop; };
        navigator.geolocation.watchPosition = () => begin(1);
        navigator.geolocation.clearWatch = () => { looking -= 1; };
        navigator.mediaDevices.getUserMedia = async () => {
            const stream = begin(document.createElement('canvas').captureStream()), [track] = stream.getTracks();
            let live = 1;
            track.stop = () => { looking -= live; live = 0; };
            return stream;
        };
        location.hash = '/find';
    }""")
    page.get_by_role("button", name="扫贴花").click()
    page.wait_for_function("() => looking === 2")
    page.evaluate(LEAVE)
    page.wait_for_function("() => looking === 0")
    page.evaluate("delete document.visibilityState, document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("heading", name="已锁定").wait_for()
    page.wait_for_timeout(500)  # how many tries there were is read first
    enter(page, PIN)
    page.wait_for_function("() => looking === 2")
    expect(page.get_by_role("dialog")).to_be_visible()
