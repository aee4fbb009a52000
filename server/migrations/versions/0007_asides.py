"""The quarantine is found by a device's numbers, as its receipts are."""

from alembic import op

revision = "0007_asides"
down_revision = "0006_cells"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_quarantine_device_id", table_name="quarantine")
    op.create_index("ix_quarantine_device_id_n", "quarantine", ["device_id", "n"])


def downgrade() -> None:
    op.drop_index("ix_quarantine_device_id_n", table_name="quarantine")
    op.create_index("ix_quarantine_device_id", "quarantine", ["device_id"])
