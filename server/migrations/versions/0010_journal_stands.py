"""The database refuses changes of the journal; audits and time stamps have tables."""

import sqlalchemy as sa
from alembic import op

from sync import append_only

revision = "0010_journal_stands"
down_revision = "0009_holds"
branch_labels = None
depends_on = None

GUARDED = {"journal_entry": ("UPDATE", "DELETE"), "journal_node": ("UPDATE", "DELETE"), "checkpoint": ("UPDATE",),
           "journal_timestamp": ("UPDATE", "DELETE")}


def upgrade() -> None:
    op.create_table("audit_run",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("night", sa.String(length=10), nullable=True),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("asked_at", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("began_at", sa.String(length=24), nullable=True),
        sa.Column("seen_at", sa.String(length=24), nullable=True),
        sa.Column("ended_at", sa.String(length=24), nullable=True),
        sa.Column("checked", sa.Text(), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.Column("problems", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_run"),
        sa.UniqueConstraint("night", name="uq_audit_run_night"))
    op.create_index("ix_audit_run_asked_at", "audit_run", ["asked_at"])
    op.create_table("journal_timestamp",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_journal_timestamp"))
    restored = sa.text("kind = 'restored'")
    op.create_index("ix_journal_entry_restored", "journal_entry", ["index"], sqlite_where=restored,
                    postgresql_where=restored)
    for statement in append_only.guard(op.get_bind().dialect.name, GUARDED):
        op.execute(statement)


def downgrade() -> None:
    for statement in append_only.unguard(op.get_bind().dialect.name, GUARDED):
        op.execute(statement)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {append_only.FUNCTION}()")
    op.drop_index("ix_journal_entry_restored", table_name="journal_entry")
    op.drop_table("journal_timestamp")
    op.drop_table("audit_run")
