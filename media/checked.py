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
from sync.records import Door
from sync.writers import SERVER

CHECKED, UNCHECKED = "photo_checked", "photo_unchecked"


def tell_checked(door: Door, photo: Photo, made: Mapping[str, str], recipe: Mapping[str, Any]) -> None:
    """Enter what the check wrote in the row of the photo, and the digests of its small copies by kind."""
    door.record_entry(CHECKED, SERVER.id, photo.sha256, {
        "state": photo.state, "media_type": photo.media_type, "renditions": dict(made), "recipe": digest_of(recipe)},
        aside=said(photo.found, photo.dhash), kept=False)


def tell_unchecked(door: Door, sha256: str, state: str) -> None:
    """Enter that the check counts no more: the photo is `stored` and waits for another, or `expected` again."""
    door.record_entry(UNCHECKED, SERVER.id, sha256, {"state": state})


def said(found: Any, dhash: str | None) -> dict[str, Any]:
    """To what the entry of a check is only committed."""
    return {"found": found, "dhash": dhash}


def digest_of(recipe: Any) -> str:
    """Hex SHA-256 of a recipe as compact JSON with sorted keys."""
    return hashlib.sha256(orjson.dumps(recipe, option=orjson.OPT_SORT_KEYS)).hexdigest()
