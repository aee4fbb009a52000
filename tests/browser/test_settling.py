"""Conflicts and devices in a real browser: settled by keyboard, a third value typed, marks that say it in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, SCOPE, Desk
from tests.bureau import Bureau
from tests.handheld import Handheld
from tests.wire import Person, granted, moment

pytestmark = pytest.mark.browser


@pytest.fixture
def reader(office: Bureau) -> Person:
    return office.person("supervisor", scopes=(SCOPE,))


def apart(office: Bureau, device: Handheld, text: str) -> str:
    """A finding with two conflicts."""
    other = office.handheld(SCOPE, who="另一人")
    finding = device.report(SCOPE, text=text)
    other.deliver(other.edit("finding", finding, 1, set={"text": f"{text}甲", "source": "video"}))
    device.deliver(device.edit("finding", finding, 1, set={"text": f"{text}乙", "source": "hotline"}))
    return finding


def test_a_record_s_conflicts_are_settled_by_keyboard_alone(seat: Callable[[str], Desk], office: Bureau,
                                                            device: Handheld, reader: Person) -> None:
    finding = apart(office, device, "键盘裁决")
    desk = seat("supervisor")
    desk.see(f"/conflicts?about_id={finding}")
    page = desk.page
    page.keyboard.press("j")
    page.keyboard.press("1")
    expect(page.locator("input[value=theirs]:checked")).to_have_count(2)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said")).to_contain_text("已裁决 2 项冲突")
    fields = reader.record("finding", finding)["fields"]
    assert (fields["text"], fields["source"]) == ("键盘裁决甲", "video")


def test_typing_a_third_value_chooses_it(seat: Callable[[str], Desk], office: Bureau, device: Handheld,
                                         reader: Person) -> None:
    finding = apart(office, device, "第三个值")
    desk = seat("supervisor")
    desk.see(f"/conflicts?about_id={finding}")
    page = desk.page
    text, source = page.locator(".overlap").first, page.locator(".overlap").last
    text.get_by_label("第三个值").last.fill("丙的描述")
    expect(text.locator("input[value=value]")).to_be_checked()
    source.locator("select").select_option("public")
    page.get_by_role("button", name="裁决所选").click()
    expect(page.locator(".said")).to_contain_text("已裁决")
    fields = reader.record("finding", finding)["fields"]
    assert (fields["text"], fields["source"]) == ("丙的描述", "public")


def test_a_conflict_that_changed_meanwhile_is_said_and_nothing_is_settled(
        seat: Callable[[str], Desk], office: Bureau, device: Handheld, reader: Person) -> None:
    finding = apart(office, device, "中途变化")
    desk = seat("supervisor")
    desk.see(f"/conflicts?about_id={finding}")
    device.deliver(device.edit("finding", finding, 1, set={"text": "又改了"}))
    desk.page.locator("input[value=theirs]").first.check()
    desk.page.get_by_role("button", name="裁决所选").click()
    expect(desk.page.locator(".conflict .problem")).to_contain_text("冲突已变化")
    assert reader.record("finding", finding)["fields"]["text"] == "又改了"


def test_what_a_device_has_not_delivered_is_said_in_words(seat: Callable[[str], Desk], office: Bureau) -> None:
    late = office.handheld(owner=office.newcomer("inspector", scopes=(SCOPE,)))
    granted(late.get("/hello", headers={
        "Menqian-Health": f"unsent=3; photos=2; oldest={moment(-200_000)}; bytes=7340032"}))
    desk = seat("supervisor")
    desk.see("/devices?attention=unsent_old")
    card = desk.page.locator(".device", has_text=late.owner.username)
    expect(card).to_contain_text("未送出已久")
    expect(card).to_contain_text("张照片")
    expect(card).to_contain_text("7.0 MiB")
    card.get_by_text("停用").first.click()
    expect(card).to_contain_text("此设备报有未送出的工作")


@pytest.mark.parametrize("path", ["/conflicts", "/devices", "/devices?holding=320412100"])
def test_settling_fits_a_small_phone(seat: Callable[[str], Desk], office: Bureau, device: Handheld, path: str) -> None:
    apart(office, device, "窄屏上的两个很长很长的值" * 5)
    desk = seat("supervisor")
    desk.page.set_viewport_size(PHONE)
    desk.see(path)
    assert desk.overflow_px() == 0
