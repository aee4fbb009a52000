"""Checkpoints outside of the database find an older copy that was put back in its place; a restore is none."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from server import jobs, witness
from server.audit import audit
from server.db import db
from tests.server.backups import back_up, restore
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited, codes

SCOPE = "320412110"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as office:
        office.handheld(SCOPE).report(SCOPE)
        yield office


def tick(app: Flask) -> None:
    with app.app_context():
        jobs._tick()


def kept(app: Flask) -> list[Any]:
    with app.app_context():
        return list(witness.kept())


def work(office: Indoors, **time: float) -> None:
    """Somebody reports something, a while later."""
    office.clock.put_on(**time)
    office.handheld(SCOPE).report(SCOPE)
    office.clock.put_on(seconds=10)
    tick(office.app)


def copy(office: Indoors, target: Path) -> None:
    source = sqlite3.connect(office.app.extensions["menqian"].settings.database_file)
    with source, sqlite3.connect(target) as aside:
        source.backup(aside)
    source.close()


def put_back(office: Indoors, old: Path) -> None:
    """What an administrator does who knows no better: yesterday's file over today's."""
    with office.app.app_context():
        db.engine.dispose()
    file = office.app.extensions["menqian"].settings.database_file
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    shutil.copyfile(old, file)


def named(found: dict[str, Any], code: str) -> dict[str, str]:
    return {problem["about"]: problem["detail"] for problem in found["problems"] if problem["code"] == code}


def test_the_newest_checkpoint_is_kept_here_and_one_an_hour_in_the_store(office: Indoors) -> None:
    work(office)
    first, in_store = kept(office.app)
    assert (first.where, in_store.where.split("/")[0]) == ("checkpoint.json", "checkpoints")
    assert first[:3] == in_store[:3]
    work(office)
    newest, *stored = kept(office.app)
    assert newest.size > first.size and stored == [in_store]
    work(office, minutes=61)
    assert [each.size for each in kept(office.app)[1:]] == [in_store.size, kept(office.app)[0].size]
    found = audited(office)
    assert found["ok"] and found["checked"]["kept_checkpoints"] == 3


def test_an_older_database_put_back_is_named_at_once_and_when_it_has_gone_on(office: Indoors, tmp_path: Path) -> None:
    work(office)
    copy(office, tmp_path / "old.db")
    work(office, hours=2)
    newest = kept(office.app)[0]
    put_back(office, tmp_path / "old.db")
    with office.app.app_context():
        code, words = witness.keep() or ("", "")
    assert code == "journal_shrunk" and f"shrunk from {newest.size} to " in words
    found = audited(office)
    assert codes(found) == {"journal_shrunk"}
    assert set(named(found, "journal_shrunk")) == {"checkpoint.json", kept(office.app)[-1].where}
    assert "the database was restored from an older copy" in named(found, "journal_shrunk")["checkpoint.json"]
    for _ in range(3):
        work(office)
    assert kept(office.app)[0] == newest, "what speaks against the database is not overwritten"
    found = audited(office)
    assert codes(found) == {"journal_forked"}
    assert f"the first {newest.size} entries" in named(found, "journal_forked")["checkpoint.json"]


def test_a_restore_is_no_older_copy_not_even_the_second_from_an_older_backup(office: Indoors, tmp_path: Path) -> None:
    work(office)
    back_up(office, tmp_path / "older")
    work(office, hours=2)
    back_up(office, tmp_path / "backup")
    work(office, hours=2)
    store = office.app.extensions["menqian"].settings.media_url
    second, _ = restore(tmp_path / "backup", tmp_path / "second", MENQIAN_MEDIA_URL=store)
    tick(second)
    third, told = restore(tmp_path / "older", tmp_path / "third", MENQIAN_MEDIA_URL=store)
    tick(third)
    assert {each.epoch for each in kept(third)} > {told["epoch"], told["from_epoch"]}
    for app in (second, third):
        shutil.copyfile(tmp_path / "data" / "checkpoint.json", app.extensions["menqian"].settings.data / witness.FILE)
    with third.app_context():
        assert witness.keep() is None, "another machine's file, from before the restore"
        assert audit()["problems"] == []
    with second.app_context():
        assert [problem["code"] for problem in audit()["problems"]] == ["journal_shrunk"], "the third has begun since"


def test_what_was_not_signed_here_accuses_nobody_and_a_damaged_file_stops_nothing(office: Indoors) -> None:
    work(office)
    state = office.app.extensions["menqian"]
    epoch = kept(office.app)[0].epoch
    folder = kept(office.app)[1].where.split(f"/{epoch}/")[0]
    forged = f"{folder}/{epoch}/{10**6:019d}-{'0' * 64}"
    state.store.keep(forged, b"menqian.local/journal\n1000000\nAAAA\n")
    state.store.keep(forged.replace(folder, "checkpoints/00000000"), b"of another installation in the same store")
    found = audited(office)
    assert codes(found) == {"witness_unsigned"} and set(named(found, "witness_unsigned")) == {forged}
    (state.settings.data / witness.FILE).write_text("{")
    work(office)
    assert kept(office.app)[0].where == witness.FILE


def test_a_store_that_is_away_keeps_nobody_from_keeping_here(office: Indoors) -> None:
    root = Path(office.app.extensions["menqian"].store.root)
    (root / "checkpoints").write_text("in the way")
    work(office)
    assert [each.where for each in kept(office.app)] == [witness.FILE]
