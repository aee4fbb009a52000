"""Restore a backup into an empty installation: `menqian restore DIR`.

`place.prepare` refuses before anything is written, marks the place and puts the keys there; `restore`, in the app of
those settings, does the rest and lifts the mark last. The restored server begins a new epoch, by which devices know
that it may lack what it had acknowledged: they pull from the beginning and deliver again what came after the backup.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from media.recovery import check_again, expect_again
from schemas.values import stamp
from server import holds, witness
from server.backup import mark, photos, tables
from server.backup.manifest import SPOOL, Manifest, is_whole
from server.backup.photos import Listed
from server.backup.place import Place, RestoreRefused, empty, must_be_free
from server.backup.tables import Tell
from server.db import db, upgrade, writing
from server.house import house
from server.models import Invitation, User
from sync.audit import batches
from sync.gate import MODE
from sync.models import Clock, Device
from sync.records import Door

MENDED_AT_ONCE = 100
LONG_AGO = stamp(datetime.fromtimestamp(0, UTC))


def restore(directory: Path, manifest: Manifest, place: Place, tell: Tell) -> dict[str, Any]:
    """Bring everything back and begin a new epoch; gives what an operator wants to know and to check.

    Killed at any time, it is begun again by `place.prepare`. Raises RestoreRefused when another has come meanwhile.
    """
    lost, epoch = photos.originals(place.missing), place.mark.epoch
    photos.bring_back(house().store, directory, manifest.media == "included",
                      {each.sha256 for each in place.missing}, tell)
    _bring_back_uploads(directory, manifest, tell)
    _empty_database(place)
    upgrade(revision=manifest.revision)
    with db.engine.execution_options(**{MODE: "IMMEDIATE"}).begin() as connection:
        tables.load(connection, directory, tell)
        connection.execute(update(Clock).values(epoch=epoch))
    upgrade()
    left = sorted({manifest.epoch, *(each.epoch for each in witness.kept())})
    with writing(checkpoint=True) as door:
        rights = _rights(door)
        holds.tell_anew(door.session)
        door.record_entry("restored", "console", None, {
            "epoch": epoch, "from_epoch": manifest.epoch, "left": left, "made_at": manifest.made_at,
            "seq": manifest.seq, "journal_size": manifest.journal_size, "journal_root": manifest.journal_root,
            "missing": len(lost)})
    made_anew = _mend(place.missing)
    mark.lift(place.settings.data)
    tell(f"请核对 to check: 设备、人员、密码回到备份之时 devices, people and passwords are as of {manifest.made_at}; "
         "其后吊销或停用的又有效 what was revoked or deactivated since is active again (docs/operating.md)")
    return {"epoch": epoch, "from_epoch": manifest.epoch, "made_at": manifest.made_at, "rows": sum(
        manifest.rows.values()), "photos": manifest.photos["originals"] - len(lost), "photos_missing": len(lost),
        "missing": lost, "renditions_made_anew": made_anew, "copies_missing": photos.copies(place.missing), **rights}


def _bring_back_uploads(directory: Path, manifest: Manifest, tell: Tell) -> None:
    """What had come of unfinished uploads; one that is damaged is begun again by its device."""
    for path in manifest.within(SPOOL):
        if is_whole(directory, manifest, path):
            shutil.copyfile(directory / path, house().settings.spool / Path(path).name)
        else:
            tell(f"{path}: 已损坏,设备会重新上传 is damaged, the device begins this upload again")


def _empty_database(place: Place) -> None:
    """Remove what a killed restore left, unless it was finished or another installation began here meanwhile."""
    if mark.read(place.settings.data) != place.mark:
        raise RestoreRefused("另一恢复已在这里完成 another restore has finished here meanwhile")
    with db.engine.execution_options(**{MODE: "IMMEDIATE"}).begin() as connection:
        must_be_free(connection, place.mark.epoch)
        empty(connection)


def _rights(door: Door) -> dict[str, int]:
    """Count who has access again, and end all open invitations: some of them may have been used since."""
    ended = door.session.connection().execute(update(Invitation).where(
        Invitation.used_at.is_(None), Invitation.expires_at >= door.at).values(expires_at=LONG_AGO)).rowcount
    return {"devices_active": _count(door, Device.state == "active"), "people_active": _count(door, User.active),
            "invitations_ended": ended}


def _count(door: Door, which: Any) -> int:
    return door.session.execute(select(func.count()).where(which)).scalar_one()


def _mend(missing: list[Listed]) -> int:
    """Let the rows say what the store lacks: originals are expected again, renditions made again; gives how many."""
    lost, copies = set(photos.originals(missing)), set(photos.copies(missing))
    made_anew = [each for each in missing if each.parent and each.parent not in lost and each.sha256 not in copies]
    for some in batches([*((sha256, expect_again) for sha256 in sorted(lost)),
                         *((sha256, check_again) for sha256 in sorted({str(each.parent) for each in made_anew}))],
                        MENDED_AT_ONCE):
        with writing() as door:
            for sha256, mend in some:
                mend(door, sha256)
    return len(made_anew)
