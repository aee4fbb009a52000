"""What journal entries say aside, outside the tree; the quarantine is found by a device's numbers, as receipts are."""

import sqlalchemy as sa
from alembic import op

revision = "0007_asides"
down_revision = "0006_cells"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("journal_aside",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("index", name="pk_journal_aside"))
    op.drop_index("ix_quarantine_device_id", table_name="quarantine")
    op.create_index("ix_quarantine_device_id_n", "quarantine", ["device_id", "n"])


def downgrade() -> None:
    op.drop_index("ix_quarantine_device_id_n", table_name="quarantine")
    op.create_index("ix_quarantine_device_id", "quarantine", ["device_id"])
    op.drop_table("journal_aside")
