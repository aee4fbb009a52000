"""The mark of a restore that is under way: a file in the data directory, there before the keys, gone when all is done.

While it stands the settings can be read by `restore` alone (server/config.py). It says whose half-loaded tables may be
emptied: those of the same database with the same new epoch, and no other installation's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import orjson

from media.stores.disk import replace_file, sync_directory
from server.config import RESTORING


class Mark(NamedTuple):
    """The SHA-256 of the backup's manifest, where the backup lies, the database without its password, the new epoch."""

    backup: str
    directory: str
    database: str
    epoch: str


def read(data: Path) -> Mark | None:
    """The mark that stands in this data directory."""
    try:
        return Mark(**orjson.loads((data / RESTORING).read_bytes()))
    except FileNotFoundError:
        return None


def put(data: Path, mark: Mark) -> None:
    """Set the mark, durably and at once."""
    replace_file(data / RESTORING, orjson.dumps(mark._asdict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def lift(data: Path) -> None:
    """Take the mark away, when everything else has reached the disk."""
    os.sync()
    (data / RESTORING).unlink()
    sync_directory(data)
