"""Findings that are there already: changed, answered with an after photo, checked, listed by thousands."""

from __future__ import annotations

import re
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from tests.bureau import Bureau, east_north, eventually
from tests.paperwork import on_disk
from tests.patrols import MIDDLE, SCOPE, delivered, go_online, inspector_of, shoot, shows
from tests.phones import Phone
from tests.wire import Person, granted, moment, position

pytestmark = pytest.mark.browser
EVENT = "GB/T 30428.2-2013:event"
MANY = 5_000


@pytest.fixture
def supervisor(office: Bureau) -> Person:
    return office.person("supervisor", scopes=(SCOPE,))


def reported(office: Bureau, text: str) -> str:
    """The id of a finding that another device of the same inspector brought."""
    place = position(*east_north(*MIDDLE, -20, 0), accuracy_m=1.0)
    return office.handheld(owner=inspector_of(office)).report(
        SCOPE, text=text, position=place, class_scheme=EVENT, class_code="0504", condition="d1")


def opened(one: Phone, finding: str, words: str) -> Page:
    assert shows(one, finding, words)
    return one.page


def test_an_edit_names_only_what_was_changed(inspector, office):
    finding = reported(office, "门前堆物")
    one = inspector(online=True)
    page = opened(one, finding, "门前堆物")
    one.context.set_offline(True)
    page.get_by_role("button", name="修改").click()
    page.get_by_label("说明").fill("门前堆物,约两米")
    page.get_by_label("标签(用逗号分开)").fill("夜间、反复")
    page.get_by_label("重", exact=True).check()
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_text("修改:说明、类别、程度、标签")).to_be_visible()
    go_online(one)
    assert eventually(lambda: delivered(office, finding)["text"] == "门前堆物,约两米", within_s=30)
    fields = delivered(office, finding)
    assert (fields["severity"], sorted(fields["tags"]), fields["class_code"]) == ("重", ["反复", "夜间"], "0504")


def test_an_edit_is_found_again_after_a_reload_where_it_was_and_the_first_screen_leads_there(inspector, office):
    finding = reported(office, "门前堆物")
    one = inspector(online=True)
    page = opened(one, finding, "门前堆物")
    page.get_by_role("button", name="修改").click()
    words = page.get_by_label("说明")
    words.fill("门前堆物,约三米")
    on_disk(page, "约三米")
    page.reload()
    expect(words).to_have_value("门前堆物,约三米")
    expect(page.get_by_text("已替你找回")).to_be_visible()
    one.see("/").get_by_role("link", name=re.compile("约三米 · 修改")).click()
    page.get_by_role("button", name="保存修改").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".said")).to_have_text("门前堆物,约三米")
    page.reload()
    expect(page.locator(".said")).to_have_text("门前堆物,约三米")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_case_is_taken_up_answered_by_an_after_photo_and_checked_by_somebody_else(inspector, office, supervisor):
    finding = reported(office, "占道经营")
    owner = inspector_of(office)
    granted(supervisor.command("finding", finding, "file", {"condition": "d1"}))
    granted(supervisor.command("finding", finding, "dispatch", {"unit": owner.id}))
    one = inspector(online=True)
    page = opened(one, finding, "已派遣")
    one.context.set_offline(True)
    page.get_by_role("button", name="开始处置").click()
    page.get_by_role("dialog").get_by_role("button", name="开始处置").click()
    expect(page.get_by_text("“开始处置”已记下")).to_be_visible()
    page.get_by_role("button", name="处置完成,反馈").click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_role("button", name="处置完成,反馈")).to_be_disabled()
    sheet.get_by_role("button", name="拍整改后照片").click()
    shoot(page)
    page.get_by_role("button", name="完成", exact=True).click()
    sheet.get_by_role("button", name="处置完成,反馈").click()
    expect(page.get_by_text("“处置完成,反馈”已记下")).to_be_visible()
    go_online(one)
    page = opened(one, finding, "待核查")
    assert delivered(office, finding)["status"] == "checking"
    page.get_by_role("button", name="核查通过").click()
    expect(page.get_by_text("须由别人核查")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("button", name="核查通过")).to_be_disabled()


