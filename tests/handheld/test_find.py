"""A finding from the street: photographed, placed, settled in its zone, found again after a kill, given up."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
import segno
from playwright.sync_api import expect

from tests.bureau import east_north, eventually
from tests.paperwork import on_disk
from tests.patrols import (
    HERE,
    MIDDLE,
    NOWHERE,
    SCOPE,
    begin,
    classify,
    count_taps,
    delivered,
    go_online,
    inspector_of,
    photo_of,
    photograph,
    save,
    shows,
)
from tests.phones import TALL, Phone
from tests.wire import granted

pytestmark = pytest.mark.browser
REDRAWN_MS = 6_000  # the age of the position is told anew every 5 s


def test_a_zone_is_settled_by_one_tap_more_and_the_server_has_the_choice(inspector, office, street):
    taps = []
    one = inspector()
    count_taps(one.page)
    for place, choose in ((NOWHERE, False), (HERE, True)):
        one.context.set_geolocation(place)
        page = begin(one)
        page.get_by_text(f"{place['latitude']:.5f}, {place['longitude']:.5f}").wait_for()
        page.evaluate("taps = 0")
        photograph(page)
        classify(page, "dwjy", "店外经营")
        if choose:
            page.get_by_role("button", name="包子铺").click()
        finding = save(page)
        taps.append(page.evaluate("taps"))
    assert taps[1] - taps[0] <= 2
    expect(page.get_by_text("你认定的,待送")).to_be_visible()
    go_online(one)
    zone = delivered(office, finding)["zone"]
    assert (zone["zone_id"], zone["method"]) == (street["包子铺"], "person")
    assert shows(one, finding, "人工认定", "已核验")


def test_a_position_well_within_a_zone_asks_for_no_tap_and_stays_when_the_person_walks_on(inspector, office, street):
    one = inspector()
    lon, lat = east_north(*MIDDLE, -20, 0)
    one.context.set_geolocation({"longitude": lon, "latitude": lat, "accuracy": 1})
    page = begin(one)
    expect(page.locator(".settled-zone")).to_contain_text("药房")
    classify(page, "0102", "暴露垃圾")
    expect(page.get_by_text("已固定")).to_be_visible()
    one.context.set_geolocation({**HERE, "accuracy": 1})
    page.get_by_label("看到了什么").fill("走到下一家才写完")
    expect(page.get_by_text(f"已固定 {lat:.5f}, {lon:.5f}")).to_be_visible()
    expect(page.locator(".settled-zone")).to_contain_text("药房")
    finding = save(page)
    go_online(one)
    zone = delivered(office, finding)["zone"]
    assert (zone["zone_id"], zone["method"], zone["decision"]) == (street["药房"], "position", "certain")


def test_what_is_being_typed_is_not_taken_back_by_a_new_look_at_the_position(inspector):
    page = begin(inspector())
    tags = page.get_by_label("标签(用逗号分开)")
    tags.press_sequentially("夜间,")
    page.wait_for_timeout(REDRAWN_MS)
    expect(tags).to_have_value("夜间,")
    tags.press_sequentially("反复")
    tags.blur()
    expect(tags).to_have_value("夜间,反复")


def test_photos_taken_before_the_place_was_known_follow_their_finding_into_its_street(phone, office, street):
    everywhere = office.person("inspector", scopes=("320402",))
    one = phone()
    one.context.set_geolocation(None)
    one.enrol(office.invite(everywhere.username))
    one.see("/map").get_by_text(f"{len(street)} 个责任区").wait_for(timeout=20_000)
    page = begin(one)
    photograph(page)
    one.context.set_geolocation(HERE)
    page.get_by_role("button", name="包子铺").click(timeout=40_000)
    finding = save(page)
    go_online(one)
    assert delivered(office, finding)["zone"]["zone_id"] == street["包子铺"]
    assert photo_of(office, finding)["scope"] == SCOPE


def test_a_class_is_found_by_its_name_in_either_language(inspector):
    page = begin(inspector(online=True))
    page.evaluate("localStorage.setItem('menqian-language', 'en')")
    page.reload()
    found = page.get_by_role("list", name="Classes found")
    for typed in ("exposed", "rubbish", "暴露", "bllj", "0102"):
        page.get_by_label("Search classes").fill(typed)
        expect(found.get_by_role("button", name="Exposed rubbish")).to_be_visible()


def test_a_sticker_settles_the_zone(inspector, office, street):
    one = inspector(online=True)
    page = begin(one)
    code = io.BytesIO()
    segno.make_qr("https://city.example/s/CZ-0001").save(code, kind="png", scale=8)
    page.get_by_role("button", name="扫贴花").click()
    picture = {"name": "s.png", "mimeType": "image/png", "buffer": code.getvalue()}
    page.get_by_label("用照片识别").set_input_files(picture)
    expect(page.locator(".settled-zone")).to_contain_text("水果店")
    classify(page, "0102", "暴露垃圾")
    finding = save(page)
    go_online(one)
    zone = delivered(office, finding)["zone"]
    assert (zone["zone_id"], zone["method"], zone["decision"]) == (street["水果店"], "sticker", "certain")


def test_a_killed_browser_finds_its_draft_and_photos_again(inspector, office):
    one = inspector(online=True)
    page = begin(one)
    photograph(page)
    classify(page, "暴露", "暴露垃圾")
    page.get_by_label("看到了什么").fill("桶满溢")
    on_disk(page, "桶满溢")
    page.close()
    one.page = page = one.another_tab()
    expect(one.see("/sync").locator("main")).to_contain_text("1 份没写完")
    one.see("/")
    page.locator("a[href*='#/find/']").first.click()
    expect(page.get_by_label("看到了什么")).to_have_value("桶满溢")
    expect(page.get_by_text("暴露垃圾").first).to_be_visible()
    expect(page.locator(".thumbs li")).to_have_count(1)
    finding = save(page)
    go_online(one)
    assert delivered(office, finding)["text"] == "桶满溢"


def test_two_tabs_write_into_one_draft_and_neither_undoes_the_other(inspector):
    one = inspector(online=True)
    page = begin(one)
    classify(page, "暴露", "暴露垃圾")
    other = one.another_tab()
    other.goto(page.url)
    words = "看到了什么"
    other.get_by_label(words).wait_for()
    page.get_by_label(words).fill("桶满溢")
    expect(other.get_by_label(words)).to_have_value("桶满溢")
    other.get_by_label("重", exact=True).check()
    expect(page.get_by_label("重", exact=True)).to_be_checked()
    expect(page.get_by_label(words)).to_have_value("桶满溢")
    save(page)
    other.get_by_text("本机做过的").wait_for()  # it is no draft there, either


def test_a_draft_with_photos_is_given_up_for_a_reason_and_no_photo_is_lost(inspector, office):
    one = inspector(online=True)
    page = begin(one)
    photograph(page)
    finding = str(page.url.rsplit("/", 1)[1])
    page.get_by_role("button", name="不报了").click()
    expect(page.get_by_role("button", name="作废并说明")).to_be_disabled()
    page.get_by_role("button", name="误拍").click()
    page.get_by_role("button", name="作废并说明").click()
    page.get_by_role("navigation", name="主导航").wait_for()
    go_online(one)
    supervisor = office.person("supervisor", scopes=(SCOPE,))
    assert eventually(lambda: supervisor.get(f"/records/finding/{finding}/history").status_code == 200, within_s=40)
    history = granted(supervisor.get(f"/records/finding/{finding}/history"))
    assert "误拍" in str(history)


def test_one_that_says_nothing_is_kept_after_one_warning(inspector, office):
    one = inspector()
    page = begin(one)
    page.get_by_label("地址").fill("测试路 12 号")
    keep = page.get_by_role("button", name="保存", exact=True)
    keep.click()
    expect(page.get_by_text("没有照片、类别和说明,仍要保存?")).to_be_visible()
    assert _look(one) == (0, [], [])
    page.get_by_label("看到了什么").fill("纸箱")
    expect(page.get_by_text("仍要保存")).to_have_count(0)
    page.get_by_label("看到了什么").fill("")
    finding = save(page)
    go_online(one)
    assert "text" not in delivered(office, finding)


def test_somebody_who_was_here_before_is_shown(inspector, office):
    one = inspector()
    page = begin(one)
    classify(page, "0104", "道路不洁")
    save(page)
    page = begin(one)
    classify(page, "0104", "道路不洁")
    expect(page.get_by_text("附近可能已有人报过")).to_be_visible()


def test_a_poor_position_and_a_missing_place_are_told(inspector):
    one = inspector()
    one.context.set_geolocation({**HERE, "accuracy": 180})
    page = begin(one)
    expect(page.get_by_text("定位很粗略")).to_be_visible()


def test_without_a_position_an_address_and_a_zone_by_name_do(inspector, office, street):
    one = inspector(online=True)
    one.context.clear_permissions()
    one.page.reload()
    one.page.get_by_role("heading", name="照片").wait_for()
    page = begin(one)
    expect(page.get_by_text("定位被拒绝")).to_be_visible()
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("还没有地点")).to_be_visible()
    page.get_by_label("地址").fill("测试路 12 号")
    page.get_by_label("查找责任区").fill("理发")
    page.get_by_role("button", name="理发店").click()
    page.get_by_label("看到了什么").fill("纸箱")
    finding = save(page)
    go_online(one)
    fields = delivered(office, finding)
    assert (fields["address"], fields["zone"]["zone_id"], fields["zone"]["method"]) == (
        "测试路 12 号", street["理发店"], "person")


def test_an_auxiliary_reports_without_a_choice_that_he_may_not_make(phone, office, street):
    one = phone()
    one.context.set_geolocation(HERE)
    one.enrol(office.invite(office.person("auxiliary", scopes=(SCOPE,)).username))
    one.see("/map").get_by_text("6 个责任区").wait_for(timeout=20_000)
    page = begin(one)
    expect(page.get_by_role("button", name="包子铺")).to_be_disabled()
    classify(page, "0102", "暴露垃圾")
    finding = save(page)
    go_online(one)
    assert delivered(office, finding)["zone"]["decision"] == "ambiguous"


def test_a_clock_that_is_a_year_off_is_told_where_findings_are_made(phone, office, street):
    one = phone()
    one.page.clock.set_system_time(datetime.now(UTC) + timedelta(days=365))
    one.enrol(office.invite(inspector_of(office).username))
    page = begin(one)
    expect(page.get_by_text("手机时钟快了约 365 天")).to_be_visible()


def test_a_clock_that_is_a_year_slow_leaves_the_zones_of_today(phone, office, street):
    one = phone()
    one.page.clock.set_system_time(datetime.now(UTC) - timedelta(days=365))
    one.context.set_geolocation(HERE)
    one.enrol(office.invite(inspector_of(office).username))
    one.see("/map").get_by_text("6 个责任区").wait_for(timeout=20_000)
    page = begin(one)
    photograph(page)
    classify(page, "0102", "暴露垃圾")
    page.get_by_role("button", name="包子铺").click()
    finding = save(page)
    expect(page.get_by_text("包子铺").first).to_be_visible()
    go_online(one)
    shop = street["包子铺"]
    assert eventually(lambda: (delivered(office, finding)["zone"] or {}).get("zone_id") == shop, within_s=40)
    told = delivered(office, finding)["observed_at"], photo_of(office, finding)["fields"]["position"]["fixed_at"]
    assert max(told) < (datetime.now(UTC) - timedelta(days=364)).isoformat()


@pytest.mark.parametrize(("size", "scheme"), [(None, "light"), (None, "dark"), (TALL, "light")])
def test_the_screens_are_for_thumbs_and_readers(inspector, size, scheme):
    one = inspector(size=size, scheme=scheme)
    page = begin(one)
    page.get_by_role("button", name="包子铺").wait_for()
    photograph(page)
    looked = {"find": _look(one)}
    page.get_by_role("button", name="拍照").or_(page.get_by_role("button", name="再拍")).click()
    page.get_by_role("dialog").wait_for()
    looked["camera"] = _look(one)
    page.get_by_role("button", name="关闭").click()
    finding = save(page)
    looked["finding"] = _look(one)
    for path in ("/findings", "/map"):
        one.see(path).wait_for_timeout(500)
        looked[path] = _look(one)
    assert looked == {name: (0, [], []) for name in looked}, finding


def _look(one: Phone) -> tuple[int, list[str], list[str]]:
    return one.overflow_px(), one.small_targets(), one.serious()
