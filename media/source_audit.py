"""The audit of who brought the bytes of photos, which opens them: what the journal tells, no more and no less.

Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from media.checked import CHECKED, UNCHECKED, digest_of
from media.disposal import ENTRY as DISPOSED
from media.models import PhotoSource
from media.sources import BROUGHT
from sync.audit import Audit, batches, journalled, parsed, stream
from sync.bulk import Among
from sync.models import JournalEntry


def check_sources(audit: Audit, session: Session) -> None:
    """Who brought the bytes of each photo that was ever checked is what the last check told, and who came after it.

    Until the next check nothing is told of who brought bytes that came again.
    """
    checked = select(JournalEntry.about).where(JournalEntry.kind == CHECKED).distinct()
    for batch in batches(stream(session, checked)):
        digests = [row.about for row in batch]
        rows: dict[str, set[tuple[str, str]]] = {}
        for row in session.execute(select(PhotoSource.sha256, PhotoSource.user_id, PhotoSource.at).where(
                Among(PhotoSource.sha256, digests))):
            rows.setdefault(row.sha256, set()).add((row.user_id, row.at))
        entries: dict[str, list[Any]] = {}
        for entry in session.execute(journalled().where(
                Among(JournalEntry.about, digests),
                JournalEntry.kind.in_((CHECKED, UNCHECKED, DISPOSED, BROUGHT)))):
            entries.setdefault(str(entry.about), []).append(entry)
        for sha256 in digests:
            _check_photo(audit, sha256, rows.get(sha256, set()), entries[sha256])


def _check_photo(audit: Audit, sha256: str, rows: set[tuple[str, str]], entries: Sequence[Any]) -> None:
    check = [entry for entry in entries if entry.kind == CHECKED][-1]
    newest = [entry for entry in entries if entry.kind != BROUGHT][-1]
    told = (parsed(check.body) or {}).get("sources")
    if told is None:
        audit.note("sources_uncommitted", sha256, "the journal is not committed to who brought it")
        return
    audit.checked["sources"] += 1
    later = {(entry.actor, entry.at) for entry in entries if entry.kind == BROUGHT and entry.number > check.number}
    if newest is not check:
        rows = {row for row in rows if row in later or row[1] < newest.at}
    if not later <= rows or digest_of(sorted(map(list, rows - later))) != told:
        audit.wrong("source_altered", sha256, "who brought it, and when, is not what the journal tells")
