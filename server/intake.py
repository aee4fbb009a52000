"""How much may come in at once: room on the spool's disk, bodies that one process receives, unfinished uploads of one
owner. Serves the uploads API and /readyz.

Whoever meets a limit is told 503 and when to come again, before a byte of his body is read: he waits, not our memory.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from media.models import Upload
from media.sweep import UNDER_WAY
from schemas.problems import Problem
from server.config import Settings
from server.house import house

FULL_SECONDS, BUSY_SECONDS, MANY_SECONDS = 30, 2, 60
MB = 1_000_000


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["menqian_bodies"] = threading.BoundedSemaphore(settings.upload_bodies)


def lacks_room(settings: Settings, coming: int = 0) -> bool:
    """Would the spool's disk have less than what is to stay free, when so many bytes have come?"""
    return _free_bytes(settings.spool) - coming < settings.spool_free_mb * MB


def must_have_room(coming: int) -> None:
    """Raise `unavailable` where so many bytes have no room."""
    if lacks_room(house().settings, coming):
        raise Problem("unavailable", "暂存空间不足 There is no room for photos just now", retry_after=FULL_SECONDS)


def must_not_have_too_many(session: Session, owner: str) -> None:
    """Raise `busy` where an owner has too many unfinished uploads."""
    begun = session.execute(select(func.count()).where(Upload.owner == owner, Upload.state.in_(UNDER_WAY))).scalar_one()
    if begun >= house().settings.uploads_unfinished:
        raise Problem("busy", f"未完成的上传过多 {begun} uploads are unfinished: finish or delete some",
                      retry_after=MANY_SECONDS)


@contextmanager
def receiving() -> Iterator[None]:
    """One of the bodies that this process receives at once; raises `busy` when there are enough. The threads that are
    left answer everybody else."""
    places: threading.BoundedSemaphore = current_app.extensions["menqian_bodies"]
    if not places.acquire(blocking=False):
        raise Problem("busy", "正在接收的照片过多 Enough photos are coming in just now", retry_after=BUSY_SECONDS)
    try:
        yield
    finally:
        places.release()


def _free_bytes(directory: Path) -> int:
    """What is free on the disk of a directory, which may not stand yet."""
    standing = next(place for place in (directory, *directory.parents) if place.exists())
    disk = os.statvfs(standing)
    return disk.f_bavail * disk.f_frsize
