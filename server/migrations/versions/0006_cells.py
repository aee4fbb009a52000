"""Findings know their cell, by which duplicates are found; indexes leave out rows that have nothing in them."""

import sqlalchemy as sa
from alembic import op

revision = "0006_cells"
down_revision = "0005_late_work"
branch_labels = None
depends_on = None

# The column whose empty rows each index leaves out.
SPARSE = {("about_id",): "about_id", ("device_id", "media_state"): "media_state",
          ("inspector_id", "type"): "inspector_id", ("review_state", "risk"): "review_state", ("sha256",): "sha256",
          ("type", "observed_at"): "observed_at", ("zone_id",): "zone_id"}


def upgrade() -> None:
    op.add_column("record", sa.Column("cell", sa.String(80)))
    for columns, column in SPARSE.items():
        op.drop_index(f"ix_record_{'_'.join(columns)}", table_name="record")
        _create("record", columns, column)
    _create("record", ("cell", "seq"), "cell")
    op.drop_index("ix_record_type_class_code_lat", table_name="record")
    op.create_index("ix_record_type_class_code", "record", ["type", "class_code"])
    op.drop_index("ix_receipt_device_id_settled_seq", table_name="receipt")
    _create("receipt", ("device_id", "settled_seq"), "settled_seq")


def downgrade() -> None:
    op.drop_index("ix_receipt_device_id_settled_seq", table_name="receipt")
    op.create_index("ix_receipt_device_id_settled_seq", "receipt", ["device_id", "settled_seq"])
    op.drop_index("ix_record_type_class_code", table_name="record")
    op.create_index("ix_record_type_class_code_lat", "record", ["type", "class_code", "lat"])
    op.drop_index("ix_record_cell_seq", table_name="record")
    for columns in SPARSE:
        op.drop_index(f"ix_record_{'_'.join(columns)}", table_name="record")
        op.create_index(f"ix_record_{'_'.join(columns)}", "record", list(columns))
    op.drop_column("record", "cell")


def _create(table: str, columns: tuple[str, ...], set_: str) -> None:
    known = sa.text(f"{set_} IS NOT NULL")
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), sqlite_where=known, postgresql_where=known)
