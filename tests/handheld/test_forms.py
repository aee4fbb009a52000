"""The forms on a phone without a network: inspection, register, letter, order, tasks, conflicts; all arrives later."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.bureau import Bureau, a_photo, collection, eventually, frontage
from tests.phones import PLACE, Phone
from tests.wire import Person, granted

pytestmark = pytest.mark.browser
SCOPE = "320412100"
ZONE = str(uuid.uuid4())
NAME = "望江茶馆"


@pytest.fixture(scope="module")
def zone(office: Bureau) -> str:
    """The frontage before which the phone stands."""
    drawn = frontage(PLACE["longitude"], PLACE["latitude"], SCOPE, name=NAME, zone_id=ZONE, sticker_serial="MQ-0007")
    assert granted(office.admin.post("/zones/import", collection(drawn)))["imported"] == 1
    return ZONE


@pytest.fixture
def inspector(office: Bureau) -> Person:
    return office.newcomer("inspector", scopes=(SCOPE,))


@pytest.fixture
def supervisor(office: Bureau) -> Person:
    return office.person("supervisor", scopes=(SCOPE,))


@pytest.fixture
def one(office: Bureau, zone: str, inspector: Person, phone: Callable[..., Phone]) -> Phone:
    """An enrolled phone that has pulled, and then lost the network."""
    taken = phone().enrol(office.invite(inspector.username))
    synced(taken)
    taken.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    taken.page.reload()
    taken.page.get_by_role("heading", level=1).wait_for()
    taken.context.set_offline(True)
    return taken


def synced(one: Phone) -> None:
    """Let the phone talk to the server until nothing waits."""
    one.context.set_offline(False)
    page = one.see("/sync")
    page.get_by_role("button", name=re.compile("同步")).first.click()
    page.wait_for_function("""async () => {
        const open = indexedDB.open((await indexedDB.databases())[0].name);
        const store = await new Promise((done) => { open.onsuccess = () => done(open.result); });
        const read = (name) => new Promise((done) => {
            const asked = store.transaction(name).objectStore(name).getAll();
            asked.onsuccess = () => done(asked.result); });
        const [made, rows] = [await read('mutation'), await read('row')];
        store.close();
        return rows.length > 0 && made.every((one) => one.state !== 'waiting'); }""", timeout=30_000)


def of_type(person: Person, type: str, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = granted(person.get("/records", params={"type": type, **asked}))["items"]
    return found


def verified(person: Person, evidence: str) -> bool:
    look = partial(person.record, "evidence", evidence)
    return eventually(lambda: look()["fields"]["media"]["state"] == "verified", within_s=40)


def shoot(page: Page, button: str, tmp_path: Path) -> None:
    """Open the camera by this button and give it a picture, as the phone's own camera does."""
    photo = tmp_path / f"{uuid.uuid4().hex}.jpg"
    photo.write_bytes(a_photo())
    page.get_by_role("button", name=button).click()
    page.locator("dialog input[type=file]").set_input_files(photo)
    expect(page.locator("dialog")).to_have_count(0)


def is_sound(one: Phone) -> bool:
    """Nothing sticks out of the screen, every target is large enough, axe-core has no serious finding."""
    assert (one.overflow_px(), one.small_targets(), one.serious()) == (0, [], [])
    return True


def pick_zone(page: Page) -> None:
    page.locator(".field").get_by_role("button", name=NAME).click()


def sign(page: Page) -> None:
    """Two strokes across the box, and the confirmation."""
    board = page.locator(".signature canvas")
    board.scroll_into_view_if_needed()
    box = board.bounding_box()
    assert box is not None
    for height in (0.35, 0.65):
        page.mouse.move(box["x"] + 20, box["y"] + box["height"] * height)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * (1 - height), steps=6)
        page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] * height, steps=6)
        page.mouse.up()
    page.get_by_role("button", name="确认签名").click()
    expect(page.locator(".signature")).to_have_count(0)


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
    shoot(page, "拍照 · 全景", tmp_path)
    page.reload()
    expect(items.nth(2).get_by_text("已上报为问题")).to_be_visible()
    page.get_by_role("button", name="结束检查").click()
    dialog.get_by_role("button", name="确认结束").click()
    expect(page.get_by_text("等待送达;得分由服务器核定")).to_be_visible()

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


