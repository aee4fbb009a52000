"""The device's core in a real browser: its own IndexedDB, Web Locks and quota, against the real server."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.bureau import Bureau, a_photo, eventually
from tests.phones import Phone

SCOPE = "320412100"
BEGIN = """async ([body, given]) => {
    const at = document.querySelector('script[type=module]').src.replace(/main\\.js$/, '');
    const core = await import(at + 'device/device.js');
    const reference = await (await fetch(at + 'reference.json')).json();
    window.options ??= {reference, database: 'core'};
    const finding = (text) => ({class_scheme: 'GB/T 30428.2-2013:event', class_code: '0504', text, address: '武宜路2号',
        observed_at: new Date().toISOString(), source: 'patrol'});
    const blob = (coded) => new Blob([Uint8Array.from(atob(coded), (one) => one.charCodeAt(0))]);
    return await (eval(body))({core, finding, blob, given});
}"""
OPENED = "window.device ??= await core.openDevice(window.options); const device = window.device;"


def run(page: Page, body: str, given: Any = None) -> Any:
    """What an async function of `{core, finding, blob, given}` answers; `device` is the one of this browser."""
    opened = f"async ({{core, finding, blob, given}}) => {{ {OPENED} {body} }}"
    return page.evaluate(BEGIN, [opened, given])


@pytest.fixture
def page(phone: Callable[..., Phone], office: Bureau, request: pytest.FixtureRequest) -> Page:
    """A page that enrolled a device in a database of its own, beside the app's; on a small disk if asked for."""
    one = phone(bypass_csp=True).page  # for the tests' own text; the app's runs under its policy elsewhere
    if room := getattr(request, "param", None):  # told before the first write, for Chrome remembers the answer a while
        session = one.context.new_cdp_session(one)
        session.send("Storage.overrideQuotaForOrigin", {"origin": office.url, "quotaSize": room})
    one.goto(f"{office.url}/handheld/")
    code = office.invite(office.person("inspector", scopes=(SCOPE,)).username)
    one.evaluate(BEGIN, ["""async ({core, given}) => {
        window.device = await core.enrolDevice({...window.options, code: given, name: '浏览器'}); }""", code])
    return one


def photo() -> str:
    return base64.b64encode(a_photo(size=(1600, 1200))).decode()


def delivered(page: Page) -> bool:
    return bool(run(page, "await device.sync(); return device.everythingDelivered();"))


def test_a_photo_made_without_a_network_arrives_byte_for_byte_and_is_receipted(page: Page, office: Bureau) -> None:
    page.context.set_offline(True)
    made = run(page, """
        const id = await device.create('finding', finding('离线'), '320412100');
        const about = {type: 'finding', id};
        const evidence = await device.capture(blob(given), {about, role: 'scene', scope: '320412100'});
        const {fields} = await device.get('evidence', evidence);
        const thumb = await createImageBitmap(await device.thumb(fields.sha256));
        return {sha256: fields.sha256, width: thumb.width, height: thumb.height};""", photo())
    assert (made["width"], made["height"]) == (320, 240)
    failure = run(page, "return device.sync().then(() => null, ({name}) => [name, device.health()]);")
    assert failure[0] == "Unreachable"
    page.context.set_offline(False)
    assert eventually(partial(delivered, page), within_s=40)
    assert run(page, "return device.verify();") == []
    assert run(page, "return (await device.photos()).map((one) => one.state);") == ["verified"]


def test_the_key_cannot_be_read_out(page: Page) -> None:
    kept = run(page, """const key = await device.parts.store.get('key');
        const read = await crypto.subtle.exportKey('jwk', key).then(() => 'read', ({name}) => name);
        return [key.extractable, key.type, read];""")
    assert kept == [False, "private", "InvalidAccessError"]


@pytest.mark.parametrize("page", [9_000_000], indirect=True)
def test_a_full_disk_writes_no_half_and_keeps_what_was_there(page: Page) -> None:
    first = run(page, "return device.create('finding', finding('前'), '320412100');")
    said = run(page, """
        const bytes = crypto.getRandomValues(new Uint8Array(65536));
        const photo = new Blob(Array.from({length: 160}, () => bytes));
        return device.capture(photo, {about: {type: 'finding', id: given}, role: 'scene', scope: '320412100'})
            .then(() => 'kept', ({name}) => name);""", first)
    assert said == "QuotaExceededError"
    assert run(page, "return [(await device.outbox()).length, (await device.photos()).length];") == [1, 0]
    assert run(page, "return (await device.sync()).delivered;") == 1


def test_two_tabs_take_turns_and_hear_of_each_other(page: Page, office: Bureau) -> None:
    other = page.context.new_page()
    other.goto(f"{office.url}/handheld/")
    run(other, "window.heard = 0; device.onChange(() => { window.heard += 1; });")
    work = """const id = await device.create('finding', finding('标签页'), '320412100');
        for (let at = 0; at < 3; at += 1) {
            await device.capture(new Blob([crypto.getRandomValues(new Uint8Array(64))]),
                {about: {type: 'finding', id}, role: 'scene', scope: '320412100'});
        }
        return (await device.sync()).delivered;"""
    for tab in (page, other):  # begun in both before either has ended
        tab.evaluate("() => { window.ended = null; }")
    for tab in (page, other):
        run(tab, f"(async () => {{ {work} }})().then((is) => {{ window.ended = is; }}, "
                 "(no) => { window.ended = String(no); });")
    for tab in (page, other):
        tab.wait_for_function("() => window.ended !== null", timeout=30_000)
        assert isinstance(tab.evaluate("() => window.ended"), int), tab.evaluate("() => window.ended")
    assert other.evaluate("() => window.heard") > 0
    made = run(page, "return device.outbox({all: true});")
    assert [each["n"] for each in made] == list(range(1, 9))
    seqs = [each["body"]["set"]["capture"]["seq"] for each in made if each["type"] == "evidence"]
    assert sorted(seqs) == list(range(1, 7))
    assert run(page, "await device.sync(); return (await device.health()).unsent;") == 0


def test_a_page_that_is_closed_while_it_delivers_delivers_once(page: Page, office: Bureau) -> None:
    ids = run(page, """const ids = [];
        for (let at = 0; at < 20; at += 1) ids.push(await device.create('finding', finding(String(at)), '320412100'));
        device.sync().catch(() => undefined);
        return ids;""")
    context = page.context
    page.close()
    again = context.new_page()
    again.goto(f"{office.url}/handheld/")
    assert run(again, "await device.sync(); return (await device.health()).unsent;") == 0
    inspector = office.person("inspector", scopes=(SCOPE,))
    assert [inspector.record("finding", each)["version"] for each in ids] == [1] * 20
