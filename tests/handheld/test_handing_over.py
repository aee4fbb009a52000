"""A phone whose store becomes another's, or is gone: handed over, or removed by the browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.bureau import Bureau, eventually
from tests.patrols import begin
from tests.phones import Phone
from tests.wire import granted

pytestmark = pytest.mark.browser


@pytest.fixture
def one(phone: Callable[..., Phone], office: Bureau) -> Phone:
    return phone().enrol(office.invite(office.newcomer("inspector").username))


def test_a_phone_is_handed_over_once_all_of_it_is_delivered(office: Bureau, one: Phone) -> None:
    page = one.see("/settings")
    page.get_by_role("button", name="交给别人用").wait_for()  # its script is there, then
    one.context.set_offline(True)
    one.see("/").get_by_role("button", name="上岗").click()
    expect(page.locator(".sync-bar")).to_contain_text("待送")

    def hand_over() -> None:
        one.see("/settings").get_by_role("button", name="交给别人用").click()
        page.get_by_role("button", name="清空并交出").click()

    hand_over()
    expect(page.get_by_text("先送完才能交出")).to_be_visible()
    one.context.set_offline(False)
    one.see("/sync").get_by_role("button", name="立即同步").click()
    expect(page.get_by_role("heading", name="全部送达")).to_be_visible(timeout=40_000)
    other = one.another_tab()
    other.goto(f"{one.url}/handheld/#/find")
    other.locator("textarea[name=text]").wait_for()
    before = ended(office)
    hand_over()
    other.get_by_label("邀请码").wait_for()  # it has nothing of the one before, and keeps nothing
    assert eventually(lambda: len(ended(office) - before) == 1)  # and the office knows
    next_one = office.newcomer("inspector")
    page.get_by_label("邀请码").fill(office.invite(next_one.username))
    page.get_by_role("button", name="登记", exact=True).click()
    page.get_by_role("navigation", name="主导航").wait_for()
    expect(one.see("/settings").get_by_text(next_one.username)).to_be_visible()
    expect(one.see("/sync").get_by_role("heading", name="没有要送的")).to_be_visible()


def ended(office: Bureau) -> set[str]:
    """The devices that are no more."""
    return {row["id"] for row in granted(office.admin.get("/devices"))["items"] if row["state"] == "revoked"}


def test_what_the_browser_removed_is_not_called_safe(one: Phone) -> None:
    page = begin(one)
    page.get_by_role("link", name="待送").or_(page.get_by_role("link", name="没有要送的")).wait_for()
    page.locator("textarea[name=text]").fill("门前堆物")
    page.evaluate("""() => new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase('menqian');
        Object.assign(request, {onsuccess: resolve, onerror: reject});
    })""")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    gone = page.get_by_role("dialog", name="本机的数据没有了")
    expect(gone).to_contain_text("没有送达的记录和照片已经没有了")
    expect(page.get_by_text("都还在")).to_have_count(0)
    expect(page.locator("textarea[name=text]")).to_have_value("门前堆物")
    gone.get_by_role("button", name="重新登记").click()
    page.get_by_label("邀请码").wait_for()
