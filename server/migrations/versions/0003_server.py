"""People, zones, reviews, spot checks."""

import sqlalchemy as sa
from alembic import op

revision = "0003_server"
down_revision = "0002_media"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("claim",
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("until", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name="pk_claim"))
    op.create_table("invitation",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("used_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name="pk_invitation"))
    op.create_table("login",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_login"))
    op.create_index("ix_login_user_id", "login", ["user_id"])
    op.create_table("person",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("scopes_version", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=80), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.UniqueConstraint("username", name="uq_person_username"))
    op.create_table("spot_check",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("made_by", sa.String(length=36), nullable=False),
        sa.Column("made_at", sa.String(length=24), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Text(), nullable=False),
        sa.Column("frame_digest", sa.String(length=64), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("frozen_index", sa.BigInteger(), nullable=False),
        sa.Column("beacon", sa.String(length=64), nullable=True),
        sa.Column("seed", sa.String(length=64), nullable=True),
        sa.Column("allocation", sa.Text(), nullable=True),
        sa.Column("drawn_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_spot_check"))
    op.create_table("spot_sample",
        sa.Column("check_id", sa.String(length=36), nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("stratum", sa.String(length=200), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("values", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("judged_by", sa.String(length=36), nullable=True),
        sa.Column("judged_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("check_id", "record_id", name="pk_spot_sample"))
    op.create_index("ix_spot_sample_record_id", "spot_sample", ["record_id"])
    op.create_table("zone_version",
        sa.Column("zone_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.String(length=15), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("road", sa.String(length=200), nullable=True),
        sa.Column("section", sa.String(length=200), nullable=True),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("sticker_serial", sa.String(length=80), nullable=True),
        sa.Column("valid_from", sa.String(length=24), nullable=False),
        sa.Column("valid_to", sa.String(length=24), nullable=True),
        sa.Column("outline", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("zone_id", "version", name="pk_zone_version"))
    op.create_index("ix_zone_version_number", "zone_version", ["number"])


def downgrade() -> None:
    op.drop_index("ix_zone_version_number", table_name="zone_version")
    op.drop_table("zone_version")
    op.drop_index("ix_spot_sample_record_id", table_name="spot_sample")
    op.drop_table("spot_sample")
    op.drop_table("spot_check")
    op.drop_table("person")
    op.drop_index("ix_login_user_id", table_name="login")
    op.drop_table("login")
    op.drop_table("invitation")
    op.drop_table("claim")
