"""How enforcement records were concluded, in their view; legal holds, disposals, erasures."""

import sqlalchemy as sa
from alembic import op

revision = "0015_retention"
down_revision = "0014_taken"
branch_labels = None
depends_on = None

COLUMNS = ("id", "version", "scope", "created_at", "created_by", "updated_at", "device_id")
FIELDS = ("kind finding_id party_id offence_code facts officers amount due_at served document_no checks status "
          "amendments inspector_id unsigned")


BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ID, AT = sa.String(36), sa.String(24)


def upgrade() -> None:
    _view(f"{FIELDS} conclusion")
    op.add_column("rendition", sa.Column("disposed_at", AT))
    op.create_table(
        "photo_disposal",
        sa.Column("disposal_id", ID, nullable=False), sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False), sa.Column("trouble", sa.String(200)),
        sa.Column("retry_at", AT), sa.Column("removed_at", AT),
        sa.PrimaryKeyConstraint("disposal_id", "sha256", name="pk_photo_disposal"))
    op.create_index("ix_photo_disposal_state", "photo_disposal", ["state"])
    op.create_index("ix_photo_disposal_sha256", "photo_disposal", ["sha256"])
    op.create_table(
        "legal_hold", sa.Column("id", ID, nullable=False), sa.Column("record_type", sa.String(40), nullable=False),
        sa.Column("record_id", ID, nullable=False), sa.Column("covers", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False), sa.Column("ordered_by", sa.String(200), nullable=False),
        sa.Column("document_no", sa.String(100)), sa.Column("until", AT), sa.Column("placed_by", ID, nullable=False),
        sa.Column("placed_at", AT, nullable=False), sa.Column("released_by", sa.String(80)),
        sa.Column("released_at", AT), sa.Column("release_reason", sa.Text()), sa.Column("seq", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_legal_hold"))
    op.create_index("ix_legal_hold_record_id", "legal_hold", ["record_id"])
    op.create_index("ix_legal_hold_seq", "legal_hold", ["seq"])
    op.create_table(
        "disposal", sa.Column("id", ID, nullable=False), sa.Column("state", sa.String(10), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False), sa.Column("records", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False), *_proposal(), sa.Column("ended_at", AT),
        sa.PrimaryKeyConstraint("id", name="pk_disposal"))
    op.create_index("ix_disposal_state", "disposal", ["state"])
    op.create_table(
        "erasure", sa.Column("id", ID, nullable=False), sa.Column("state", sa.String(10), nullable=False),
        sa.Column("record_type", sa.String(40), nullable=False), sa.Column("record_id", ID, nullable=False),
        sa.Column("fields", sa.Text(), nullable=False), sa.Column("ground", sa.String(40), nullable=False),
        *_proposal(), sa.PrimaryKeyConstraint("id", name="pk_erasure"))
    op.create_index("ix_erasure_state", "erasure", ["state"])
    op.create_index("ix_erasure_record_id", "erasure", ["record_id"])


def downgrade() -> None:
    for name in ("erasure", "disposal", "legal_hold", "photo_disposal"):
        op.drop_table(name)
    op.drop_column("rendition", "disposed_at")
    _view(FIELDS)


def _proposal() -> list[sa.Column[str]]:
    """Who proposed it and why, who decided."""
    return [sa.Column("reason", sa.Text(), nullable=False), sa.Column("proposed_by", ID, nullable=False),
            sa.Column("proposed_at", AT, nullable=False), sa.Column("decided_by", ID), sa.Column("decided_at", AT),
            sa.Column("note", sa.Text())]


def _view(fields: str) -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    parts = [f"CAST(fields AS jsonb) ->> '{name}' AS \"{name}\"" if postgresql
             else f"json_extract(fields, '$.{name}') AS \"{name}\"" for name in fields.split()]
    op.execute('DROP VIEW "enforcement"')
    op.execute(f'CREATE VIEW "enforcement" AS SELECT {", ".join((*COLUMNS, *parts))} FROM record '
               "WHERE type = 'enforcement' AND NOT deleted")
