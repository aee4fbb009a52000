"""Photos of open cases are held by a real S3 store that is asked to, whatever is killed, lost or away meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from media.models import HoldWalk, PhotoHold
from media.stores import open_store
from server import cases, holds, jobs
from server.audit import audit
from server.backup import making
from server.config import UnsafeSettings
from server.db import db, writing
from server.doctor import examine
from server.reference import table
from server.rules import holds as rules
from tests import bundles
from tests.bureau import a_photo
from tests.conftest import Places
from tests.enrolled import Handheld
from tests.server.backups import quiet, restore
from tests.server.indoors import URL, Indoors, indoors, store_of
from tests.server.pages.conftest import Visitor
from tests.wire import Person, granted, moment, sha256

SCOPE = "320412110"
ASKED = "&lock=governance&retain_days=1"


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, places: Places) -> dict[str, str]:
    grown = places.once(("engine", "grown"), lambda: places.engine("grown")).another()
    assert grown.database_url and grown.media_url
    database = {"MENQIAN_DATABASE_URL": grown.database_url} if request.param == "postgresql" else {}
    return {**database, "MENQIAN_MEDIA_URL": grown.media_url + ASKED}


@pytest.fixture
def device(office: Indoors) -> Handheld:
    return office.handheld(SCOPE)


@pytest.fixture
def supervisor(office: Indoors) -> Person:
    return office.person("supervisor", scopes=(SCOPE,))


def tick(office: Indoors) -> None:
    with office.app.app_context():
        jobs._tick()


def on_hold(office: Indoors, content: bytes) -> bool | None:
    """What the store itself says, after a tick."""
    tick(office)
    return store_of(office).on_hold(sha256(content))


def photographed(device: Handheld, content: bytes, about: tuple[str, str]) -> None:
    device.deliver(device.capture(SCOPE, content, about))
    assert device.upload(content).status_code == 204


def rows(office: Indoors) -> dict[str, bool]:
    with office.app.app_context():
        return {row.sha256: row.held_at is not None for row in db.session.execute(select(PhotoHold)).scalars()}


def problems(office: Indoors) -> dict[str, int]:
    with office.app.app_context():
        found: dict[str, int] = audit()["found"]
        return found


def command(person: Person, finding: str, name: str) -> None:
    granted(person.command("finding", finding, name, {"reason": "测试"}))


def test_a_photo_is_held_while_its_case_is_open(office: Indoors, device: Handheld, supervisor: Person) -> None:
    content, finding = a_photo(), device.report(SCOPE)
    photographed(device, content, ("finding", finding))
    assert on_hold(office, content)
    command(supervisor, finding, "refuse")
    assert not on_hold(office, content)
    command(supervisor, finding, "reopen")
    assert on_hold(office, content)
    assert problems(office) == {}
    command(supervisor, finding, "cancel")
    assert not on_hold(office, content) and rows(office) == {}


def test_a_bundle_and_a_page_tell_since_when_a_photo_is_held(office: Indoors, device: Handheld, tmp_path: Path) -> None:
    content, finding = a_photo(), device.report(SCOPE)
    photographed(device, content, ("finding", finding))
    assert on_hold(office, content)
    reviewer = office.person("reviewer", scopes=(SCOPE,))
    base = bundles.unpacked(reviewer.get(f"/reviews/{finding}/bundle?profile=court"), tmp_path / "bag")
    told = json.loads((base / "data/case.json").read_bytes())
    step, = (one for one in told["custody"] if one["step"] == "held")
    assert (told["store"]["holds"], told["photos"][0]["held_at"], step["sha256"]) == (True, step["at"], sha256(content))
    assert bundles.verify(base).returncode == 0
    assert "存储锁定" in Visitor(URL).signed_in(reviewer).see(f"/records/finding/{finding}")


def test_an_order_holds_the_file_of_a_record_until_it_is_released_or_over(office: Indoors, device: Handheld,
                                                                           supervisor: Person) -> None:
    content, later, finding = a_photo(), a_photo(), device.report(SCOPE)
    photographed(device, content, ("finding", finding))
    command(supervisor, finding, "cancel")
    assert not on_hold(office, content)
    order = device.create("enforcement", SCOPE, {"kind": "persuade", "facts": "劝导", "finding_id": finding})
    device.deliver(order)
    photographed(device, later, ("enforcement", order["record_id"]))
    reviewer = office.person("reviewer", scopes=(SCOPE,))
    granted(reviewer.command("enforcement", order["record_id"], "conclude", {"reason": "已改正"}))
    assert not on_hold(office, content) and not on_hold(office, later)
    path, given = f"/records/enforcement/{order['record_id']}/legal-holds", {"reason": "复议", "ordered_by": "区政府"}
    hold = granted(supervisor.post(path, given), 201)
    assert on_hold(office, content) and on_hold(office, later)
    assert problems(office) == {}
    granted(supervisor.post(f"/legal-holds/{hold['id']}/release", {"reason": "复议终结"}))
    assert not on_hold(office, content) and not on_hold(office, later)
    hold = granted(supervisor.post(path, {**given, "until": moment(3600)}), 201)
    assert on_hold(office, content)
    office.clock.put_on(hours=2)
    assert not on_hold(office, content) and problems(office) == {}
    assert granted(supervisor.get("/legal-holds?state=all"))["items"][-1]["released_by"] == "server"


def test_junk_is_not_locked_in(office: Indoors, device: Handheld) -> None:
    unnamed, plain = a_photo(), a_photo()
    assert device.upload(unnamed).status_code == 204
    photographed(device, plain, ("inspection", "0192f0c1-7a3b-7cde-8f01-23456789abcd"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "check_photo", lambda *_: None)
        unchecked = a_photo()
        photographed(device, unchecked, ("finding", device.report(SCOPE)))
        assert not on_hold(office, unnamed) and not on_hold(office, plain) and not on_hold(office, unchecked)
    office.clock.put_on(minutes=5)
    tick(office)
    assert on_hold(office, unchecked)


def test_a_photo_of_a_closed_finding_is_held_for_the_penalty_that_it_proves(
        office: Indoors, device: Handheld, supervisor: Person) -> None:
    content, finding = a_photo(), device.report(SCOPE)
    photographed(device, content, ("finding", finding))
    command(supervisor, finding, "refuse")
    assert not on_hold(office, content)
    penalty = device.create("enforcement", SCOPE, {"kind": "persuade", "facts": "占道", "finding_id": finding})
    device.deliver(penalty)
    assert on_hold(office, content)
    assert problems(office) == {}
    device.deliver(device.remove("enforcement", penalty["record_id"], 1))
    assert not on_hold(office, content)


def test_a_photo_of_two_cases_is_held_until_both_are_over(office: Indoors, device: Handheld,
                                                         supervisor: Person) -> None:
    content, findings = a_photo(), [device.report(SCOPE) for _ in range(2)]
    for finding in findings:
        photographed(device, content, ("finding", finding))
    for finding, held in zip(findings, (True, False), strict=True):
        command(supervisor, finding, "cancel")
        assert on_hold(office, content) is held


def test_a_store_that_refuses_is_told_of_and_another_is_told_from_the_beginning(office: Indoors, device: Handheld,
                                                                               tmp_path: Path) -> None:
    house = office.app.extensions["menqian"]
    locked, plain = house.store, house.settings.media_url.replace("s3://", "s3://plain-", 1)
    open_store(plain.removesuffix(ASKED)).check()
    house.store, content = open_store(plain), a_photo()
    photographed(device, content, ("finding", device.report(SCOPE)))
    tick(office)
    ready = httpx.Client().get(f"{URL}/readyz")
    assert (ready.status_code, ready.json()["media"], ready.json()["holds"]) == (200, "ok", "StoreRefuses")
    assert problems(office).keys() == {"holds_behind"}
    with office.app.app_context():
        assert holds.behind(db.session(), house.store) > 0
        found = examine()
        assert not found["media"][0] and not found["holds"][0] and "no Object Lock" in found["media"][1]
    house.store = locked
    (copy := tmp_path / "copy").write_bytes(content)
    locked.put(sha256(content), copy, "image/jpeg")
    assert on_hold(office, content)
    assert httpx.Client().get(f"{URL}/readyz").json()["holds"] == "ok"


def test_a_round_that_was_killed_is_made_again(office: Indoors, device: Handheld, supervisor: Person) -> None:
    content, finding = a_photo(), device.report(SCOPE)
    photographed(device, content, ("finding", finding))
    killed_round(office)
    assert store_of(office).on_hold(sha256(content)) and rows(office) == {sha256(content): False}
    command(supervisor, finding, "refuse")
    assert not on_hold(office, content), "what was half held is freed"
    command(supervisor, finding, "reopen")
    assert on_hold(office, content)
    command(supervisor, finding, "refuse")
    killed_round(office)
    assert not store_of(office).on_hold(sha256(content)) and rows(office) == {sha256(content): False}
    command(supervisor, finding, "reopen")
    assert on_hold(office, content), "what was half freed is held"


def killed_round(office: Indoors) -> None:
    """A tick that is gone when the store was told and nothing of it noted; then the time until its lease is over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holds, "_note", crash)
        with pytest.raises(KeyboardInterrupt):
            tick(office)
    office.clock.put_on(minutes=11)


