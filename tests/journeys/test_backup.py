"""Backup, disaster, restore: what devices delivered after the backup comes again, once, and old cursors are told."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from media.stores import open_store
from media.stores.contract import key_of
from sync.device.device import Device
from tests.bureau import PASSWORD, Bureau, a_photo, eventually
from tests.conftest import Engine, installed
from tests.enrolled import Handheld
from tests.running import Server, free_port
from tests.wire import Person, a_finding, refused, sha256

SCOPE = "320412130"


@pytest.fixture
def own(engine: Engine, tmp_path: Path) -> Iterator[Server]:
    """An installation that this test may lose."""
    server = installed(tmp_path / "first", engine.another())
    server.start()
    yield server
    server.kill()


def enrolled(server: Server, bureau: Bureau, inspector: Person, directory: Path) -> Device:
    return Device.enrol(server.url, bureau.invite(inspector.username), directory.name, directory)


def quiet(*devices: Device) -> None:
    """Sync everybody until nobody has news."""
    for _ in range(4):
        for device in devices:
            device.sync()


def wiped_and_restored(server: Server, backup: Path, engine: Engine, *, media_url: str | None) -> Server:
    """kill -9, everything gone but the backup (and an S3 bucket), restored in another place at the same address."""
    server.kill()
    shutil.rmtree(server.directory)
    fresh = Server(server.directory, database_url=engine.another().database_url, media_url=media_url)
    fresh.port, fresh.url = server.port, server.url
    fresh.cli("restore", str(backup))
    return fresh.start()


def media_state(device: Device, evidence: str) -> str:
    device.sync()
    record = device.get("evidence", evidence)
    return str(((record.fields if record else {}).get("media") or {}).get("state"))


@pytest.mark.slow
def test_all_that_was_delivered_is_there_once_after_a_restore(own: Server, engine: Engine, tmp_path: Path) -> None:
    bureau = Bureau(own.url, Person(own.url, "root", PASSWORD))
    inspector = bureau.person("inspector", scopes=(SCOPE,))
    one, two = (enrolled(own, bureau, inspector, tmp_path / name) for name in ("one", "two"))
    before = one.create("finding", a_finding(), SCOPE)
    early = one.capture(a_photo(), about=("finding", before), role="scene")
    quiet(one, two)
    assert eventually(lambda: media_state(one, early) == "verified", within_s=40)

    backup = tmp_path / "backup"
    made = json.loads(own.cli("backup", str(backup)).stdout)
    assert made["media"] == ("included" if engine.media_url is None else "listed")

    one.edit("finding", before, {"text": "备份之后"})
    after = one.create("finding", a_finding(text="备份后发现"), SCOPE)
    late = one.capture(content := a_photo(), about=("finding", after), role="scene")
    quiet(one, two)
    two.edit("finding", after, {"condition": "属实"})
    quiet(two, one)
    assert eventually(lambda: media_state(one, late) == "verified", within_s=40)
    third = enrolled(own, bureau, inspector, tmp_path / "three")  # unknown to the backup
    newest = third.create("finding", a_finding(text="新设备"), SCOPE)
    third.sync()

    with_bytes = own.environment.get("MENQIAN_MEDIA_URL")
    server = wiped_and_restored(own, backup, engine, media_url=with_bytes)
    try:
        refused(Person(server.url, inspector.username, PASSWORD).get(f"/records/finding/{after}"), 404)
        quiet(two, one)
        third.enrol_anew(Bureau(server.url, Person(server.url, "root", PASSWORD)).invite(inspector.username))
        quiet(third, two, one)
        for device in (one, two, third):
            assert device.unsent() == [] and device.quarantined() == [] and device.verify() == []
            assert device.records("conflict") == []
            assert {record.id for record in device.records("finding")} == {before, after, newest}
            assert device.get("finding", before).fields["text"] == "备份之后"
            assert device.get("finding", after).fields["condition"] == "属实"
            assert [event["kind"] for event in device.events()].count("server_restored") == 1
        assert eventually(lambda: media_state(one, late) == "verified", within_s=40)
        office = Person(server.url, inspector.username, PASSWORD)
        assert office.get(f"/media/{sha256(content)}?reason=复核").content == content
        assert server.cli("verify", check=False).returncode == 0
    finally:
        server.kill()


@contextmanager
def pushing(device: Handheld) -> Iterator[list[str]]:
    """The device reports findings without a pause while the context lasts; their ids."""
    over, reported = threading.Event(), list[str]()

    def push() -> None:
        while not over.is_set():
            reported.append(device.report(SCOPE))

    thread = threading.Thread(target=push)
    thread.start()
    try:
        yield reported
    finally:
        over.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["grown"], indirect=True)
def test_a_backup_moves_from_either_engine_to_the_other(own: Server, engine: Engine, tmp_path: Path) -> None:
    device, _ = with_a_photo(own)
    with pushing(device) as during:
        own.cli("backup", "--with-media", str(tmp_path / "grown"))
    assert during
    own.kill()
    small = Server(tmp_path / "small")
    small.cli("restore", str(tmp_path / "grown"))
    assert small.cli("verify", check=False).returncode == 0
    small.cli("backup", str(tmp_path / "embedded"))
    elsewhere = engine.another()
    again = Server(tmp_path / "again", database_url=elsewhere.database_url, media_url=elsewhere.media_url)
    again.cli("restore", str(tmp_path / "embedded"))
    assert json.loads(again.cli("verify").stdout)["checked"]["photos"] == 1


@pytest.fixture
def photographed(own: Server) -> str:
    """The digest of a photo that the installation has checked."""
    return with_a_photo(own)[1]


def with_a_photo(own: Server) -> tuple[Handheld, str]:
    """A device, and the digest of a photo of it that the installation has checked."""
    device = Bureau(own.url, Person(own.url, "root", PASSWORD)).handheld(SCOPE)
    content = a_photo()
    evidence = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(evidence)
    assert device.upload(content).status_code == 204
    assert eventually(lambda: device.owner.record("evidence", evidence["record_id"])["fields"]["media"]["state"]
                      == "verified", within_s=40)
    return device, sha256(content)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["grown"], indirect=True)
def test_photos_that_a_bucket_does_not_have_are_named(own: Server, photographed: str, tmp_path: Path) -> None:
    url = own.environment["MENQIAN_MEDIA_URL"]
    assert json.loads(own.cli("backup", str(tmp_path / "whole")).stdout)["photos_missing"] == []
    open_store(url).delete(photographed)
    done = own.cli("backup", str(tmp_path / "lacking"), check=False)
    assert (done.returncode, json.loads(done.stdout)["photos_missing"]) == (1, [photographed])
    assert "but for 1 photos and 0 renditions" in done.stderr
    own.environment["MENQIAN_MEDIA_URL"] = re.sub(r"127.0.0.1%3A\d+", f"127.0.0.1%3A{free_port()}", url)
    done = own.cli("backup", str(tmp_path / "unreachable"), check=False)
    assert done.returncode == 1 and done.stderr.startswith("media: the media store cannot") and done.stdout == ""
    assert not (tmp_path / "unreachable").exists()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["grown"], indirect=True)
@pytest.mark.parametrize("stage", ["tables.load", "tables._advance_numbers", "restoring._mend"])
def test_a_restore_killed_on_real_engines_is_begun_again(own: Server, photographed: str, engine: Engine,
                                                         tmp_path: Path, stage: str) -> None:
    own.cli("backup", "--with-media", str(tmp_path / "backup"))
    place = engine.another()
    store = open_store(str(place.media_url))
    store.check()
    store._client.put_object(Bucket=store.bucket, Key=key_of(photographed), Body=b"other bytes")
    again = Server(tmp_path / "again", database_url=place.database_url, media_url=place.media_url)
    again.cli_killed(f"server.backup.{stage}", "restore", str(tmp_path / "backup"))
    done = again.cli("init", check=False)
    assert done.returncode == 1 and "run menqian restore again" in done.stderr
    again.cli("restore", str(tmp_path / "backup"))
    found = json.loads(again.cli("verify").stdout)
    assert found["ok"] and found["checked"]["photos"] == 1
