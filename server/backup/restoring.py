"""Restore a backup into an empty installation: `menqian restore DIR`.

`prepare` refuses before anything is written and puts the keys in place; `restore`, in the app of those settings, does
the rest. The restored server begins a new epoch, by which devices know that it may lack what it had acknowledged: they
pull from the beginning and deliver again what came after the backup.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine, inspect, update

import server
from media.recovery import check_again, expect_again
from media.stores import open_store
from server.backup import photos, tables
from server.backup.making import KEYS, SPOOL
from server.backup.manifest import Manifest
from server.backup.photos import Listed
from server.backup.tables import Tell
from server.config import NOT_YET, Settings
from server.db import db, upgrade, writing
from server.house import house
from sync.audit import batches
from sync.gate import MODE
from sync.models import Clock

MENDED_AT_ONCE = 100
MIGRATIONS = Path(server.__file__).parent / "migrations"


class RestoreRefused(Exception):
    """This installation cannot take this backup; nothing was changed."""


class Place(NamedTuple):
    """The settings of the empty installation that takes the backup, and what it will lack."""

    settings: Settings
    missing: list[Listed]


def prepare(directory: Path, manifest: Manifest, environ: Mapping[str, str], *, allow_missing: bool = False) -> Place:
    """Look whether this installation can take the backup, then put the keys in place.

    Raises RestoreRefused where something stands already, another journal's name is set or photos are missing;
    UnsafeSettings, StoreUnavailable. Nothing was written then but empty directories.
    """
    _must_know(manifest.revision)
    given = environ.get("MENQIAN_SECRET_KEY")
    settings = Settings.from_environment({**environ, "MENQIAN_SECRET_KEY": given or NOT_YET})
    if settings.origin != manifest.origin:
        raise RestoreRefused(f"请设 set MENQIAN_ORIGIN={manifest.origin}: "
                             "日志以此名签署 the journal is signed under this name")
    settings.data.mkdir(parents=True, exist_ok=True)
    _must_be_empty(settings)
    saved, keys = directory / KEYS, settings.data / KEYS
    for key in saved.iterdir():
        if (keys / key.name).exists() and (keys / key.name).read_bytes() != key.read_bytes():
            raise RestoreRefused(f"{keys / key.name} 是另一安装的密钥 is the key of another installation: "
                                 "restore into an empty MENQIAN_DATA")
    missing = photos.missing_from(open_store(settings.media_url), directory, manifest.media == "included")
    if (lost := _originals(missing)) and not allow_missing:
        raise RestoreRefused(f"{len(lost)} 张照片既不在备份也不在存储中 photos are neither in the backup nor in the "
                             "media store: set MENQIAN_MEDIA_URL, or --allow-missing asks the devices for them")
    keys.mkdir(mode=0o700, exist_ok=True)
    for key in saved.iterdir():
        shutil.copyfile(key, keys / key.name)
        (keys / key.name).chmod(0o600)
    return Place(settings if given else replace(settings, secret_key=(saved / "secret").read_bytes()), missing)


def restore(directory: Path, manifest: Manifest, missing: list[Listed], tell: Tell) -> dict[str, Any]:
    """Bring everything back and begin a new epoch; gives what an operator wants to know."""
    lost = len(_originals(missing))
    photos.bring_back(house().store, directory, tell)
    for upload in (directory / SPOOL).iterdir():
        shutil.copyfile(upload, house().settings.spool / upload.name)
    upgrade(revision=manifest.revision)
    epoch = str(uuid.UUID(bytes=house().random_bytes(16), version=4))
    with db.engine.execution_options(**{MODE: "IMMEDIATE"}).begin() as connection:
        tables.load(connection, directory, tell)
        connection.execute(update(Clock).values(epoch=epoch))
    upgrade()
    with writing(checkpoint=True) as door:
        door.record_entry("restored", "console", None, {
            "epoch": epoch, "from_epoch": manifest.epoch, "made_at": manifest.made_at, "seq": manifest.seq,
            "journal_size": manifest.journal_size, "journal_root": manifest.journal_root, "missing": lost})
    _mend(missing)
    return {"epoch": epoch, "from_epoch": manifest.epoch, "made_at": manifest.made_at, "rows": sum(
        manifest.rows.values()), "photos": manifest.photos["originals"] - lost, "photos_missing": lost}


def _mend(missing: list[Listed]) -> None:
    """Let the rows say what the store lacks: originals are expected again, renditions made again."""
    lost = _originals(missing)
    checked = {each.parent for each in missing if each.parent} - lost
    for some in batches([*((sha256, expect_again) for sha256 in sorted(lost)),
                         *((sha256, check_again) for sha256 in sorted(checked))], MENDED_AT_ONCE):
        with writing() as door:
            for sha256, mend in some:
                mend(door, sha256)


def _originals(files: list[Listed]) -> set[str]:
    return {each.sha256 for each in files if each.parent is None}


def _must_be_empty(settings: Settings) -> None:
    engine = create_engine(settings.database_url)
    try:
        found = inspect(engine).get_table_names()
    finally:
        engine.dispose()
    if found:
        raise RestoreRefused("数据库不是空的 the database is not empty: restore goes into an empty installation only; "
                             "after an interrupted restore, remove database and MENQIAN_DATA and begin again")


def _must_know(revision: str) -> None:
    try:
        known = ScriptDirectory(str(MIGRATIONS)).get_revision(revision)
    except CommandError:
        known = None
    if known is None:
        raise RestoreRefused(f"备份来自更新的版本 the backup was made by a newer release (schema {revision})")
