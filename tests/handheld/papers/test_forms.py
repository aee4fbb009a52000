"""The forms on a phone without a network: inspection, register, letter, order; all arrives later."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.bureau import Bureau
from tests.paperwork import (
    NAME,
    SCOPE,
    ZONE,
    is_sound,
    of_type,
    on_disk,
    pick_zone,
    shoot,
    sign,
    synced,
    verified,
)
from tests.phones import SMALL, Phone
from tests.wire import Person

pytestmark = pytest.mark.browser


def test_an_inspection_is_answered_offline_and_scored_as_the_server_does(
        one: Phone, inspector: Person, supervisor: Person, tmp_path: Path) -> None:
    page = one.see("/inspect")
    pick_zone(page)
    page.get_by_role("button", name="开始检查").click()
    items = page.locator("article.item")
    expect(items).to_have_count(12)
    for place in range(12):
        items.nth(place).get_by_role("radio", name="不合格" if place == 2 else "合格", exact=True).check()
    expect(page.locator(".score b").first).to_have_text("86")
    assert is_sound(one)

    page.get_by_role("button", name="结束检查").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("还缺必需的证据")
    expect(dialog.get_by_role("button", name="确认结束")).to_be_disabled()
    dialog.get_by_role("button", name="关闭").click()

    page.get_by_label("贴花编号").fill("MQ-0007")
    items.nth(2).get_by_role("button", name="上报问题").click()
    expect(items.nth(2).get_by_text("已上报为问题")).to_be_visible()  # what is taken now is about it
    shoot(page, "拍照 · 全景", tmp_path)
    on_disk(page, '"photos":[{')
    page.reload()
    expect(items.nth(2).get_by_text("已上报为问题")).to_be_visible()
    page.get_by_role("button", name="结束检查").click()
    dialog.get_by_role("button", name="确认结束").click()
    expect(page.get_by_text("已存在本机,等待送达")).to_be_visible()
    expect(page.get_by_text("得分由服务器核定")).to_be_visible()

    synced(one)
    kept, = of_type(supervisor, "inspection", inspector_id=inspector.id)
    fields = kept["fields"]
    assert fields["score"]["points"] == 86 and fields["score"]["unanswered"] == []
    assert fields["answers"]["zone-daily-01"] == {"value": "pass", "note": "", "serial": "MQ-0007"}
    assert (fields["zone_id"], fields["officers"]) == (ZONE, [inspector.id])
    assert fields["started_at"] < fields["ended_at"]
    finding, = of_type(supervisor, "finding", inspector_id=inspector.id)
    assert (finding["fields"]["class_code"], finding["fields"]["inspection_id"]) == ("0504", kept["id"])
    answer = fields["answers"]["zone-daily-03"]
    assert (finding["fields"]["zone"]["zone_id"], finding["id"]) == (ZONE, answer["finding_id"])
    photo = answer["photos"][0]
    assert verified(supervisor, photo)
    assert supervisor.record("evidence", photo)["fields"]["about"] == {"type": "finding", "id": finding["id"]}


def test_a_finding_of_an_inspection_without_a_place_asks_for_one(
        one: Phone, supervisor: Person, inspector: Person) -> None:
    one.context.clear_permissions()
    page = one.see("/inspect")
    page.get_by_role("button", name="开始检查").click()
    third = page.locator("article.item").nth(2)
    third.get_by_role("radio", name="不合格", exact=True).check()
    third.get_by_role("button", name="上报问题").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="上报问题")).to_be_disabled()
    dialog.get_by_label("地址").fill("望江路 3 号后巷")
    dialog.get_by_role("button", name="上报问题").click()
    expect(third.get_by_text("已上报为问题")).to_be_visible()

    synced(one)
    finding, = of_type(supervisor, "finding", inspector_id=inspector.id)
    assert (finding["fields"]["address"], "position" in finding["fields"]) == ("望江路 3 号后巷", False)


def test_a_decimal_stays_as_it_is_typed(one: Phone) -> None:
    page = one.see("/inspect")
    page.get_by_role("button", name="全部检查表").click()
    page.get_by_role("radio", name=re.compile("道路环境卫生")).check()
    page.get_by_role("button", name="开始检查").click()
    dust = page.locator("#item-road-sanitation-05 input[type=number]")
    dust.press_sequentially("2.05")
    expect(dust).to_have_value("2.05")
    on_disk(page, '"value":2.05')


def test_a_row_of_the_register_is_one_tap_a_duty(one: Phone, supervisor: Person, inspector: Person) -> None:
    page = one.see("/register")
    card = page.locator(".duty-card").filter(has_text=NAME)
    card.get_by_role("button", name=re.compile(NAME)).click()
    card.get_by_role("group", name="卫生").get_by_role("button", name="不合格").click()
    note = card.get_by_label("备注")
    note.press_sequentially("货架占道")
    on_disk(page, "货架占道")
    page.wait_for_timeout(6_000)  # a redraw by the position came in between
    expect(note).to_have_value("货架占道")
    on_disk(page, '"环境卫生":"fail"')
    one.see("/").get_by_role("link", name=re.compile("日常登记 · 20")).click()
    card.get_by_role("button", name=re.compile(NAME)).click()
    expect(note).to_have_value("货架占道")
    card.get_by_role("button", name=re.compile("其余 . 项合格")).click()
    expect(card).to_contain_text("已存,待送达")
    assert is_sound(one)
    card.get_by_role("group", name="秩序").get_by_role("button", name="不合格").click()
    synced(one)
    rows = [row for row in of_type(supervisor, "register_entry") if row["created_by"] == inspector.id]
    assert len(rows) == 1
    duties = rows[0]["fields"]["duties"]
    assert (duties["环境卫生"], duties["秩序"], duties["市容整洁"]) == ("fail", "fail", "pass")
    assert rows[0]["fields"]["note"] == "货架占道"
    assert rows[0]["fields"]["zone_id"] == ZONE and rows[0]["fields"]["position"]["crs"] == "EPSG:4326"


def test_a_letter_is_signed_on_the_screen_and_sealed(one: Phone, supervisor: Person, inspector: Person) -> None:
    page = one.see("/letter")
    pick_zone(page)
    page.get_by_role("button", name="已全部宣读").click()
    page.get_by_role("radio", name="当场签名", exact=True).check()
    assert is_sound(one)
    sign(page)
    expect(page.get_by_text("即封存")).to_be_visible()
    expect(page.get_by_label("责任人 / 签名人")).to_be_disabled()
    page.get_by_role("button", name="作废此签名,改内容").click()
    page.get_by_role("button", name="确认作废").click()
    page.get_by_label("责任人 / 签名人").fill("李雷")
    page.get_by_role("radio", name="当场签名", exact=True).check()
    page.set_viewport_size({"width": 640, "height": 360})
    assert page.evaluate("""() => { const height = (part) => document.querySelector(part).offsetHeight;
        return height('.signature canvas') + height('.head') < innerHeight; }""")
    sign(page)
    page.set_viewport_size(SMALL)
    expect(page.get_by_text("李雷 已签名")).to_be_visible()
    page.get_by_role("button", name="存为已签").click()
    page.get_by_role("button", name=re.compile(f"{NAME}.*已签")).click()
    expect(page.get_by_text("已签并封存")).to_be_visible()

    synced(one)
    letter, = [row for row in of_type(supervisor, "letter") if row["created_by"] == inspector.id]
    fields = letter["fields"]
    assert fields["status"] == "signed" and fields["zone_id"] == ZONE and fields["sticker_serial"] == "MQ-0007"
    evidence = supervisor.record("evidence", fields["signature"]["evidence_id"])["fields"]
    assert fields["party_name"] == "李雷" and "李雷" in evidence["note"]
    assert (evidence["role"], evidence["media_type"]) == ("document", "image/png")
    assert evidence["about"] == {"type": "letter", "id": letter["id"]}
    assert verified(supervisor, fields["signature"]["evidence_id"])


def test_a_letter_that_is_refused_names_its_witness(one: Phone, supervisor: Person, inspector: Person) -> None:
    page = one.see("/letter")
    pick_zone(page)
    page.get_by_role("button", name="已全部宣读").click()
    page.get_by_role("radio", name="拒签", exact=True).check()
    save = page.get_by_role("button", name="存为拒签")
    expect(save).to_be_disabled()
    page.get_by_label("拒签情况").fill("店主认为责任区划分有误")
    page.get_by_label(re.compile("见证人")).fill("王社区(网格员)")
    save.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("责任书")
    synced(one)
    letter, = [row for row in of_type(supervisor, "letter") if row["created_by"] == inspector.id]
    assert letter["fields"]["status"] == "refused" and letter["fields"]["witness"] == {"name": "王社区(网格员)"}
    assert letter["fields"]["refused"]["reason"] == "店主认为责任区划分有误"


def test_a_name_is_typed_where_no_hand_can_sign_and_what_is_given_up_leaves_its_reason(
        one: Phone, supervisor: Person, inspector: Person) -> None:
    page = one.see("/letter")
    pick_zone(page)
    page.get_by_role("radio", name="当场签名", exact=True).check()
    page.get_by_role("button", name="无法手写?键入姓名").click()
    page.get_by_label("键入姓名").fill("李雷")
    page.get_by_label("不能手写的原因").fill("右手受伤")
    page.get_by_role("button", name="确认签名").click()
    expect(page.get_by_text("已签名")).to_be_visible()
    page.reload()
    expect(page.get_by_text("已签名")).to_be_visible()
    page.get_by_role("button", name="放弃责任书").click()
    page.get_by_label("理由").fill("店面已转让")
    page.get_by_role("button", name="确认放弃").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("责任书")
    synced(one)
    photo, = [row for row in of_type(supervisor, "evidence") if row["created_by"] == inspector.id]
    assert photo["fields"]["note"] == "签名(键入):李雷;右手受伤"
    assert supervisor.get(f"/records/letter/{photo['fields']['about']['id']}").status_code in (404, 410)


def test_an_order_with_a_date_is_written_signed_and_checked(one: Phone, supervisor: Person, inspector: Person,
                                                            tmp_path: Path) -> None:
    page = one.see("/enforcement")
    page.get_by_role("button", name="责令限期改正").click()
    pick_zone(page)
    page.get_by_label(re.compile("^事实")).fill("在店门外摆放货架两组")
    expect(page.locator(".order-text")).to_contain_text(f"{NAME}：")
    expect(page.get_by_text("须 2 名执法人员")).to_be_visible()
    page.get_by_label(re.compile("同行人员")).fill("周晓")
    page.get_by_role("button", name="加入").click()
    shoot(page, "拍照 · 全景", tmp_path)
    page.get_by_role("radio", name="当事人签名", exact=True).check()
    assert is_sound(one)
    read = page.locator(".order-text").inner_text()
    expect(page.get_by_label(re.compile("^事实"))).to_be_disabled()
    page.clock.set_system_time(datetime.now(UTC) + timedelta(minutes=5))
    sign(page)
    page.get_by_role("button", name="存并封存").click()
    expect(page.get_by_role("button", name=re.compile(f"责令限期改正 · {NAME}"))).to_be_visible()

    synced(one)
    order, = of_type(supervisor, "enforcement", inspector_id=inspector.id)
    fields = order["fields"]
    assert (fields["kind"], fields["status"], fields["checks"]) == ("order_dated", "issued", [])
    assert fields["officers"] == [inspector.id, "周晓"] and fields["due_at"] and fields["served"]["how"] == "signed"
    assert fields["served"]["text"] == read and "在店门外摆放货架两组" in read
    page = one.see(f"/enforcement/{order['id']}")
    expect(page.get_by_text("服务器核对:没有发现问题")).to_be_visible()


def test_an_auxiliary_only_persuades(office: Bureau, phone: Callable[..., Phone], supervisor: Person) -> None:
    helper = office.newcomer("auxiliary", scopes=(SCOPE,))
    one = phone().enrol(office.invite(helper.username))
    synced(one)
    page = one.see("/enforcement")
    expect(page.get_by_role("button", name="责令限期改正", exact=True)).to_have_count(0)
    page.get_by_role("button", name="口头劝导").click()
    pick_zone(page)
    page.get_by_label(re.compile("^事实")).fill("劝其收回货架")
    page.get_by_role("radio", name="已口头告知", exact=True).check()
    page.get_by_role("button", name="存并封存").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("执法")
    synced(one)
    kept, = of_type(supervisor, "enforcement", inspector_id=helper.id)
    assert kept["fields"]["kind"] == "persuade" and kept["fields"]["served"]["how"] == "told"