def test_a_row_of_the_register_is_one_tap_a_duty(one: Phone, supervisor: Person, inspector: Person) -> None:
    page = one.see("/register")
    card = page.locator(".duty-card").filter(has_text=NAME)
    card.get_by_role("button", name=re.compile(NAME)).click()
    card.get_by_role("group", name="卫生").get_by_role("button", name="不合格").click()
    page.reload()
    card.get_by_role("button", name=re.compile(NAME)).click()
    card.get_by_role("button", name=re.compile("其余 . 项合格")).click()
    expect(card).to_contain_text("已存,待送达")
    assert is_sound(one)
    card.get_by_role("group", name="秩序").get_by_role("button", name="不合格").click()
    synced(one)
    rows = [row for row in of_type(supervisor, "register_entry") if row["created_by"] == inspector.id]
    assert len(rows) == 1
    duties = rows[0]["fields"]["duties"]
    assert (duties["环境卫生"], duties["秩序"], duties["市容整洁"]) == ("fail", "fail", "pass")
    assert rows[0]["fields"]["zone_id"] == ZONE and rows[0]["fields"]["position"]["crs"] == "EPSG:4326"


def test_a_letter_is_signed_on_the_screen_and_sealed(one: Phone, supervisor: Person, inspector: Person) -> None:
    page = one.see("/letter")
    pick_zone(page)
    page.get_by_role("button", name="已全部宣读").click()
    page.get_by_role("radio", name="当场签名", exact=True).check()
    assert is_sound(one)
    sign(page)
    expect(page.get_by_text("即封存")).to_be_visible()
    page.get_by_role("button", name="存为已签").click()
    page.get_by_role("button", name=re.compile(f"{NAME}.*已签")).click()
    expect(page.get_by_text("已签并封存")).to_be_visible()

    synced(one)
    letter, = [row for row in of_type(supervisor, "letter") if row["created_by"] == inspector.id]
    fields = letter["fields"]
    assert fields["status"] == "signed" and fields["zone_id"] == ZONE and fields["sticker_serial"] == "MQ-0007"
    evidence = supervisor.record("evidence", fields["signature"]["evidence_id"])["fields"]
    assert (evidence["role"], evidence["media_type"]) == ("sign", "image/png")
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
    sign(page)
    page.get_by_role("button", name="存并封存").click()
    expect(page.get_by_role("button", name=re.compile(f"责令限期改正 · {NAME}"))).to_be_visible()

    synced(one)
    order, = of_type(supervisor, "enforcement", inspector_id=inspector.id)
    fields = order["fields"]
    assert (fields["kind"], fields["status"], fields["checks"]) == ("order_dated", "issued", [])
    assert fields["officers"] == [inspector.id, "周晓"] and fields["due_at"] and fields["served"]["how"] == "signed"
    assert "在店门外摆放货架两组" in fields["served"]["text"]
    page = one.see(f"/enforcement/{order['id']}")
    expect(page.get_by_text("服务器核对:没有发现问题")).to_be_visible()


def test_an_auxiliary_only_persuades(office: Bureau, zone: str, phone: Callable[..., Phone],
                                     supervisor: Person) -> None:
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


def returned(office: Bureau, device: Any) -> tuple[str, list[str]]:
    """A finding of this person with two photos, of which the reviewer wants the first one again."""
    finding = device.report(SCOPE, text="门前堆物", address="测试路1号")
    captures = [device.capture(SCOPE, a_photo(), ("finding", finding), role=role) for role in ("scene", "close")]
    device.deliver(*captures)
    reviewer = office.person("reviewer", scopes=(SCOPE,))
    ids = [each["record_id"] for each in captures]
    granted(reviewer.post(f"/reviews/{finding}/decisions", {
        "decision": "return", "version": reviewer.record("finding", finding)["version"], "reasons": ["模糊不清"],
        "note": "", "photos": [{"evidence_id": ids[0], "reason": "看不清店招"}]}), 201)
    return finding, ids


