"""What the live camera reads and what a finger on the map means."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.bureau import Bureau, a_road, collection, east_north
from tests.patrols import (
    MIDDLE,
    SCOPE,
    SHOPS,
    begin,
    classify,
    delivered,
    go_online,
    inspector_of,
    save,
    with_camera,
)
from tests.phones import Phone
from tests.wire import granted

pytestmark = pytest.mark.browser
VIDEO = (640, 480)
ZOOM_19_PX = 256 * 2**19
"""Width of the Earth's equator in pixels at the nearest view that the map opens with."""
FOLLOWING = 4
"""Node.DOCUMENT_POSITION_FOLLOWING: what is drawn later lies above."""


def film(text: str) -> bytes:
    """One frame of a QR code on a grey wall, a little turned, as uncompressed video (YUV4MPEG2)."""
    code = io.BytesIO()
    segno.make_qr(text, error="m").save(code, kind="png", scale=6, border=4)
    wall = Image.new("L", VIDEO, 140)
    code.seek(0)
    turned = Image.open(code).convert("L").rotate(7, expand=True, fillcolor=140)
    wall.paste(turned, ((VIDEO[0] - turned.width) // 2, (VIDEO[1] - turned.height) // 2))
    colourless = bytes([128]) * (VIDEO[0] * VIDEO[1] // 2)
    return f"YUV4MPEG2 W{VIDEO[0]} H{VIDEO[1]} F10:1 Ip A1:1 C420jpeg\nFRAME\n".encode() + wall.tobytes() + colourless


@pytest.fixture
def sees(chromium: Browser, office: Bureau, tmp_path: Path) -> Callable[[str], AbstractContextManager[Phone]]:
    """A phone, not yet enrolled, before whose camera a QR code is held."""
    def hold(text: str) -> AbstractContextManager[Phone]:
        (tmp_path / "film.y4m").write_bytes(film(text))
        return with_camera(chromium, office, tmp_path / "film.y4m")
    return hold


def test_an_invitation_held_before_the_camera_enrols(sees, office):
    code = office.invite(inspector_of(office).username)
    with sees(f"{office.url}/handheld/#/enrol/{code}") as one:
        page = one.see("/enrol")
        page.get_by_role("button", name="扫二维码").click()
        expect(page.get_by_role("textbox", name="邀请码")).to_have_value(code)
        page.get_by_role("button", name="登记", exact=True).click()
        page.get_by_role("navigation", name="主导航").wait_for()


def test_a_sticker_before_the_camera_settles_the_zone(sees, office, street):
    with sees("https://city.example/s/CZ-0004") as one:
        one.enrol(office.invite(inspector_of(office).username))
        one.see("/map").get_by_text(f"{len(SHOPS)} 个责任区").wait_for()
        page = begin(one)
        page.get_by_role("button", name="扫贴花").click()
        expect(page.locator(".settled-zone")).to_contain_text("理发店")
        page.get_by_label("看到了什么").fill("纸箱")
        finding = save(page)
        go_online(one)
        zone = delivered(office, finding)["zone"]
    assert (zone["zone_id"], zone["method"]) == (street["理发店"], "sticker")


def test_a_zone_touched_on_the_map_says_whose_it_is(inspector):
    one = inspector()
    page = one.see("/map")
    page.locator(".map.tall canvas").wait_for()
    page.wait_for_timeout(1_000)  # until it has opened at the phone's place
    touch(page, east_north(*MIDDLE, 4.0, 0.0))
    sheet = page.get_by_role("dialog", name="包子铺")
    for words in ("测试路", "CZ-0003"):
        expect(sheet).to_contain_text(words)


def touch(page: Page, place: tuple[float, float]) -> None:
    """Tap a place on the map, whose middle is where the phone stands."""
    box = page.locator(".map.tall").bounding_box()
    assert box is not None
    east_px = (place[0] - MIDDLE[0]) / 360 * ZOOM_19_PX
    page.mouse.click(box["x"] + box["width"] / 2 + east_px, box["y"] + box["height"] / 2)


def test_a_candidate_touched_on_the_map_of_a_finding_settles_it(inspector, office, street):
    one = inspector()
    page = begin(one)
    candidates = page.locator("path.zone.candidate")
    expect(candidates.nth(1)).to_be_visible()
    candidates.nth(1).click()
    chosen = page.get_by_role("list", name="候选责任区").get_by_role("button", pressed=True)
    expect(chosen).to_be_visible()
    name, = (shop for shop in SHOPS if shop in chosen.inner_text())
    classify(page, "0102", "暴露垃圾")
    finding = save(page)
    go_online(one)
    zone = delivered(office, finding)["zone"]
    assert (zone["zone_id"], zone["method"]) == (street[name], "person")


def test_roads_lie_under_the_zones_and_bear_their_names_without_a_network(inspector, office):
    line = [east_north(*MIDDLE, east, -7 + east / 100) for east in (-300, 300)]
    granted(office.admin.post("/roads/import", collection(a_road(line, SCOPE, name="晋陵中路", carriageway_m=10))))
    one = inspector(online=True)
    name = one.see("/map").locator(".road-label", has_text="晋陵中路")
    expect(name).to_be_visible(timeout=20_000)
    one.context.set_offline(True)
    page = begin(one)
    road, zone = page.locator(".map path.road"), page.locator(".map path.zone").first
    expect(road).to_be_visible()
    expect(page.locator(".road-label")).to_have_text(["晋陵中路", "测试路"])
    assert float(road.get_attribute("stroke-width") or 0) > 10  # ten metres on a map of one street
    assert road.evaluate("(road, zone) => road.compareDocumentPosition(zone)", zone.element_handle()) & FOLLOWING
    paper = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()")
    assert road.get_attribute("stroke") == paper
