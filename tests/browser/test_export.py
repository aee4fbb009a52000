"""An evidence bundle from a record's page, and what the receiver sees in a browser, from the disk."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import bundles
from tests.browser.conftest import PHONE, Desk, photographed
from tests.bureau import Bureau
from tests.enrolled import Handheld

pytestmark = pytest.mark.browser


def test_a_case_is_exported_from_its_page_and_opens_from_the_disk(
        seat: Callable[[str], Desk], office: Bureau, device: Handheld, tmp_path: Path) -> None:
    finding = photographed(device, "移送法院的案件")
    desk = seat("reviewer")
    desk.see(f"/records/finding/{finding}")
    page = desk.page
    export = page.locator("#export")
    export.get_by_role("button").click()
    assert export.locator("[name=reason]").evaluate("field => field.validity.valueMissing")
    export.get_by_label("法院").check()
    export.get_by_label("用途").fill("移送法院")
    with page.expect_download() as started:
        export.get_by_role("button").click()
    target = tmp_path / "bundle.zip"
    started.value.save_as(target)
    assert started.value.suggested_filename == f"menqian-{finding[-12:]}-court.zip"
    desk.see(f"/records/finding/{finding}")
    expect(export.locator("li code")).to_have_text(sha256(target.read_bytes()).hexdigest())
    page.set_viewport_size(PHONE)
    assert desk.overflow_px() == 0
    zipfile.ZipFile(target).extractall(tmp_path / "out")
    (base,) = (tmp_path / "out").iterdir()
    assert bundles.verify(base, "--key", bundles.key_line(office)).returncode == 0
    page.goto((base / "index.html").as_uri())
    expect(page.get_by_role("heading", level=1)).to_contain_text("店外经营")
    page.wait_for_function("document.querySelector('figure img').naturalWidth > 0")
    assert desk.overflow_px() == 0


def test_whoever_may_not_export_sees_no_export(seat: Callable[[str], Desk], device: Handheld) -> None:
    finding = photographed(device, "不可导出")
    desk = seat("inspector")
    desk.see(f"/records/finding/{finding}")
    expect(desk.page.locator("#export")).to_have_count(0)
