"""A phone that was away: a colleague wrote the same, the server came back older, only Wi-Fi counts for photos."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.bureau import PASSWORD, Bureau, eventually
from tests.consoles import Console
from tests.patrols import SCOPE, begin, classify, delivered, go_online, inspector_of, photograph, save, shows
from tests.phones import Phone
from tests.wire import Person, granted

pytestmark = pytest.mark.browser
MOBILE = """Object.defineProperty(navigator, 'connection',
    {value: Object.assign(new EventTarget(), {type: 'cellular'})});"""
ON_WIFI = "() => { navigator.connection.type = 'wifi'; navigator.connection.dispatchEvent(new Event('change')); }"


def rewritten(one: Phone, finding: str, text: str) -> None:
    """The finding's words are changed on this phone, without a network."""
    one.context.set_offline(True)
    page = one.see(f"/findings/{finding}")
    page.get_by_role("button", name="修改").click()
    page.get_by_label("说明").fill(text)
    page.get_by_role("button", name="保存修改").click()
    expect(page.locator("main")).to_contain_text(text)


def reported(page: Phone, text: str) -> str:
    """A finding with a photo, kept on the phone."""
    begin(page)
    photograph(page.page)
    classify(page.page, "0102", "暴露垃圾")
    page.page.get_by_label("看到了什么").fill(text)
    return save(page.page)


def all_delivered(one: Phone) -> bool:
    go_online(one)
    one.page.wait_for_timeout(1_000)
    return one.page.get_by_role("heading", name="全部送达").count() > 0


def test_two_phones_write_apart_and_each_learns_what_became_of_it(inspector, phone, office: Bureau) -> None:
    first = inspector(online=True)
    colleague = office.person("inspector", scopes=(SCOPE,), who="the colleague")
    second = phone().enrol(office.invite(colleague.username))
    finding = reported(first, "桶满溢")
    go_online(first)
    assert delivered(office, finding)["text"] == "桶满溢"
    assert shows(second, finding, "桶满溢")
    rewritten(first, finding, "桶满溢,有异味")
    rewritten(second, finding, "桶已清空")
    go_online(first)
    assert eventually(lambda: delivered(office, finding)["text"] == "桶满溢,有异味", within_s=40)
    go_online(second)
    second.see("/").get_by_role("link", name=re.compile("冲突")).click(timeout=40_000)
    card = second.page.locator("article.conflict")
    for words in ("桶满溢", "桶满溢,有异味", "桶已清空", "另一人", "我(本机)"):
        expect(card).to_contain_text(words)
    card.get_by_role("button", name="用这个").and_(card.locator(".primary")).click()
    expect(card).to_contain_text("您已选择")
    go_online(second)
    assert eventually(lambda: delivered(office, finding)["text"] == "桶已清空", within_s=40)
    assert shows(first, finding, "桶已清空")
    expect(first.see("/conflicts").locator(".told")).to_contain_text("由他人处理")
    expect(second.see("/conflicts").locator(".told")).to_contain_text("由我处理")
    conflicts = granted(colleague.get("/records", params={"type": "conflict", "limit": 500}))["items"]
    values = [{one["fields"]["theirs"], one["fields"]["mine"]} for one in conflicts
              if one["fields"]["record_id"] == finding]
    assert values == [{"桶满溢,有异味", "桶已清空"}]


def test_a_deletion_against_an_edit_shows_the_words_that_were_written(inspector, phone, office: Bureau) -> None:
    first = inspector(online=True)
    colleague = office.person("inspector", scopes=(SCOPE,), who="the colleague")
    second = phone().enrol(office.invite(colleague.username))
    finding = reported(first, "杂物")
    go_online(first)
    assert delivered(office, finding)["text"] == "杂物"
    assert shows(second, finding, "杂物")
    rewritten(first, finding, "杂物,已劝离")
    page = second.see(f"/findings/{finding}")
    page.get_by_role("button", name="删除").click()
    page.get_by_label("理由").fill("重复上报")
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    page.wait_for_url("**/#/findings")
    go_online(second)
    assert eventually(lambda: colleague.get(f"/records/finding/{finding}").status_code != 200, within_s=40)
    go_online(first)
    card = first.see("/conflicts").locator("article.conflict")
    expect(card.locator(".value")).to_have_text(["删除", "描述 杂物,已劝离"], timeout=40_000)
    go_online(second)
    others = second.see("/conflicts").locator("article.conflict .value")
    expect(others).to_have_text(["删除:重复上报", "描述 杂物,已劝离"], timeout=40_000)


