"""A backup is one moment of a running installation; restored, it goes on in a new epoch, and refuses what is unsafe."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.audit import audit
from server.backup import making, manifest, photos, place, tables
from server.backup.manifest import BackupInvalid
from server.backup.place import RestoreRefused
from tests.bureau import a_photo
from tests.enrolled import Handheld
from tests.running import Server
from tests.server.backups import (
    SCOPE,
    back_up,
    elsewhere,
    environment,
    media,
    photographed,
    quiet,
    restore,
    restored,
)
from tests.server.indoors import Indoors, indoors
from tests.wire import a_finding, granted, refused, sha256

GOES_ON = {"clock", "journal_entry", "journal_node", "checkpoint"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as office:
        yield office


def rows_of(directory: Path) -> dict[str, list[Any]]:
    return {path.name: list(tables.read_lines(path)[1]) for path in (directory / tables.FOLDER).iterdir()
            if path.name.removesuffix(".jsonl.gz") not in GOES_ON}


def test_what_was_backed_up_comes_back_row_by_row(office: Indoors, tmp_path: Path) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    photographed(device, content)
    device.deliver(device.edit("finding", device.report(SCOPE), 1, set={"text": "离线改"}, remove={"tags": ["夜间"]}))
    device.catch_up()
    first = back_up(office, tmp_path / "first")
    with restored(tmp_path / "first", tmp_path / "second") as app:
        with app.app_context():
            assert audit()["problems"] == []
            again = making.back_up(tmp_path / "again", with_media=False, earlier=None, tell=quiet)
        assert rows_of(tmp_path / "first") == rows_of(tmp_path / "again")
        assert (first.photos, first.missing) == (again.photos, []) and first.photos["originals"] == 1
        assert first.epoch != again.epoch
        moved = elsewhere(device, app)
        assert moved.get(f"/media/{sha256(content)}").content == content
        hello = moved.hello()
        assert (hello["epoch"], hello["device"]["last_n"]) == (again.epoch, 4)
        refused(moved.pull(device.cursor), 409, "log_forked", action="resnapshot")
        assert moved.deliver(moved.create("finding", SCOPE, a_finding()))[0]["outcome"] == "applied"


def test_the_journal_goes_on_and_tells_of_the_restore(office: Indoors, tmp_path: Path) -> None:
    office.handheld(SCOPE).report(SCOPE)
    made = back_up(office, tmp_path / "backup")
    with restored(tmp_path / "backup", tmp_path / "second") as app, app.app_context():
        from server.db import db
        from sync.journal import entries
        entry = entries(db.session(), made.journal_size, 1)[0]
    assert (entry["kind"], entry["body"]["from_epoch"], entry["body"]["journal_root"]) \
        == ("restored", made.epoch, made.journal_root)


def test_keys_are_for_their_owner_alone(office: Indoors, tmp_path: Path) -> None:
    back_up(office, tmp_path / "backup")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "backup" / "keys").iterdir()}
    assert modes == {"journal": 0o600, "secret": 0o600}
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700


def test_pushes_go_on_during_a_backup_and_each_is_in_it_whole_or_not_at_all(office: Indoors, tmp_path: Path) -> None:
    devices, over, pushed = [office.handheld(SCOPE) for _ in range(2)], threading.Event(), []

    def push(device: Handheld) -> None:
        while not over.is_set():
            created = device.create("finding", SCOPE, a_finding())
            pushed.extend(device.deliver(created, device.edit("finding", created["record_id"], 0, set={"text": "改"})))

    threads = [threading.Thread(target=push, args=(device,)) for device in devices]
    for thread in threads:
        thread.start()
    try:
        for number in range(3):
            back_up(office, tmp_path / f"{number}")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert len(pushed) >= 4
    made = manifest.check(tmp_path / "2")
    assert made.rows["receipt"] % 2 == 0 and made.rows["history"] == made.rows["receipt"] == 2 * made.rows["record"]
    with restored(tmp_path / "2", tmp_path / "second") as app, app.app_context():
        assert audit()["problems"] == []


def half_uploaded(device: Handheld, content: bytes) -> tuple[str, str]:
    """Evidence by its id, and where its upload is, of which a thousand bytes have come."""
    evidence = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(evidence)
    where = device.create_upload(len(content), sha256(content)).headers["Location"]
    assert device.patch_upload(where, 0, content[:1000]).status_code == 204
    return evidence["record_id"], where


def test_an_unfinished_upload_goes_on_where_it_was(office: Indoors, tmp_path: Path) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    evidence, where = half_uploaded(device, content)
    back_up(office, tmp_path / "backup")
    with restored(tmp_path / "backup", tmp_path / "second") as app:
        moved = elsewhere(device, app)
        assert moved.patch_upload(where, 1000, content[1000:]).status_code == 204
        assert media(app, evidence)["state"] == "verified"


def test_a_changed_or_missing_file_is_found(office: Indoors, tmp_path: Path) -> None:
    content = a_photo()
    photographed(office.handheld(SCOPE), content)
    backup = tmp_path / "backup"
    back_up(office, backup)
    for path in (backup / tables.FOLDER / "history.jsonl.gz", backup / photos.path_of(sha256(content)),
                 backup / "keys" / "journal"):
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        with pytest.raises(BackupInvalid, match=path.name):
            manifest.check(backup)
        path.unlink()
        with pytest.raises(BackupInvalid, match=path.name):
            manifest.check(backup)
        path.write_bytes(good)
    manifest.check(backup)
    (backup / manifest.NAME).unlink()
    with pytest.raises(BackupInvalid, match="interrupted"):
        manifest.check(backup)


def test_a_backup_goes_into_an_empty_directory_only(office: Indoors, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    with pytest.raises(making.NotEmpty):
        back_up(office, tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["something"]


def test_a_restore_touches_no_installation_that_is_there(office: Indoors, tmp_path: Path) -> None:
    made = back_up(office, tmp_path / "backup")
    with pytest.raises(RestoreRefused, match="not empty"):
        place.prepare(tmp_path / "backup", made, environment(tmp_path / "data"), quiet)
    with pytest.raises(RestoreRefused, match="MENQIAN_ORIGIN"):
        place.prepare(tmp_path / "backup", made, environment(tmp_path / "new", MENQIAN_ORIGIN="another"), quiet)
    (tmp_path / "other" / "keys").mkdir(parents=True)
    (tmp_path / "other" / "keys" / "journal").write_bytes(b"\0" * 32)
    with pytest.raises(RestoreRefused, match="another installation"):
        place.prepare(tmp_path / "backup", made, environment(tmp_path / "other"), quiet)
    assert (tmp_path / "other" / "keys" / "journal").read_bytes() == b"\0" * 32
    assert not (tmp_path / "new").exists()


def test_a_backup_of_a_newer_release_is_refused(office: Indoors, tmp_path: Path) -> None:
    back_up(office, tmp_path / "backup")
    told = orjson.loads((tmp_path / "backup" / manifest.NAME).read_bytes())
    (tmp_path / "backup" / manifest.NAME).write_bytes(orjson.dumps({**told, "revision": "9999_not_yet"}))
    with pytest.raises(RestoreRefused, match="newer release"), restored(tmp_path / "backup", tmp_path / "new"):
        pass
    assert not (tmp_path / "new").exists()


def test_each_refusal_of_the_command_line_is_one_clear_line(tmp_path: Path) -> None:
    server = Server(tmp_path / "server")
    server.cli("init")
    server.cli("backup", str(tmp_path / "backup"))
    server.cli("backup", "--check", str(tmp_path / "backup"))
    assert json.loads(server.cli("compact", "--older-than", "30d").stdout)["departures"] == 0
    for arguments, told in ((("backup", str(tmp_path / "backup")), "is not empty"),
                            (("restore", str(tmp_path / "backup")), "the database is not empty"),
                            (("restore", str(tmp_path / "server")), "no manifest.json"),
                            (("compact", "--older-than", "soon"), "365d")):
        done = server.cli(*arguments, check=False)
        assert done.returncode and told in done.stderr and "Traceback" not in done.stderr


def test_a_photo_that_is_nowhere_is_asked_of_the_device_again(office: Indoors, tmp_path: Path) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    evidence = photographed(device, content)
    office.app.extensions["menqian"].store.delete(sha256(content))
    assert back_up(office, tmp_path / "backup").missing == [sha256(content)]
    with pytest.raises(RestoreRefused, match="--allow-missing"), restored(tmp_path / "backup", tmp_path / "new"):
        pass
    assert not (tmp_path / "new" / "keys").exists(), "no two servers may come to sign with one key"
    with restored(tmp_path / "backup", tmp_path / "second", allow_missing=True) as app:
        moved = elsewhere(device, app)
        assert media(app, evidence) == {"state": "expected"}
        assert granted(moved.pull(None))["media_wanted"] == [sha256(content)]
        assert moved.upload(content).status_code == 204
        assert media(app, evidence)["state"] == "verified"
        with app.app_context():
            assert audit()["problems"] == []


def test_a_rendition_that_is_nowhere_is_made_again(office: Indoors, tmp_path: Path) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    evidence = photographed(device, content)
    back_up(office, tmp_path / "backup")
    thumb, = {each.sha256 for each in photos.listed(tmp_path / "backup") if each.kind == "thumb"}
    office.app.extensions["menqian"].store.delete(thumb)
    back_up(office, tmp_path / "without")
    with restored(tmp_path / "without", tmp_path / "second") as app:
        assert media(app, evidence) == {"state": "stored"}
        from server import jobs
        with app.app_context():
            jobs._resume()
        assert media(app, evidence)["state"] == "verified"
        assert app.extensions["menqian"].store.has(thumb)


def test_photos_of_an_earlier_backup_are_linked_not_copied(office: Indoors, tmp_path: Path) -> None:
    old, new = a_photo(), a_photo()
    device = office.handheld(SCOPE)
    photographed(device, old)
    back_up(office, tmp_path / "monday")
    photographed(device, new)
    back_up(office, tmp_path / "tuesday", earlier=tmp_path / "monday")
    links = [(tmp_path / "tuesday" / photos.path_of(sha256(content))).stat().st_nlink for content in (old, new)]
    assert links == [2, 1]
    manifest.check(tmp_path / "tuesday")


def test_damaged_bytes_of_an_earlier_backup_are_not_taken_over(office: Indoors, tmp_path: Path) -> None:
    content = a_photo()
    photographed(office.handheld(SCOPE), content)
    back_up(office, tmp_path / "monday")
    damaged = tmp_path / "monday" / photos.path_of(sha256(content))
    damaged.write_bytes(content[::-1])
    assert back_up(office, tmp_path / "tuesday", earlier=tmp_path / "monday").missing == []
    assert (tmp_path / "tuesday" / photos.path_of(sha256(content))).read_bytes() == content
    office.app.extensions["menqian"].store.delete(sha256(content))
    assert back_up(office, tmp_path / "wednesday", earlier=tmp_path / "monday").missing == [sha256(content)]
    assert not (tmp_path / "wednesday" / photos.path_of(sha256(content))).exists()
    assert back_up(office, tmp_path / "thursday", earlier=tmp_path / "tuesday").missing == []


def test_an_unfinished_upload_that_is_damaged_is_begun_again(office: Indoors, tmp_path: Path) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    evidence, where = half_uploaded(device, content)
    back_up(office, tmp_path / "backup")
    part, = (tmp_path / "backup" / "spool").iterdir()
    part.write_bytes(content[1:1001])
    with pytest.raises(BackupInvalid, match="spool"):
        manifest.check(tmp_path / "backup")
    with restored(tmp_path / "backup", tmp_path / "second") as app:
        moved = elsewhere(device, app)
        assert moved.head_upload(where).status_code == 410
        assert moved.upload(content).status_code == 204
        assert media(app, evidence)["state"] == "verified"


def test_a_copy_that_a_person_made_goes_along_and_is_missed_by_name(office: Indoors, tmp_path: Path) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    evidence = photographed(device, content)
    reviewer = office.person("reviewer", scopes=(SCOPE,))
    made = granted(reviewer.post(f"/media/{sha256(content)}/redactions", {
        "evidence_id": evidence, "boxes": [{"x": 0, "y": 0, "width": 0.5, "height": 0.5}]}), 201)
    with office.app.app_context():
        store = office.app.extensions["menqian"].store
        whole = making.back_up(tmp_path / "whole", with_media=False, earlier=None, tell=quiet)
    assert whole.photos["renditions"] >= 3 and (tmp_path / "whole" / photos.path_of(made["sha256"])).exists()
    app, told = restore(tmp_path / "whole", tmp_path / "first")
    assert told["copies_missing"] == [] and app.extensions["menqian"].store.holds(made["sha256"])
    thumb, = {each.sha256 for each in photos.listed(tmp_path / "whole")
              if each.kind == "thumb" and each.parent == sha256(content)}
    for lost in (thumb, made["sha256"]):
        store.delete(lost)
    assert set(back_up(office, tmp_path / "without").missing) >= {thumb, made["sha256"]}
    app, told = restore(tmp_path / "without", tmp_path / "second")
    assert told["copies_missing"] == [made["sha256"]] and told["renditions_made_anew"] == 1
    from server import jobs
    with app.app_context():
        jobs._resume()
        assert [(problem["code"], problem["about"]) for problem in audit()["problems"]] == [
            ("rendition_missing", sha256(content))], "the row stays, with what it was"
