"""Roads, which the handheld's map draws."""

import sqlalchemy as sa
from alembic import op

revision = "0019_roads"
down_revision = "0018_unfinished"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "road", sa.Column("id", sa.String(80), nullable=False), sa.Column("scope", sa.String(15), nullable=False),
        sa.Column("name", sa.String(500), nullable=False), sa.Column("section", sa.String(500), nullable=False),
        sa.Column("width_m", sa.Float(), nullable=True), sa.Column("line", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False), sa.PrimaryKeyConstraint("id", name="pk_road"))
    op.create_index("ix_road_scope", "road", ["scope"])


def downgrade() -> None:
    op.drop_index("ix_road_scope", table_name="road")
    op.drop_table("road")
