"""Time stamps of checkpoints by an authority outside (RFC 3161): proof that the journal stood so at that time.

Once a day the newest checkpoint's note goes to the configured URL, as its SHA-256 only, and to nowhere else. An answer
is kept whole (a TimeStampResp, as `openssl ts -verify` reads it) once it has been verified against the authority's CA.
The library is loaded where an authority is set, and not otherwise.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from cryptography.x509 import Certificate, load_pem_x509_certificates
from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.values import parse_time, stamp
from server.db import db, reading, writing
from server.house import house
from sync import journal, notes
from sync.audit import Audit, stream
from sync.models import JournalTimestamp, table_of

EVERY = timedelta(days=1)
TIMEOUT_SECONDS = 10
ANSWER_BYTES = 1024 * 1024


class NotStamped(Exception):
    """The authority did not answer, or with no stamp that holds. Waiting may help."""


def stamp_daily() -> int | None:
    """Have the newest checkpoint stamped when the last stamp is a day old; gives its size. Raises NotStamped."""
    with reading():
        last, signed = newest(db.session()), journal.newest_checkpoint(db.session())
    if signed is None or (last is not None and (
            last.size >= signed.size or house().clock() - parse_time(last.at) < EVERY)):
        return None
    answer, at = ask(house().settings.tsa_url, signed.note.encode(), authorities(house().settings.tsa_ca))
    with writing() as door:
        if door.session.get(JournalTimestamp, signed.size) is None:  # another worker may have been quicker
            door.session.add(JournalTimestamp(size=signed.size, at=stamp(at), note=signed.note,
                                              response=base64.b64encode(answer).decode()))
            door.record_entry("timestamped", "nightly", None, {"size": signed.size, "at": stamp(at)})
    return signed.size


def ask(url: str, content: bytes, authorities: Sequence[Certificate]) -> tuple[bytes, datetime]:
    """The authority's answer over these bytes (DER), verified, and the time in it; raises NotStamped."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
    request = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True) \
        .cert_request(cert_request=True).build()
    try:
        answer = httpx.post(url, content=request.as_bytes(), timeout=TIMEOUT_SECONDS, headers={
            "Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"})
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotStamped(f"{type(error).__name__}: {error}") from error
    if len(answer.content) > ANSWER_BYTES:
        raise NotStamped(f"an answer of {len(answer.content)} bytes")
    return answer.content, verified(answer.content, content, authorities, request.nonce)


def verified(answer: bytes, content: bytes, authorities: Sequence[Certificate], nonce: int | None = None) -> datetime:
    """The time at which an authority stamped these bytes, by its certificates of that time; raises NotStamped."""
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
    try:
        response = decode_timestamp_response(answer)
        VerifierBuilder(roots=list(authorities), nonce=nonce).build().verify_message(response, content)
        return response.tst_info.gen_time
    except (ValueError, VerificationError) as error:
        raise NotStamped(str(error)) from error


def authorities(ca: Path | None) -> list[Certificate]:
    """The certificates that are trusted, from a PEM file."""
    return load_pem_x509_certificates(ca.read_bytes()) if ca else []


def newest(session: Session) -> JournalTimestamp | None:
    """The stamp over the most entries."""
    return session.execute(select(JournalTimestamp).order_by(JournalTimestamp.size.desc()).limit(1)).scalar()


def of_entry(session: Session, index: int) -> JournalTimestamp | None:
    """The first stamp over this entry of the journal; the newest of all where there is none yet."""
    return session.execute(select(JournalTimestamp).where(JournalTimestamp.size > index)
                           .order_by(JournalTimestamp.size).limit(1)).scalar() or newest(session)


def sizes(session: Session) -> set[int]:
    """The sizes of the journal that were stamped."""
    return set(session.execute(select(JournalTimestamp.size)).scalars())


def check_timestamps(audit: Audit, session: Session, roots: dict[int, str], key_line: str) -> None:
    """Every stamp stands over a note that we signed, of this very journal; and, where the CA is known, holds."""
    trusted = authorities(house().settings.tsa_ca)
    for row in stream(session, select(*table_of(JournalTimestamp).columns).order_by(JournalTimestamp.size)):
        audit.checked["timestamps"] += 1
        try:
            signed = notes.verify_note(row.note, key_line)
            if signed.size != row.size or signed.root.hex() != roots.get(row.size, signed.root.hex()):
                audit.wrong("timestamp_wrong", row.size, "what was stamped is no state of this journal")
            elif trusted and stamp(verified(base64.b64decode(row.response), row.note.encode(), trusted)) != row.at:
                audit.wrong("timestamp_wrong", row.size, "the time is not that of the stamp")
        except (ValueError, NotStamped) as error:  # NoteInvalid among them
            audit.wrong("timestamp_wrong", row.size, f"the stamp or its note does not hold: {error}")
