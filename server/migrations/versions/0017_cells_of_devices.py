"""The index of cells knows whose findings lie in them, so that a device's own are passed over without being read."""

import sqlalchemy as sa
from alembic import op

revision = "0017_cells_of_devices"
down_revision = "0016_photo_sources"
branch_labels = None
depends_on = None

KNOWN = sa.text("cell IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_record_cell_seq", table_name="record")
    op.create_index("ix_record_cell_seq_device_id", "record", ["cell", "seq", "device_id"], sqlite_where=KNOWN,
                    postgresql_where=KNOWN)


def downgrade() -> None:
    op.drop_index("ix_record_cell_seq_device_id", table_name="record")
    op.create_index("ix_record_cell_seq", "record", ["cell", "seq"], sqlite_where=KNOWN, postgresql_where=KNOWN)
