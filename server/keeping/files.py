"""Which records are of one file (一案一卷), as the tables tell; what a case is says `media/cases.py`.

Up: what a record is about, the finding of an enforcement record, the inspection in which the finding was made. Down:
all that is tied to it so, at whatever remove. Serves legal holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import orjson
from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from media.cases import above, inspection_of
from schemas.records import record_type
from server.keeping.periods import THROUGH
from sync.bulk import Among
from sync.models import Record


class Way(NamedTuple):
    """From a record up to the one at the root of its case, both included; and the inspection in which that was made."""

    ids: tuple[str, ...]
    inspection: str | None

    @property
    def root(self) -> str:
        return self.ids[-1]


def ways(session: Session, ids: Iterable[str], until_seq: int | None = None) -> dict[str, Way]:
    """By id the way up from each of these records; of those that changed after the number nothing is known."""
    wanted = set(ids)
    starts, read = sorted(wanted), dict[str, tuple[str | None, str | None]]()
    while wanted:
        query = select(Record.id, Record.type, Record.fields).where(Among(Record.id, sorted(wanted)))
        read |= dict.fromkeys(wanted, (None, None))
        for row in session.execute(query if until_seq is None else query.where(Record.seq <= until_seq)):
            declared, fields = record_type(row.type), orjson.loads(row.fields)
            read[row.id] = above(declared, fields), inspection_of(declared, fields)
        wanted = {over for over, _ in read.values() if over} - read.keys()
    found = {}
    for start in starts:
        way = [start]
        while (over := read[way[-1]][0]) and over not in way:
            way.append(over)
        found[start] = Way(tuple(way), read[way[-1]][1])
    return found


def below(session: Session, ids: Iterable[str]) -> set[str]:
    """These records, and all that belongs to them. Reads every enforcement record where findings are among them, every
    finding where inspections are."""
    newest = set(ids)
    found = set(newest)
    while newest:
        under = set(session.execute(select(Record.id).where(Among(Record.about_id, sorted(newest)))).scalars())
        types = session.execute(select(Record.id, Record.type).where(Among(Record.id, sorted(newest)))).all()
        for name, (of_type, through) in THROUGH.items():
            if tied_to := sorted(row.id for row in types if row.type == name):
                rows = table(of_type, column("id"), column(through)).c
                under |= set(session.execute(select(rows["id"]).where(Among(rows[through], tied_to))).scalars())
        newest = under - found
        found |= newest
    return found


def file_of(session: Session, record_id: str) -> list[str]:
    """The record, those above it to the inspection, and all that belongs to its case."""
    way = ways(session, [record_id])[record_id]
    over = [*way.ids, *([way.inspection] if way.inspection else ())]
    return [*over, *sorted(below(session, [way.root]) - set(over))]
