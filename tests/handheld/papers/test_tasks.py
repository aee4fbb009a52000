"""Tasks and conflicts on a phone without a network: photos taken again, a blind re-visit, a third value."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.bureau import Bureau, a_photo, eventually
from tests.paperwork import SCOPE, ZONE, is_sound, of_type, offline, returned, shoot, synced, verified
from tests.phones import PLACE, Phone
from tests.wire import EVENT, Person, granted

pytestmark = pytest.mark.browser


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


def test_a_check_on_the_spot_is_finished_and_another_handed_back(
        office: Bureau, one: Phone, inspector: Person, supervisor: Person, tmp_path: Path) -> None:
    reporter, content = office.handheld(SCOPE, who="reporter"), a_photo()
    finding = reporter.report(SCOPE, text="人行道破损", address="测试路5号")
    earlier = reporter.capture(SCOPE, content, ("finding", finding))
    reporter.deliver(earlier)
    reporter.upload(content)
    assert verified(supervisor, earlier["record_id"])
    for kind in ("look_back", "verify"):
        granted(supervisor.post("/records/task", {"scope": SCOPE, "fields": {
            "title": f"任务 {kind}", "kind": kind, "about": {"type": "finding", "id": finding},
            "assignee": inspector.id, "due_at": "2026-01-01T00:00:00.000Z"}}), 201)
    synced(one)
    colleagues = one.see("/tasks").get_by_alt_text("原照片")
    one.page.get_by_role("button", name=re.compile("任务 look_back")).click()
    expect(colleagues).to_be_visible()
    one.context.set_offline(True)
    page = one.see("/tasks")
    expect(page.get_by_text("已超期").first).to_be_visible()
    page.get_by_role("button", name=re.compile("任务 look_back")).click()
    expect(colleagues).to_be_visible()
    page.get_by_role("button", name="拍照 · 整改后").click()
    expect(page.get_by_alt_text("先前的照片,请对准同一角度")).to_be_visible()
    page.get_by_role("button", name="关闭").click()
    expect(page.get_by_role("button", name=re.compile("人行道破损"))).to_be_visible()
    page.get_by_role("radio", name="反弹", exact=True).check()
    shoot(page, "拍照 · 整改后", tmp_path)
    page.get_by_role("button", name="完成", exact=True).click()
    expect(page.get_by_text("已存在本机,等待送达")).to_be_visible()
    one.see("/tasks").get_by_role("button", name=re.compile("任务 verify")).click()
    page.get_by_role("button", name="退回").click()
    page.get_by_label("理由").fill("不在本班次")
    page.get_by_role("button", name="确认退回").click()
    expect(page.get_by_text("没有待办任务")).to_be_visible()
    synced(one)
    done = {row["fields"]["kind"]: row["fields"] for row in of_type(supervisor, "task", inspector_id=inspector.id)}
    assert (done["look_back"]["status"], done["look_back"]["outcome"]["outcome"]) == ("finished", "反弹")
    assert (done["verify"]["status"], done["verify"]["outcome"]) == ("handed_back", {"reason": "不在本班次"})


@pytest.mark.parametrize("role", ["inspector", "auxiliary"])
def test_a_check_that_fails_sends_the_case_back_and_an_auxiliary_only_brings_photo_and_note(
        office: Bureau, phone: Callable[..., Phone], supervisor: Person, tmp_path: Path, role: str) -> None:
    checker = office.newcomer(role, scopes=(SCOPE,))
    device = office.handheld(SCOPE, who="the finder")
    place = {"lon": PLACE["longitude"], "lat": PLACE["latitude"], "crs": "EPSG:4326", "accuracy_m": 1.0}
    finding = device.report(SCOPE, text="纸箱堆放", position=place, class_scheme=EVENT, class_code="0504")
    granted(supervisor.command("finding", finding, "choose_zone", {"zone_id": ZONE}))
    granted(supervisor.command("finding", finding, "file", {"condition": "d1"}))
    granted(supervisor.command("finding", finding, "dispatch", {"unit": "环卫"}))
    granted(supervisor.command("finding", finding, "handle"))
    device.deliver(device.capture(SCOPE, a_photo(), ("finding", finding), role="after"))
    granted(supervisor.command("finding", finding, "handle"))
    granted(supervisor.post("/records/task", {"scope": SCOPE, "fields": {
        "title": "看纸箱", "kind": "check", "about": {"type": "finding", "id": finding}, "assignee": checker.id}}), 201)
    one = offline(phone().enrol(office.invite(checker.username)))
    page = one.see("/tasks")
    page.get_by_role("button", name=re.compile("看纸箱")).click()
    shoot(page, "拍照 · 整改后", tmp_path)
    finish = page.get_by_role("button", name="完成", exact=True)
    if role == "inspector":
        page.get_by_role("radio", name="不合格", exact=True).check()
        expect(page.get_by_text("不合格须写明理由")).to_be_visible()
    else:
        expect(page.get_by_role("radio")).to_have_count(0)
    page.get_by_label("说明").fill("纸箱还在")
    finish.click()
    expect(page.get_by_text("已存在本机,等待送达")).to_be_visible()
    synced(one)
    task, = of_type(supervisor, "task", inspector_id=checker.id)
    assert task["fields"]["status"] == "finished" and task["fields"]["outcome"]["note"] == "纸箱还在"
    assert task["fields"]["outcome"].get("outcome") == ("不合格" if role == "inspector" else None)
    case = supervisor.record("finding", finding)["fields"]
    assert case["status"] == ("rework" if role == "inspector" else "checking")


def test_a_spot_check_shows_only_the_place_until_arrival_and_the_report_once_the_answer_is_delivered(
        office: Bureau, one: Phone, inspector: Person, supervisor: Person, tmp_path: Path) -> None:
    away = {"lon": PLACE["longitude"] + 0.01, "lat": PLACE["latitude"], "crs": "EPSG:4326", "accuracy_m": 5.0}
    finding = office.handheld(SCOPE, who="reporter").report(
        SCOPE, text="秘密描述", position=away, observed_at="2025-06-01T02:00:00.000Z")
    frame = {"type": "finding", "from": "2025-06-01T00:00:00.000Z", "to": "2025-06-02T00:00:00.000Z", "scopes": [SCOPE]}
    check = granted(supervisor.post("/spot-checks", {"title": "抽查", "frame": frame, "size": 1}), 201)["id"]
    granted(supervisor.post(f"/spot-checks/{check}/draw"))
    granted(supervisor.post(f"/spot-checks/{check}/visits", {"assignee": inspector.id}), 201)
    synced(one)
    expect(one.see(f"/enforcement?finding={finding}").get_by_text("由你复查")).to_be_visible()
    one.context.set_offline(True)
    page = one.see("/tasks")
    page.get_by_role("button", name=re.compile("抽查复核")).click()
    expect(page.get_by_text("到达 100 米内才能作答")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("秘密描述")
    one.context.set_geolocation({"longitude": away["lon"] + 0.0003, "latitude": away["lat"], "accuracy": 8})
    page.get_by_role("radio", name="不一致", exact=True).check()
    expect(page.locator("body")).not_to_contain_text("秘密描述")
    page.get_by_label("说明").fill("已清理,未见堆物")
    shoot(page, "拍照 · 全景", tmp_path)
    page.get_by_role("button", name="完成", exact=True).click()
    expect(page.get_by_text("已存在本机,等待送达")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("秘密描述")
    synced(one)
    page = one.see("/tasks")
    page.get_by_role("button", name=re.compile("抽查复核")).click()
    expect(page.get_by_text("秘密描述").first).to_be_visible()
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
