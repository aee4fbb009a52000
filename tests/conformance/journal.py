"""Section 9: the journal, checked with our own signed notes (C2SP) and Merkle trees (RFC 6962, RFC 9162)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.conformance.canonical import canonical
from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.media import media_of, shot_of, upload
from tests.conformance.office import Office, Person
from tests.conformance.pictures import a_photo
from tests.conformance.wire import Parts, Wire, granted, refused, sha256

holds = subject("journal", "9")
ED25519 = b"\x01"
CHECKPOINT_WITHIN_S = 12  # ten seconds and a little for the line


class Checkpoint(NamedTuple):
    """What a checkpoint states: origin, number of leaves, root hash."""

    origin: str
    size: int
    root: bytes


def read_checkpoint(note: str, key_line: str) -> Checkpoint:
    """The checkpoint of a signed note; Broken unless its signature verifies with the key line `name+hash+base64`."""
    name, key_hash, encoded = key_line.strip().split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    must(key[:1] == ED25519 and len(key) == 33, "an Ed25519 key of 1 + 32 bytes", key.hex())
    must_be(hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex(), key_hash, "hash in the key line")
    text, parted, signatures = note.rpartition("\n\n")
    must(bool(parted), "a note of text, blank line, signatures", note)
    lines = [line.split(" ") for line in signatures.splitlines() if line.startswith(f"\u2014 {name} ")]
    blobs = [base64.b64decode(line[2], validate=True) for line in lines]
    mine = [blob[4:] for blob in blobs if blob[:4].hex() == key_hash]
    must(len(mine) == 1, "one signature of the journal's key", signatures)
    try:
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(mine[0], (text + "\n").encode())
    except InvalidSignature:
        must(False, "a signature that verifies over the note's text", note)
    origin, size, root = text.split("\n")[:3]
    return Checkpoint(origin, int(size), base64.b64decode(root, validate=True))


def newest(reader: Wire) -> Checkpoint:
    return read_checkpoint(reader.get("/journal/checkpoint").text, reader.get("/journal/key").text)


def leaf(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def inclusion_holds(index: int, size: int, leaf_hash: bytes, path: list[bytes], root: bytes) -> bool:
    """RFC 9162 2.1.3.2."""
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
    return index < size and sn == 0 and r == root


def consistency_holds(first: Checkpoint, second: Checkpoint, path: list[bytes]) -> bool:
    """RFC 9162 2.1.4.2, for 0 < first.size."""
    if first.size == second.size:
        return not path and first.root == second.root
    steps = [first.root, *path] if first.size & (first.size - 1) == 0 else list(path)
    fn, sn = first.size - 1, second.size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    if not steps:
        return False
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
    return sn == 0 and fr == first.root and sr == second.root


def entries(reader: Wire, start: int, limit: int = 100) -> list[Parts]:
    """Entries from this index on, each checked for its members and its leaf hash."""
    found = granted(reader.get("/journal/entries", **{"from": start, "limit": limit}))["entries"]
    for entry in found:
        must_have(entry, "index at kind actor about body leaf_hash", "an entry")
        content = canonical({name: entry[name] for name in ("at", "kind", "actor", "about", "body")})
        must_be(entry["leaf_hash"], leaf(content).hex(), f"leaf_hash of entry {entry['index']}")
    return found


def tail(reader: Wire, start: int) -> list[Parts]:
    """All entries from this index on."""
    found: list[Parts] = []
    while page := entries(reader, start + len(found), 500):
        found += page
    return found


def proof(reader: Wire, path: str, **query: Any) -> list[bytes]:
    return [bytes.fromhex(each) for each in granted(reader.get(path, **query))["hashes"]]


def auditor(office: Office) -> Person:
    return office.person("auditor")


def covering(office: Office, size: int) -> Checkpoint:
    """A checkpoint over so many entries."""
    seen = office.anyone.until(lambda: newest(office.anyone).size >= size, within_s=CHECKPOINT_WITHIN_S)
    must(seen, f"a checkpoint of {size} entries or more within 10 s", newest(office.anyone))
    return newest(office.anyone)


@holds("GET /journal/checkpoint → text/plain C2SP signed note (origin, size, root, Ed25519 signature)")
def anyone_may_witness_a_checkpoint(office: Office) -> None:
    for path in ("/journal/checkpoint", "/journal/key"):
        kind = office.anyone.get(path).headers.get("content-type", "")
        must(kind.startswith("text/plain"), f"text/plain at {path}", kind)
    checkpoint = newest(office.anyone)
    sound = checkpoint.size > 0 and len(checkpoint.root) == 32 and checkpoint.origin != ""
    must(sound, "origin, size, root", checkpoint)


@holds("a new one within 10 s of new entries")
def a_new_checkpoint_comes_within_ten_seconds(office: Office) -> None:
    before = newest(office.anyone)
    office.device().report()
    covering(office, before.size + 1)


@holds("checkpoint is the newest signed journal checkpoint (section 9)")
def every_exchange_brings_a_checkpoint(office: Office) -> None:
    device = office.device()
    device.report()
    key = device.get("/journal/key").text
    for answer in (device.hello(), granted(device.push()), device.page(None, 1)):
        note = answer["checkpoint"]
        must(read_checkpoint(note, key).size > 0, "a signed checkpoint", note)


@holds('leaf_hash = hex SHA-256(0x00 || RFC 8785 JSON of {at, kind, actor, about, body})')
def every_entry_hashes_to_its_leaf(office: Office) -> None:
    office.device().report()
    size = newest(office.anyone).size
    for start in {0, max(0, size - 100)}:
        found = entries(auditor(office), start)
        must_be([entry["index"] for entry in found], list(range(start, start + len(found))), "indexes")


@holds("GET /journal/inclusion?index=&size= and GET /journal/consistency?from=&to= → {hashes: [hex]} as in RFC 6962")
def any_entry_is_proven_to_be_in_the_log(office: Office) -> None:
    checkpoint, reader = newest(office.anyone), auditor(office)
    for index in {0, checkpoint.size // 3, checkpoint.size // 2, checkpoint.size - 1}:
        entry = entries(reader, index, 1)[0]
        path = proof(reader, "/journal/inclusion", index=index, size=checkpoint.size)
        held = inclusion_holds(index, checkpoint.size, bytes.fromhex(entry["leaf_hash"]), path, checkpoint.root)
        must(held, f"a proof that entry {index} is in the tree of {checkpoint.size}", [each.hex() for each in path])


@holds("Every change, and every opening, download, export, decision, draw and refused access, is an entry in one "
       "append-only log, an RFC 6962 Merkle tree")
def the_log_only_grows(office: Office) -> None:
    before, device = newest(office.anyone), office.device()
    for _ in range(3):
        device.report()
    after = covering(office, before.size + 3)
    reader = auditor(office)
    path = proof(reader, "/journal/consistency", **{"from": before.size, "to": after.size})
    must(consistency_holds(before, after, path), f"a proof that {before.size} entries became {after.size}",
         [each.hex() for each in path])


@holds("Every change, and every opening, download, export, decision, draw and refused access, is an entry in one "
       "append-only log, an RFC 6962 Merkle tree")
def every_change_is_an_entry(office: Office) -> None:
    start = newest(office.anyone).size
    device = office.device()
    finding = device.report()
    device.give(device.edit("finding", finding, 1, set={"text": "改"}))
    about = [entry for entry in tail(auditor(office), start) if finding in str(entry["about"])]
    must(len(about) >= 2, "an entry for the creation and one for the edit", about)


@holds("Every change, and every opening, download, export, decision, draw and refused access, is an entry in one "
       "append-only log, an RFC 6962 Merkle tree")
def every_refused_access_is_an_entry(office: Office) -> None:
    start, inspector = newest(office.anyone).size, office.person("inspector")
    refused(inspector.get("/journal/entries", **{"from": 0, "limit": 1}), 403)
    seen = office.anyone.until(lambda: inspector.id in str(tail(auditor(office), start)), within_s=10)
    must(seen, "an entry that names the one who was refused", "none")


@holds("each opening of an original is journalled")
def every_opening_of_an_original_is_an_entry(office: Office) -> None:
    device, content, reader = office.device(), a_photo(), auditor(office)
    evidence = shot_of(device, content)
    upload(device, content)
    media_of(device, evidence, "verified")
    start = newest(office.anyone).size
    start += len(tail(reader, start))
    must_be(device.get(f"/media/{sha256(content)}").status_code, 200, "status of the original")
    seen = office.anyone.until(lambda: [entry for entry in tail(reader, start) if sha256(content) in str(entry)
                                        or evidence in str(entry)], within_s=10)
    must(bool(seen), "an entry that names the digest or its record", "none")


@holds("GET /journal/entries?from=&limit= (admin, auditor)")
def only_administrators_and_auditors_read_entries(office: Office) -> None:
    for role in ("inspector", "reviewer", "supervisor"):
        refused(office.person(role).get("/journal/entries", **{"from": 0, "limit": 1}), 403)
    for reader in (office.admin, auditor(office)):
        must_be(len(entries(reader, 0, 1)), 1, "entries")
