"""Incidents: breaks of capture chains wait to become one, those that are there already among them; their view."""

from collections.abc import Iterator
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0013_incidents"
down_revision = "0012_derivatives"
branch_labels = None
depends_on = None

COLUMNS = ("id", "version", "scope", "created_at", "created_by", "updated_at", "device_id")
FIELDS = ("kind about severity status opened_at device inspector_id seq missing_from missing_to missing evidence "
          "undelivered note explanations closed")
BATCH = 1_000
RECORDS = sa.table("record", *(sa.column(name) for name in ("id", "type", "device_id", "updated_at", "fields")))
FLAGGED = sa.and_(RECORDS.c.type == "evidence", RECORDS.c.device_id.is_not(None), RECORDS.c.fields.contains('"chain_'))
BREAKS = ("device_id", "seq", "kind", "record_id", "missing_from", "missing_to", "seen_at")


def upgrade() -> None:
    made = op.create_table(
        "chain_break",
        sa.Column("device_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("missing_from", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("missing_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("seen_at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "seq", "kind", name="pk_chain_break"))
    last, breaks = "", {}
    while rows := op.get_bind().execute(sa.select(RECORDS).where(FLAGGED, RECORDS.c.id > last)
                                        .order_by(RECORDS.c.id).limit(BATCH)).all():
        last = rows[-1].id
        for found in (found for row in rows for found in _breaks(row)):
            breaks.setdefault(found[:3], dict(zip(BREAKS, found, strict=True)))
    if breaks:
        op.bulk_insert(made, list(breaks.values()))
    _create_view()


def downgrade() -> None:
    op.execute('DROP VIEW "incident"')
    op.drop_table("chain_break")


def _breaks(row: Any) -> Iterator[tuple[Any, ...]]:
    fields = orjson.loads(row.fields)
    for flag in fields.get("flags") or ():
        if flag["code"] in ("chain_gap", "chain_fork"):
            detail = flag["detail"]
            yield (row.device_id, fields["capture"]["seq"], flag["code"], row.id, detail.get("missing_from"),
                   detail.get("missing_to"), row.updated_at)


def _create_view() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    parts = [f"CAST(fields AS jsonb) ->> '{name}' AS \"{name}\"" if postgresql
             else f"json_extract(fields, '$.{name}') AS \"{name}\"" for name in FIELDS.split()]
    op.execute(f'CREATE VIEW "incident" AS SELECT {", ".join((*COLUMNS, *parts))} FROM record '
               "WHERE type = 'incident' AND NOT deleted")
