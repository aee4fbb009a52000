"""A small engine for tests of `sync` alone: SQLite in a file, real tables, rules that know no trade."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from schemas.problems import Problem
from sync.gate import open_gate, open_snapshot, prepare_sqlite
from sync.models import Base, Clock, Device
from sync.pull import Reader, pull
from sync.push import push, read
from sync.records import Door
from sync.writers import Writer

SCOPE = "320412100"
SECRET = b"s" * 32


class PlainRule:
    """Rules of a type without a trade; `reported` may become `filed` by command."""

    def check(self, before, after, context):
        if after.get("text") == "forbidden":
            raise Problem("role_forbidden", "this text is forbidden")

    def derive(self, before, after, context):
        return {"status": "reported"} if before is None and context.type == "finding" else {}

    def promote(self, fields):
        about = fields.get("about") or {}
        return {"status": fields.get("status") or fields.get("state"), "sha256": fields.get("sha256"),
                "about_id": about.get("id") or fields.get("record_id")}

    def first_marks(self, fields):
        return {}

    def must_may(self, kept, name, context):
        return None

    def command(self, kept, name, args, context):
        if name != "file" or kept.fields.get("status") != "reported":
            raise Problem("state_moved", f"no {name} from {kept.fields.get('status')}")
        return {"status": "filed"}

    def seals(self, kept):
        return kept.type == "letter" and bool(kept.fields.get("signed_at"))

    def follow(self, before, after, context):
        return None


class PlainRules:
    def of(self, record_type):
        return PlainRule()

    def must_have_right(self, writer, record_type, what):
        return None

    def foresee(self, session, mutations):
        return None

    def look_ahead(self, door, writer, foreseen):
        return None

    def worked_in(self, session, user_id, scope):
        return False

    def known_scope(self, scope):
        return scope.startswith("32")


class Desk:
    """The engine with its devices; `push` numbers mutations by itself."""

    def __init__(self, folder: Path, seed: int = 1, url: str | None = None) -> None:
        self.engine = create_engine(url or f"sqlite:///{folder / 'engine.db'}")
        if self.engine.dialect.name == "sqlite":
            prepare_sqlite(self.engine)
        Base.metadata.create_all(self.engine)
        self.now = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
        self.random = random.Random(seed)
        self.numbers: dict[str, int] = {}
        self.writers: dict[str, Writer] = {}
        with Session(self.engine) as session:
            session.add(Clock(id=1, seq=0, epoch=self.uuid(), floor_seq=0, journal_size=0, journal_peaks=[]))
            session.commit()

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def device(self, scopes: tuple[str, ...] = (SCOPE,), user: str | None = None) -> Writer:
        device_id, user_id = self.uuid(), user or self.uuid()
        with Session(self.engine) as session:
            session.add(Device(id=device_id, user_id=user_id, token_hash=device_id, name="d", platform="t",
                               app_version="1", state="active", enrolled_at="", last_n=0))
            session.commit()
        writer = self.writers[device_id] = Writer(device_id, user_id, ("inspector",), scopes, device_id)
        self.numbers[device_id] = 0
        return writer

    @contextmanager
    def writing(self) -> Iterator[Door]:
        with Session(self.engine, expire_on_commit=False) as session:
            door = Door(session, open_gate(session), self.now, PlainRules(), self.random.randbytes)
            yield door
            door.flush()
            session.commit()

    def push_raw(self, writer: Writer, mutations: list[dict[str, Any]], health: dict[str, Any] | None = None):
        with self.writing() as door:
            return push(door, writer, read(mutations, 65_536), health or {})

    def push(self, writer: Writer, *mutations: dict[str, Any]) -> list[dict[str, Any]]:
        return self.push_raw(writer, [self.numbered(writer, mutation) for mutation in mutations])

    def numbered(self, writer: Writer, mutation: dict[str, Any]) -> dict[str, Any]:
        self.numbers[writer.id] += 1
        return {"n": self.numbers[writer.id], "id": self.uuid(), **mutation}

    def finding(self, record_id: str | None = None, scope: str = SCOPE, **fields: Any) -> dict[str, Any]:
        return {"type": "finding", "record_id": record_id or self.uuid(), "op": "put", "base": 0, "scope": scope,
                "set": {"observed_at": "2026-11-22T00:30:00.000Z", "address": "武宜路 2 号", **fields}}

    def edit(self, record_id: str, base: int, type: str = "finding", **parts: Any) -> dict[str, Any]:
        return {"type": type, "record_id": record_id, "op": "put", "base": base, **parts}

    def pull(self, writer: Writer, cursor: str | None = None, limit: int = 1000,
             scopes: tuple[str, ...] | None = None) -> dict[str, Any]:
        import orjson
        with Session(self.engine) as session:
            open_snapshot(session)
            page = pull(session, Reader(writer.id, scopes or writer.scopes), cursor, limit, SECRET)
        return orjson.loads(orjson.dumps(page))

    def pull_all(self, writer: Writer, cursor: str | None = None, limit: int = 1000,
                 scopes: tuple[str, ...] | None = None) -> tuple[list[dict[str, Any]], str]:
        changes: list[dict[str, Any]] = []
        while True:
            page = self.pull(writer, cursor, limit, scopes)
            changes += page["changes"]
            cursor = page["cursor"]
            if not page["more"]:
                return changes, cursor

    def record(self, record_id: str):
        with self.writing() as door:
            return door.get(record_id)

    def conflicts(self, record_id: str) -> list[dict[str, Any]]:
        from sqlalchemy import select

        from sync.models import Record
        with self.writing() as door:
            ids = door.session.execute(select(Record.id).where(Record.type == "conflict",
                                                               Record.about_id == record_id)).scalars().all()
            return [door.get(record_id).fields for record_id in ids]

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


