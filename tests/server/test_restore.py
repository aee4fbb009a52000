"""A restore believes no bytes for their name, can be killed at any time, and lets nobody serve before it is done."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from alembic.operations import Operations
from sqlalchemy import create_engine, text

from media.stores.contract import key_of
from server import jobs
from server.audit import audit
from server.backup import mark, photos, restoring, tables
from server.backup.manifest import BackupInvalid
from server.backup.place import RestoreRefused
from server.config import RESTORING, RestoreUnfinished, Settings
from tests.bureau import a_photo
from tests.enrolled import Handheld
from tests.running import Server
from tests.server.backups import SCOPE, back_up, elsewhere, environment, media, photographed, restore
from tests.server.indoors import Indoors, indoors
from tests.wire import granted, refused, sha256


class Saved(NamedTuple):
    """A backup of an installation with one device and one photo, and what was open when it was made."""

    office: Indoors
    directory: Path
    device: Handheld
    content: bytes
    evidence: str
    code: str

    @property
    def original(self) -> Path:
        return self.directory / photos.path_of(sha256(self.content))

    @property
    def thumb(self) -> Path:
        thumb, = {each.sha256 for each in photos.listed(self.directory) if each.kind == "thumb"}
        return self.directory / photos.path_of(thumb)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    folder = tmp_path_factory.mktemp("saved")
    with indoors(folder / "data") as office:
        device, content = office.handheld(SCOPE), a_photo()
        evidence = photographed(device, content)
        code = office.invite(device.user["username"])
        back_up(office, folder / "backup")
        yield Saved(office, folder / "backup", device, content, evidence, code)


@pytest.fixture
def saved(once: Saved, tmp_path: Path) -> Saved:
    """The test's own copy, which it may damage."""
    shutil.copytree(once.directory, tmp_path / "backup")
    return once._replace(directory=tmp_path / "backup")


def damage(path: Path) -> None:
    """The same number of bytes, not the same bytes."""
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[::-1])


def problems(app: Any) -> list[Any]:
    with app.app_context():
        jobs._resume()
        found: list[Any] = audit()["problems"]
        return found


@pytest.mark.parametrize("spoil", [damage, Path.unlink])
def test_a_photo_that_the_backup_has_no_longer_whole_is_asked_of_the_devices(saved: Saved, tmp_path: Path,
                                                                             spoil: Any) -> None:
    spoil(saved.original)
    digest = sha256(saved.content)
    with pytest.raises(RestoreRefused, match=rf"--allow-missing(?s:.*)\n{digest}$"):
        restore(saved.directory, tmp_path / "new")
    assert not (tmp_path / "new" / "keys").exists() and not (tmp_path / "new" / RESTORING).exists()
    app, told = restore(saved.directory, tmp_path / "new", allow_missing=True)
    assert (told["photos"], told["photos_missing"], told["missing"]) == (0, 1, [digest])
    moved = elsewhere(saved.device, app)
    assert granted(moved.pull(None))["media_wanted"] == [digest]
    assert moved.upload(saved.content).status_code == 204
    assert media(app, saved.evidence)["state"] == "verified" and problems(app) == []


@pytest.mark.parametrize("spoil", [damage, Path.unlink])
def test_a_rendition_that_the_backup_has_no_longer_whole_is_made_anew(saved: Saved, tmp_path: Path,
                                                                      spoil: Any) -> None:
    spoil(saved.thumb)
    app, told = restore(saved.directory, tmp_path / "new")
    assert (told["photos_missing"], told["renditions_made_anew"]) == (0, 1)
    assert problems(app) == [] and app.extensions["menqian"].store.holds(saved.thumb.name)


def test_damaged_rows_are_refused_whatever_is_allowed(saved: Saved, tmp_path: Path) -> None:
    damage(saved.directory / tables.FOLDER / "record.jsonl.gz")
    with pytest.raises(BackupInvalid, match="record"):
        restore(saved.directory, tmp_path / "new", allow_missing=True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["original", "thumb"])
def test_wrong_bytes_that_lie_in_the_store_already_are_replaced(saved: Saved, tmp_path: Path, name: str) -> None:
    good = getattr(saved, name)
    there = tmp_path / "photos" / key_of(good.name)
    there.parent.mkdir(parents=True)
    there.write_bytes(good.read_bytes()[::-1])
    app, told = restore(saved.directory, tmp_path / "new", MENQIAN_MEDIA_URL=(tmp_path / "photos").as_uri())
    assert there.read_bytes() == good.read_bytes()
    assert (told["photos_missing"], told["renditions_made_anew"]) == (0, 0) and problems(app) == []


def test_wrong_bytes_in_the_store_stand_in_for_no_photo(saved: Saved, tmp_path: Path) -> None:
    there = tmp_path / "photos" / key_of(sha256(saved.content))
    there.parent.mkdir(parents=True)
    there.write_bytes(saved.content[::-1])
    saved.original.unlink()
    app, told = restore(saved.directory, tmp_path / "new", allow_missing=True,
                        MENQIAN_MEDIA_URL=(tmp_path / "photos").as_uri())
    assert told["photos_missing"] == 1 and not there.exists()
    assert elsewhere(saved.device, app).upload(saved.content).status_code == 204
    assert there.read_bytes() == saved.content and problems(app) == []


def test_good_bytes_in_the_store_stand_in_for_damaged_ones(saved: Saved, tmp_path: Path) -> None:
    there = tmp_path / "photos" / key_of(sha256(saved.content))
    there.parent.mkdir(parents=True)
    there.write_bytes(saved.content)
    damage(saved.original)
    app, told = restore(saved.directory, tmp_path / "new", MENQIAN_MEDIA_URL=(tmp_path / "photos").as_uri())
    assert told["photos_missing"] == 0 and problems(app) == []


