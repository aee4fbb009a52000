"""Conflicts and devices in a real browser: settled by keyboard, a third value typed, marks that say it in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, SCOPE, Desk
from tests.bureau import Bureau
from tests.enrolled import Handheld
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
    expect(page.locator("input[value^=theirs]:checked")).to_have_count(2)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said")).to_contain_text("已裁决 2 项冲突")
    fields = reader.record("finding", finding)["fields"]
    assert (fields["text"], fields["source"]) == ("键盘裁决甲", "video")


@pytest.mark.parametrize(("key", "value"), [("1", "甲"), ("2", "丙"), ("3", "丁")])
def test_three_values_of_one_field_are_one_question_by_key(
        seat: Callable[[str], Desk], office: Bureau, device: Handheld, reader: Person, key: str, value: str) -> None:
    finding = device.report(SCOPE, text="三人各改")
    for who in "甲乙丙":
        other = office.handheld(SCOPE, who=f"{who}某")
        other.deliver(other.edit("finding", finding, 1, set={"text": who}))
    desk = seat("supervisor")
    desk.see(f"/conflicts?about_id={finding}")
    page = desk.page
    expect(page.locator(".overlap")).to_have_count(1)
    expect(page.locator(".side-value .value")).to_have_text(["甲", "乙", "丙"])
    expect(page.locator(".side-value.wins .value")).to_have_text("丙")
    page.keyboard.press("j")
    page.keyboard.press(key)
    expect(page.locator("[type=radio]:checked")).to_have_count(1)
    if key == "3":
        page.get_by_label("第三个值").last.fill("丁")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said")).to_contain_text("已裁决 2 项冲突")
    assert reader.record("finding", finding)["fields"]["text"] == value
    desk.see(f"/conflicts?about_id={finding}")
    expect(page.locator(".overlap")).to_have_count(0)


def test_a_third_time_is_that_of_the_clock_on_the_wall(seat: Callable[[str], Desk], office: Bureau, device: Handheld,
                                                       reader: Person) -> None:
    finding = device.report(SCOPE)
    for day, who in enumerate("甲乙", 20):
        other = office.handheld(SCOPE, who=f"{who}某")
        other.deliver(other.edit("finding", finding, 1, set={"observed_at": f"2026-11-{day}T16:00:07.496Z"}))
    desk = seat("supervisor")
    desk.see(f"/conflicts?about_id={finding}")
    time = desk.page.get_by_label("第三个值").last
    expect(time).to_have_value("2026-11-22T00:00:07")
    time.fill("2026-11-22T09:30:00")
    desk.page.get_by_role("button", name="裁决所选").click()
    expect(desk.page.locator(".said")).to_contain_text("已裁决")
    assert reader.record("finding", finding)["fields"]["observed_at"] == "2026-11-22T01:30:00.000Z"


def test_typing_a_third_value_chooses_it(seat: Callable[[str], Desk], office: Bureau, device: Handheld,
                                         reader: Person) -> None:
    finding = apart(office, device, "第三个值")
    desk = seat("supervisor")
    desk.see(f"/conflicts?about_id={finding}")
    page = desk.page
    text, source = page.locator(".overlap").first, page.locator(".overlap").last
    text.get_by_label("第三个值").last.fill("丙的描述")
    expect(text.locator("input[value=value]")).to_be_checked()
    source.get_by_label("第三个值").last.select_option("public")
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
    desk.page.locator("input[value^=theirs]").first.check()
    desk.page.get_by_role("button", name="裁决所选").click()
    expect(desk.page.locator(".conflict .problem")).to_contain_text("冲突已变化")
    assert reader.record("finding", finding)["fields"]["text"] == "又改了"


def test_a_value_that_changed_meanwhile_is_not_written_over(
        seat: Callable[[str], Desk], office: Bureau, device: Handheld, reader: Person) -> None:
    finding = apart(office, device, "现值变化")
    desk = seat("supervisor")
    desk.see(f"/conflicts?about_id={finding}")
    granted(reader.edit("finding", finding, 3, set={"text": "主管已改"}))
    desk.page.locator("input[value^=theirs]").first.check()
    desk.page.get_by_role("button", name="裁决所选").click()
    expect(desk.page.locator(".conflict .problem")).to_contain_text("冲突已变化")
    assert reader.record("finding", finding)["fields"]["text"] == "主管已改"


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


def troubled(office: Bureau) -> Person:
    """Devices with every mark; the owner of the one whose clock is two days slow."""
    slow, moved, revoked = (office.newcomer("inspector", scopes=(SCOPE,)) for _ in range(3))
    granted(office.handheld(owner=slow).push(health={
        "unsent": 2, "oldest_unsent_at": moment(-400_000), "device_time": moment(-172_800)}))
    office.handheld(owner=moved)
    granted(office.admin.patch(f"/users/{moved.id}", {"scopes": ["320412102"]}))
    gone = office.handheld(owner=revoked)
    granted(gone.push(health={"unsent": 2}))
    granted(office.admin.post(f"/devices/{gone.id}/revoke", {"reason": "丢失"}))
    return slow


def test_every_filter_of_devices_is_in_sight(seat: Callable[[str], Desk], office: Bureau) -> None:
    owner = troubled(office)
    desk = seat("supervisor")
    desk.see("/devices")
    tabs = desk.page.locator(".tabs")
    expect(tabs.locator("a")).to_have_count(6)
    assert tabs.evaluate("strip => strip.scrollWidth <= strip.clientWidth")
    expect(tabs.get_by_text("时钟偏差过大")).to_be_in_viewport(ratio=1)
    expect(desk.page.locator(".device", has_text=owner.username)).to_contain_text("慢 2 天")


@pytest.mark.parametrize("path", ["/conflicts", "/devices", "/devices?holding=320412100"])
def test_settling_fits_a_small_phone(seat: Callable[[str], Desk], office: Bureau, device: Handheld, path: str) -> None:
    finding = apart(office, device, "窄屏上的两个很长很长的值" * 5)
    other = office.handheld(SCOPE, who="另一人")
    other.deliver(other.edit("finding", finding, 1, set={"class_code": "0101"}))
    device.deliver(device.edit("finding", finding, 1, set={"class_code": "0104", "severity": "重"}))
    troubled(office)
    desk = seat("supervisor")
    desk.page.set_viewport_size(PHONE)
    desk.see(path)
    assert desk.overflow_px() == 0
