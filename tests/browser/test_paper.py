"""A served order on paper: its text, party, officers and signature, and nothing that only a screen can do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SCOPE, Desk, is_checked
from tests.bureau import a_photo, eventually
from tests.enrolled import Handheld
from tests.wire import moment, new_id

pytestmark = pytest.mark.browser
TEXT = "责令（立即）改正通知书\n永兴手机店：\n请立即改正。\n执法人员：林默、李四"


def an_order(device: Handheld) -> str:
    """The id of a signed order with a photo before its signature."""
    order, scene, signature = new_id(), a_photo(), a_photo()
    taken = [device.capture(SCOPE, content, ("enforcement", order), role=role)
             for content, role in ((scene, "scene"), (signature, "document"))]
    device.deliver(*taken, device.create("enforcement", SCOPE, {
        "kind": "order_now", "facts": "店外摆放", "officers": ["林默", "李四"], "party_name": "永兴手机店",
        "served": {"how": "signed", "at": moment(), "text": TEXT, "name": "王永兴",
                   "evidence_id": taken[1]["record_id"]}}, id=order))
    for content, capture in zip((scene, signature), taken, strict=True):
        assert device.upload(content).status_code == 204
        assert eventually(partial(is_checked, device, capture["record_id"]), within_s=30)
    return order


def test_a_served_order_prints_what_was_served_and_its_signature(seat: Callable[[str], Desk],
                                                                 device: Handheld) -> None:
    desk = seat("reviewer")
    desk.see(f"/records/enforcement/{an_order(device)}")
    page = desk.page
    pictures = page.locator("img.large")
    expect(pictures.nth(1)).to_be_hidden()
    page.emulate_media(media="print")
    for words in ("永兴手机店", "林默、李四", "王永兴", "请立即改正。"):
        expect(page.get_by_text(words).first).to_be_visible()
    for place in range(2):
        expect(pictures.nth(place)).to_be_visible()
        assert pictures.nth(place).evaluate("picture => picture.complete && picture.naturalWidth > 0")
    expect(page.locator("figcaption").nth(1)).to_contain_text("签名")
    for what in ("nav", "button", "form", ".layers", "#history", ".risk", ".side", "#export"):
        assert not [one for one in page.locator(what).all() if one.is_visible()], what
    text, picture = page.locator(".whole .lines").bounding_box(), pictures.first.bounding_box()
    assert text and picture and text["y"] < picture["y"], "the document first, then its pictures"