def test_what_was_open_or_active_is_counted_and_no_code_works_twice(saved: Saved, tmp_path: Path) -> None:
    Handheld(saved.office.url, saved.code)  # used after the backup, which does not know of it
    app, told = restore(saved.directory, tmp_path / "new")
    assert (told["devices_active"], told["people_active"], told["invitations_ended"]) == (1, 2, 1)
    again = elsewhere(saved.device, app).post("/devices", {"code": saved.code, "name": "x", "platform": "android",
                                                           "app_version": "1.0.0"})
    refused(again, 410, "invitation_expired")


class Killed(BaseException):
    """The process ends here."""


def kill(saved: Saved, directory: Path, where: Any, name: str, call: int = 1) -> None:
    """A restore into this directory that ends as this function is called for the so many-th time."""
    calls, function = itertools.count(1), getattr(where, name)

    def until(*arguments: Any, **named: Any) -> Any:
        if next(calls) == call:
            raise Killed
        return function(*arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, name, until)
        with pytest.raises(Killed):
            restore(saved.directory, directory, allow_missing=True)


STAGES = {"photos": (photos, "bring_back"), "before the schema": (restoring, "upgrade"),
          "schema": (Operations, "invoke", 20), "rows": (tables, "read_lines", 12), "entry": (restoring, "_rights"),
          "mending": (restoring, "_mend"), "the end": (mark, "lift")}


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_restore_serves_nobody_and_is_begun_again(saved: Saved, tmp_path: Path, stage: str) -> None:
    saved.original.unlink()
    there = environment(tmp_path / "new")
    kill(saved, tmp_path / "new", *STAGES[stage])
    for settings in (Settings.from_environment, Settings.of_existing):
        with pytest.raises(RestoreUnfinished, match="run menqian restore again"):
            settings(there)
    app, told = restore(saved.directory, tmp_path / "new", allow_missing=True)
    assert told["missing"] == [sha256(saved.content)] and problems(app) == []
    assert Settings.of_existing(there).data == tmp_path / "new"


def test_a_half_restored_place_is_emptied_for_the_same_backup_only(saved: Saved, tmp_path: Path) -> None:
    kill(saved, tmp_path / "new", restoring, "_mend")
    back_up(saved.office, tmp_path / "another")
    with pytest.raises(RestoreRefused, match="another restore did not finish here"):
        restore(tmp_path / "another", tmp_path / "new")
    with pytest.raises(RestoreRefused, match="another restore did not finish here"):
        restore(saved.directory, tmp_path / "new", MENQIAN_DATABASE_URL=f"sqlite:///{tmp_path / 'other.db'}")
    engine = create_engine(f"sqlite:///{tmp_path / 'new' / 'menqian.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE clock SET epoch = 'of another installation'"))
    with pytest.raises(RestoreRefused, match="another installation has come"):
        restore(saved.directory, tmp_path / "new")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM record")).scalar()
    engine.dispose()


@pytest.mark.parametrize(("file", "told"), [
    ("menqian.db", "database of another installation"), ("media/sha256/ab/cd", "holds photos already"),
    ("keys/secret", "key of another installation")])
def test_a_data_directory_in_use_is_refused(saved: Saved, tmp_path: Path, file: str, told: str) -> None:
    stands = tmp_path / "new" / file
    stands.parent.mkdir(parents=True)
    stands.write_bytes(b"of another installation")
    with pytest.raises(RestoreRefused, match=told):
        restore(saved.directory, tmp_path / "new", MENQIAN_DATABASE_URL=f"sqlite:///{tmp_path / 'other.db'}")
    assert stands.read_bytes() == b"of another installation"
    assert not (tmp_path / "new" / "keys" / "journal").exists()


def test_other_files_in_the_data_directory_stay(saved: Saved, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / ".env").write_text("MENQIAN_PROXIES=1")
    restore(saved.directory, tmp_path / "new")
    assert (tmp_path / "new" / ".env").read_text() == "MENQIAN_PROXIES=1"


COMMANDS = [("init",), ("serve",), ("user", "add", "x", "--name", "x", "--role", "admin", "--password-stdin"),
            ("device", "invite", "x"), ("zones", "import", "package.json"), ("verify",), ("backup", "nowhere"),
            ("compact",), ("doctor",), ("worker",)]


@pytest.mark.slow
def test_every_command_but_restore_stays_away_from_a_killed_one(saved: Saved, tmp_path: Path) -> None:
    server = Server(tmp_path / "new")
    server.cli_killed("server.backup.tables.load", "restore", str(saved.directory))
    before = {path for path in server.directory.rglob("*") if path.name != "queue.db"}
    for arguments in COMMANDS:
        done = server.cli(*arguments, stdin="Correct-Horse-9-Battery\n", check=False)
        said = done.stdout + done.stderr
        assert done.returncode == 1 and "run menqian restore again" in said and "Traceback" not in said, arguments
    assert {path for path in server.directory.rglob("*") if path.name != "queue.db"} == before
    told = json.loads(server.cli("restore", str(saved.directory)).stdout)
    assert told["photos"] == 1 and server.cli("verify").returncode == 0
    server.start().stop()


def test_a_restore_that_lacks_photos_names_them_and_ends_with_1(saved: Saved, tmp_path: Path) -> None:
    damage(saved.original)
    server = Server(tmp_path / "new")
    done = server.cli("restore", str(saved.directory), check=False)
    assert done.returncode == 1 and sha256(saved.content) in done.stderr and "Traceback" not in done.stderr
    done = server.cli("restore", "--allow-missing", str(saved.directory))
    assert json.loads(done.stdout)["missing"] == [sha256(saved.content)]
    assert "what was revoked or deactivated since is active again" in done.stderr
