"""Checking the journal from outside: signed notes (C2SP), RFC 6962 trees; from the standards, not from our code."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = b"\x01"


class Checkpoint(NamedTuple):
    """What a checkpoint states: origin, number of leaves, root hash."""

    origin: str
    size: int
    root: bytes


def read_checkpoint(note: str, key_line: str) -> Checkpoint:
    """The checkpoint of a signed note whose signature verifies with the key line `name+hash+base64`."""
    name, key_hash, encoded = key_line.strip().split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    assert key[:1] == ED25519
    assert len(key) == 33
    assert hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() == key_hash
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    mine = [line for line in signatures.splitlines() if line.startswith(f"\u2014 {name} ")]
    blobs = [base64.b64decode(line.split(" ")[2], validate=True) for line in mine]
    signature, = (blob[4:] for blob in blobs if blob[:4].hex() == key_hash)
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, text.encode())
    origin, size, root = text.splitlines()[:3]
    assert size == str(int(size))
    assert len(base64.b64decode(root, validate=True)) == 32
    return Checkpoint(origin, int(size), base64.b64decode(root))


def leaf(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1: the Merkle tree hash of the leaf hashes, by definition."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(tree_root(leaves[:split]), tree_root(leaves[split:]))


def inclusion_holds(index: int, size: int, leaf_hash: bytes, path: list[bytes], root: bytes) -> bool:
    """RFC 9162 2.1.3.2."""
    if not 0 <= index < size:
        return False
    fn, sn, r = index, size - 1, leaf_hash
    for step in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(step, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def consistency_holds(first: int, second: int, first_root: bytes, second_root: bytes, path: list[bytes]) -> bool:
    """RFC 9162 2.1.4.2."""
    if first == second > 0:
        return not path and first_root == second_root
    if not 0 < first < second or not path:
        return False
    steps = [first_root, *path] if first & (first - 1) == 0 else list(path)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = steps[0]
    for step in steps[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(step, fr), node(step, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, step)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root
