"""Exporting a case: gathered in one snapshot, journalled with the digest of its contents, proven, streamed.

The gate is open only for the entry itself. Serves the API and the page.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import structlog
from flask import Response, stream_with_context
from sqlalchemy import select

from media.bag import Bag, Part, part_of
from media.bundle.document import set_apart
from media.bundle.program import verify_program
from media.sandbox import CallFailed, ChildLost, OutOfBounds
from schemas.values import stamp
from server import holds
from server.auth import me
from server.bundles.case import Case, Happening, beacons_of, gather, happenings_of, root_of
from server.bundles.custody import custody_of
from server.bundles.files import Issue, Photos, chain_parts, ids_in, told_device, told_record, write_history
from server.bundles.paper import write_story
from server.bundles.proofs import FOLDER, journal_parts, with_asides
from server.bundles.reading import Reading, learn_only, write_page
from server.db import db, reading, writing
from server.house import house
from server.models import User
from server.reference import table
from server.rules.disclosure import Disclosure
from server.timestamps import of_entry
from sync import journal, notes
from sync.bulk import Among
from sync.models import Checkpoint, Device, JournalTimestamp

log = structlog.get_logger()

COURT = "court"
EXPORTERS = ("reviewer", "supervisor", "auditor")
STORY = "story.json"
FONTS = Path(__file__).parents[1] / "static" / "vendor" / "fonts"
NO_DOCUMENT = {"what": "case.pdf", "zh": "未能排版,请看 index.html", "en": "it could not be set; see index.html"}


@dataclass(slots=True)
class Export:
    """A bundle in the making: of which case, its files, and what of the journal goes with it."""

    id: str
    profile: str
    at: datetime
    directory: Path
    case: Case
    happened: list[Happening]
    beacons: dict[str, Checkpoint] = field(default_factory=dict)
    stamped: JournalTimestamp | None = None
    parts: list[Part] = field(default_factory=list)
    originals: int = 0

    @property
    def base(self) -> str:
        """The directory in the zip, by which people know it."""
        return f"menqian-{self.case.root.id[-12:]}-{self.profile}"

    @property
    def indexes(self) -> list[int]:
        """The entries of the journal that go with it, its own not yet."""
        return sorted({*(one.index for one in self.happened), *(seen.size - 1 for seen in self.beacons.values())})


def must_be_exportable(record_id: str) -> None:
    """Raise `not_found` unless there is such a case that the one who asks may see."""
    with reading():
        root_of(db.session(), me(), record_id)


def bundle(record_id: str, profile: str, reason: str) -> Response:
    """The zip, for the one who asks. Raises `not_found`, StoreUnavailable."""
    spool = house().settings.spool
    spool.mkdir(parents=True, exist_ok=True)
    directory = TemporaryDirectory(prefix="bundle-", dir=spool)
    try:
        export = _gathered(record_id, profile, Path(directory.name))
        bag = _proven(export, reason)
    except BaseException:
        directory.cleanup()
        raise
    answer = Response(stream_with_context(_sent(export, bag)), mimetype="application/zip", headers={
        "Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f"attachment; filename={export.base}.zip"})
    answer.call_on_close(directory.cleanup)
    return answer


def _gathered(record_id: str, profile: str, directory: Path) -> Export:
    """Everything but the proofs, from one snapshot."""
    disclosure = Disclosure(table("disclosure"), profile)
    with reading():
        session = db.session()
        case = gather(session, me().scopes, root_of(session, me(), record_id))
        case.held = holds.standing(session, case.photos, house().store)
        export = Export(str(uuid.UUID(bytes=house().random_bytes(16), version=4)), profile, house().clock(), directory,
                        case, list(happenings_of(session, case)))
        history = directory / "history.jsonl"
        ids, issues = write_history(history, session, case, disclosure)
        photos = Photos(directory, case, profile, disclosure, house().store)
        export.originals = photos.originals
        export.beacons = beacons_of(session, photos.captures)
        export.stamped = of_entry(session, max(export.indexes))
        export.parts += [*photos.parts.values(), *chain_parts(directory, session, case, disclosure, photos),
                         part_of("data/history.jsonl", history), part_of("verify.py", verify_program())]
        told = _told(export, photos, disclosure, issues)
        ids |= ids_in(orjson.dumps(told))
        told["names"] = _names(ids, disclosure)
        _write_readings(export, told, history, ids, photos.pictures)
    if not _set(directory):
        told["lacking"].append(NO_DOCUMENT)
    export.parts += [part_of("data/case.json", orjson.dumps(told, option=orjson.OPT_INDENT_2)),
                     *(part_of(name, directory / name) for name in ("index.html", "case.pdf")
                       if (directory / name).exists())]
    return export


def _told(export: Export, photos: Photos, disclosure: Disclosure, issues: list[Issue]) -> dict[str, Any]:
    """What case.json says, but the names."""
    case, at, by = export.case, stamp(export.at), me().user_id
    return {
        "bundle": export.id, "profile": export.profile, "exported_at": at, "exported_by": by,
        "origin": house().signer.origin,
        "record": {"type": case.root.type, "id": case.root.id, "version": case.root.version},
        "records": [told_record(kept, disclosure) for kept in case.records], "unseen": case.unseen,
        "photos": photos.told, "store": {"holds": house().store.holding},
        "devices": [told_device(device, disclosure) for device in case.devices],
        "custody": [*custody_of(case, export.happened, issues),
                    {"step": "exported", "at": at, "by": by, "about": case.root.id, "profile": export.profile}],
        "lacking": photos.lacking,
        "journal": {"size": journal.journal_size(db.session()), "entries": export.indexes,
                    "beacons": sorted(export.beacons),
                    "asides": with_asides(db.session(), export.indexes) if export.profile == COURT else [],
                    **({"stamped": {"size": export.stamped.size, "at": export.stamped.at}} if export.stamped else {})}}


def _write_readings(export: Export, told: dict[str, Any], history: Path, ids: set[str],
                    pictures: Mapping[str, str]) -> None:
    """The page, and the story of the document, in the words that the profile allows."""
    learn_only(told["names"], ids)
    reading = Reading(told, history)
    digests = {part.path: part.sha256 for part in export.parts}
    write_page(export.directory / "index.html", reading, digests)
    write_story(export.directory / STORY, reading, pictures, digests)


def _set(directory: Path) -> bool:
    """Set the document; False where it is too much for one, which must not keep the evidence back."""
    try:
        set_apart(directory / STORY, directory / "case.pdf", FONTS)
    except (OutOfBounds, CallFailed, ChildLost) as error:
        log.error("document_not_set", error=str(error))
        (directory / "case.pdf").unlink(missing_ok=True)
        return False
    return True


def _names(ids: set[str], disclosure: Disclosure) -> dict[str, str]:
    """By id the names of people and devices, where the profile shows them."""
    named = ((kind, row) for kind, model in (("person", User), ("device", Device)) for row in db.session.execute(
        select(model.id, model.name).where(Among(model.id, sorted(ids)))))
    shown = ((row.id, disclosure.show(kind, {"name": row.name}).fields.get("name")) for kind, row in named)
    return {one: name for one, name in shown if name is not None}


def _proven(export: Export, reason: str) -> Bag:
    """The bag, once the journal has its entry of this export, and the entry its proof."""
    contents = "".join(f"{part.sha256}  {part.path}\n" for part in sorted(export.parts, key=lambda one: one.path))
    listed = part_of(FOLDER + "contents.txt", contents.encode())
    root = export.case.root
    with writing(checkpoint=True) as door:
        door.record_entry("export", me().user_id, root.id, {
            "bundle": export.id, "profile": export.profile, "type": root.type, "version": root.version,
            "contents": listed.sha256, "files": len(export.parts), "originals": export.originals},
            aside={"reason": reason} if reason else None)
    assert door.checkpoint is not None
    own = notes.read_checkpoint(door.checkpoint).size - 1  # the checkpoint was signed with the entry, behind one gate
    signer = house().signer
    with reading():
        proofs = list(journal_parts(
            export.directory, db.session(), notes.key_line(signer.origin, signer.key.public_key()), door.checkpoint,
            [*export.indexes, own], export.beacons, export.stamped, asides=export.profile == COURT))
    return Bag(export.base, [*export.parts, listed, *proofs], {
        "Source-Organization": signer.origin, "External-Identifier": export.id,
        "Internal-Sender-Identifier": root.id, "Bag-Software-Agent": "Menqian"}, export.at)


def _sent(export: Export, bag: Bag) -> Iterator[bytes]:
    """The zip; that it was sent whole is journalled, with its digest. One that was cut leaves no such entry."""
    yield from bag.stream()
    with writing() as door:
        door.record_entry("exported", me().user_id, export.case.root.id, {
            "bundle": export.id, "bytes": bag.written, "sha256": bag.sha256})
