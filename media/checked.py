"""What the journal is told of the check of a photo: what it gave, and which small copies it made.

Pages and bundles show a photo by its rows, which media/check_audit.py holds against these entries. What the file itself
says (times, place, camera) is personal: to that an entry is only committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from media.models import Photo
from media.sources import sources_of
from sync.records import Door
from sync.writers import SERVER

CHECKED, UNCHECKED = "photo_checked", "photo_unchecked"


def tell_checked(door: Door, photo: Photo, made: Mapping[str, str], recipe: Mapping[str, Any]) -> None:
    """Enter what the check wrote in the row of the photo, the digests of its small copies by kind, and that of who
    brought its bytes by then."""
    door.record_entry(CHECKED, SERVER.id, photo.sha256, {
        "state": photo.state, "media_type": photo.media_type, "renditions": dict(made), "recipe": digest_of(recipe),
        "stored_at": photo.stored_at, "sources": digest_of(sources_of(door.session, photo.sha256))},
        aside=said(photo.found, photo.dhash), kept=False)


def tell_unchecked(door: Door, sha256: str, state: str) -> None:
    """Enter that the check counts no more: the photo is `stored` and waits for another, or `expected` again."""
    door.record_entry(UNCHECKED, SERVER.id, sha256, {"state": state})


def said(found: Any, dhash: str | None) -> dict[str, Any]:
    """To what the entry of a check is only committed."""
    return {"found": found, "dhash": dhash}


def digest_of(document: Any) -> str:
    """Hex SHA-256 of a document, such as a recipe, as compact JSON with sorted keys."""
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
