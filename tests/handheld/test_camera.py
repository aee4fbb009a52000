"""Taking photographs: the live view with the earlier picture over it, and a disk that is full."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.bureau import Bureau, a_photo, eventually
from tests.patrols import begin, classify, go_online, inspector_of, photograph, save, shoot, with_camera
from tests.phones import SMALL, TALL, Phone, fill_disk, free_disk
from tests.wire import granted, sha256

pytestmark = pytest.mark.browser
REMEMBERED_MS = 31_000  # for so long Chromium's IndexedDB goes by the room that it was told before
UPLOADS = "**/api/v1/uploads**"
FULL = 1024  # bytes that the origin may have: less than it has already


@pytest.fixture
def seeing(chromium: Browser, office: Bureau, street: dict[str, str]) -> Iterator[Phone]:
    """A phone of the inspector whose browser has a camera of its own."""
    with with_camera(chromium, office) as one:
        yield one.enrol(office.invite(inspector_of(office).username))


def test_the_earlier_picture_lies_over_the_live_view_and_the_cameras_own_file_is_sent(seeing, office):
    page = begin(seeing)
    page.get_by_role("button", name="拍照").click()
    page.get_by_role("button", name="按快门").click()
    page.get_by_text("已拍 1 张").wait_for()
    page.get_by_role("button", name="完成").click()
    classify(page, "0102", "暴露垃圾")
    finding = save(page)
    page.get_by_role("button", name="拍整改后").click()
    expect(page.get_by_alt_text("先前的照片,请对准同一角度")).to_be_visible()
    page.get_by_role("button", name="按快门").click()
    page.get_by_text("已拍 1 张").wait_for()
    page.get_by_role("button", name="完成").click()
    go_online(seeing)
    assert eventually(lambda: _photos(office, finding) == {("scene", "verified"), ("after", "verified")}, within_s=60)


def test_the_shutter_is_in_view_whatever_is_said_above_it(seeing):
    page = begin(seeing)
    seeing.context.clear_permissions()
    seeing.context.grant_permissions(["camera"])
    page.reload()
    page.get_by_role("button", name="拍照").click()
    page.get_by_role("dialog").get_by_text("定位被拒绝").wait_for()
    shutter, done = page.get_by_role("button", name="按快门"), page.get_by_role("button", name="完成")
    shutter.click()
    done.wait_for()
    for size in (SMALL, TALL, {"width": 640, "height": 360}):
        page.set_viewport_size(size)
        for text in ("normal", "large", "larger"):
            page.evaluate("text => { document.documentElement.dataset.text = text; }", text)
            for one in (shutter, page.get_by_text("用手机相机拍"), done):
                expect(one).to_be_in_viewport(ratio=1)
            assert page.locator(".viewfinder").evaluate("one => one.getBoundingClientRect().height") >= 140
            assert seeing.overflow_px() <= 0 and seeing.small_targets() == []
    assert seeing.serious() == []


@pytest.mark.slow
def test_a_shot_that_the_disk_has_no_room_for_is_kept_in_hand_until_there_is(inspector, office):
    one = inspector(online=True)
    page = begin(one)
    photograph(page)
    page.get_by_role("button", name="再拍").click()
    tools = one.context.new_cdp_session(page)
    _room(tools, page, FULL)
    page.wait_for_timeout(REMEMBERED_MS)
    content = a_photo()
    page.get_by_label("用手机相机拍").set_input_files({"name": "p.jpg", "mimeType": "image/jpeg", "buffer": content})
    expect(page.get_by_text("这张照片还没有存下!")).to_be_visible()
    again = page.get_by_role("button", name="再存一次")
    again.click()
    expect(again).to_be_enabled()
    expect(page.get_by_text("手机存储已满")).to_be_visible()
    _room(tools, page, None)
    again.click()
    page.get_by_text("已拍 1 张").wait_for()
    page.get_by_role("button", name="完成").click()
    finding = save(page)
    go_online(one)
    assert eventually(lambda: sha256(content) in _digests(office, finding), within_s=40)


def test_shots_without_room_outlive_their_camera_until_each_is_kept(inspector):
    page = begin(inspector())
    photograph(page)
    page.get_by_role("button", name="再拍").click()
    page.get_by_label("用手机相机拍").wait_for(state="attached")  # the draft was kept before it opened
    fill_disk(page)
    page.get_by_label("用手机相机拍").set_input_files(
        [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": a_photo()} for n in range(2)])
    lost = page.get_by_text("这 2 张照片还没有存下!")
    expect(lost).to_be_visible()
    at = page.url
    page.evaluate("history.back()")
    page.wait_for_url(lambda url: url != at)
    for _ in range(3):
        page.keyboard.press("Escape")
    expect(lost).to_be_visible()
    again = page.get_by_role("button", name="再存一次")
    again.click()
    expect(again).to_be_enabled()
    expect(page.get_by_text("手机存储已满")).to_be_visible()
    free_disk(page)
    again.click()
    expect(lost).to_have_count(0)
    page.evaluate("history.forward()")
    expect(page.locator(".thumbs li")).to_have_count(3)


def test_the_role_of_each_photo_is_chosen_and_the_next_keeps_it(inspector):
    page = begin(inspector())
    page.get_by_role("button", name="拍照").click()
    page.get_by_label("店招", exact=True).check()
    shoot(page)
    expect(page.get_by_label("店招", exact=True)).to_be_checked()
    shoot(page)
    page.get_by_role("button", name="完成").click()
    expect(page.locator(".thumbs").get_by_text("店招")).to_have_count(2)
    page.get_by_role("button", name="再拍").click()
    page.get_by_label("用手机相机拍").set_input_files(
        {"name": "p.heic", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic" + bytes(99)})
    expect(page.get_by_text("这张是 HEIC 格式,服务器可能不收")).to_be_visible()


def test_a_picture_of_earlier_is_not_said_to_be_of_here(inspector, office, tmp_path):
    one, earlier = inspector(), tmp_path / "earlier.jpg"
    page = begin(one)
    earlier.write_bytes(a_photo())
    os.utime(earlier, (time.time() - 3600,) * 2)
    page.get_by_role("button", name="拍照").click()
    expect(page.get_by_role("dialog").get_by_text("定位")).to_be_visible()
    page.get_by_label("用手机相机拍").set_input_files(earlier)
    page.get_by_text("已拍 1 张").wait_for()
    now = shoot(page)
    page.get_by_role("button", name="完成").click()
    classify(page, "0102", "暴露垃圾")
    finding = save(page)
    go_online(one)
    assert eventually(lambda: len(_evidence(office, finding)) == 2, within_s=30)
    assert {one["sha256"] == sha256(now): bool(one.get("position")) for one in _evidence(office, finding)} \
        == {True: True, False: False}


def test_a_photo_that_was_refused_is_sent_again_on_ones_word(inspector, office):
    one = inspector()
    page = begin(one)
    content = photograph(page)
    classify(page, "0102", "暴露垃圾")
    finding = save(page)
    one.context.route(UPLOADS, lambda route: route.fulfill(
        status=413, content_type="application/problem+json", body='{"code": "too_large", "action": "none"}'))
    go_online(one)
    expect(page.get_by_text("文件过大")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("张照片未被接收")).to_be_visible()
    assert one.small_targets() == [] and one.serious() == []
    one.context.unroute(UPLOADS)
    page.get_by_role("button", name="再送一次").click()
    assert eventually(lambda: sha256(content) in _digests(office, finding), within_s=40)
    expect(page.get_by_text("全部送达")).to_be_visible(timeout=20_000)


def _room(tools: CDPSession, page: Page, size: int | None) -> None:
    quota = {} if size is None else {"quotaSize": size}
    tools.send("Storage.overrideQuotaForOrigin", {"origin": page.evaluate("location.origin"), **quota})


def _evidence(office: Bureau, finding: str) -> list[dict[str, object]]:
    found = granted(inspector_of(office).get("/records", params={"type": "evidence", "limit": 500}))["items"]
    return [one["fields"] for one in found if one["fields"]["about"]["id"] == finding]


def _photos(office: Bureau, finding: str) -> set[tuple[object, object]]:
    return {(one["role"], one["media"]["state"]) for one in _evidence(office, finding)}


def _digests(office: Bureau, finding: str) -> set[object]:
    return {one["sha256"] for one in _evidence(office, finding)}
