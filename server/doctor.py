"""What works here and what does not, in a line each, for `bin/menqian doctor`. Nothing is changed but probe files."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from media.stores import StoreUnavailable
from schemas.values import parse_time, stamp
from server import holds, jobs
from server.db import db, migrations
from server.demo.lettering import chinese_font
from server.house import house
from sync import append_only
from sync.models import Checkpoint

OLDEST_PYTHON = (3, 11)
LIBRARIES = ("simplejpeg", "shapely", "pillow", "cryptography")
VENDOR = {"htmx": "htmx.min.js", "leaflet": "leaflet.js", "viewerjs": "viewer.min.js",
          "fonts": "NotoSansHans-Regular.otf", "swagger-ui": "swagger-ui-bundle.js"}
LEAST_FREE_BYTES = 1024**3
MADE_ON = datetime(2026, 1, 1, tzinfo=UTC)  # no clock of this release can be right before it
DRIFT = timedelta(minutes=5)

Said = tuple[bool, str]


def examine() -> dict[str, Said]:
    """By the name of each part whether it works, and what there is to say; a part that fails stops no other."""
    parts: dict[str, Callable[[], Said]] = {
        "database": _database, "migrations": _migrations, "media": _media, "holds": _holds, "queue": _queue,
        "spool": _spool, "disk": _disk, "clock": _clock, "triggers": _triggers}
    return {**examine_machine(), **{name: _told(part) for name, part in parts.items()}}


def examine_machine() -> dict[str, Said]:
    """The parts that want no installation."""
    return {"python": _python(), "libraries": _libraries(), "pages": _pages(), "font": _font()}


def _told(part: Callable[[], Said]) -> Said:
    try:
        return part()
    except (SQLAlchemyError, StoreUnavailable, OSError) as error:
        return False, f"{type(error).__name__}: {str(error).splitlines()[0]}"
    finally:
        db.session.rollback()


def _python() -> Said:
    return sys.version_info >= OLDEST_PYTHON, f"{sys.version.split()[0]} (needs {'.'.join(map(str, OLDEST_PYTHON))})"


def _libraries() -> Said:
    missing = [name for name in LIBRARIES if not _version(name)]
    if missing:
        return False, f"缺少 missing: {', '.join(missing)} (bin/setup)"
    return True, ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _database() -> Said:
    db.session.execute(text("SELECT 1"))
    url = db.engine.url
    return True, f"{url.get_backend_name()} {url.database}"


def _migrations() -> Said:
    heads = set(ScriptDirectory.from_config(migrations()).get_heads())
    with db.engine.connect() as connection:
        at = set(MigrationContext.configure(connection).get_current_heads())
    if at == heads:
        return True, f"at {', '.join(sorted(at))}"
    return False, f"at {', '.join(sorted(at)) or 'nothing'}, needs {', '.join(sorted(heads))} (bin/menqian init)"


def _triggers() -> Said:
    with db.engine.connect() as connection:
        missing = append_only.unguarded(connection)
    return not missing, f"缺少 missing on {', '.join(missing)} (bin/menqian init)" if missing else \
        f"UPDATE, DELETE refused on {', '.join(append_only.GUARDED)}"


def _media() -> Said:
    house().store.probe()
    return True, f"可写 writable: {house().settings.media_url.partition('?')[0]}"


def _holds() -> Said:
    """A store that is asked to hold photos does; one that is not is no fault, but it is said."""
    store = house().store
    if not store.holding:
        return True, ("不锁定:有权写存储者可删照片 off: whoever may write in the store may remove photos "
                      "(lock= in MENQIAN_MEDIA_URL, S3 only)")
    failure = holds.trouble(db.session(), store)
    return failure is None, f"{failure or 'on'}, {holds.behind(db.session(), store)} changes to look at"


def _queue() -> Said:
    try:
        jobs.check()
    except Exception as error:  # noqa: BLE001  each queue has its own exceptions, and this is where they are told
        return False, f"{type(error).__name__}: the queue cannot be reached"
    return True, house().settings.queue_url.partition(":")[0]


def _spool() -> Said:
    spool = house().settings.spool
    with tempfile.TemporaryFile(dir=spool) as probe:
        probe.write(b"\0")
    return True, f"可写 writable: {spool}"


def _disk() -> Said:
    free = min(shutil.disk_usage(folder).free for folder in (house().settings.data, house().settings.spool))
    return free >= LEAST_FREE_BYTES, f"{free / 1024**3:.1f} GiB free (needs {LEAST_FREE_BYTES // 1024**3})"


def _clock() -> Said:
    """The clock must not lie before this release, nor before what was signed here already."""
    now = house().clock()
    if not inspect(db.engine).has_table(Checkpoint.__tablename__):
        return False, "尚未初始化 not initialised (run menqian init)"
    newest = db.session.execute(select(Checkpoint.at).order_by(Checkpoint.size.desc()).limit(1)).scalar()
    earliest = max(MADE_ON, parse_time(newest) - DRIFT) if newest else MADE_ON
    return now >= earliest, f"{stamp(now)}" + ("" if now >= earliest else f", before {stamp(earliest)}")


def _pages() -> Said:
    folder = Path(__file__).parent / "static" / "vendor"
    missing = [name for name, file in VENDOR.items() if not list((folder / name).rglob(file))]
    return not missing, f"缺少 missing: {', '.join(missing)} (bin/setup)" if missing else ", ".join(VENDOR)


def _font() -> Said:
    """Only the demonstration's pictures want one, so its absence is no fault."""
    found = chinese_font()
    return True, f"{found[0]}" if found else "无中文字体 no Chinese font: demo pictures carry Latin words"
