"""How tests fill the handheld's forms: the phone enrolled and offline, photos, signatures, and what came of it."""

from __future__ import annotations

import re
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.bureau import Bureau, a_photo, collection, eventually, frontage
from tests.phones import PLACE, Phone
from tests.wire import Person, granted

SCOPE = "320412100"
ZONE = str(uuid.uuid4())
NAME = "望江茶馆"


def draw_zone(office: Bureau) -> None:
    """The frontage before which the phone stands."""
    drawn = frontage(PLACE["longitude"], PLACE["latitude"], SCOPE, name=NAME, zone_id=ZONE, sticker_serial="MQ-0007")
    granted(office.admin.post("/zones/import", collection(drawn)))


def offline(taken: Phone) -> Phone:
    """An enrolled phone that has pulled, was opened a second time, and then lost the network."""
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
    page.get_by_role("button", name=re.compile("同步")).first.click(timeout=60_000)  # it may be at it already
    page.wait_for_function("""async () => {
        const open = indexedDB.open((await indexedDB.databases())[0].name);
        const store = await new Promise((done) => { open.onsuccess = () => done(open.result); });
        const read = (name) => new Promise((done) => {
            const asked = store.transaction(name).objectStore(name).getAll();
            asked.onsuccess = () => done(asked.result); });
        const [made, rows] = [await read('mutation'), await read('row')];
        store.close();
        return rows.length > 0 && made.every((one) => one.state !== 'waiting'); }""", timeout=30_000)


def on_disk(page: Page, words: str) -> None:
    """Wait until a draft on the phone's disk says so: what was tapped is written right behind the tap."""
    page.wait_for_function("""async (words) => {
        const open = indexedDB.open((await indexedDB.databases())[0].name);
        const store = await new Promise((done) => { open.onsuccess = () => done(open.result); });
        const drafts = await new Promise((done) => {
            const asked = store.transaction('draft').objectStore('draft').getAll();
            asked.onsuccess = () => done(asked.result); });
        store.close();
        return JSON.stringify(drafts).includes(words); }""", arg=words)


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
