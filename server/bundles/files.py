"""The files that a bundle of some profile has of a case: records, history, photos, what devices signed, their chains.

They are written to a directory of the spool, histories as they are read; photos stay where they lie. Serves the export.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from mimetypes import guess_extension
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from media.bag import Part, part_of
from media.capture import EntryInvalid, entry_bytes
from media.models import Rendition
from media.stores import NotStored, Store
from schemas.values import UUID
from server.bundles.case import Case, chain_between
from server.rules.disclosure import Disclosure
from sync.history import HISTORY
from sync.kept import Kept
from sync.models import Device

BUFFERED = 50
REDACTED = "redacted"
COPIES = {"court": ("screen",), "party": (REDACTED, "screen"), "public": (REDACTED,)}
"""Which copy of a photo a profile shows: the first kind that is there. `redacted`: the newest of those that a person
drew, whose kind begins so."""


class Issue(NamedTuple):
    """The version in which an enforcement record got its document's number."""

    record_id: str
    version: int
    at: str
    actor: str


def write_history(target: Path, session: Session, case: Case, disclosure: Disclosure) -> tuple[set[str], list[Issue]]:
    """A line a version, record by record; gives the ids that are named in it, and where documents were numbered.

    `changed` is the exact text to which the journal is committed, and `salt` opens the commitment. Where something of a
    version is not shown, the line has what is, and neither of the two: a salt would let what is masked be guessed.
    """
    ids: set[str] = set()
    issues: list[Issue] = []
    with target.open("wb") as file:
        for kept in case.records:
            rows = session.connection().execute(select(HISTORY).where(HISTORY.c.record_id == kept.id).order_by(
                HISTORY.c.version).execution_options(yield_per=BUFFERED))
            for row in rows:
                changed = orjson.loads(row.changed)
                line = orjson.dumps(_version(kept, row, changed, disclosure), option=orjson.OPT_APPEND_NEWLINE)
                ids.update(ids_in(line))
                if kept.type == "enforcement" and changed.get("document_no", {}).get("to"):
                    issues.append(Issue(kept.id, row.version, row.at, row.actor))
                file.write(line)
    return ids, issues


def ids_in(text: bytes) -> set[str]:
    """Every id that stands in a text."""
    return set(UUID.findall(text.decode()))


def _version(kept: Kept, row: Any, changed: Mapping[str, Any], disclosure: Disclosure) -> dict[str, Any]:
    told = {"record_id": kept.id, "type": kept.type, "version": row.version, "at": row.at, "actor": row.actor,
            "op": row.op, **({"device_id": row.device_id} if row.device_id else {})}
    note = disclosure.show("history", {"note": row.note}).fields.get("note") if row.note else None
    told |= {"note": note} if note else {}
    shown = disclosure.show_changes(kept.type, changed)
    if not row.salt:
        return {**told, "withheld": shown.withheld, "shown": shown.fields, "erased": True}
    if shown.withheld:
        return {**told, "withheld": shown.withheld, "shown": shown.fields}
    return {**told, "salt": row.salt, "changed": row.changed}


def told_record(kept: Kept, disclosure: Disclosure) -> dict[str, Any]:
    """The record as the profile shows it, and the paths of what is withheld or masked."""
    shown = disclosure.show(kept.type, kept.fields)
    return {**kept.to_wire(), **({"device_id": kept.device_id} if kept.device_id else {}),
            "review_state": kept.marks.get("review_state"), "fields": shown.fields, "withheld": shown.withheld}


def told_device(device: Device, disclosure: Disclosure) -> dict[str, Any]:
    """The device as the profile shows it."""
    fields = {name: getattr(device, name) for name in ("name", "platform", "app_version", "public_key")}
    return {"id": device.id, "enrolled_at": device.enrolled_at, **disclosure.show("device", fields).fields}


