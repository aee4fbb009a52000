"""What anybody can check without believing the server: a draw from its proof, the journal from its entries.

Written from protocol sections 9 and 11; from the house: only the RFC 6962 tree and the C2SP notes. For `counts`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785

from sync.merkle import root_of, verify_consistency
from sync.notes import Checkpoint, verify_note

LEAF = ("at", "kind", "actor", "about", "body")
Sample = list[tuple[str, str]]


def drawn_again(proof: Mapping[str, Any]) -> Sample | None:
    """The sample, sorted, drawn anew from frame, secret and beacon; None when a digest is wrong."""
    lines = sorted(f"{record} {stratum}\n" for record, stratum in proof["frame"])
    digest = hashlib.sha256("".join(lines).encode()).digest()
    secret, beacon = bytes.fromhex(proof["secret"]), bytes.fromhex(proof["beacon"])
    seed = hashlib.sha256(digest + beacon + secret).digest()
    found = (digest.hex(), hashlib.sha256(secret).hexdigest(), seed.hex())
    if found != (proof["frame_digest"], proof["commitment"], proof["seed"]):
        return None
    sample: Sample = []
    for stratum, wanted in proof["allocation"].items():
        members = [record for record, of in proof["frame"] if of == stratum]
        members.sort(key=lambda record: hmac.digest(seed, record.encode("ascii"), "sha256"))
        sample += [(record, stratum) for record in members[:wanted]]
    return sorted(sample)


def sample_of(proof: Mapping[str, Any]) -> Sample:
    """The sample that the server says it drew, sorted."""
    return sorted((row["record_id"], row["stratum"]) for row in proof["sample"])


def leaf_of(entry: Mapping[str, Any]) -> bytes:
    """The leaf hash of a journal entry, from its content."""
    return hashlib.sha256(b"\0" + rfc8785.dumps({name: entry[name] for name in LEAF})).digest()


def root_matches(checkpoint: Checkpoint, entries: Sequence[Mapping[str, Any]]) -> bool:
    """True when the checkpoint's root follows from the content of its entries, numbered without a gap."""
    covered = entries[:checkpoint.size]
    numbered = [entry["index"] for entry in covered] == list(range(checkpoint.size))
    return numbered and root_of([leaf_of(entry) for entry in covered]) == checkpoint.root


def extends(old_note: str, new_note: str, key: str, hashes: Sequence[str]) -> bool:
    """True when the journal of the new checkpoint holds that of the old one, both signed with this key."""
    old, new = verify_note(old_note, key), verify_note(new_note, key)
    return verify_consistency(old.size, new.size, old.root, new.root, [bytes.fromhex(each) for each in hashes])
