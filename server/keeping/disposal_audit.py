"""The audit of disposals: no photo went but on approval, its bytes are gone, and the rows are what the journal tells.

Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from media.disposal import ENTRY, REMOVED, REMOVING
from media.models import Photo, PhotoDisposal
from media.stores import Store, StoreUnavailable
from server.keeping.disposals import APPROVED, DONE, KEPT, WAITING, Approval, approvals
from sync.audit import Audit, batches, journalled, parsed, stream
from sync.bulk import Among
from sync.models import JournalEntry, Record

WHY_KEPT = ("needed", "gone", "unapproved")
UNAPPROVED = "no approval of which the journal tells names it"


def check_disposed(audit: Audit, session: Session, store: Store) -> None:
    """Every photo that was disposed of was named by an approval, has its entry in the journal and no bytes in the
    store, unless it came again; no evidence says so of another; no row says else."""
    _check_rows(audit, session, store)
    _check_entries(audit, session)
    gone = select(PhotoDisposal.sha256).where(PhotoDisposal.sha256 == Record.sha256, PhotoDisposal.state == REMOVED)
    for evidence_id, sha256 in stream(session, select(Record.id, Record.sha256).where(
            Record.type == "evidence", Record.media_state == ENTRY, ~gone.exists())):
        audit.wrong("disposal_unknown", evidence_id, f"says that {sha256} was disposed of, by no disposal")


def _check_rows(audit: Audit, session: Session, store: Store) -> None:
    rows = stream(session, select(
        PhotoDisposal.disposal_id, PhotoDisposal.sha256, PhotoDisposal.state, PhotoDisposal.trouble,
        PhotoDisposal.retry_at, PhotoDisposal.removed_at, Photo.sha256.label("again")).outerjoin(
            Photo, Photo.sha256 == PhotoDisposal.sha256).order_by(PhotoDisposal.sha256, PhotoDisposal.disposal_id))
    for batch in batches(rows):
        ids = {row.disposal_id for row in batch}
        approved, told = approvals(session, ids), _told(session, [row.sha256 for row in batch])
        done = set(session.execute(select(JournalEntry.about).where(
            Among(JournalEntry.about, sorted(ids)), JournalEntry.kind == DONE)).scalars())
        for row in batch:
            went = told.get((row.sha256, row.disposal_id))
            audit.checked["disposed"] += row.state == REMOVED
            if not _names(approved.get(row.disposal_id), row.sha256):
                audit.wrong("disposal_unapproved", row.sha256, f"is to be disposed of; {UNAPPROVED}")
            if row.state == REMOVED and went is None:
                audit.wrong("disposal_unknown", row.sha256, "its bytes are gone, of which the journal tells nothing")
            elif not _is_as_told(row, went, row.disposal_id in done):
                audit.wrong("disposal_altered", row.sha256, "what became of it is not what the journal tells")
            if row.state == REMOVED and row.again is None and not _is_gone(audit, store, row.sha256):
                audit.wrong("disposed_stands", row.sha256, "it was disposed of, and the store still has its bytes")


def _is_as_told(row: Any, went: Any, is_done: bool) -> bool:
    """Is a row what its entry `disposed` tells, or else such as a photo may have that did not go?"""
    if went is not None:
        return (row.state, row.removed_at, row.trouble, row.retry_at) == (REMOVED, went.at, None, None)
    if row.state == KEPT:
        return row.trouble in WHY_KEPT and (row.retry_at, row.removed_at) == (None, None)
    return row.state in (WAITING, REMOVING) and row.removed_at is None and not is_done


def _check_entries(audit: Audit, session: Session) -> None:
    """Every entry `disposed` follows an approval that names the photo; every photo that was approved has its row."""
    for batch in batches(stream(session, journalled().where(JournalEntry.kind == ENTRY))):
        went = [(entry, str((parsed(entry.body) or {}).get("disposal_id"))) for entry in batch]
        approved = approvals(session, {disposal_id for _, disposal_id in went})
        for entry, disposal_id in went:
            approval = approved.get(disposal_id)
            if not _names(approval, entry.about) or (approval.number > entry.number or approval.by != entry.actor):
                audit.wrong("disposal_unapproved", entry.about, f"was disposed of (entry {entry.number}); {UNAPPROVED}")
    for (disposal_id,) in stream(session, select(JournalEntry.about).where(JournalEntry.kind == APPROVED)):
        stand = set(session.execute(select(PhotoDisposal.sha256).where(
            PhotoDisposal.disposal_id == disposal_id)).scalars())
        for sha256 in sorted(approvals(session, [disposal_id])[disposal_id].photos - stand):
            audit.wrong("disposal_missing", sha256, f"what became of it by the disposal {disposal_id} is in no table")


def _names(approval: Approval | None, sha256: str) -> bool:
    return approval is not None and sha256 in approval.photos


def _told(session: Session, digests: list[str]) -> dict[tuple[str, str], Any]:
    """The entries `disposed` of these photos by photo and disposal."""
    rows = session.execute(journalled().where(JournalEntry.kind == ENTRY, Among(JournalEntry.about, digests)))
    return {(str(row.about), str((parsed(row.body) or {}).get("disposal_id"))): row for row in rows}


def _is_gone(audit: Audit, store: Store, sha256: str) -> bool:
    try:
        return not store.has(sha256)
    except StoreUnavailable as error:
        audit.wrong("store_unavailable", sha256, str(error))
        return True
