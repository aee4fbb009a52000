"""A device's contact: every call tells that it lives and, by the header `Menqian-Health`, what it has not delivered.

A push tells the same in its body and writes it with its effect. Any other call writes by itself, only when there is
news, without a number of the log or an entry of the journal.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from schemas.values import parse_time
from server.db import db
from server.handover import Known
from server.house import house
from sync.health import TOLD, columns_of
from sync.models import Device

log = logging.getLogger(__name__)
SIGHTING = timedelta(minutes=1)
CLOCK_MOVED_MS = 5_000


def note_contact(device_id: str, known: Known, health: Mapping[str, Any]) -> None:
    """Keep what a call tells of its device: at once when it is news, else once a minute.

    A database that is too busy for it keeps the call waiting, but never fails it.
    """
    columns = columns_of(health, house().clock(), known.reported, known.last_seen_at)
    if not _is_news(known, columns):
        return
    db.session.rollback()
    try:
        db.session.execute(update(Device).where(Device.id == device_id).values(columns))
        db.session.commit()
    except OperationalError:
        log.info("the contact of device %s was not noted: the database is busy", device_id)
        db.session.rollback()


def _is_news(known: Known, columns: Mapping[str, Any]) -> bool:
    if known.last_seen_at is None or parse_time(columns["last_seen_at"]) - parse_time(known.last_seen_at) >= SIGHTING:
        return True
    told, before = columns.get("reported"), known.reported or {}
    if told is not None and any(told.get(name) != before.get(name) for name in TOLD):
        return True
    offset = columns.get("clock_offset_ms")
    return offset is not None and (known.clock_offset_ms is None
                                   or abs(offset - known.clock_offset_ms) >= CLOCK_MOVED_MS)
