"""Evidence and tracks are found by their person and time."""

from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from schemas.values import STAMP, parse_time, stamp

revision = "0014_taken"
down_revision = "0013_incidents"
branch_labels = None
depends_on = None

INDEX = "ix_record_created_by_observed_at"
BATCH = 1_000
RECORDS = sa.table("record", *(sa.column(name) for name in ("id", "type", "fields", "observed_at")))


def upgrade() -> None:
    last = ""
    while rows := op.get_bind().execute(sa.select(RECORDS).where(
            RECORDS.c.type.in_(("evidence", "track")), RECORDS.c.id > last).order_by(RECORDS.c.id).limit(BATCH)).all():
        last = rows[-1].id
        op.get_bind().execute(RECORDS.update().where(RECORDS.c.id == sa.bindparam("b_id")),
                              [{"b_id": row.id, "observed_at": _observed(row)} for row in rows])
    taken = sa.text("type IN ('evidence', 'track')")
    op.create_index(INDEX, "record", ["created_by", "observed_at"], sqlite_where=taken, postgresql_where=taken)


def downgrade() -> None:
    op.drop_index(INDEX, table_name="record")
    op.execute("UPDATE record SET observed_at = NULL WHERE type IN ('evidence', 'track')")


def _observed(row: Any) -> str | None:
    fields = orjson.loads(row.fields)
    times = [fields.get("captured_at")] if row.type == "evidence" else [
        point.get("at") for point in fields.get("points") or ()]
    text = next((at for at in times if at), None)
    return text if text is None or STAMP.fullmatch(text) else stamp(parse_time(text))
