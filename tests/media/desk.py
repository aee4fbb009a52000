"""A small engine for tests of `media` alone: the desk of `sync`, with evidence, a spool and a store."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from media import uploads
from media.evidence import arrival, arrived
from media.models import Photo, Upload
from media.stores import Store, open_store
from schemas.values import stamp
from sync.gate import open_gate, open_unsynced
from sync.records import Door
from tests.darkroom import encoded, scene
from tests.sync.desk import SCOPE, Desk, PlainRule, PlainRules
from tests.wire import sha256

OWNER = "0192f0c1-7a3b-7cde-8f01-23456789abcd"
BODY = bytes(range(256)) * 2000  # no picture: a store does not ask


class EvidenceRule(PlainRule):
    """Evidence as the trade's rules have it, as far as media is concerned."""

    def derive(self, before, after, context):
        return arrival(context.door, context.writer, context.record_id, after) if before is None else {}

    def promote(self, fields):
        return {**super().promote(fields), "media_state": fields["media"]["state"]}

    def follow(self, before, after, context):
        if before is None:
            arrived(context.door, context.writer, after)


class Rules(PlainRules):
    def of(self, record_type):
        return EvidenceRule() if record_type.name == "evidence" else PlainRule()


class Darkroom(Desk):
    """Records evidence and takes photos in, as API and worker do."""

    def __init__(self, folder: Path, store: Store | None = None, url: str | None = None) -> None:
        super().__init__(folder, url=url)
        self.spool = folder / "spool"
        self.spool.mkdir()
        self.store = store or open_store((folder / "store").as_uri())
        self.writer = self.device()
        self.about = self.finding()
        self.push(self.writer, self.about)

    @contextmanager
    def writing(self):
        with Session(self.engine, expire_on_commit=False) as session:
            door = Door(session, open_gate(session), self.now, Rules(), self.random.randbytes)
            yield door
            door.flush()
            session.commit()

    def evidence(self, content: bytes, **fields) -> str:
        """Record evidence that names the content; its id."""
        record_id = self.uuid()
        known = {"sha256": sha256(content), "bytes": len(content), "media_type": "image/jpeg", "role": "scene",
                 "about": {"type": "finding", "id": self.about["record_id"]}, "captured_at": stamp(self.now)}
        outcome, = self.push(self.writer, {"type": "evidence", "record_id": record_id, "op": "put", "base": 0,
                                           "scope": SCOPE, "set": known | fields})
        assert outcome["outcome"] == "applied", outcome
        return record_id

    def media(self, record_id: str):
        return self.record(record_id).fields["media"]

    def flags(self, record_id: str) -> set[str]:
        return {flag["code"] for flag in self.record(record_id).fields["flags"]} - {"unsigned"}

    def begin(self, content: bytes, *, named: str | None = None) -> Upload:
        digest = named or sha256(content)
        with Session(self.engine) as session:
            known = uploads.stands(session, self.store, digest, len(content))
        with Session(self.engine) as session, session.begin():
            open_unsynced(session)
            return uploads.create(session, self.spool, self.now, str(uuid.uuid4()), sha256=digest,
                                  media_type="image/jpeg", length=len(content), owner=OWNER,
                                  lifetime=timedelta(days=7), known=known)

    def find(self, upload: Upload) -> Upload:
        with Session(self.engine) as session:
            return uploads.find(session, upload.id, OWNER, self.now)

    def send(self, upload: Upload, content: bytes, offset: int = 0) -> int:
        with uploads.held(self.spool, upload) as file:
            return uploads.receive(file, upload, offset, [content])

    def keep(self, upload: Upload) -> uploads.Kept:
        return uploads.keep(self.store, self.spool, upload, heif=False)

    def take(self, content: bytes) -> None:
        """Upload the content from beginning to end."""
        upload = self.begin(content)
        self.send(upload, content)
        kept = self.keep(upload)
        with self.writing() as door:
            uploads.finish(door, upload, kept)

    def photo(self, content: bytes) -> Photo | None:
        with Session(self.engine) as session:
            return session.get(Photo, sha256(content))


def a_jpeg(seed: int = 7, **options) -> bytes:
    return encoded(scene(seed=seed), **options)
