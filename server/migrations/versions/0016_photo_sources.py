"""Who brought the bytes of a photo; of those that stand already, everybody whose evidence names them."""

import sqlalchemy as sa
from alembic import op

revision = "0016_photo_sources"
down_revision = "0015_retention"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "photo_source", sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(36), nullable=False), sa.Column("at", sa.String(24), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "user_id", name="pk_photo_source"))
    op.execute("INSERT INTO photo_source (sha256, user_id, at) SELECT record.sha256, record.created_by, "
               "MIN(record.created_at) FROM record JOIN photo ON photo.sha256 = record.sha256 "
               "WHERE record.type = 'evidence' GROUP BY record.sha256, record.created_by")


def downgrade() -> None:
    op.drop_table("photo_source")
