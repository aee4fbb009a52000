"""Signed notes and checkpoints: the texts in which the journal commits itself to a size and a root.

The formats are C2SP signed-note (Ed25519 signatures only) and C2SP tlog-checkpoint. Serves the journal, which signs,
and devices, witnesses and bundles, which verify.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.merkle import HASH_BYTES

ED25519 = b"\x01"  # signature type identifier of C2SP signed-note
SIGNATURE_LINE = re.compile("— ([^ +]+) ([^ ]+)")
SIGNATURES_AT_MOST = 100
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")  # control characters but the newline; what is not UTF-8


class NoteInvalid(ValueError):
    """A note or a key line that is malformed, or a signature that does not verify."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its name, how many leaves it has, and their root (32 bytes)."""

    origin: str
    size: int
    root: bytes


def key_hash(name: str, public_key: Ed25519PublicKey) -> bytes:
    """The key ID, 4 bytes: SHA-256(name || 0x0A || 0x01 || public key)[:4]."""
    return sha256(name.encode() + b"\n" + ED25519 + public_key.public_bytes_raw()).digest()[:4]


def key_line(name: str, public_key: Ed25519PublicKey) -> str:
    """The verifier key `name+hash+base64`, without a newline; raises ValueError for a name with space or plus."""
    _check_name(name)
    return f"{name}+{key_hash(name, public_key).hex()}+{_base64(ED25519 + public_key.public_bytes_raw())}"


def sign_note(text: str, name: str, private_key: Ed25519PrivateKey) -> str:
    """The text, which must end in a newline, with a blank line and one signature under it."""
    _check_name(name)
    if not text.endswith("\n") or UNFIT.search(text):
        raise ValueError("the text of a note ends in a newline and has no other control characters")
    signature = key_hash(name, private_key.public_key()) + private_key.sign(text.encode())
    return f"{text}\n— {name} {_base64(signature)}\n"


def open_note(note: str, key_line: str) -> str:
    """The text of a note that this key signed; raises NoteInvalid.

    Signatures by other keys are ignored, as the specification asks; one by this key that does not verify spoils all.
    """
    name, public_key = _read_key_line(key_line)
    text, lines = _split(note)
    wanted = key_hash(name, public_key)
    ours = [blob[4:] for signer, blob in map(_read_signature, lines) if signer == name and blob[:4] == wanted]
    if not ours:
        raise NoteInvalid(f"not signed by {name}")
    try:
        for signature in ours:
            public_key.verify(signature, text.encode())
    except InvalidSignature:
        raise NoteInvalid(f"the signature by {name} does not verify") from None
    return text


def sign_checkpoint(origin: str, size: int, root: bytes, private_key: Ed25519PrivateKey) -> str:
    """The checkpoint of a log as a note under its own name, as tlog-checkpoint recommends."""
    if size < 0 or len(root) != HASH_BYTES:
        raise ValueError("a checkpoint needs a size and a root of 32 bytes")
    return sign_note(f"{origin}\n{size}\n{_base64(root)}\n", origin, private_key)


def read_checkpoint(note: str) -> Checkpoint:
    """What a checkpoint says, believed unseen: only for notes from one's own store. Raises NoteInvalid."""
    return _parse_checkpoint(_split(note)[0])


def verify_note(note: str, key_line: str) -> Checkpoint:
    """The checkpoint that the key of this line signed for its own log; raises NoteInvalid."""
    checkpoint = _parse_checkpoint(open_note(note, key_line))
    if checkpoint.origin != _read_key_line(key_line)[0]:
        raise NoteInvalid(f"a checkpoint of {checkpoint.origin}, not of the log whose key this is")
    return checkpoint


def _parse_checkpoint(text: str) -> Checkpoint:
    """Origin, size, root; extension lines may follow and are not read."""
    origin, size, root, *extensions = text[:-1].split("\n") if text.count("\n") >= 3 else ("", "", "")
    if not origin or not SIZE.fullmatch(size) or "" in extensions:
        raise NoteInvalid("not a checkpoint")
    decoded = _unbase64(root)
    if len(decoded) != HASH_BYTES:
        raise NoteInvalid("the root of a checkpoint has 32 bytes")
    return Checkpoint(origin, int(size), decoded)


def _split(note: str) -> tuple[str, list[str]]:
    """The text with its last newline, and the signature lines."""
    text, blank, signatures = note.rpartition("\n\n")
    lines = signatures[:-1].split("\n")
    if not blank or not text or not signatures.endswith("\n") or len(lines) > SIGNATURES_AT_MOST:
        raise NoteInvalid("not a signed note")
    if UNFIT.search(note):
        raise NoteInvalid("a note is UTF-8 text without control characters")
    return text + "\n", lines


def _read_signature(line: str) -> tuple[str, bytes]:
    """Name, and key ID with signature, of a line `— name base64`."""
    match = SIGNATURE_LINE.fullmatch(line)
    if not match or not _is_name(match[1]):
        raise NoteInvalid("a malformed signature line")
    blob = _unbase64(match[2])
    if len(blob) < 5:
        raise NoteInvalid("a signature line without a signature")
    return match[1], blob


def _read_key_line(line: str) -> tuple[str, Ed25519PublicKey]:
    """Name and key of a verifier key line; its hash must be the key's."""
    name, hashed, encoded = (*line.strip("\n").split("+", 2), "", "")[:3]
    key = _unbase64(encoded)
    if not _is_name(name) or key[:1] != ED25519 or len(key) != 33:
        raise NoteInvalid("not an Ed25519 verifier key")
    public_key = Ed25519PublicKey.from_public_bytes(key[1:])
    if key_hash(name, public_key).hex() != hashed:
        raise NoteInvalid("the hash in the verifier key is not that of name and key")
    return name, public_key


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise ValueError("a key name is not empty and has neither spaces nor plus signs")


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(map(str.isspace, name)) and not UNFIT.search(name)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _unbase64(text: str) -> bytes:
    """Strict base64 of RFC 4648 section 4, the one spelling that encoding would give."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid("not base64") from None
    if _base64(raw) != text:
        raise NoteInvalid("not canonical base64")
    return raw
