"""The audit of each night: once, caught up, entered in the journal; and the one that somebody asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import create_engine, select, text

from server import jobs, nightly
from server.audit import audit
from server.config import Settings, UnsafeSettings
from server.db import db, writing
from server.models import AuditRun
from server.pages.words import words
from sync.audit import Audit
from sync.models import JournalEntry
from tests.bureau import a_photo
from tests.server.indoors import URL, Indoors, indoors
from tests.server.tampering import audited, unguarded

SCOPE, ROOT = "320412110", Path(__file__).resolve().parents[2]
BEGINS = datetime(2026, 3, 1, 12, tzinfo=UTC)  # 20:00 in the city
AT = time(2, 30)


class Frozen:
    """A clock that stands until it is put on."""

    def __init__(self) -> None:
        self.now = BEGINS

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as office:
        yield office


@pytest.fixture
def clock(office: Indoors) -> Frozen:
    """The journal begins at 20:00 of the city's first of March."""
    frozen = Frozen()
    office.app.extensions["menqian"].clock = frozen
    begin(office, BEGINS)
    return frozen


def begin(office: Indoors, at: datetime) -> None:
    """Let the journal have begun then; only `at` of its first entry counts here."""
    with office.app.app_context(), db.engine.begin() as connection, unguarded(connection):
        connection.execute(text("UPDATE journal_entry SET at = :at WHERE \"index\" = 0"),
                           {"at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z")})


def due(office: Indoors, at: time | None = AT) -> str | None:
    with office.app.app_context():
        found = nightly.night_due(db.session(), office.app.extensions["menqian"].clock(), at)
        db.session.rollback()
        return found


def tick(office: Indoors) -> None:
    with office.app.app_context():
        jobs._tick()


def runs(office: Indoors) -> list[AuditRun]:
    with office.app.app_context():
        return nightly.runs(db.session(), 100)


def entries(office: Indoors) -> list[JournalEntry]:
    with office.app.app_context():
        return list(db.session.execute(select(JournalEntry).where(JournalEntry.kind == "audit")
                                       .order_by(JournalEntry.index)).scalars())


def test_a_night_is_due_when_its_hour_has_passed_in_the_city(office: Indoors, clock: Frozen) -> None:
    assert due(office) is None, "not before anything was installed"
    clock.now = datetime(2026, 3, 1, 18, 29, tzinfo=UTC)
    assert due(office) is None
    clock.now += timedelta(minutes=1)
    assert due(office) == "2026-03-02"
    assert due(office, None) is None
    clock.now += timedelta(days=9, hours=23)
    assert due(office) == "2026-03-11", "the server was down: the newest night is caught up, not all of them"


def test_a_night_is_audited_once_however_often_the_worker_comes_round(office: Indoors, clock: Frozen) -> None:
    for hours in (1, 10, 12, 24, 1):
        clock.now += timedelta(hours=hours)
        tick(office)
        tick(office)
    assert [run.night for run in runs(office)] == ["2026-03-03", "2026-03-02"]
    run = runs(office)[-1]
    assert (run.state, run.asked_by, run.found["entry_altered"]) == ("ended", "nightly", 1)
    first, second = entries(office)
    assert (first.about, first.actor, first.body["night"]) == (run.id, "nightly", "2026-03-02")
    assert first.body["checked"] == run.checked and first.body["found"] == run.found and first.body["ok"] is False
    assert second.body["checked"]["audits"] == 1
    assert "problems" not in first.body


def test_two_workers_do_not_take_the_same_night_and_a_lost_run_is_taken_again(office: Indoors, clock: Frozen) -> None:
    clock.now += timedelta(hours=10)

    def take() -> str | None:
        with office.app.app_context(), writing() as door:
            return nightly.take(door, AT)

    def wanted() -> bool:
        with office.app.app_context():
            return nightly.wanted(db.session(), clock.now, AT)

    run = take()
    assert run and take() is None and not wanted()
    clock.now += timedelta(minutes=6)
    assert wanted() and take() == run
    with office.app.app_context():
        nightly.perform(run)
        nightly._conclude(run, "failed", {"ok": False, "checked": {}, "found": {}, "problems": []})
    assert [each.state for each in runs(office)] == ["ended"] and len(entries(office)) == 1


def test_a_run_tells_how_far_it_has_come(office: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "BEAT_SECONDS", 0.01)
    seen = []

    def slow(found: Audit) -> dict[str, Any]:
        found.checked["photos"] += 7
        for _ in range(500):
            seen.append(runs(office)[0].checked)
            if seen[-1]:
                break
        return audit(found)

    monkeypatch.setattr(nightly, "audit", slow)
    with office.app.app_context():
        assert nightly.record("console")["ok"]
    assert seen[-1] == {"photos": 7}