def test_exactly_the_photos_that_the_reviewer_named_are_taken_again(
        office: Bureau, one: Phone, inspector: Person, supervisor: Person, tmp_path: Path) -> None:
    finding, _ = returned(office, office.handheld(SCOPE, owner=inspector))
    synced(one)
    one.context.set_offline(True)
    page = one.see("/tasks")
    page.get_by_role("button", name=re.compile("补拍")).click()
    expect(page.locator("article.retake")).to_have_count(1)
    expect(page.locator("article.retake")).to_contain_text("看不清店招")
    assert is_sound(one)
    page.get_by_role("button", name="接收").click()
    expect(page.get_by_text("已接收", exact=False).first).to_be_visible()
    finish = page.get_by_role("button", name="完成", exact=True)
    expect(finish).to_be_disabled()
    shoot(page, "补拍", tmp_path)
    finish.click()
    expect(page.get_by_text("已存在本机,等待送达")).to_be_visible()
    synced(one)
    task, = [row for row in of_type(supervisor, "task") if row["fields"]["about"]["id"] == finding]
    assert task["fields"]["status"] == "finished"
    again = supervisor.record("evidence", task["fields"]["outcome"]["photos"][0])["fields"]
    assert (again["role"], again["about"]["id"]) == ("scene", finding)


def test_a_spot_check_shows_only_the_place_until_arrival_and_the_report_after_the_answer(
        office: Bureau, one: Phone, inspector: Person, supervisor: Person, tmp_path: Path) -> None:
    away = {"lon": PLACE["longitude"] + 0.01, "lat": PLACE["latitude"], "crs": "EPSG:4326", "accuracy_m": 5.0}
    finding = office.handheld(SCOPE, who="reporter").report(
        SCOPE, text="秘密描述", position=away, observed_at="2025-06-01T02:00:00.000Z")
    frame = {"type": "finding", "from": "2025-06-01T00:00:00.000Z", "to": "2025-06-02T00:00:00.000Z", "scopes": [SCOPE]}
    check = granted(supervisor.post("/spot-checks", {"title": "抽查", "frame": frame, "size": 1}), 201)["id"]
    granted(supervisor.post(f"/spot-checks/{check}/draw"))
    granted(supervisor.post(f"/spot-checks/{check}/visits", {"assignee": inspector.id}), 201)
    synced(one)
    one.context.set_offline(True)
    page = one.see("/tasks")
    page.get_by_role("button", name=re.compile("抽查复核")).click()
    expect(page.get_by_text("到达 100 米内才能作答")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("秘密描述")
    one.context.set_geolocation({"longitude": away["lon"] + 0.0003, "latitude": away["lat"], "accuracy": 8})
    page.get_by_role("radio", name="不一致", exact=True).check()
    expect(page.locator("body")).not_to_contain_text("秘密描述")
    page.get_by_label("说明").fill("已清理,未见堆物")
    page.get_by_label("说明").blur()
    shoot(page, "拍照 · 全景", tmp_path)
    page.get_by_role("button", name="完成", exact=True).click()
    expect(page.get_by_text("秘密描述").first).to_be_visible()
    synced(one)
    sample, = granted(supervisor.get(f"/spot-checks/{check}"))["samples"]
    assert (sample["record_id"], sample["verdict"], sample["note"]) == (finding, "disputed", "已清理,未见堆物")
    assert sample["judged_by"] == inspector.id


def test_a_conflict_is_seen_from_both_sides_and_settled_in_the_field(
        office: Bureau, one: Phone, inspector: Person, supervisor: Person) -> None:
    mine = office.handheld(SCOPE, owner=inspector)
    other = office.handheld(SCOPE, who="the other")
    finding = mine.report(SCOPE, text="原来的描述", address="测试路3号")
    other.deliver(other.edit("finding", finding, 1, set={"text": "对方的描述"}))
    outcome, = mine.deliver(mine.edit("finding", finding, 1, set={"text": "我的描述"}))
    conflict, = outcome["conflicts"]
    synced(one)
    one.context.set_offline(True)
    page = one.see("/conflicts")
    card = page.locator("article.conflict")
    for words in ("原来的描述", "对方的描述", "我的描述", "另一人", "我(另一端)"):
        expect(card).to_contain_text(words)
    card.get_by_role("button", name="另写一个值").click()
    assert is_sound(one)
    card.get_by_label("描述").fill("共同的描述")
    card.get_by_role("button", name="用这个值").click()
    expect(card).to_contain_text("您已选择")
    synced(one)
    assert eventually(lambda: supervisor.record("conflict", conflict)["fields"]["state"] == "resolved")
    assert supervisor.record("finding", finding)["fields"]["text"] == "共同的描述"
    page = one.see("/conflicts")
    expect(page.get_by_text("没有需要您处理的冲突")).to_be_visible()
    expect(page.locator(".told")).to_contain_text("第三个值")
    expect(page.locator(".told")).to_contain_text("由我处理")