def test_what_was_not_applied_says_why_and_what_became_of_it(phone, office: Bureau) -> None:
    enrolled = phone().enrol(office.invite(office.newcomer("inspector").username))
    page = enrolled.see("/sync")
    page.evaluate("""async () => {
        const folder = new URL('.', document.querySelector('script[type=module]').src);
        const {openDevice} = await import(new URL('device/device.js', folder).href);
        const reference = await (await fetch(new URL('reference.json', folder))).json();
        const device = await openDevice({reference});
        const set = {text: '没有地点的一条', observed_at: new Date().toISOString()};
        await device.create('finding', set, device.scopes[0]);
    }""")
    row = page.get_by_role("listitem").filter(has_text="没有地点的一条")
    expect(row).to_be_visible()  # made in another tab, as it were
    page.get_by_role("button", name="立即同步").click()
    expect(row).to_contain_text("未采纳", timeout=40_000)
    expect(row).to_contain_text("必填")
    expect(page.locator(".standing")).to_contain_text("1 条未采纳")
    enrolled.see("/")
    expect(page.locator("main").get_by_text("1 条未采纳,由主管处理")).to_be_visible()
    expect(page.locator(".sync-bar.warn")).to_contain_text("1 条未采纳")
    enrolled.see("/findings")
    page.get_by_text("没有地点的一条").click()
    expect(page.locator(".badges")).to_contain_text("未采纳")
    finding = page.url.rsplit("/", 1)[1]
    supervisor = office.person("supervisor")
    entry = next(one for one in granted(supervisor.get("/quarantine"), 200)["items"]
                 if one["mutation"]["record_id"] == finding)
    granted(supervisor.post(f"/quarantine/{entry['id']}/dismiss", {"reason": "地点不明"}), 200)
    enrolled.see("/sync").get_by_role("button", name="立即同步").click()
    enrolled.see(f"/findings/{finding}")
    expect(page.get_by_text("主管驳回:地点不明")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("definition").filter(has_text="没有地点的一条")).to_be_visible()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """An installation that this test may lose."""
    console = Console(tmp_path)
    yield console
    console.server.stop()


def test_a_server_that_comes_back_older_gets_again_what_it_lost(console: Console, chromium: Browser) -> None:
    office = Bureau(console.server.url, Person(console.server.url, "root", PASSWORD))
    one = Phone(chromium, office.url).enrol(office.invite(inspector_of(office).username))
    reported(one, "备份之前")
    assert eventually(lambda: all_delivered(one), within_s=60)
    console.back_up("evening")
    lost = reported(one, "备份之后")
    assert eventually(lambda: all_delivered(one), within_s=60)
    console.restore("evening")
    assert inspector_of(office).get(f"/records/finding/{lost}").status_code == 404
    assert eventually(lambda: all_delivered(one), within_s=90)
    expect(one.page.locator("main")).to_contain_text("服务器从备份恢复过")
    assert delivered(office, lost)["text"] == "备份之后"
    evidence = granted(inspector_of(office).get("/records", params={"type": "evidence", "limit": 100}))["items"]
    assert [each["fields"]["media"]["state"] for each in evidence] == ["verified"] * 2
    one.close()
    assert one.complaints == []


def test_photos_wait_for_wifi_where_a_person_wants_that_and_records_do_not(
        phone: Callable[..., Phone], office: Bureau, street: dict[str, str]) -> None:
    one = phone()
    one.page.add_init_script(MOBILE)
    one.enrol(office.invite(inspector_of(office).username))
    one.see("/sync").get_by_label("照片只在 Wi-Fi 下传").check()
    finding = reported(one, "只传记录")
    go_online(one)
    assert delivered(office, finding)["text"] == "只传记录"
    expect(one.see("/sync").locator(".standing")).to_contain_text("照片等 Wi-Fi")
    expect(one.page.locator(".standing")).to_contain_text("1 张照片待送")
    one.page.evaluate(ON_WIFI)
    assert eventually(lambda: all_delivered(one), within_s=60)
