"""Derived pictures that a person made name him and the evidence record."""

import sqlalchemy as sa
from alembic import op

revision = "0012_derivatives"
down_revision = "0011_reuse"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rendition", sa.Column("made_by", sa.String(36)))
    op.add_column("rendition", sa.Column("evidence_id", sa.String(36)))


def downgrade() -> None:
    op.drop_column("rendition", "evidence_id")
    op.drop_column("rendition", "made_by")
