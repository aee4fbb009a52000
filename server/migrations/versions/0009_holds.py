"""What stores were told to hold, and how far the records were walked for that."""

import sqlalchemy as sa
from alembic import op

revision = "0009_holds"
down_revision = "0008_numbers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("photo_hold",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=500), nullable=False),
        sa.Column("held_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("sha256", "place", name="pk_photo_hold"))
    op.create_table("hold_walk",
        sa.Column("place", sa.String(length=500), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("rules", sa.String(length=64), nullable=False),
        sa.Column("trouble", sa.String(length=40), nullable=True),
        sa.Column("busy_until", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("place", name="pk_hold_walk"))


def downgrade() -> None:
    op.drop_table("hold_walk")
    op.drop_table("photo_hold")
