"""The manifest: written last, it names every file of a backup with its SHA-256; without it there is no backup.

Serves `making`, `restoring` and `backup --check`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import orjson

from media.stores import digest_of
from server.backup import photos, tables
from sync.merkle import Frontier

FORMAT = 1
NAME = "manifest.json"
KEYS, SPOOL = "keys", "spool"
TOLD_AT_MOST = 20


class BackupInvalid(Exception):
    """The directory is no whole backup; the text says what is wrong, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds. `files` maps paths to hex SHA-256; photos are named by theirs in the list `photos.LIST`.

    `media` is `included` or, where the bytes stay in their S3 store, `listed`; `missing` are digests whose bytes the
    store did not have, or had otherwise.
    """

    format: int
    made_at: str
    origin: str
    engine: str
    revision: str
    epoch: str
    seq: int
    journal_size: int
    journal_root: str
    rows: dict[str, int]
    media: str
    photos: dict[str, int]
    missing: list[str]
    files: dict[str, str]

    def within(self, folder: str) -> list[str]:
        """The paths of the files that lie in a folder."""
        return [path for path in self.files if path.startswith(f"{folder}/")]


def write(directory: Path, manifest: Manifest) -> str:
    """Make the backup whole: everything reaches the disk, then the manifest, at once. Gives its hex SHA-256."""
    part = directory / f"{NAME}.part"
    os.sync()  # a backup may hold a million files: one call for all of them
    with part.open("wb") as file:
        file.write(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        file.flush()
        os.fsync(file.fileno())
    part.rename(directory / NAME)
    os.sync()
    return digest_of(directory / NAME)


def read(directory: Path) -> Manifest:
    """The manifest of a backup; raises BackupInvalid."""
    try:
        found: Any = orjson.loads((directory / NAME).read_bytes())
    except FileNotFoundError:
        raise BackupInvalid(f"没有 {NAME}:不是备份,或备份未完成 {directory} has no {NAME}: "
                            "no backup, or one that was interrupted") from None
    except orjson.JSONDecodeError as error:
        raise BackupInvalid(f"{NAME}: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or set(found) != {one.name for one in
                                                                                      fields(Manifest)}:
        raise BackupInvalid(f"{NAME} 的格式不认识 {NAME} is of a format that this release does not know")
    return Manifest(**found)


def check(directory: Path) -> Manifest:
    """Hold every file of a backup against its manifest, and the journal against its root; raises BackupInvalid."""
    manifest = check_rows(directory)
    faults = _faults(directory, manifest, manifest.within(SPOOL))
    if manifest.media == "included":
        gone = set(manifest.missing)
        faults += [fault for each in photos.listed(directory) if each.sha256 not in gone
                   and (fault := _fault(directory, photos.path_of(each.sha256), each.sha256))]
    return _sound(manifest, faults)


def check_rows(directory: Path) -> Manifest:
    """As `check`, but for the bytes of photos and unfinished uploads: without one of them a restore goes on."""
    manifest = read(directory)
    _sound(manifest, _faults(directory, manifest, set(manifest.files) - set(manifest.within(SPOOL))))
    frontier = Frontier()
    for leaf in tables.column(directory, "journal_entry", "leaf_hash"):
        frontier.append(bytes.fromhex(leaf))
    adds_up = (frontier.size, frontier.root().hex()) == (manifest.journal_size, manifest.journal_root)
    return _sound(manifest, [] if adds_up else ["journal_entry: the entries do not add up to the root that the "
                                                "manifest names"])


def is_whole(directory: Path, manifest: Manifest, path: str) -> bool:
    """Is this file of the backup what the manifest says?"""
    return _fault(directory, path, manifest.files[path]) is None


def _faults(directory: Path, manifest: Manifest, paths: Iterable[str]) -> list[str]:
    return [fault for path in sorted(paths) if (fault := _fault(directory, path, manifest.files[path]))]


def _sound(manifest: Manifest, faults: list[str]) -> Manifest:
    if faults:
        raise BackupInvalid("\n".join(faults[:TOLD_AT_MOST] + ["…"] * (len(faults) > TOLD_AT_MOST)))
    return manifest


def _fault(directory: Path, path: str, digest: str) -> str | None:
    try:
        found = digest_of(directory / path)
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None if found == digest else f"{path}: 内容已变 the bytes are not those that were saved"
