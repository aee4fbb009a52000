"""Boxes over a photo in a real browser: with the mouse, with the keys alone, on a small screen."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, SCOPE, Desk, photographed
from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import granted

pytestmark = pytest.mark.browser


def opened(desk: Desk, finding: str) -> Locator:
    """The stage of the first photo's redaction, with its picture loaded."""
    desk.see(f"/records/finding/{finding}")
    desk.page.locator("details.copies > summary").click()
    stage = desk.page.locator("form.redaction [data-stage]")
    stage.scroll_into_view_if_needed()
    desk.page.wait_for_function("picture => picture.complete && picture.naturalWidth > 0",
                                arg=stage.locator("img").element_handle())
    return stage


def drag(page: Page, stage: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    stage.scroll_into_view_if_needed()
    area = stage.locator("img").bounding_box()
    assert area
    at = [(area["x"] + x * area["width"], area["y"] + y * area["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=5)
    page.mouse.up()


def copies(office: Bureau, finding: str) -> tuple[str, list[dict[str, Any]]]:
    reader = office.person("supervisor", scopes=(SCOPE,))
    evidence = next(one for one in granted(reader.get("/records?type=evidence&limit=200"))["items"]
                    if one["fields"]["about"]["id"] == finding)
    path = f"/media/{evidence['fields']['sha256']}"
    return path, granted(reader.get(f"{path}/derivatives"))["items"][2:]


def test_a_box_drawn_with_the_mouse_is_covered_in_a_new_copy(seat: Callable[[str], Desk], office: Bureau,
                                                             device: Handheld) -> None:
    finding = photographed(device, "鼠标遮盖")
    page = (desk := seat("reviewer")).page
    stage = opened(desk, finding)
    expect(page.locator("[data-save]")).to_be_disabled()
    stage.locator("img").click(position={"x": 5, "y": 5})
    expect(stage.locator(".box")).to_have_count(0)
    drag(page, stage, (0.7, 0.7), (0.2, 0.3))
    drag(page, stage, (0.4, 0.5), (0.5, 0.5))
    expect(stage.locator(".box")).to_have_count(1)
    preview = page.locator("[data-show-covered]")
    preview.click()
    expect(preview).to_have_attribute("aria-pressed", "true")
    assert page.locator("[data-preview]").evaluate("""canvas => [...canvas.getContext("2d").getImageData(
        canvas.width / 2, canvas.height / 2, 1, 1).data]""") == [0, 0, 0, 255]
    page.fill("form.redaction [name=note]", "遮盖号牌")
    page.locator("[data-save]").click()
    expect(page.locator(".said")).to_contain_text("遮盖件已保存")
    expect(page.locator(".copy-list li.fresh")).to_contain_text("遮盖号牌")
    path, (made,) = copies(office, finding)
    box, = made["params"]["boxes"]
    assert [round(box[name], 1) for name in ("x", "y", "width", "height")] == [0.3, 0.3, 0.5, 0.4]
    expect(page.locator(".copy-list")).to_contain_text(made["sha256"])
    content = office.person("supervisor", scopes=(SCOPE,)).get(f"{path}/{made['kind']}").content
    with Image.open(io.BytesIO(content)) as shown:
        assert max(shown.getpixel((shown.width // 2, shown.height // 2))) <= 3


def test_boxes_are_added_moved_sized_and_removed_by_keyboard_alone(seat: Callable[[str], Desk], office: Bureau,
                                                                   device: Handheld) -> None:
    finding = photographed(device, "键盘遮盖")
    page = (desk := seat("supervisor")).page
    stage = opened(desk, finding)
    stage.focus()
    page.keyboard.press("Enter")
    expect(stage.locator(".box")).to_be_focused()
    for key in (*["ArrowLeft"] * 3, "ArrowUp", *["Shift+ArrowRight"] * 5, "Shift+ArrowUp"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(stage.locator(".box")).to_have_count(2)
    page.keyboard.press("Delete")
    expect(stage.locator(".box")).to_have_count(1)
    expect(stage.locator(".box")).to_be_focused()
    page.get_by_label("马赛克").focus()
    page.keyboard.press("Space")
    page.locator("[data-save]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".copy-list li.fresh")).to_contain_text("马赛克")
    _, (made,) = copies(office, finding)
    assert made["params"] == {"method": "pixelate", "boxes": [{"x": 0.37, "y": 0.39, "width": 0.25, "height": 0.19}]}
    page.locator("form.display button").click()
    expect(page.locator(".copy-list li.fresh")).to_contain_text("显示件")
    with page.expect_download() as copy:
        page.locator(".copy-list li.fresh a").click()
    assert copy.value.suggested_filename.endswith("-display-001.jpg")


def test_boxes_can_be_drawn_on_a_small_phone(seat: Callable[[str], Desk], device: Handheld) -> None:
    page = (desk := seat("reviewer")).page
    page.set_viewport_size(PHONE)
    stage = opened(desk, photographed(device, "窄屏遮盖"))
    page.locator("[data-add]").click()
    drag(page, stage, (0.05, 0.05), (0.3, 0.3))
    expect(stage.locator(".box")).to_have_count(2)
    page.locator("[data-remove]").click()
    expect(stage.locator(".box")).to_have_count(1)
    page.locator("[data-save]").click()
    expect(page.locator(".copy-list li")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    assert desk.overflow_px() == 0
