"""Forms that are left or killed between two writings: no photo without its form, nothing made twice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.bureau import Bureau, a_photo
from tests.paperwork import SCOPE, of_type, on_disk, pick_zone, returned, synced
from tests.phones import Phone
from tests.wire import Person, granted

pytestmark = pytest.mark.browser


def leave_while_it_is_hashed(page: Page, button: str, tmp_path: Path) -> None:
    """Take a photo, go back before it is kept, and come again when it is."""
    page.evaluate("""() => { const digest = crypto.subtle.digest.bind(crypto.subtle);
        crypto.subtle.digest = async (...asked) => { window.hashing = true;
            await new Promise((done) => setTimeout(done, 1500));
            return digest(...asked); }; }""")
    photo, at = tmp_path / "left.jpg", page.url
    photo.write_bytes(a_photo())
    page.get_by_role("button", name=button, exact=True).click()
    page.locator("dialog input[type=file]").set_input_files(photo)
    page.wait_for_function("() => window.hashing")
    page.evaluate("history.back()")
    page.wait_for_url(lambda url: url != at)
    page.evaluate("delete crypto.subtle.digest")  # only what was asked before is slow
    page.evaluate("history.forward()")
    page.wait_for_url(at)
    expect(page.locator("dialog")).to_have_count(0)


def test_a_photo_that_came_after_its_letter_was_left_is_the_letters_and_is_given_up_only_for_a_reason(
        one: Phone, supervisor: Person, inspector: Person, tmp_path: Path) -> None:
    page = one.see("/letter")
    pick_zone(page)
    page.get_by_role("heading", name="签名").wait_for()
    leave_while_it_is_hashed(page, "拍照 · 文书", tmp_path)
    page.get_by_role("button", name="放弃责任书").click()
    give_up = page.get_by_role("button", name="确认放弃")
    expect(give_up).to_be_disabled()
    expect(page.locator(".shots li")).to_have_count(1)
    expect(give_up).to_be_disabled()
    page.get_by_label("理由").fill("店面已转让")
    give_up.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("责任书")
    synced(one)
    photo, = [row for row in of_type(supervisor, "evidence") if row["created_by"] == inspector.id]
    letter = photo["fields"]["about"]["id"]
    assert "店面已转让" in str(granted(supervisor.get(f"/records/letter/{letter}/history")))


def test_a_photo_that_came_after_its_inspection_was_left_answers_the_item(one: Phone, tmp_path: Path) -> None:
    page = one.see("/inspect")
    pick_zone(page)
    page.get_by_role("button", name="开始检查").click()
    third = page.locator("article.item").nth(2)
    third.get_by_role("radio", name="不合格", exact=True).check()
    expect(third.get_by_text("必须拍照")).to_be_visible()
    on_disk(page, '"fail"')
    leave_while_it_is_hashed(page, "拍照 · 全景", tmp_path)
    expect(third.locator(".shots li")).to_have_count(1)
    expect(third.get_by_text("必须拍照")).to_have_count(0)


def test_a_finding_of_an_item_is_made_once_though_the_form_could_not_be_written(
        one: Phone, supervisor: Person, inspector: Person) -> None:
    page = one.see("/inspect")
    pick_zone(page)
    page.get_by_role("button", name="开始检查").click()
    third = page.locator("article.item").nth(2)
    third.get_by_role("radio", name="不合格", exact=True).check()
    on_disk(page, '"fail"')
    report = third.get_by_role("button", name="上报问题")
    for store in ("draft", "mutation"):
        page.evaluate("""(store) => { const put = IDBObjectStore.prototype.put;
            IDBObjectStore.prototype.put = function (...given) {
                if (this.name === store) throw new DOMException("full", "QuotaExceededError");
                return put.apply(this, given); }; }""", store)
        report.click()
        page.get_by_text("手机存储已满").first.wait_for()
        page.reload()
        expect(report).to_be_visible()
    report.click()
    expect(third.get_by_text("已上报为问题")).to_be_visible()
    page.reload()
    expect(third.get_by_text("已上报为问题")).to_be_visible()
    synced(one)
    finding, = of_type(supervisor, "finding", inspector_id=inspector.id)
    assert finding["fields"]["text"].startswith("不合格:")


def test_a_photo_that_came_after_its_task_was_left_is_the_one_that_was_asked_for(
        office: Bureau, one: Phone, inspector: Person, tmp_path: Path) -> None:
    returned(office, office.handheld(SCOPE, owner=inspector))
    synced(one)
    one.context.set_offline(True)
    page = one.see("/tasks")
    page.get_by_role("button", name=re.compile("补拍")).click()
    expect(page.get_by_text("还差 1")).to_be_visible()
    leave_while_it_is_hashed(page, "补拍", tmp_path)
    expect(page.get_by_text("还差 0")).to_be_visible()
    expect(page.locator("article.retake .shots li")).to_have_count(1)
    expect(page.get_by_role("button", name="完成", exact=True)).to_be_enabled()
