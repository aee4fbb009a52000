"""Views named after the record types, for reporting tools: a column a declared field, live records only."""

from alembic import op

revision = "0004_views"
down_revision = "0003_server"
branch_labels = None
depends_on = None

COLUMNS = ("id", "version", "scope", "created_at", "created_by", "updated_at", "device_id")
VIEWS = {
    "finding": (
        "class_scheme class_code severity condition text address position observed_at "
        "sticker_serial party_id inspection_id source tags self_handled status zone duplicates "
        "due_at unit inspector_id unsigned handling"),
    "inspection": (
        "template_id template_version zone_id party_id position started_at ended_at answers "
        "officers score inspector_id unsigned"),
    "evidence": (
        "sha256 bytes media_type role about captured_at captured_elapsed_ms boot_id position "
        "capture note media flags received_at bracket"),
    "enforcement": (
        "kind finding_id party_id offence_code facts officers amount due_at served document_no "
        "checks status amendments inspector_id unsigned"),
    "letter": (
        "zone_id party_id period signed_at refused witness sticker_serial duties status amendments "
        "unsigned"),
    "register_entry": "zone_id on duties officer position note unsigned",
    "track": "points task_id unsigned",
    "conflict": (
        "record_type record_id field base theirs mine winner opened_at state theirs_by mine_by "
        "resolution"),
    "task": "title kind about due_at assignee photos note status outcome",
    "zone": "name road section party party_id sticker_serial valid_from valid_to outline zone_version",
    "party": "name uscc contact",
    "sticker": "serial zone_id issued_at",
    "template": "template_id template_version name items",
    "class": "scheme code name",
    "offence": "code name",
    "calendar": "year days",
    "notice": "title text",
    "decision": "about decision about_version reasons note photos reviewer_id",
}


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for name, fields in VIEWS.items():
        parts = [f"CAST(fields AS jsonb) ->> '{field}' AS \"{field}\"" if postgresql
                 else f"json_extract(fields, '$.{field}') AS \"{field}\"" for field in fields.split()]
        op.execute(f'CREATE VIEW "{name}" AS SELECT {", ".join((*COLUMNS, *parts))} FROM record '
                   f"WHERE type = '{name}' AND NOT deleted")


def downgrade() -> None:
    for name in VIEWS:
        op.execute(f'DROP VIEW "{name}"')
