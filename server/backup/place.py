"""The place that takes a backup: is it empty, or what a killed restore of the same backup left? Serves `restoring`.

Everything is looked at before anything is written; the refusals say what to do.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, create_engine, inspect, make_url, select

import server
from media.stores import digest_of, open_store
from server.backup import manifest as manifests
from server.backup import mark, photos
from server.backup.manifest import KEYS, Manifest
from server.backup.mark import Mark
from server.backup.photos import Listed
from server.backup.tables import Tell
from server.config import NOT_YET, Settings
from sync.models import Clock

MIGRATIONS = Path(server.__file__).parent / "migrations"
ELSEWHERE = "restore into an empty MENQIAN_DATA and an empty database"


class RestoreRefused(Exception):
    """This installation cannot take this backup; nothing was changed."""


class Place(NamedTuple):
    """The settings of the installation that takes the backup, the mark that stands there now, what it will lack."""

    settings: Settings
    mark: Mark
    missing: list[Listed]


def prepare(directory: Path, manifest: Manifest, environ: Mapping[str, str], tell: Tell, *,
            allow_missing: bool = False) -> Place:
    """Look whether this installation can take the backup, then set the mark and put the keys in place.

    Raises RestoreRefused where something stands already, another journal's name is set or photos are missing;
    UnsafeSettings, StoreUnavailable. Nothing was written then but empty directories.
    """
    _must_know(manifest.revision)
    given = environ.get("MENQIAN_SECRET_KEY")
    settings = Settings.from_environment({**environ, "MENQIAN_SECRET_KEY": given or NOT_YET}, restoring=True)
    if settings.origin != manifest.origin:
        raise RestoreRefused(f"请设 set MENQIAN_ORIGIN={manifest.origin}: "
                             "日志以此名签署 the journal is signed under this name")
    settings.data.mkdir(parents=True, exist_ok=True)
    began, ours = mark.read(settings.data), _mark_of(directory, settings)
    if began is None:
        _must_be_empty(settings, directory, manifest, bool(environ.get("MENQIAN_MEDIA_URL")))
    elif (began.backup, began.database) != (ours.backup, ours.database):
        raise RestoreRefused(f"这里另一恢复未完成 another restore did not finish here, of {began.directory} into "
                             f"{began.database}: {ELSEWHERE}")
    with _connected(settings) as connection:
        must_be_free(connection, began.epoch if began else None)
    missing = photos.nowhere(open_store(settings.media_url), directory, manifest.media == "included", tell)
    if not allow_missing and (lost := photos.originals(missing)):
        raise RestoreRefused("\n".join([
            f"{len(lost)} 张照片既不完好地在备份也不在存储中 photos are neither whole in the backup nor in the media "
            "store: set MENQIAN_MEDIA_URL, or --allow-missing asks the devices for them", *lost]))
    if began is None:
        mark.put(settings.data, ours)
    _put_keys(directory, manifest, settings.data / KEYS)
    secret = (directory / KEYS / "secret").read_bytes()
    return Place(settings if given else replace(settings, secret_key=secret), began or ours, missing)


def must_be_free(connection: Connection, epoch: str | None) -> None:
    """Raise RestoreRefused unless the database is empty, or only a restore into this new epoch wrote there."""
    found = inspect(connection).get_table_names()
    if not found:
        return
    if epoch is None or "alembic_version" not in found:
        raise RestoreRefused(f"数据库不是空的 the database is not empty: {ELSEWHERE}")
    if Clock.__tablename__ in found and connection.execute(select(Clock.epoch)).scalar() not in (None, epoch):
        raise RestoreRefused("数据库已属另一安装 another installation has come into the database since: "
                             f"{ELSEWHERE}")


def empty(connection: Connection) -> None:
    """Remove the tables and views of a database that is free."""
    found = MetaData()
    found.reflect(connection)
    lite = connection.dialect.name == "sqlite"
    for view in inspect(connection).get_view_names() if lite else ():
        connection.exec_driver_sql(f'DROP VIEW "{view}"')
    for table in reversed(found.sorted_tables):  # PostgreSQL's views go with the table that they show
        connection.exec_driver_sql(f'DROP TABLE "{table.name}"' + ("" if lite else " CASCADE"))


def _mark_of(directory: Path, settings: Settings) -> Mark:
    return Mark(backup=digest_of(directory / manifests.NAME), directory=str(directory.resolve()),
                database=make_url(settings.database_url).render_as_string(hide_password=True),
                epoch=str(uuid.uuid4()))


def _must_be_empty(settings: Settings, directory: Path, manifest: Manifest, media_is_named: bool) -> None:
    """No database, keys or photos of another installation lie in the data directory; other files may.

    Photos that outlived their database are taken from where MENQIAN_MEDIA_URL says so, also from here.
    """
    for path in manifest.within(KEYS):
        stands = settings.data / path
        if stands.exists() and stands.read_bytes() != (directory / path).read_bytes():
            raise RestoreRefused(f"{stands} 是另一安装的密钥 is the key of another installation: {ELSEWHERE}")
    database = settings.data / "menqian.db"
    if database != settings.database_file and database.exists() and database.stat().st_size:
        raise RestoreRefused(f"{database} 是另一安装的数据库 is the database of another installation: {ELSEWHERE}")
    if not media_is_named and _any_file(settings.data / "media" / "sha256"):
        raise RestoreRefused(f"{settings.data / 'media'} 已有照片 holds photos already: {ELSEWHERE}; if they are this "
                             f"installation's own, set MENQIAN_MEDIA_URL={settings.media_url}")


def _any_file(folder: Path) -> bool:
    return any(files for _, _, files in os.walk(folder))


@contextmanager
def _connected(settings: Settings) -> Iterator[Connection]:
    engine = create_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _put_keys(directory: Path, manifest: Manifest, keys: Path) -> None:
    keys.mkdir(mode=0o700, exist_ok=True)
    for path in manifest.within(KEYS):
        target = keys.parent / path
        shutil.copyfile(directory / path, target)
        target.chmod(0o600)


def _must_know(revision: str) -> None:
    try:
        known = ScriptDirectory(str(MIGRATIONS)).get_revision(revision)
    except CommandError:
        known = None
    if known is None:
        raise RestoreRefused(f"备份来自更新的版本 the backup was made by a newer release (schema {revision})")