def test_a_run_that_fails_says_so(office: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "audit", lambda found: 1 / 0)
    with office.app.app_context(), pytest.raises(ZeroDivisionError):
        nightly.record("console")
    run, = runs(office)
    assert run.state == "failed" and nightly.problems_of(run) == 1
    assert entries(office)[0].body["state"] == "failed"
    assert audited(office)["ok"], "the failed run is in the journal as it is in its row"


@pytest.mark.parametrize(("statement", "code"), [
    ("UPDATE audit_run SET checked = '{}'", "audit_altered"), ("DELETE FROM audit_run", "audit_missing"),
    ("UPDATE audit_run SET id = 'x'", "audit_unknown")])
def test_a_result_that_was_altered_is_found_by_the_next(office: Indoors, tampered: Any, statement: str,
                                                        code: str) -> None:
    with office.app.app_context():
        nightly.record("console")
    assert audited(office)["ok"]
    assert code in tampered(statement)["found"]


def test_all_that_audits_say_has_words() -> None:
    codes, counts = set[str](), set[str]()
    for path in (path for root in ("sync", "media", "server") for path in (ROOT / root).rglob("*.py")):
        codes |= set(re.findall(r"\.wrong\(\s*\"([a-z_]+)\"", path.read_text()))
        counts |= set(re.findall(r"(?:\.checked\[|\baudit\.note\(\s*)\"([a-z_]+)\"", path.read_text()))
    codes |= {"journal_shrunk", "journal_forked"}  # told by sync/witnesses.py
    codes |= {"near_one_sided", "reuse_one_sided"}  # and by media/reuse_audit.py
    assert codes == {code for kind, code in words() if kind == "audit"}
    assert counts == {code for kind, code in words() if kind == "checked"}


@pytest.mark.parametrize(("name", "wrong"), [("VERIFY_AT", "25:00"), ("VERIFY_AT", "night"),
                                             ("VERIFY_READ_PERCENT", "101"), ("VERIFY_READ_PERCENT", "-1")])
def test_a_setting_that_says_nothing_is_refused(tmp_path: Path, name: str, wrong: str) -> None:
    with pytest.raises(UnsafeSettings, match=name):
        Settings.from_environment({"MENQIAN_DATA": str(tmp_path), f"MENQIAN_{name}": wrong})
    settings = Settings.from_environment({"MENQIAN_DATA": str(tmp_path), "MENQIAN_VERIFY_AT": "off",
                                          "MENQIAN_VERIFY_READ_PERCENT": "0.1"})
    assert settings.verify_at is None and settings.verify_read_percent == 0.1


@pytest.mark.parametrize(("percent", "read"), [(0, 0), (100, 1)])
def test_as_many_older_photos_are_read_again_as_the_setting_says(office: Indoors, percent: float, read: int) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    device.deliver(device.capture(SCOPE, content, ("finding", device.report(SCOPE))))
    assert device.upload(content).status_code == 204
    state = office.app.extensions["menqian"]
    state.settings = replace(state.settings, verify_read_percent=percent)
    office.clock.put_on(days=8)
    checked = audited(office)["checked"]
    assert checked["photos"] == 1 and checked.get("photos_read", 0) == read


def test_metrics_tell_how_many_faults_stand(office: Indoors) -> None:
    def gauge(name: str) -> float:
        return float(re.findall(rf"^{name} (\S+)$", httpx.Client(base_url=URL).get("/metrics").text, re.MULTILINE)[0])

    assert gauge("menqian_audit_problems") == gauge("menqian_audit_ended_seconds") == 0
    office.handheld(SCOPE).report(SCOPE)
    with create_engine(office.app.extensions["menqian"].settings.database_url).begin() as connection:
        connection.execute(text("UPDATE record SET status = 'closed'"))
    with office.app.app_context():
        nightly.record("console")
    assert gauge("menqian_audit_problems") == 1
    assert abs(gauge("menqian_audit_ended_seconds") - office.clock().timestamp()) < 60
    assert httpx.Client(base_url=URL).get("/readyz").status_code == 200


def test_verify_writes_nothing_unless_it_shall_record(office: Indoors) -> None:
    before = orjson.dumps(audited(office)["checked"]["journal_entries"])
    assert orjson.dumps(audited(office)["checked"]["journal_entries"]) == before and runs(office) == []
    with office.app.app_context():
        nightly.record("console")
    assert [(run.asked_by, run.night) for run in runs(office)] == [("console", None)]
