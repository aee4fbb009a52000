"""A version says which of its device's mutations made it."""

import sqlalchemy as sa
from alembic import op

revision = "0008_numbers"
down_revision = "0007_asides"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("history", sa.Column("n", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("history", "n")
