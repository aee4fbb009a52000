"""Whoever owns the machine changes what he likes; `menqian verify` names it: on both engines, in both stores."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from media.stores import open_store
from media.stores.contract import key_of
from sync.append_only import GUARDED
from tests.bureau import PASSWORD, Bureau, a_photo, eventually
from tests.conftest import Engine, installed
from tests.enrolled import Handheld
from tests.running import ROOT, Server
from tests.server.tampering import unguarded
from tests.wire import Person, granted, moment, sha256

SCOPE = "320412130"


@pytest.fixture(scope="module")
def own(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An installation that these tests may spoil."""
    server = installed(tmp_path_factory.mktemp(f"tampered-{engine.name}"), engine.another())
    yield server.start()
    server.kill()


@pytest.fixture(scope="module")
def device(own: Server) -> Handheld:
    return Bureau(own.url, Person(own.url, "root", PASSWORD)).handheld(SCOPE)


def database_url(server: Server) -> str:
    return server.environment.get("MENQIAN_DATABASE_URL") or f"sqlite:///{server.environment['MENQIAN_DATA']}/menqian.db"


def verified(server: Server) -> list[tuple[str, str]]:
    """(code, about) of every problem; the exit code agrees."""
    done = server.cli("verify", check=False)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1)
    return [(problem["code"], problem["about"]) for problem in found["problems"]]


def photographed(device: Handheld) -> tuple[bytes, str]:
    content = a_photo()
    capture = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(capture)
    assert device.upload(content).status_code == 204
    assert eventually(lambda: device.owner.record("evidence", capture["record_id"])["fields"]["media"]["state"]
                      == "verified", within_s=40)
    return content, sha256(content)


class Bytes:
    """The store's objects as its administrator reaches them."""

    def __init__(self, server: Server) -> None:
        self.store: Any = open_store(server.environment.get("MENQIAN_MEDIA_URL")
                                     or (Path(server.environment["MENQIAN_DATA"]) / "media").as_uri())

    def put(self, digest: str, content: bytes) -> None:
        if hasattr(self.store, "root"):
            path = self.store.root / key_of(digest)
            path.unlink(missing_ok=True)
            path.write_bytes(content)
        else:
            client: boto3.client = self.store._client
            client.put_object(Bucket=self.store.bucket, Key=self.store.prefix + key_of(digest), Body=content,
                              ChecksumAlgorithm="SHA256")


def test_an_edited_row_is_refused_and_found_when_the_triggers_were_away(own: Server, device: Handheld) -> None:
    finding = device.report(SCOPE)
    assert verified(own) == []
    engine = create_engine(database_url(own))
    edits = (("record", "fields", "id", "record_altered"), ("journal_entry", "actor", "about", "entry_altered"))
    for table, column, key, code in edits:
        where = f"WHERE {key} = :finding"
        with engine.begin() as connection, unguarded(connection):
            sound, = connection.execute(text(f"SELECT {column} FROM {table} {where}"), {"finding": finding}).one()
            connection.execute(text(f"UPDATE {table} SET {column} = :forged {where}"),
                               {"finding": finding, "forged": sound.replace("0", "1") + " "})
        index = str(_index(engine, finding))
        assert (code, finding if table == "record" else index) in verified(own)
        with engine.begin() as connection, unguarded(connection):
            connection.execute(text(f"UPDATE {table} SET {column} = :sound {where}"),
                               {"finding": finding, "sound": sound})
    engine.dispose()
    assert verified(own) == []


def _index(engine: Any, finding: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text('SELECT "index" FROM journal_entry WHERE about = :finding'),
                                      {"finding": finding}).scalar_one())


def test_a_swapped_and_a_deleted_photo_are_named(own: Server, device: Handheld) -> None:
    photos = Bytes(own)
    content, digest = photographed(device)
    for other in (a_photo(), content[:-1] + bytes([content[-1] ^ 1])):
        photos.put(digest, other)
        assert verified(own) == [("photo_wrong", digest)]
    photos.store.delete(digest)
    assert verified(own) == [("photo_missing", digest)]
    photos.put(digest, content)
    assert verified(own) == []


def test_rows_of_copies_devices_notes_and_checkpoints_are_named(own: Server, device: Handheld) -> None:
    bureau = Bureau(own.url, Person(own.url, "root", PASSWORD))
    lost, supervisor = bureau.handheld(SCOPE), bureau.person("supervisor", scopes=("3204",))
    (_, mine), (_, other) = photographed(device), photographed(device)
    finding = device.report(SCOPE)
    granted(supervisor.command("finding", finding, "move", {"scope": "320411102", "reason": "划错"}))
    granted(supervisor.post(f"/devices/{lost.id}/revoke", {"reason": "丢失"}))
    assert verified(own) == []
    engine = create_engine(database_url(own))
    with engine.connect() as connection:
        size = connection.execute(text("SELECT max(size) FROM checkpoint")).scalar_one()
        copy = connection.execute(text("SELECT sha256, bytes FROM rendition WHERE parent = :other AND kind = 'screen'"),
                                  {"other": other}).one()
    of_mine = f"parent = '{mine}' AND kind = 'screen'"
    edits = [("rendition", "sha256", of_mine, copy.sha256), ("rendition", "bytes", of_mine, copy.bytes),
             ("photo", "media_type", f"sha256 = '{other}'", "text/html"),
             ("device", "state", f"id = '{lost.id}'", "active"),
             ("history", "note", f"record_id = '{finding}' AND version = 2", None),
             ("checkpoint", "at", f"size = {size}", "2020-01-01T00:00:00.000Z")]
    sound = _edited(engine, edits)
    assert sorted(verified(own)) == sorted([
        ("rendition_altered", mine), ("check_altered", other), ("device_altered", lost.id),
        ("history_altered", finding), ("checkpoint_time", str(size))])
    _edited(engine, sound)
    engine.dispose()
    assert verified(own) == []


