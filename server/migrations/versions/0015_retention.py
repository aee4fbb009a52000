"""The view of enforcement records shows how they were concluded."""

from alembic import op

revision = "0015_retention"
down_revision = "0014_taken"
branch_labels = None
depends_on = None

COLUMNS = ("id", "version", "scope", "created_at", "created_by", "updated_at", "device_id")
FIELDS = ("kind finding_id party_id offence_code facts officers amount due_at served document_no checks status "
          "amendments inspector_id unsigned")


def upgrade() -> None:
    _view(f"{FIELDS} conclusion")


def downgrade() -> None:
    _view(FIELDS)


def _view(fields: str) -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    parts = [f"CAST(fields AS jsonb) ->> '{name}' AS \"{name}\"" if postgresql
             else f"json_extract(fields, '$.{name}') AS \"{name}\"" for name in fields.split()]
    op.execute('DROP VIEW "enforcement"')
    op.execute(f'CREATE VIEW "enforcement" AS SELECT {", ".join((*COLUMNS, *parts))} FROM record '
               "WHERE type = 'enforcement' AND NOT deleted")
