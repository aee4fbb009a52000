"""Which scopes a person had when, and which of them a device is known to have: late work is judged by both."""

import sqlalchemy as sa
from alembic import op

revision = "0005_late_work"
down_revision = "0004_views"
branch_labels = None
depends_on = None

COLUMNS = (("scopes_acknowledged", sa.Integer()), ("scopes_acknowledged_at", sa.String(length=24)),
           ("late_from", sa.Integer()), ("late_n", sa.BigInteger()))


def upgrade() -> None:
    op.create_table("person_scopes",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.Column("since", sa.String(length=24), nullable=False),
        sa.Column("until", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "version", name="pk_person_scopes"))
    for name, kind in COLUMNS:
        op.add_column("device", sa.Column(name, kind, nullable=True))
    op.execute("INSERT INTO person_scopes (user_id, version, codes, since)"
               " SELECT id, scopes_version, scopes, created_at FROM person")
    op.execute("UPDATE device SET scopes_acknowledged ="
               " (SELECT scopes_version FROM person WHERE person.id = device.user_id)")


def downgrade() -> None:
    for name, _ in reversed(COLUMNS):
        op.drop_column("device", name)
    op.drop_table("person_scopes")
