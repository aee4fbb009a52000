"""A transparency log seen from outside: verifier key, signed checkpoint, proof of inclusion.

The formats are C2SP signed-note, tlog-checkpoint and tlog-proof, the tree that of RFC 6962. Part of the program that a
bundle carries. Everything raises ValueError for what does not hold.
"""

from __future__ import annotations

import base64
import hashlib

from media.bundle.curves import ed25519_holds

ED25519 = b"\x01"
PROOF_LINE = "c2sp.org/tlog-proof@v1"


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def read_key(line: str) -> tuple[str, str, bytes]:
    """Name, key id and Ed25519 key of a verifier key line."""
    name, key_id, encoded = line.strip().split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    if key[:1] != ED25519 or len(key) != 33 or sha256(name.encode() + b"\n" + key)[:4].hex() != key_id:
        raise ValueError("not a verifier key")
    return name, key_id, key[1:]


def open_checkpoint(note: str, key_line: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint that this key signed for its own log."""
    name, key_id, key = read_key(key_line)
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    ours = [base64.b64decode(line.split(" ")[2], validate=True) for line in signatures.splitlines()
            if line.startswith("\u2014 " + name + " ")]
    ours = [blob[4:] for blob in ours if blob[:4].hex() == key_id]
    if not ours or not all(ed25519_holds(key, text.encode(), signature) for signature in ours):
        raise ValueError("the signature under the checkpoint does not verify")
    origin, size, root = text.split("\n")[:3]
    if origin != name:
        raise ValueError("a checkpoint of another log")
    return int(size), base64.b64decode(root, validate=True)


def read_proof(text: str) -> tuple[int, list[bytes], str]:
    """Index, hashes and checkpoint of a tlog-proof."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != PROOF_LINE or len(lines) < 2 or not lines[1].startswith("index "):
        raise ValueError("not a tlog-proof")
    return int(lines[1][len("index "):]), [base64.b64decode(line, validate=True) for line in lines[2:]], note


def goes_on(old: int, new: int, old_root: bytes, new_root: bytes, path: list[bytes]) -> bool:
    """Is the tree of `old` leaves the beginning of that of `new` (RFC 9162 section 2.1.4.2)?"""
    if not 0 < old <= new:
        return False
    if old == new:
        return old_root == new_root and not path
    hashes = path if old & (old - 1) else [old_root, *path]
    at, last = old - 1, new - 1
    while at % 2:
        at, last = at // 2, last // 2
    from_old = from_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            from_old, from_new = sha256(b"\x01" + sibling + from_old), sha256(b"\x01" + sibling + from_new)
            while at and at % 2 == 0:
                at, last = at // 2, last // 2
        else:
            from_new = sha256(b"\x01" + from_new + sibling)
        at, last = at // 2, last // 2
    return last == 0 and (from_old, from_new) == (old_root, new_root)


def root_by(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root that a proof of inclusion leads to (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of that size")
    at, last, current = index, size - 1, sha256(b"\x00" + leaf)
    for sibling in path:
        if last == 0:
            raise ValueError("the proof is too long")
        if at % 2 or at == last:
            current = sha256(b"\x01" + sibling + current)
            while at and at % 2 == 0:
                at, last = at // 2, last // 2
        else:
            current = sha256(b"\x01" + current + sibling)
        at, last = at // 2, last // 2
    if last:
        raise ValueError("the proof is too short")
    return current