def crash(*_: Any) -> None:
    raise KeyboardInterrupt


def test_one_walks_at_a_time(office: Indoors, device: Handheld) -> None:
    content = a_photo()
    photographed(device, content, ("finding", device.report(SCOPE)))
    with office.app.app_context():
        assert holds._claim(store_of(office).place) and holds.settle(store_of(office)) is None
    assert not on_hold(office, content)
    office.clock.put_on(minutes=11)
    assert on_hold(office, content)


def test_other_rules_are_held_against_all_that_stands(office: Indoors, device: Handheld, supervisor: Person,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    content, finding = a_photo(), device.report(SCOPE)
    photographed(device, content, ("finding", finding))
    command(supervisor, finding, "cancel")
    assert not on_hold(office, content)
    stricter = tuple({**row, "free_in": "closed not_filed"} for row in table("holds"))
    monkeypatch.setattr(holds, "table", lambda name: stricter)
    monkeypatch.setattr(rules, "table", lambda name: stricter)
    monkeypatch.setattr(cases, "kinds", rules.kinds.__wrapped__)
    monkeypatch.setattr(rules, "kinds", rules.kinds.__wrapped__)
    assert on_hold(office, content)


def test_a_hold_that_somebody_lifted_is_named(office: Indoors, device: Handheld) -> None:
    content = a_photo()
    photographed(device, content, ("finding", device.report(SCOPE)))
    assert on_hold(office, content)
    store_of(office).release(sha256(content))
    assert problems(office) == {"hold_missing": 1}


def test_a_photo_that_was_lost_and_came_again_is_held_again(office: Indoors, device: Handheld) -> None:
    content = a_photo()
    photographed(device, content, ("finding", device.report(SCOPE)))
    assert on_hold(office, content)
    store_of(office).delete(sha256(content))
    assert device.upload(content).status_code == 204
    assert on_hold(office, content)
    assert problems(office) == {}


def test_a_restored_installation_tells_the_store_anew(office: Indoors, device: Handheld, tmp_path: Path) -> None:
    content = a_photo()
    photographed(device, content, ("finding", device.report(SCOPE)))
    assert on_hold(office, content)
    with office.app.app_context():
        making.back_up(tmp_path / "backup", with_media=False, earlier=None, tell=quiet)
    store_of(office).release(sha256(content))
    media_url = office.app.extensions["menqian"].settings.media_url
    app, _ = restore(tmp_path / "backup", tmp_path / "second", MENQIAN_MEDIA_URL=media_url)
    with app.app_context():
        assert audit()["found"] == {}
        jobs._tick()
        assert store_of(office).on_hold(sha256(content))


def test_a_directory_holds_nothing_and_says_so(tmp_path: Path) -> None:
    with indoors(tmp_path / "data") as office:
        content = a_photo()
        device = office.handheld(SCOPE)
        photographed(device, content, ("finding", device.report(SCOPE)))
        tick(office)
        assert "holds" not in httpx.Client().get(f"{URL}/readyz").json()
        with office.app.app_context():
            assert audit()["holding"] is False and audit()["problems"] == []
            works, said = examine()["holds"]
            assert works and "off" in said
            with writing() as door:
                assert door.session.execute(select(HoldWalk)).first() is None


def test_a_store_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSettings, match="lock is one of"), \
            indoors(tmp_path / "data", MENQIAN_MEDIA_URL="s3://bucket?lock=never"):
        pass
