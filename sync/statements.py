"""The delivery receipt: a signed note in which the server says what it has of a device. Pure; serves both ends.

Its text is two lines: what kind of statement it is, and the statement as RFC 8785 JSON. The first line differs from
every checkpoint's, which begins with the journal's name, so that one key can sign both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.merkle import leaf_hash, root_of
from sync.notes import NoteInvalid, open_note, sign_note

KIND = "menqian delivery receipt 1"


def sign_statement(statement: Mapping[str, Any], origin: str, key: Ed25519PrivateKey) -> str:
    """The statement as a note that the journal's key signed."""
    return sign_note(f"{KIND}\n{rfc8785.dumps(dict(statement)).decode()}\n", origin, key)


def read_statement(note: str, key_line: str) -> dict[str, Any]:
    """What a receipt says that the key of this line signed; raises NoteInvalid."""
    kind, _, text = open_note(note, key_line).partition("\n")
    if kind != KIND:
        raise NoteInvalid("not a delivery receipt")
    try:
        statement = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise NoteInvalid("a delivery receipt without its statement") from None
    if not isinstance(statement, dict):
        raise NoteInvalid("a delivery receipt without its statement")
    return statement


def changes_root(changes: Iterable[tuple[int, str | None, str]]) -> str:
    """Hex root of the RFC 6962 tree whose leaves are `NUMBER ID DIGEST` in ASCII, `-` for no id, by number."""
    return root_of([leaf_hash(f"{n} {change_id or '-'} {digest}".encode()) for n, change_id, digest in changes]).hex()


def photos_root(digests: Iterable[str]) -> str:
    """Hex root of the RFC 6962 tree whose leaves are these SHA-256 digests (32 bytes each), each once, sorted."""
    return root_of([leaf_hash(bytes.fromhex(digest)) for digest in sorted(set(digests))]).hex()
