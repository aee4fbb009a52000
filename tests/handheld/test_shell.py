"""The handheld's shell, as a person meets it: enrolling, the lock, duty, languages, what stands in the way."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import segno
from playwright.sync_api import expect

from tests.bureau import Bureau, eventually
from tests.phones import PIN, SMALL, TALL, Phone, set_pin, tap_digits
from tests.wire import Person, granted

pytestmark = pytest.mark.browser
SCREENS = ("/", "/sync", "/settings", "/enrol")
TRIES = """(count) => new Promise((resolve) => {
    const asked = indexedDB.open('menqian');
    asked.onsuccess = () => {
        const tries = asked.result.transaction('setting').objectStore('setting').get('kept pin-tries');
        tries.onsuccess = () => {
            asked.result.close();
            resolve(tries.result?.wrong === count);
        };
    };
})"""


@pytest.fixture
def inspector(office: Bureau) -> Person:
    return office.newcomer("inspector")


@pytest.fixture
def enrolled(phone: Callable[..., Phone], office: Bureau, inspector: Person) -> Phone:
    return phone().enrol(office.invite(inspector.username))


def devices_of(office: Bureau, person: Person) -> list[dict[str, Any]]:
    return [row for row in granted(office.admin.get("/devices"), 200)["items"] if row["user"]["id"] == person.id]


def test_the_address_of_an_invitation_enrols_this_browser(office: Bureau, phone: Callable[..., Phone],
                                                          inspector: Person) -> None:
    code = office.invite(inspector.username)
    one = phone()
    one.page.goto(f"{office.url}/handheld/#/enrol/{code}")
    expect(one.page.get_by_label("邀请码")).to_have_value(code)
    one.page.get_by_role("radio", name="English").check()
    expect(one.page.get_by_label("A name for this phone")).to_have_value("My handheld")
    one.page.get_by_role("radio", name="中文").check()
    one.page.get_by_label("给这台手机起个名字").fill("巡查三号机")
    one.page.get_by_role("button", name="登记", exact=True).click()
    expect(one.page.get_by_role("heading", level=1)).to_have_text("测试inspector")
    assert code not in one.page.url
    assert [(row["name"], row["signs"]) for row in devices_of(office, inspector)] == [("巡查三号机", True)]
    one.page.reload()
    expect(one.page.get_by_role("heading", level=1)).to_have_text("测试inspector")
    second = phone()
    second.page.goto(f"{office.url}/handheld/#/enrol/{code}")
    second.page.get_by_role("button", name="登记", exact=True).click()
    expect(second.page.get_by_role("alert")).to_contain_text("已用过")


def test_a_code_is_read_however_it_is_typed_and_a_wrong_one_is_told(phone: Callable[..., Phone]) -> None:
    one = phone()
    page = one.see("/enrol")
    page.get_by_label("邀请码").fill("abcde fghjk-lmnpq")
    expect(page.get_by_label("邀请码")).to_have_value("ABCDE-FGHJK-LMNPQ")
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("没有这个邀请码")
    one.context.set_offline(True)
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("连不上服务器", timeout=60_000)


def test_the_code_on_the_supervisors_page_says_the_same_address(office: Bureau, phone: Callable[..., Phone],
                                                                inspector: Person) -> None:
    code = office.invite(inspector.username)
    page = phone().see("/enrol")
    read = page.evaluate("""async (svg) => {
        const folder = new URL('.', document.querySelector('script[type=module]').src);
        const picture = new Image();
        picture.src = 'data:image/svg+xml,' + encodeURIComponent(svg);
        await picture.decode();
        const paper = Object.assign(document.createElement('canvas'), {width: 410, height: 410});
        paper.getContext('2d').drawImage(picture, 0, 0, 410, 410);
        const {decoder} = await import(new URL('parts/scan.js', folder).href);
        const {codeIn} = await import(new URL('screens/enrol.js', folder).href);
        return codeIn(await (await decoder())(await createImageBitmap(paper)));
    }""", drawn(f"{office.url}/handheld/#/enrol/{code}"))
    assert read == code


def drawn(address: str) -> str:
    """The picture as the page of the invitation draws it, as a file of its own."""
    out = io.BytesIO()
    segno.make_qr(address, error="m").save(out, kind="svg", scale=5, border=4, light="#fff")
    return out.getvalue().decode()


def test_a_pin_locks_at_the_start_and_on_leaving_and_wrong_tries_slow_down(enrolled: Phone) -> None:
    page = enrolled.see("/settings")
    set_pin(page)
    page.reload()
    expect(page.get_by_role("heading", name="已锁定")).to_be_visible()
    expect(page.get_by_role("heading", name="设置", exact=True)).to_have_count(0)  # nobody reads what is behind
    for counted, wrong in enumerate(("1111", "2222", "3333"), 1):
        tap_digits(page, wrong)
        page.get_by_role("button", name="打开").click()
        page.wait_for_function(TRIES, arg=counted)  # one that is entered while the last is looked at does not count
    expect(page.locator(".locked [role=alert]")).to_contain_text(re.compile(r"请等 \d+ 秒"))
    page.reload()  # nor is it forgotten by closing the app
    expect(page.locator(".locked [role=alert]")).to_contain_text("请等")
    expect(page.get_by_role("button", name="5", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="5", exact=True)).to_be_enabled(timeout=30_000)
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="设置", exact=True)).to_be_visible()
    page.get_by_role("button", name="更换 PIN").click()
    tap_digits(page, "13")
    for state in ("hidden", "visible"):
        page.evaluate("""(state) => {
            Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => state});
            document.dispatchEvent(new Event('visibilitychange'));
        }""", state)
        expect(page.get_by_role("heading", name="已锁定")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="现在的 PIN")).to_be_visible()
    expect(page.locator(".keypad .dots")).to_contain_text("已输入 2 位")  # what was begun lies as it was left


def test_a_pin_is_kept_as_a_salted_hash_alone(enrolled: Phone) -> None:
    page = enrolled.see("/settings")
    set_pin(page, "86429753")
    held = page.evaluate("""() => new Promise((resolve, reject) => {
        const asked = indexedDB.open('menqian');
        asked.onerror = () => reject(asked.error);
        asked.onsuccess = () => {
            const base = asked.result, all = [];
            const names = [...base.objectStoreNames], transaction = base.transaction(names);
            names.forEach((name) => {
                const rows = transaction.objectStore(name).getAll();
                rows.onsuccess = () => all.push(JSON.stringify(rows.result));
            });
            transaction.oncomplete = () => {
                base.close();
                resolve(all.join(' ') + JSON.stringify({...localStorage}));
            };
        };
    })""")
    assert "86429753" not in held
    assert '"rounds":310000' in held


def test_what_a_role_may_not_make_is_not_offered(office: Bureau, phone: Callable[..., Phone]) -> None:
    reviewer = office.newcomer("reviewer")
    page = phone().enrol(office.invite(reviewer.username)).page
    expect(page.locator(".doings a")).to_have_text(["上报问题", "地图"])
    expect(page.get_by_role("button", name="上岗")).to_have_count(0)


def test_points_are_taken_on_duty_alone(office: Bureau, enrolled: Phone, inspector: Person) -> None:
    page = enrolled.page
    page.get_by_role("button", name="上岗").click()
    page.get_by_role("button", name="离岗").wait_for()

    def tracks() -> list[dict[str, Any]]:
        return granted(inspector.get("/records", params={"type": "track"}), 200)["items"]

    found = eventually(tracks, within_s=40)
    assert [point["crs"] for point in found[0]["fields"]["points"]] == ["EPSG:4326"]
    expect(page.locator(".sync-bar")).to_contain_text("全部送达", timeout=40_000)
    page.get_by_role("button", name="离岗").click()
    expect(page.get_by_text("不记录您的位置")).to_be_visible()
    enrolled.context.set_geolocation({"longitude": 119.95, "latitude": 31.702})
    page.wait_for_timeout(1500)
    assert len(tracks()[0]["fields"]["points"]) == 1


def test_what_waits_is_told_and_never_called_delivered(enrolled: Phone) -> None:
    page = enrolled.page
    enrolled.context.set_offline(True)
    page.get_by_role("button", name="上岗").click()
    expect(page.locator(".sync-bar")).to_contain_text("1 条记录待送")
    page.get_by_role("link", name="同步").last.click()
    expect(page.locator(".standing")).to_contain_text("没有网络")
    expect(page.get_by_text("新巡查轨迹")).to_be_visible()
    expect(page.locator(".standing")).not_to_contain_text("全部送达")
    with page.expect_download() as download:
        page.get_by_role("button", name="导出未送达的一切").click()
    with zipfile.ZipFile(download.value.path()) as bundle:
        assert "outbox.json" in bundle.namelist()
    enrolled.context.set_offline(False)
    page.get_by_role("button", name="立即同步").click()
    expect(page.locator(".standing")).to_contain_text("全部送达", timeout=40_000)
    page.get_by_role("button", name="看签收单").click()
    expect(page.locator("pre.receipt")).to_contain_text("—")


def test_a_revoked_device_says_so_and_loses_nothing(office: Bureau, enrolled: Phone, inspector: Person) -> None:
    page = enrolled.page
    enrolled.context.set_offline(True)
    page.get_by_role("button", name="上岗").click()
    expect(page.locator(".sync-bar")).to_contain_text("待送")
    device = devices_of(office, inspector)[0]
    granted(office.admin.post(f"/devices/{device['id']}/revoke", {"reason": "换机"}), 200)
    enrolled.context.set_offline(False)
    page = enrolled.see("/sync")
    page.get_by_role("button", name="立即同步").click()
    expect(page.get_by_text("本机已被停用").first).to_be_visible(timeout=40_000)
    expect(page.get_by_text("新巡查轨迹")).to_be_visible()
    page.get_by_role("link", name="用新邀请码登记").first.click()
    page.get_by_label("邀请码").fill(office.invite(office.newcomer("inspector").username))
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("给别人的")
    page.get_by_label("邀请码").fill(office.invite(inspector.username))
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.locator(".sync-bar")).to_contain_text("全部送达", timeout=60_000)
    assert granted(inspector.get("/records", params={"type": "track"}), 200)["items"]


def test_english_dark_and_large_are_a_tap_away_and_stay(enrolled: Phone) -> None:
    page = enrolled.see("/settings")
    page.get_by_role("radio", name="English").check()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.get_by_role("radio", name="Dark").check()
    page.get_by_role("radio", name="Larger").check()
    page.reload()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    for path in SCREENS:
        enrolled.see(path)
        assert enrolled.overflow_px() == 0, path
    enrolled.see("/")
    assert enrolled.broken_words(".places span, .doing span") == []


def test_a_clock_that_is_a_year_fast_is_told(office: Bureau, phone: Callable[..., Phone], inspector: Person) -> None:
    one = phone()
    one.page.clock.set_system_time(datetime.now(UTC) + timedelta(days=365))
    one.enrol(office.invite(inspector.username))
    expect(one.page.get_by_text("手机时钟快了约 365 天")).to_be_visible()


def test_a_disk_is_told_before_it_is_full_where_the_browser_tells(enrolled: Phone) -> None:
    """Chromium tells of 10 GB to everybody, so that nobody is known by his disk; others tell what is there."""
    enrolled.page.add_init_script("navigator.storage.estimate = async () => ({usage: 3e9, quota: 3.2e9});")
    enrolled.page.reload()
    expect(enrolled.page.get_by_text("存储快满了,只剩 200.0 MB")).to_be_visible()


def test_another_tab_is_told(enrolled: Phone) -> None:
    other = enrolled.another_tab()
    other.goto(f"{enrolled.url}/handheld/")
    expect(other.get_by_text("本应用开了 2 个窗口")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [SMALL, TALL], ids=["small", "tall"])
def test_each_screen_fits_and_anybody_can_use_it(office: Bureau, phone: Callable[..., Phone], inspector: Person,
                                                 scheme: str, size: dict[str, int]) -> None:
    one = phone(scheme=scheme, size=size)
    one.see("/enrol")
    assert (one.overflow_px(), one.small_targets(), one.serious()) == (0, [], [])
    one.enrol(office.invite(inspector.username))
    for path in SCREENS:
        one.see(path).wait_for_timeout(300)
        assert (one.overflow_px(), one.small_targets(), one.serious()) == (0, [], []), path
    set_pin(one.see("/settings"))
    one.page.reload()
    one.page.get_by_role("heading", name="已锁定").wait_for()
    assert (one.overflow_px(), one.small_targets(), one.serious()) == (0, [], [])
