"""Photos find those that show the same picture, and evidence is tied to evidence of other cases with one picture.

Photos that stand here already are entered in the background, a few at each tick.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_reuse"
down_revision = "0010_journal_stands"
branch_labels = None
depends_on = None

HASHED, UNCOMPARED = sa.text("dhash IS NOT NULL"), sa.text("near IS NULL")


def upgrade() -> None:
    op.add_column("photo", sa.Column("near", sa.Integer()))
    op.create_index("ix_photo_dhash", "photo", ["dhash"], sqlite_where=HASHED, postgresql_where=HASHED)
    op.create_index("ix_photo_uncompared", "photo", ["sha256"], sqlite_where=UNCOMPARED, postgresql_where=UNCOMPARED)
    op.create_table("photo_band",
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dhash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key", "dhash", name="pk_photo_band"), sqlite_with_rowid=False)
    op.create_table("near_photo",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("other", sa.String(length=64), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.Column("orientation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "other", name="pk_near_photo"))
    op.create_table("reuse",
        sa.Column("evidence_id", sa.String(length=36), nullable=False),
        sa.Column("other_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=True),
        sa.Column("orientation", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("evidence_id", "other_id", name="pk_reuse"))
    op.create_index("ix_reuse_seq", "reuse", ["seq"])


def downgrade() -> None:
    for table in ("reuse", "near_photo", "photo_band"):
        op.drop_table(table)
    for index in ("ix_photo_uncompared", "ix_photo_dhash"):
        op.drop_index(index, table_name="photo")
    op.drop_column("photo", "near")
