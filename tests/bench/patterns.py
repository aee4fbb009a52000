"""A pushed finding as a pattern of others: what the door wrote of it, and the rows of another one after it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Engine, select

from server import trade
from server.rules.crs import to_4490
from sync import journal
from sync.kept import RECORD, Kept, kept_from, to_row
from sync.models import History, JournalEntry, Receipt, table_of
from sync.push import digest_of
from tests.enrolled import Handheld

Row = dict[str, Any]
# What differs between two pushes of the same content.
RECORD_DIFFERS = {"id", "seq", "created_seq", "created_at", "updated_at"}
HISTORY_DIFFERS = {"record_id", "seq", "at", "salt", "n"}
RECEIPT_DIFFERS = {"n", "id", "digest", "received_at"}
RULE = trade.rules()


class Rows(NamedTuple):
    """The rows of one finding."""

    record: Row
    history: Row
    receipt: Row
    entry: journal.Entry


@dataclass(slots=True)
class Pattern:
    """A finding that was really pushed by this device."""

    device: Handheld
    kept: Kept
    rows: Rows

    def rows_of(self, mutation: Row, seq: int) -> Rows:
        """What the door would write of this creation, of the same device in the same scope, away from all zones."""
        sent = mutation["set"]["position"]
        lon, lat = to_4490(sent["lon"], sent["lat"], sent["crs"])
        position = {**sent, "normalized": {"lon": round(lon, 9), "lat": round(lat, 9)}}
        fields = {**self.kept.fields, **mutation["set"], "position": position}
        record_id = mutation["record_id"]
        kept = self.kept._replace(id=record_id, seq=seq, created_seq=seq, fields=fields,
                                  marks={**self.kept.marks, **RULE.of(self.kept.declared).promote(fields)})
        salt = secrets.token_hex(16)
        changed = {name: {"from": None, "to": fields[name]} for name in orjson.loads(self.rows.history["changed"])}
        history = {**self.rows.history, "record_id": record_id, "seq": seq, "salt": salt,
                   "n": mutation["n"], "changed": orjson.dumps(changed, option=orjson.OPT_SORT_KEYS).decode()}
        own = {"n": mutation["n"], "id": mutation["id"]}
        receipt = {**self.rows.receipt, **own, "digest": digest_of(mutation),
                   "outcome": {**self.rows.receipt["outcome"], **own, "record_id": record_id}}
        body = {**self.rows.entry.body, "commitment": journal.commitment(salt, changed)}
        return Rows(to_row(kept), history, receipt, self.rows.entry._replace(about=record_id, body=body))


def pattern_of(engine: Engine, device: Handheld, mutation: Row) -> Pattern:
    """The pattern that a pushed creation left in the database."""
    record_id = mutation["record_id"]
    with engine.connect() as connection:
        def row(table: Any, *conditions: Any) -> Any:
            return connection.execute(select(table).where(*conditions)).mappings().one()

        record = row(RECORD, RECORD.c.id == record_id)
        entry = row(table_of(JournalEntry), JournalEntry.about == record_id)
        return Pattern(device, kept_from(record), Rows(
            dict(record), dict(row(table_of(History), History.record_id == record_id)),
            dict(row(table_of(Receipt), Receipt.device_id == device.id, Receipt.n == mutation["n"])),
            journal.Entry(entry["at"], entry["kind"], entry["actor"], record_id, entry["body"])))


def must_be_alike(one: Rows, other: Rows) -> None:
    """Fail unless both could be of the same push, but for what differs between any two."""
    assert _without(one.record, RECORD_DIFFERS) == _without(other.record, RECORD_DIFFERS), (one.record, other.record)
    assert _without(one.history, HISTORY_DIFFERS) == _without(other.history, HISTORY_DIFFERS), (one, other)
    assert _without(one.receipt, RECEIPT_DIFFERS | {"outcome"}) == _without(
        other.receipt, RECEIPT_DIFFERS | {"outcome"}), (one.receipt, other.receipt)
    assert _without(one.receipt["outcome"], {"n", "id", "record_id"}) == _without(
        other.receipt["outcome"], {"n", "id", "record_id"}), (one.receipt, other.receipt)
    assert _without(one.entry.body, {"commitment"}) == _without(other.entry.body, {"commitment"}), (one, other)


def _without(row: Any, names: set[str]) -> Row:
    return {name: value for name, value in row.items() if name not in names}
