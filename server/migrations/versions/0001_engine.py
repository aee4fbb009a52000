"""The engine: clock, records, history, receipts, quarantine, journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001_engine"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoint"))
    op.create_index("ix_checkpoint_root", "checkpoint", ["root"])
    op.create_table("clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.String(length=36), nullable=False),
        sa.Column("floor_seq", sa.BigInteger(), nullable=False),
        sa.Column("journal_size", sa.BigInteger(), nullable=False),
        sa.Column("journal_peaks", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clock"))
    op.create_table("departure",
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("from_scope", sa.String(length=15), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "from_scope", name="pk_departure"))
    op.create_index("ix_departure_from_scope_seq", "departure", ["from_scope", "seq"])
    op.create_table("device",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("platform", sa.String(length=200), nullable=False),
        sa.Column("app_version", sa.String(length=80), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("enrolled_at", sa.String(length=24), nullable=False),
        sa.Column("last_seen_at", sa.String(length=24), nullable=True),
        sa.Column("last_n", sa.BigInteger(), nullable=False),
        sa.Column("reported", sa.Text(), nullable=True),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.UniqueConstraint("token_hash", name="uq_device_token_hash"))
    op.create_index("ix_device_user_id", "device", ["user_id"])
    op.create_table("held",
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("waits_for", sa.String(length=36), nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("until", sa.String(length=24), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("mutations", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "n", name="pk_held"))
    op.create_index("ix_held_record_id", "held", ["record_id"])
    op.create_index("ix_held_until", "held", ["until"])
    op.create_index("ix_held_waits_for", "held", ["waits_for"])
    op.create_table("history",
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=True),
        sa.Column("op", sa.String(length=80), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "version", name="pk_history"))
    op.create_table("journal_entry",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=80), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_journal_entry"))
    op.create_index("ix_journal_entry_about", "journal_entry", ["about"])
    op.create_table("journal_node",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name="pk_journal_node"))
    op.create_table("quarantine",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("scope", sa.String(length=15), nullable=True),
        sa.Column("record_id", sa.String(length=80), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("mutation", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("settlement", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"))
    op.create_index("ix_quarantine_device_id", "quarantine", ["device_id"])
    op.create_index("ix_quarantine_record_id", "quarantine", ["record_id"])
    op.create_index("ix_quarantine_scope", "quarantine", ["scope"])
    op.create_index("ix_quarantine_state", "quarantine", ["state"])
    op.create_table("receipt",
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("settled", sa.Text(), nullable=True),
        sa.Column("settled_seq", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "n", name="pk_receipt"))
    op.create_index("ix_receipt_device_id_settled_seq", "receipt", ["device_id", "settled_seq"])
    op.create_index("ix_receipt_id", "receipt", ["id"])
    op.create_table("record",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=15), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("created_seq", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("stamps", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=True),
        sa.Column("class_code", sa.String(length=40), nullable=True),
        sa.Column("zone_id", sa.String(length=36), nullable=True),
        sa.Column("inspector_id", sa.String(length=80), nullable=True),
        sa.Column("due_at", sa.String(length=24), nullable=True),
        sa.Column("observed_at", sa.String(length=24), nullable=True),
        sa.Column("about_id", sa.String(length=36), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("media_state", sa.String(length=10), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("review_state", sa.String(length=10), nullable=True),
        sa.Column("risk", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_record"))
    op.create_index("ix_record_about_id", "record", ["about_id"])
    op.create_index("ix_record_device_id_media_state", "record", ["device_id", "media_state"])
    op.create_index("ix_record_inspector_id_type", "record", ["inspector_id", "type"])
    op.create_index("ix_record_review_state_risk", "record", ["review_state", "risk"])
    op.create_index("ix_record_scope_seq", "record", ["scope", "seq"])
    op.create_index("ix_record_seq", "record", ["seq"])
    op.create_index("ix_record_sha256", "record", ["sha256"])
    op.create_index("ix_record_type_class_code_lat", "record", ["type", "class_code", "lat"])
    op.create_index("ix_record_type_observed_at", "record", ["type", "observed_at"])
    op.create_index("ix_record_type_seq", "record", ["type", "seq"])
    op.create_index("ix_record_type_status", "record", ["type", "status"])
    op.create_index("ix_record_zone_id", "record", ["zone_id"])
    op.create_table("scope_seen",
        sa.Column("scope", sa.String(length=15), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_scope_seen"))


def downgrade() -> None:
    op.drop_table("scope_seen")
    op.drop_index("ix_record_zone_id", table_name="record")
    op.drop_index("ix_record_type_status", table_name="record")
    op.drop_index("ix_record_type_seq", table_name="record")
    op.drop_index("ix_record_type_observed_at", table_name="record")
    op.drop_index("ix_record_type_class_code_lat", table_name="record")
    op.drop_index("ix_record_sha256", table_name="record")
    op.drop_index("ix_record_seq", table_name="record")
    op.drop_index("ix_record_scope_seq", table_name="record")
    op.drop_index("ix_record_review_state_risk", table_name="record")
    op.drop_index("ix_record_inspector_id_type", table_name="record")
    op.drop_index("ix_record_device_id_media_state", table_name="record")
    op.drop_index("ix_record_about_id", table_name="record")
    op.drop_table("record")
    op.drop_index("ix_receipt_id", table_name="receipt")
    op.drop_index("ix_receipt_device_id_settled_seq", table_name="receipt")
    op.drop_table("receipt")
    op.drop_index("ix_quarantine_state", table_name="quarantine")
    op.drop_index("ix_quarantine_scope", table_name="quarantine")
    op.drop_index("ix_quarantine_record_id", table_name="quarantine")
    op.drop_index("ix_quarantine_device_id", table_name="quarantine")
    op.drop_table("quarantine")
    op.drop_table("journal_node")
    op.drop_index("ix_journal_entry_about", table_name="journal_entry")
    op.drop_table("journal_entry")
    op.drop_table("history")
    op.drop_index("ix_held_waits_for", table_name="held")
    op.drop_index("ix_held_until", table_name="held")
    op.drop_index("ix_held_record_id", table_name="held")
    op.drop_table("held")
    op.drop_index("ix_device_user_id", table_name="device")
    op.drop_table("device")
    op.drop_index("ix_departure_from_scope_seq", table_name="departure")
    op.drop_table("departure")
    op.drop_table("clock")
    op.drop_index("ix_checkpoint_root", table_name="checkpoint")
    op.drop_table("checkpoint")
