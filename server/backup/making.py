"""Make a backup of a running installation: `menqian backup DIR`. The server goes on serving and taking pushes.

One snapshot of the database says what there is; keys, unfinished uploads and photos are copied after it. A photo is
stored before a row names it and never deleted, so all that the snapshot names is there.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.orm import Session

from media.models import Upload
from media.stores import digest_of
from media.sweep import UNDER_WAY
from schemas.values import stamp
from server.backup import photos, tables
from server.backup.manifest import FORMAT, KEYS, SPOOL, Manifest, write
from server.backup.tables import Tell
from server.db import db, reading, writing
from server.house import house
from sync.merkle import Frontier
from sync.models import Clock

ANY = "0" * 64


class NotEmpty(Exception):
    """The directory holds something already."""


def back_up(directory: Path, *, with_media: bool, earlier: Path | None, tell: Tell) -> Manifest:
    """Write a backup into a new or empty directory and enter it in the journal; raises NotEmpty, StoreUnavailable.

    Bytes in an S3 store stay there and are listed by digest and size, unless `with_media`; whether they are there is
    asked. What of it is not stands in `missing`.
    """
    if directory.exists() and any(directory.iterdir()):
        raise NotEmpty(f"{directory} 不是空目录 is not empty")
    house().store.head(ANY)  # a store that is away is told before anything is written
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    state = house()
    made_at, included = stamp(state.clock()), with_media or state.settings.media_url.startswith("file:")
    with reading():
        session = db.session()
        rows = tables.save(session.connection(), directory, tell)
        counts = photos.save_list(session, directory)
        clock = session.execute(select(Clock.epoch, Clock.seq, Clock.journal_size, Clock.journal_peaks)).one()
        revision = MigrationContext.configure(session.connection()).get_current_revision() or ""
        under_way = _under_way(session)
    _save_keys(directory / KEYS)
    _save_spool(under_way, directory / SPOOL)
    missing = photos.save_bytes(state.store, directory, earlier, tell) if included \
        else photos.missing_in(state.store, directory, tell)
    manifest = Manifest(
        format=FORMAT, made_at=made_at, origin=state.settings.origin, engine=db.engine.dialect.name, revision=revision,
        epoch=clock.epoch, seq=clock.seq, journal_size=clock.journal_size,
        journal_root=Frontier.from_json(clock.journal_size, clock.journal_peaks).root().hex(), rows=rows,
        media="included" if included else "listed", photos=counts, missing=sorted({each.sha256 for each in missing}),
        files=_files(directory))
    digest = write(directory, manifest)
    with writing() as door:
        door.record_entry("backup", "console", None, {
            "epoch": manifest.epoch, "seq": manifest.seq, "journal_size": manifest.journal_size,
            "media": manifest.media, "manifest": digest})
    return manifest


def _under_way(session: Session) -> list[str]:
    """The uploads whose bytes stand in the spool."""
    return list(session.execute(select(Upload.id).where(Upload.state.in_(UNDER_WAY))).scalars())


def _save_keys(target: Path) -> None:
    """The keys, for their owner's eyes; the secret as it is in use, wherever it came from."""
    target.mkdir(mode=0o700)
    settings = house().settings
    for key in (settings.data / KEYS).iterdir():
        shutil.copyfile(key, target / key.name)
    (target / "secret").write_bytes(settings.secret_key)
    for key in target.iterdir():
        key.chmod(0o600)


def _save_spool(under_way: list[str], target: Path) -> None:
    """What has come of unfinished uploads: of one that grows a part, of one that has just ended nothing."""
    target.mkdir(mode=0o700)
    for upload_id in under_way:
        with suppress(FileNotFoundError):
            shutil.copyfile(house().settings.spool / upload_id, target / upload_id)


def _files(directory: Path) -> dict[str, str]:
    """Path -> hex SHA-256 of every file but the photos, which are named by theirs."""
    paths = [directory / photos.LIST, *(path for folder in (tables.FOLDER, KEYS, SPOOL)
                                        for path in sorted((directory / folder).iterdir()))]
    return {path.relative_to(directory).as_posix(): digest_of(path) for path in paths}
