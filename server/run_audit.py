"""The audit of earlier audits: their results are those that the journal tells. Serves `bin/menqian verify`."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.models import AuditRun
from sync.audit import BODY, Audit, parsed, stream
from sync.journal import canonical
from sync.models import JournalEntry

KIND = "audit"


def digest_of(run: Any) -> str:
    """Hex SHA-256 of the RFC 8785 JSON of what a run found: its entry in the journal is committed to it."""
    return hashlib.sha256(canonical({"checked": run.checked, "found": run.found, "problems": run.problems})).hexdigest()


def check_runs(audit: Audit, session: Session) -> None:
    """Every run that came to its end against its entry, and the other way round."""
    told = {row.about: (parsed(row.body) or {}).get("result") for row in stream(
        session, select(JournalEntry.about, BODY).where(JournalEntry.kind == KIND))}
    for run in stream(session, select(AuditRun.id, AuditRun.checked, AuditRun.found, AuditRun.problems).where(
            AuditRun.ended_at.is_not(None)).order_by(AuditRun.id)):
        audit.checked["audits"] += 1
        if run.id not in told:
            audit.wrong("audit_unknown", run.id, "the journal tells nothing of this audit")
        elif told.pop(run.id) != digest_of(run):
            audit.wrong("audit_altered", run.id, "what it found is not what the journal is committed to")
    for run_id in told:
        audit.wrong("audit_missing", run_id, "the journal tells of this audit")
