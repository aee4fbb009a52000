"""The unfinished uploads of one owner are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0018_unfinished"
down_revision = "0017_cells_of_devices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    unfinished = sa.text("state IN ('open', 'partial')")
    op.create_index("ix_upload_unfinished", "upload", ["owner"], sqlite_where=unfinished, postgresql_where=unfinished)


def downgrade() -> None:
    op.drop_index("ix_upload_unfinished", table_name="upload")