class Photos:
    """The photos of a case in a bundle: `told` as case.json lists them, `parts`, what is `lacking`, and the devices
    that are `silenced`, because something that they signed is withheld.

    Raises StoreUnavailable. What the store does not have is found out now, not when the bag is half sent. Copies to
    look at are fetched to the directory, for the document shows them, too: `pictures` says where they lie.
    """

    def __init__(self, directory: Path, case: Case, profile: str, disclosure: Disclosure, store: Store) -> None:
        self.pictures: dict[str, str] = {}
        self.silenced: set[str] = set()
        self.told: list[dict[str, Any]] = []
        self.parts: dict[str, Part] = {}
        self.lacking: list[dict[str, str]] = []
        self.originals = 0
        self._store, self._directory = store, directory
        for kept in case.evidence:
            digest = kept.fields["sha256"]
            photo = case.photos.get(digest)
            closed = digest in case.closed
            original = self._original(kept, digest, photo.media_type) \
                if photo and profile == "court" and not closed else None
            went = (kept.fields.get("media") or {}) if photo is None else {}
            if closed:
                self._miss(kept, "照片由他人提交,此记录仅载其摘要",
                           "others brought the photo; this record only names its digest")
            elif went.get("state") == "disposed":
                self._miss(kept, f"已按批准销毁({went['at']})", f"disposed of on approval ({went['at']})")
            elif photo is None:
                state = (kept.fields.get("media") or {}).get("state", "expected")
                self._miss(kept, f"照片未到({state})", f"its bytes have not come ({state})")
            chosen = _chosen(case.renditions.get(digest, {}), profile)
            copy = self._copy(chosen)
            self.told.append({
                "evidence_id": kept.id, "role": kept.fields["role"], "sha256": digest, "device_id": kept.device_id,
                "captured_by": kept.created_by, "flags": [flag["code"] for flag in kept.fields.get("flags") or ()],
                "c2pa": bool((kept.fields.get("media") or {}).get("c2pa")), "held_at": case.held.get(digest),
                "original": original, "shown": copy, "made": _told(chosen) if chosen and copy else None,
                "sidecar": self._sidecar(kept, disclosure)})
        shown = {photo["evidence_id"] for photo in self.told if photo["sidecar"]}
        self.captures = [kept.fields["capture"] for kept in case.evidence if kept.id in shown]
        self.originals = sum(path.startswith("data/originals/") for path in self.parts)

    def _original(self, kept: Kept, digest: str, media_type: str) -> str | None:
        path = f"data/originals/{digest}{guess_extension(media_type) or '.bin'}"
        stands = self._store.head(digest)
        if stands is None:
            self._miss(kept, "存储中没有原件", "the store does not have the original")
            return None
        self.parts[path] = Part(path, partial(self._store.open, digest), digest, stands.bytes)
        return path

    def _copy(self, chosen: Rendition | None) -> str | None:
        if chosen is None:
            return None
        name = f"{chosen.parent}-{chosen.kind}.jpg"
        path, target = f"data/renditions/{name}", self._directory / name
        if path not in self.parts:
            try:
                blocks = self._store.open(chosen.sha256)
            except NotStored:  # it can be made anew from the original; the digest stays
                return None
            with target.open("wb") as file:
                file.writelines(blocks)
            self.parts[path], self.pictures[path] = part_of(path, target), str(target)
        return path

    def _miss(self, kept: Kept, chinese: str, english: str) -> None:
        self.lacking.append({"what": f"{kept.fields['role']} {kept.fields['sha256'][:12]} ({kept.id})", "zh": chinese,
                             "en": english})

    def _sidecar(self, kept: Kept, disclosure: Disclosure) -> str | None:
        """What the device signed, unless it says something that the profile withholds."""
        capture = kept.fields.get("capture")
        said = {name: kept.fields.get(name) for name in ("sha256", "bytes", "captured_at", "position", "capture")
                if kept.fields.get(name) is not None}
        if not kept.device_id or not isinstance(capture, dict):
            return None
        if disclosure.show("evidence", said).withheld:
            self.silenced.add(kept.device_id)
            return None
        try:
            entry = entry_bytes(kept.device_id, capture, kept.fields, kept.id)
        except EntryInvalid:  # the record has the flag that says so
            return None
        path = f"data/sidecars/{kept.id}.json"
        self.parts[path] = part_of(path, entry)
        if isinstance(capture.get("sig"), str):
            signature = path.removesuffix(".json") + ".sig"
            self.parts[signature] = part_of(signature, capture["sig"].encode())
        return path


def _told(made: Rendition) -> dict[str, Any]:
    """How a copy was made: what it is, when and by whom (nobody: by the check), with which tool and parameters."""
    recipe = made.recipe or {}
    return {"kind": made.kind, "sha256": made.sha256, "made_at": made.made_at, "made_by": made.made_by,
            **{name: recipe[name] for name in ("tool", "version", "params") if name in recipe}}


def _chosen(made: dict[str, Rendition], profile: str) -> Rendition | None:
    """The copy that the profile shows."""
    for kind in COPIES[profile]:
        fitting = [made[one] for one in made if one == kind or (kind == REDACTED and one.startswith(REDACTED))]
        if fitting:
            return max(fitting, key=lambda one: one.made_at)
    return None


def chain_parts(directory: Path, session: Session, case: Case, disclosure: Disclosure,
                photos: Photos) -> Iterator[Part]:
    """For each device that took a photo: what is known of it, and its chain from the first to the last of them. Where
    something that it signed is withheld, its chain is, too: by a hash, and by the next entry's, it could be guessed."""
    for device in case.devices:
        yield part_of(f"data/devices/{device.id}.json", orjson.dumps(told_device(device, disclosure)))
        if device.id in photos.silenced:
            continue
        target = directory / f"chain-{device.id}.jsonl"
        with target.open("wb") as file:
            for link in chain_between(session, case, device.id):
                file.write(orjson.dumps({"seq": link.seq, "prev": link.prev, "hash": link.hash},
                                        option=orjson.OPT_APPEND_NEWLINE))
        if target.stat().st_size:
            yield part_of(f"data/chains/{device.id}.jsonl", target)
