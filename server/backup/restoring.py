"""Restore a backup into an empty installation: `menqian restore DIR`.

`prepare` looks before anything is written and puts the keys in place; `restore`, in the app of those settings, does the
rest. The restored server begins a new epoch, by which devices know that it may lack what it had acknowledged: they pull
from the beginning and deliver again what came after the backup.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask_migrate import upgrade
from sqlalchemy import create_engine, inspect, update

from media.recovery import check_again, expect_again
from server.backup import photos, tables
from server.backup.making import KEYS, SPOOL
from server.backup.manifest import Manifest
from server.backup.photos import Listed
from server.backup.tables import Tell
from server.config import Settings
from server.db import db, migrate, writing
from server.house import house
from sync.audit import batches
from sync.gate import MODE
from sync.models import Clock

NOT_YET = "0" * 32  # stands for the secret while nothing may be written
MENDED_AT_ONCE = 100


class RestoreRefused(Exception):
    """This installation cannot take this backup; nothing was changed."""


def prepare(directory: Path, manifest: Manifest, environ: Mapping[str, str]) -> Settings:
    """The settings of the empty installation that takes the backup, with the backup's keys in place.

    Raises RestoreRefused where something stands already, or another journal's name is set; UnsafeSettings.
    """
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
    keys.mkdir(mode=0o700, exist_ok=True)
    for key in saved.iterdir():
        shutil.copyfile(key, keys / key.name)
        (keys / key.name).chmod(0o600)
    return settings if given else replace(settings, secret_key=(saved / "secret").read_bytes())


def restore(directory: Path, manifest: Manifest, *, allow_missing: bool, tell: Tell) -> dict[str, Any]:
    """Bring everything back and begin a new epoch; gives what an operator wants to know. Raises RestoreRefused."""
    _must_know(manifest.revision)
    missing = photos.missing_from(house().store, directory, manifest.media == "included")
    lost = [each.sha256 for each in missing if each.parent is None]
    if lost and not allow_missing:
        raise RestoreRefused(f"{len(lost)} 张照片既不在备份也不在存储中 photos are neither in the backup nor in the "
                             "media store: set MENQIAN_MEDIA_URL, or --allow-missing asks the devices for them")
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
            "journal_size": manifest.journal_size, "journal_root": manifest.journal_root, "missing": len(lost)})
    _mend(missing)
    return {"epoch": epoch, "from_epoch": manifest.epoch, "made_at": manifest.made_at, "rows": sum(
        manifest.rows.values()), "photos": manifest.photos["originals"] - len(lost), "photos_missing": len(lost)}


def _mend(missing: list[Listed]) -> None:
    """Let the rows say what the store lacks: originals are expected again, renditions made again."""
    lost = {each.sha256 for each in missing if each.parent is None}
    checked = {each.parent for each in missing if each.parent} - lost
    for some in batches([*((sha256, expect_again) for sha256 in sorted(lost)),
                         *((sha256, check_again) for sha256 in sorted(checked))], MENDED_AT_ONCE):
        with writing() as door:
            for sha256, mend in some:
                mend(door, sha256)


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
        known = ScriptDirectory.from_config(migrate.get_config()).get_revision(revision)
    except CommandError:
        known = None
    if known is None:
        raise RestoreRefused(f"备份来自更新的版本 the backup was made by a newer release (schema {revision})")
