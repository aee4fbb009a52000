"""The strip of pages on a small phone: the page one is on is in sight, and the flags of a photo speak Chinese."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import PHONE, SCOPE, Desk, photographed
from tests.bureau import Bureau

pytestmark = pytest.mark.browser
PLACES = ("/reviews", "/records", "/conflicts", "/quarantine", "/zones")


@pytest.fixture
def desk(chromium: Browser, office: Bureau) -> Iterator[Desk]:
    seated = Desk(chromium, office.url, office.newcomer("supervisor", "reviewer", "admin", scopes=(SCOPE,)))
    yield seated
    assert not seated.complaints
    seated.page.context.close()


def test_the_current_page_is_in_sight_on_a_small_phone(desk: Desk) -> None:
    desk.page.set_viewport_size(PHONE)
    for path in PLACES:
        desk.see(path)
        tab = desk.page.locator(".top nav [aria-current]").bounding_box()
        assert tab and tab["x"] >= 0 and tab["x"] + tab["width"] <= PHONE["width"], path


def test_a_flag_is_said_in_chinese_with_english_beside_it(desk: Desk, office: Bureau) -> None:
    unsigned = office.handheld(SCOPE, signs=False, who="unsigned")
    finding = photographed(unsigned, "无密钥设备拍摄")
    desk.see(f"/records/finding/{finding}")
    said = desk.page.locator(".reasons .rule").first.inner_text()
    assert "设备没有密钥" in said and "no key" in said