def test_persuading_begins_on_the_finding_and_is_tied_to_it(inspector, office, supervisor):
    finding = reported(office, "门前支摊")
    one = inspector(online=True)
    page = opened(one, finding, "门前支摊")
    page.get_by_role("button", name="劝导 / 责令").click()
    page.get_by_role("button", name="口头劝导").click()
    page.get_by_label("当事人名称或姓名").fill("流动摊贩")
    page.get_by_role("radio", name="已口头告知", exact=True).check()
    page.get_by_role("button", name="存并封存").click()
    expect(page.locator(".said")).to_have_text("门前支摊")
    page.go_back()
    expect(page).not_to_have_url(re.compile(finding))  # it lies behind once
    go_online(one)
    kept = partial(supervisor.get, "/records", params={"type": "enforcement"})
    assert eventually(lambda: [one["fields"]["finding_id"] for one in granted(kept())["items"]] == [finding],
                      within_s=30)


def test_a_check_fails_for_a_reason_and_an_own_report_is_deleted_for_one(inspector, office, supervisor):
    failed, wrong = reported(office, "未清理"), reported(office, "报错了")
    granted(supervisor.command("finding", failed, "file", {"condition": "d1"}))
    granted(supervisor.command("finding", failed, "dispatch", {"unit": "环卫"}))
    granted(supervisor.command("finding", failed, "handle"))
    evidence = office.handheld(owner=inspector_of(office))
    evidence.deliver(evidence.capture(SCOPE, b"\xff\xd8after", ("finding", failed), role="after"))
    granted(supervisor.command("finding", failed, "handle"))
    one = inspector(online=True)
    page = opened(one, failed, "待核查")
    one.context.set_offline(True)
    page.get_by_role("button", name="核查不通过").click()
    page.get_by_label("理由").fill("纸箱还在")
    page.get_by_role("dialog").get_by_role("button", name="核查不通过").click()
    expect(page.get_by_text("“核查不通过”已记下,待送")).to_be_visible()
    page = one.see(f"/findings/{wrong}")
    page.get_by_role("button", name="删除").click()
    page.get_by_label("理由").fill("报错地方")
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    page.wait_for_url("**/#/findings")
    go_online(one)
    assert eventually(lambda: delivered(office, failed)["status"] == "rework", within_s=30)
    path = f"/records/finding/{wrong}/history"
    assert eventually(lambda: "报错地方" in str(granted(supervisor.get(path))), within_s=30)


def test_of_five_thousand_findings_only_those_in_sight_are_drawn(inspector, office):
    bulk = office.handheld(owner=inspector_of(office))
    place = position(*east_north(*MIDDLE, 500, 500))
    for start in range(0, MANY, 500):
        bulk.deliver(*[bulk.create("finding", SCOPE, {
            "text": f"积存垃圾 {start + n}", "observed_at": moment(-60 * (start + n)), "position": place,
            "class_scheme": EVENT, "class_code": "0103"}) for n in range(500)])
    one = inspector(online=True)
    page = one.see("/findings")
    go_online(one)
    page = one.see("/findings")
    page.get_by_role("button", name="全部").click()
    page.wait_for_function("() => Number(document.querySelector('main .hint').textContent.match(/[0-9]+/)) >= 5000",
                           timeout=90_000)
    page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight / 2)")
    expect(page.get_by_text("积存垃圾 2500")).to_be_visible()
    assert page.locator(".windowed li").count() < 60
    page.get_by_label("搜索问题").fill("垃圾 4321")
    expect(page.locator(".windowed li")).to_have_count(1)
    expect(page.get_by_text("积存垃圾 4321")).to_be_visible()
    page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    one.see("/tasks").get_by_role("heading", name="任务").wait_for()
    one.see("/findings")
    height, text = page.locator(".windowed li").first.evaluate(
        "row => [row.clientHeight, row.querySelector('.text').scrollHeight]")
    assert height > text
