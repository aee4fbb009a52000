"""Compaction of a whole installation: devices that were away come back whole, and the audit holds."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from server import compaction, jobs
from server.audit import audit
from server.db import db
from server.models import Login
from sync.device.device import Device
from sync.models import Checkpoint, Clock, JournalEntry
from tests.bureau import PASSWORD, a_photo
from tests.server.indoors import URL, Indoors, indoors
from tests.wire import Person, Wire, a_finding, granted, refused

SCOPE, BESIDE = "320412110", "320412130"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as office:
        yield office


def a_year_later(office: Indoors) -> None:
    """Time passes, and whoever works here logs in again."""
    office.clock.put_on(days=400)
    office.admin, office.known = Person(URL, "root", PASSWORD), {}


def compact(office: Indoors) -> dict[str, int]:
    with office.app.app_context():
        return compaction.compact(office.clock() - timedelta(days=365))


def count(office: Indoors, query: Any) -> int:
    with office.app.app_context():
        return int(db.session.execute(query).scalar_one())


def test_a_device_that_was_away_for_longer_comes_back_whole_with_its_outbox(office: Indoors, tmp_path: Path) -> None:
    transport = httpx.WSGITransport(office.app)
    inspector = office.newcomer("inspector", scopes=(SCOPE,))
    device = Device.enrol(URL, office.invite(inspector.username), "测试机", tmp_path / "device", transport=transport)
    left, deleted, stays = (device.create("finding", a_finding(), SCOPE) for _ in range(3))
    device.sync()
    supervisor = office.person("supervisor", scopes=(SCOPE, BESIDE))
    granted(supervisor.post(f"/records/finding/{left}/commands", {
        "name": "move", "args": {"scope": BESIDE, "reason": "划界"}}))
    other = office.handheld(SCOPE)
    other.deliver(other.remove("finding", deleted, 1))
    device.edit("finding", deleted, {"text": "离线一年"})
    device.edit("finding", stays, {"text": "离线一年"})
    a_year_later(office)
    assert compact(office)["departures"] == 1
    device.client.patience = type(device.client.patience)(tries=2, wait=lambda seconds: None)
    device.sync()
    device.sync()
    assert {record.id for record in device.records("finding")} == {stays}
    assert device.get("finding", stays).fields["text"] == "离线一年"
    assert device.unsent() == [] and device.quarantined() == [] and device.verify() == []
    assert len(device.records("conflict")) == 1, "the edit of what was deleted is kept and told"


def test_the_audit_holds_after_a_compaction_and_a_second_one_changes_nothing(office: Indoors) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    seen = []
    for _ in range(4):
        device.report(SCOPE)
        office.clock.put_on(seconds=60)
        seen.append(base64.b64decode(device.hello()["checkpoint"].splitlines()[2]).hex())
    mutation = device.capture(SCOPE, content, ("finding", device.report(SCOPE)), beacon=seen[1])
    device.deliver(mutation)
    device.upload(content)
    before = count(office, select(func.count()).select_from(Checkpoint))
    a_year_later(office)
    device.hello()
    gone = compact(office)
    assert 0 < gone["checkpoints"] < before
    left = [count(office, select(func.count()).where(Checkpoint.root == root)) for root in seen[:3]]
    assert left == [0, 1, 0], "the beacon of a capture stays"
    seq = count(office, select(Clock.journal_size))
    again = compact(office)
    assert {name: number for name, number in again.items() if number} == {}
    assert count(office, select(Clock.journal_size)) == seq
    assert count(office, select(func.count()).where(JournalEntry.kind == "compacted")) == 1
    with office.app.app_context():
        assert audit()["problems"] == []


def test_ended_logins_go_and_invitations_stay_to_be_told_from_unknown_codes(office: Indoors) -> None:
    inspector = office.newcomer("inspector")
    code = office.invite(inspector.username)
    office.clock.put_on(days=400)
    office.admin = Person(URL, "root", PASSWORD)
    compact(office)
    assert count(office, select(func.count()).select_from(Login)) == 1
    refused(Wire(URL).post("/devices", {"code": code, "name": "a", "platform": "p", "app_version": "1"}), 410)
    granted(office.admin.get("/users"))


@pytest.mark.parametrize(("days", "compacts"), [(0, False), (365, True)], ids=["off", "on"])
def test_the_worker_compacts_only_where_the_settings_say_so(tmp_path: Path, days: int, compacts: bool) -> None:
    with indoors(tmp_path / "data") as office:
        office.invite(office.newcomer("inspector").username)
        a_year_later(office)
        office.invite(office.newcomer("inspector").username)
        house = office.app.extensions["menqian"]
        house.settings = replace(house.settings, compact_days=days)
        before = count(office, select(func.count()).select_from(Login))
        with office.app.app_context():
            jobs._compact()
        assert (count(office, select(func.count()).select_from(Login)) < before) == compacts
