"""A reviewer's work in a real browser, with the keyboard alone where it may be."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, PLACE, SCOPE, Desk, photographed
from tests.bureau import Bureau, collection, frontage
from tests.enrolled import Handheld
from tests.wire import Person, granted

pytestmark = pytest.mark.browser


def state_of(reader: Person, finding: str) -> str:
    for state in ("open", "accepted", "returned", "excluded", "escalated"):
        if finding in reader.get(f"/reviews?state={state}&limit=200").text:
            return state
    return "none"


def test_a_finding_is_reviewed_by_keyboard_alone(seat: Callable[[str], Desk], office: Bureau,
                                                 device: Handheld) -> None:
    first = photographed(device, "键盘审核一", photos=2)
    page = seat("reviewer").page
    expect(page.locator("[data-row] img").first).to_be_visible()
    for _ in range(page.locator("[data-row]").count()):
        page.keyboard.press("j")
        if first in (page.evaluate("document.activeElement.href") or ""):
            break
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(first))
    picture = page.locator("[data-panel]:not([hidden]) img[data-large]")
    expect(picture).to_be_visible()
    page.wait_for_function("picture => picture.naturalWidth === 640", arg=picture.element_handle())
    shown = page.locator("[data-panel]:not([hidden])").get_attribute("id")
    page.keyboard.press("j")
    assert page.locator("[data-panel]:not([hidden])").get_attribute("id") != shown
    page.keyboard.press("a")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said")).to_contain_text("已通过")
    assert state_of(office.person("reviewer", scopes=(SCOPE,)), first) == "accepted"


def test_a_refused_return_keeps_what_was_typed_and_a_right_one_names_the_photo(
        seat: Callable[[str], Desk], office: Bureau, device: Handheld) -> None:
    finding = photographed(device, "退回一张")
    desk = seat("reviewer")
    desk.see(f"/records/finding/{finding}")
    page = desk.page
    page.keyboard.press("r")
    page.locator(".per-photo input").fill("缺店招")
    page.locator(".decide .primary").click()
    expect(page.locator(".decide .problem")).to_contain_text("reasons")
    expect(page.locator(".per-photo input")).to_have_value("缺店招")
    page.get_by_label("缺全景").check()
    page.locator(".decide .primary").click()
    expect(page.locator(".said")).to_contain_text("已退回")
    tasks = granted(office.person("reviewer", scopes=(SCOPE,)).get("/records?type=task"))["items"]
    assert [task["fields"]["photos"][0]["reason"] for task in tasks
            if task["fields"]["about"]["id"] == finding] == ["缺店招"]


def test_the_large_viewer_opens_turns_and_closes(seat: Callable[[str], Desk], device: Handheld) -> None:
    desk = seat("reviewer")
    desk.see(f"/records/finding/{photographed(device, '放大')}")
    desk.page.locator("[data-panel]:not([hidden]) [data-zoom]").click()
    expect(desk.page.locator(".viewer-in")).to_be_visible()
    expect(desk.page.locator(".viewer-canvas img")).to_be_visible()
    desk.page.locator(".viewer-rotate-right").click()
    desk.page.keyboard.press("Escape")
    expect(desk.page.locator(".viewer-in")).to_have_count(0)


def test_the_map_draws_without_foreign_tiles(seat: Callable[[str], Desk], device: Handheld) -> None:
    desk = seat("reviewer")
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.see(f"/records/finding/{photographed(device, '地图')}")
    expect(desk.page.locator("#map path").first).to_be_attached()
    assert [url for url in asked if not url.startswith((desk.url, "data:", "blob:"))] == []


def test_the_map_is_one_stop_by_keyboard_and_takes_arrows(seat: Callable[[str], Desk], office: Bureau) -> None:
    imported = office.admin.post("/zones/import", collection(*(
        frontage(PLACE[0] + step * 1e-3, PLACE[1], SCOPE) for step in range(3))))
    assert granted(imported)["imported"] == 3
    page = (desk := seat("reviewer")).page
    desk.see("/zones")
    expect(page.locator("#map path").nth(2)).to_be_attached()
    page.get_by_role("button", name="退出").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#map")).to_be_focused()
    assert page.locator("#map").evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    place = page.locator(".leaflet-map-pane").get_attribute("style")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".leaflet-map-pane")).not_to_have_attribute("style", place or "")
    page.keyboard.press("Tab")
    expect(page.locator("[name=q]")).to_be_focused()


def test_the_statuses_follow_the_chosen_type(seat: Callable[[str], Desk]) -> None:
    page = (desk := seat("supervisor")).page
    desk.see("/records")
    expect(page.locator("[name=status]")).to_contain_text("待受理 reported")
    page.select_option("[name=type]", "task")
    expect(page.locator("[name=status]")).to_contain_text("已完成 finished")
    expect(page.locator("[name=status]")).not_to_contain_text("待受理")
    page.select_option("[name=status]", "finished")
    page.get_by_role("button", name="查看").click()
    page.wait_for_url("**/records?type=task&status=finished*")
    expect(page.locator("[name=status]")).to_have_value("finished")


def test_a_spot_check_is_frozen_drawn_and_judged(seat: Callable[[str], Desk], device: Handheld) -> None:
    photographed(device, "抽查对象")
    page = (desk := seat("supervisor")).page
    desk.see("/spot-checks")
    if not page.locator("[name=title]").is_visible():
        page.locator("details.freeze > summary").click()
    page.fill("[name=title]", "浏览器抽查")
    page.get_by_label("按置信度与误差计算").check()
    expect(page.locator("[name=confidence]")).to_be_visible()
    page.get_by_label("直接给定").check()
    page.fill("[name=size]", "1")
    page.get_by_role("button", name="冻结名录").click()
    page.get_by_role("button", name="抽取样本").click()
    expect(page.locator(".sample")).to_have_count(1)
    with page.expect_download() as proof:
        page.get_by_role("link", name="下载 proof.json").click()
    assert proof.value.suggested_filename.startswith("proof-")
    with page.expect_download() as program:
        page.get_by_role("link", name="下载 verify_draw.py").click()
    assert program.value.suggested_filename == "verify_draw.py"
    page.locator(".sample summary").click()
    page.locator(".sample .choice", has_text="属实").click()
    page.get_by_role("button", name="提交结论").click()
    expect(page.locator(".verdict-confirmed")).to_be_visible()
    expect(page.locator(".report")).to_contain_text("1/1")


@pytest.mark.parametrize("path", ["/reviews", "/records", "/spot-checks", "/devices", "/conflicts", "/quarantine",
                                  "/zones", "record"])
def test_no_page_is_wider_than_a_small_phone(seat: Callable[[str], Desk], device: Handheld, path: str) -> None:
    desk = seat("supervisor")
    desk.page.set_viewport_size(PHONE)
    desk.see(path if path != "record" else f"/records/finding/{photographed(device, '窄屏', photos=4)}")
    assert desk.overflow_px() == 0
    tables = desk.page.locator(".scroll")
    assert tables.evaluate_all("all => all.filter((one) => one.scrollWidth > one.clientWidth)") == []


def test_the_skip_link_is_the_first_stop(seat: Callable[[str], Desk]) -> None:
    desk = seat("reviewer")
    desk.see("/reviews")
    desk.page.keyboard.press("Tab")
    assert desk.page.evaluate("document.activeElement.getAttribute('href')") == "#main"


def test_new_work_is_announced_on_the_open_queue(seat: Callable[[str], Desk], device: Handheld) -> None:
    photographed(device, "早到")
    page = seat("reviewer").page
    notice = page.locator("[data-live]")
    with page.expect_response(lambda answer: answer.url.endswith("/poke")) as opened:
        expect(notice).to_be_hidden()
    assert opened.value.status == 200
    finding = photographed(device, "后到")
    expect(notice).to_be_visible(timeout=30_000)
    notice.get_by_role("link").click()
    expect(page.locator(f"[data-row] a[href*='{finding}']").first).to_be_visible()