def _edited(engine: Any, edits: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Set (table, column, where, value), one row each; gives the edits that undo it."""
    with engine.begin() as connection, unguarded(connection):
        before = [(table, column, where, connection.execute(text(
            f"SELECT {column} FROM {table} WHERE {where}")).scalar_one()) for table, column, where, _ in edits]
        for table, column, where, value in edits:
            connection.execute(text(f"UPDATE {table} SET {column} = :value WHERE {where}"), {"value": value})
    return before


def test_an_audit_runs_beside_the_worker_and_is_entered(own: Server, device: Handheld) -> None:
    photographed(device)
    engine, run = create_engine(database_url(own)), str(uuid.uuid4())
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO audit_run (id, asked_by, asked_at, state) VALUES (:id, 'x', :at, "
                                "'waiting')"), {"id": run, "at": moment()})

    def ended() -> bool:
        with engine.connect() as connection:
            return connection.execute(text("SELECT state FROM audit_run WHERE id = :id"), {"id": run}
                                      ).scalar() == "ended"

    assert eventually(ended, within_s=40)
    assert json.loads(own.cli("verify", "--record").stdout)["checked"]["audits"] == 1
    with engine.connect() as connection:
        told = connection.execute(text("SELECT about, actor FROM journal_entry WHERE kind = 'audit' "
                                       "ORDER BY \"index\"")).all()
    engine.dispose()
    assert told[0] == (run, "x") and told[1][1] == "console"
    assert verified(own) == []


def test_an_old_copy_of_the_database_is_named(own: Server, device: Handheld, engine: Engine, tmp_path: Path) -> None:
    device.report(SCOPE)
    own.stop()
    there = _copied(own, tmp_path)
    own.start()
    before = len(list(_kept(own)))
    device.report(SCOPE)
    newest = Path(own.environment["MENQIAN_DATA"]) / "checkpoint.json"
    assert before and eventually(lambda: size_in(newest) == _size(own), within_s=20)
    expected = f"the journal has shrunk from {size_in(newest)} to "
    own.stop()
    _put_back(own, there)
    found = json.loads(own.cli("verify", check=False).stdout)
    assert found["found"] == {"journal_shrunk": 1}, found
    assert expected in found["problems"][0]["detail"] and found["problems"][0]["about"] == "checkpoint.json"
    own.start()
    assert eventually(lambda: '"event": "journal_shrunk"' in own.log.read_text(), within_s=20)


def size_in(file: Path) -> int:
    return int(json.loads(file.read_text())["note"].splitlines()[1]) if file.exists() else 0


def _size(server: Server) -> int:
    engine = create_engine(database_url(server))
    with engine.connect() as connection:
        size = connection.execute(text("SELECT journal_size FROM clock")).scalar_one()
    engine.dispose()
    return int(size)


def _kept(server: Server) -> Iterator[str]:
    return iter(Bytes(server).store.kept("checkpoints"))


def _copied(server: Server, folder: Path) -> str:
    """Where a copy of the stopped server's database lies now."""
    url = make_url(database_url(server))
    if url.get_backend_name() == "sqlite":
        shutil.copyfile(str(url.database), folder / "old.db")
        return str(folder / "old.db")
    _admin(url, f"CREATE DATABASE {url.database}_old TEMPLATE {url.database}")
    return f"{url.database}_old"


def _put_back(server: Server, copy: str) -> None:
    url = make_url(database_url(server))
    if url.get_backend_name() == "sqlite":
        for left in ("", "-wal", "-shm"):
            Path(f"{url.database}{left}").unlink(missing_ok=True)
        shutil.copyfile(copy, str(url.database))
        return
    _admin(url, f"DROP DATABASE {url.database}")
    _admin(url, f"CREATE DATABASE {url.database} TEMPLATE {copy}")


def _admin(url: Any, statement: str) -> None:
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.mark.parametrize("engine", ["grown"], indirect=True)
def test_the_documented_role_serves_and_may_not_touch_the_journal(own: Server, engine: Engine, tmp_path: Path) -> None:
    owner = make_url(database_url(own)).set(database=make_url(engine.another().database_url).database)
    server = Server(tmp_path / "role", database_url=owner.render_as_string(hide_password=False),
                    media_url=engine.media_url)
    server.cli("init")
    server.cli("user", "add", "root", "--name", "管理员", "--role", "admin", "--password-stdin", stdin=PASSWORD + "\n")
    grants, = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/operating.md").read_text(), re.DOTALL)
    with create_engine(owner).begin() as connection:
        connection.execute(text(grants))
    app = owner.set(username="menqian_app")
    server.environment["MENQIAN_DATABASE_URL"] = app.render_as_string(hide_password=False)
    server.start()
    try:
        Bureau(server.url, Person(server.url, "root", PASSWORD)).handheld(SCOPE).report(SCOPE)
        server.cli("compact", "--older-than", "1d")
        with create_engine(app).begin() as connection:
            connection.execute(text("DELETE FROM checkpoint WHERE size < 0"))
        assert verified(server) == []
    finally:
        server.kill()
    for statement in ("UPDATE journal_entry SET actor = 'x'", "DELETE FROM journal_node", "TRUNCATE checkpoint",
                      "ALTER TABLE journal_entry DISABLE TRIGGER ALL", "DROP FUNCTION refuse_change"):
        with pytest.raises(ProgrammingError), create_engine(app).begin() as connection:
            connection.execute(text(statement))


def test_the_doctor_says_that_the_triggers_stand(own: Server) -> None:
    assert f"ok   triggers: UPDATE, DELETE refused on {', '.join(GUARDED)}" in own.cli("doctor", check=False).stdout
