"""What the reference device computes, as JSON: canonical texts, chain entries, notes, proofs, views, digests, receipts.

The handheld's JavaScript must compute the same (vectors.test.js). One seed asks the same; keys,
signatures and ids are new each time.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.health import write_header
from schemas.records import RECORD_TYPES
from schemas.values import stamp
from sync.device.capture import entry_bytes
from sync.device.files import media_type_of
from sync.device.outbox import state_of, uuid7
from sync.device.view import Made, Row, shown
from sync.merkle import consistency_path, leaf_hash, node_hash, root_of
from sync.notes import NoteInvalid, key_line, sign_checkpoint, sign_note, verify_note
from sync.signing import jwk_of, sign
from sync.statements import photos_root, read_statement, sign_statement

ORIGIN = "menqian.test/journal"
TEXTS = ["", "门前堆物", "a\"b\\c/d", "\u2028\u0000\u001f\t\n", "😀", "é", "\u007f", "</script>"]
NUMBERS = [0, -1, 1, 1.5, -0.0, 1e21, 1e20, 123456789012345680000.0, 1e-7, 0.000001, 5e-324, 1.7976931348623157e308,
           119.9476, 31.701300000000003, 9007199254740991, 0.1 + 0.2, 333333333.33333329]
MOMENTS = [0, 1, 999, 1_763_774_523_456, 4_102_444_799_999]
NEWS = ["applied", "merged", "conflicted", "held", "quarantined", "dismissed", "whatever comes"]


def value(dice: Random, depth: int = 0) -> Any:
    """Any JSON value."""
    kind = dice.randrange(7 if depth < 3 else 5)
    if kind == 0:
        return dice.choice([None, True, False])
    if kind == 1:
        return dice.choice(NUMBERS)
    if kind == 2:
        return dice.uniform(-1, 1) * 10 ** dice.randrange(-12, 25)
    if kind in (3, 4):
        return dice.choice(TEXTS) + chr(dice.choice([0x41, 0xE9, 0x4E2D, 0x1F600, 0xFFFD]))
    if kind == 5:
        return [value(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice(TEXTS) + dice.choice("aZ中😀\ufb33"): value(dice, depth + 1) for _ in range(dice.randrange(5))}


def entries(dice: Random) -> Iterator[dict[str, Any]]:
    """Entries of a capture chain, signed by a key whose public half is told."""
    key = ec.generate_private_key(ec.SECP256R1())
    for seq in range(1, 9):
        beacon = dice.choice([None, dice.randbytes(32).hex()])
        capture = {"seq": seq, "prev": dice.randbytes(32).hex(), "beacon": beacon}
        place = dice.choice([None, {"lon": 119.95, "lat": 31.71, "crs": "EPSG:4326", "accuracy_m": dice.random() * 50,
                                    "mock": False, "provider": "gps"}])
        fields = {"sha256": dice.randbytes(32).hex(), "bytes": dice.randrange(1 << 26), "role": "scene",
                  "captured_at": stamp(datetime.fromtimestamp(dice.random() * 2e9, UTC)),
                  **({"position": place} if place else {})}
        record_id = uuid7(datetime.now(UTC), dice.randbytes)
        entry = entry_bytes("device-1", capture, record_id, fields)
        yield {"device_id": "device-1", "capture": capture, "record_id": record_id, "fields": fields,
               "text": entry.decode(), "sha256": hashlib.sha256(entry).hexdigest(), "jwk": jwk_of(key.public_key()),
               "sig": sign(key, entry)}


def proofs(dice: Random) -> Iterator[dict[str, Any]]:
    """Consistency proofs of trees, right ones and spoilt ones."""
    leaves = [leaf_hash(str(number).encode()) for number in range(70)]

    def subtree(level: int, index: int) -> bytes:
        return root_of(leaves[index << level:(index + 1) << level])

    for now in range(1, 70):
        for old in {1, now, dice.randrange(1, now + 1), dice.randrange(1, now + 1)}:
            path = consistency_path(old, now, subtree)
            roots = root_of(leaves[:old]), root_of(leaves[:now])
            yield _proof(old, now, roots, path, holds=True)
            spoilt = dice.randrange(4)
            if spoilt == 0 and path:
                yield _proof(old, now, roots, path[:-1], holds=False)
            elif spoilt == 1:
                yield _proof(old, now, (roots[0], dice.randbytes(32)), path, holds=False)
            elif spoilt == 2:
                yield _proof(old, now, roots, [*path, dice.randbytes(32)], holds=False)
            elif old < now:
                yield _proof(old, now, (node_hash(roots[0], roots[0]), roots[1]), path, holds=False)


def _proof(old: int, now: int, roots: tuple[bytes, bytes], path: list[bytes], *, holds: bool) -> dict[str, Any]:
    return {"old": old, "now": now, "old_root": roots[0].hex(), "now_root": roots[1].hex(),
            "path": [each.hex() for each in path], "holds": holds}


def notes(dice: Random) -> Iterator[dict[str, Any]]:
    """Checkpoints as notes, genuine and not; `size` null where they are refused."""
    key, other = (Ed25519PrivateKey.from_private_bytes(dice.randbytes(32)) for _ in range(2))
    line = key_line(ORIGIN, key.public_key())
    for size in (0, 1, 7, 1 << 40):
        good = sign_checkpoint(ORIGIN, size, dice.randbytes(32), key)
        extended = sign_note(f"{ORIGIN}\n{size}\n{good.split(chr(10))[2]}\nextension\n", ORIGIN, key)
        cosigned = good + sign_checkpoint("witness.test", size, dice.randbytes(32), other).split("\n\n")[1]
        texts = [good, extended, cosigned, good.replace("\n\n", "\n"), good[:-1],
                 good.replace(f"\n{size}\n", f"\n0{size}\n"), good.replace(ORIGIN, ORIGIN + "x", 1),
                 good.replace("— ", "- "), good.replace("=\n", "\n"),
                 sign_checkpoint(ORIGIN, size, dice.randbytes(32), other), sign_note("no checkpoint\n", ORIGIN, key),
                 sign_checkpoint("elsewhere.test", size, dice.randbytes(32), key), "", "\n\n", good + "\n",
                 good.replace("\n— ", "\n\t— "), good.replace(f"\n{size}\n", f"\n{size + 1}\n", 1)]
        for note in texts:
            try:
                seen = verify_note(note, line)
                yield {"note": note, "key": line, "size": seen.size, "root": seen.root.hex()}
            except NoteInvalid:
                yield {"note": note, "key": line, "size": None, "root": None}


def receipts(dice: Random) -> Iterator[dict[str, Any]]:
    """Delivery receipts and the roots of the photos that they speak of."""
    key = Ed25519PrivateKey.from_private_bytes(dice.randbytes(32))
    line = key_line(ORIGIN, key.public_key())
    for count in (0, 1, 2, 3, 8, 40):
        photos = [dice.randbytes(32).hex() for _ in range(count)]
        root = photos_root(photos)
        statement = {"device_id": "设备", "last_n": count, "epoch": "e", "photos": {"count": count, "root": root}}
        note = sign_statement(statement, ORIGIN, key)
        yield {"note": note, "key": line, "photos": photos, "root": root, "statement": read_statement(note, line)}


def views(dice: Random) -> Iterator[dict[str, Any]]:
    """Rows with what was made since, and what a person sees."""
    for number in range(400):
        type = dice.choice(["finding", "inspection", "evidence", "track", "register_entry", "nobody_knows"])
        row = Row(type, "r", dice.randrange(1, 6), "320412100", _fields(dice, type), "2026-11-22T01:00:00.000Z") \
            if dice.random() < 0.6 else None
        made = [_made(dice, type, n, new=row is None and n == 1) for n in range(1, dice.randrange(1, 6))]
        seen = shown(type, "r", row, made)
        yield {"number": number, "type": type, "row": asdict(row) if row else None,
               "shown": asdict(seen) if seen else None,
               "made": [{**asdict(each), "type": type, "record_id": "r", "settled": None} for each in made]}


def _made(dice: Random, type: str, n: int, *, new: bool) -> Made:
    op = "put" if new else dice.choice(["put", "put", "put", "put", "command", "delete"] if n > 2 else ["put"])
    body: dict[str, Any] = {"op": op, "type": type, "record_id": "r", "base": 0}
    if new or dice.random() < 0.1:
        body["scope"] = dice.choice(["320412100", "320412101"])
    if op == "put":
        body["set"] = _fields(dice, type)
        for member in ("add", "remove"):
            if dice.random() < 0.4:
                name, values = ("points", _points(dice)) if type == "track" else ("tags", _tags(dice))
                body[member] = {name: values}
    state = dice.choice(["waiting", "waiting", "applied", "held", "quarantined"])
    outcome = {"waiting": None, "quarantined": {"outcome": state, "problem": {"code": f"code_{n}"}}}
    version = dice.randrange(1, 8) if state == "applied" else None
    return Made(n, body, state, version, outcome.get(state, {"outcome": state}))


def _fields(dice: Random, type: str) -> dict[str, Any]:
    """Some values of a type's declared fields, of the kind that the rule is for, and one that nobody declared."""
    known = RECORD_TYPES[type].fields if type in RECORD_TYPES else {}
    kinds = {"set": _tags, "append": _points, "map": _answers}
    names = dice.sample(sorted(known), min(len(known), dice.randrange(6)))
    made = {name: kinds.get(known[name].rule, _anything)(dice) for name in names} | {"own": dice.choice(["乙", None])}
    return {name: each for name, each in made.items() if each is not None or dice.random() < 0.3}


def _anything(dice: Random) -> Any:
    return dice.choice([None, "甲", 2, {"lon": 1.5}])


def _answers(dice: Random) -> dict[str, Any]:
    return {dice.choice("abc"): dice.choice([None, "pass", {"value": 1}])}


def _tags(dice: Random) -> list[str]:
    return dice.sample(["早", "夜间", "复查", "x"], dice.randrange(4))


def _points(dice: Random) -> list[dict[str, Any]]:
    return [{"id": dice.choice("abcdef"), "lon": dice.randrange(100)} for _ in range(dice.randrange(4))]


def digests(dice: Random) -> dict[str, Any]:
    """Rows and the digests by which a device compares itself with the server."""
    rows = [{"id": uuid7(datetime.now(UTC), dice.randbytes), "type": dice.choice(["finding", "zone"]),
             "scope": dice.choice(["320412100", "320412101"]), "version": dice.randrange(1, 99)} for _ in range(50)]
    found: dict[str, Any] = {}
    for key in {(row["scope"], row["type"]) for row in rows}:
        own = sorted((row["id"], row["version"]) for row in rows if (row["scope"], row["type"]) == key)
        text = "".join(f"{id} {version}\n" for id, version in own)
        found[" ".join(key)] = {"count": len(own), "digest": hashlib.sha256(text.encode()).hexdigest()}
    return {"rows": rows, "digests": found}


def healths(dice: Random) -> Iterator[dict[str, Any]]:
    for _ in range(20):
        health = {"unsent": dice.randrange(9), "oldest_unsent_at": dice.choice([None, "2026-11-22T01:00:00.000Z"]),
                  "unsent_bytes": dice.randrange(1 << 30), "unsent_photos": dice.randrange(3),
                  "device_time": "2026-11-22T01:00:00.000Z", "round_trip_ms": dice.choice([None, 0, 250])}
        yield {"health": health, "header": write_header(health)}


def ids(dice: Random) -> Iterator[dict[str, Any]]:
    for ms in MOMENTS:
        at, raw = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms), dice.randbytes(10)
        yield {"ms": ms, "random": raw.hex(), "id": uuid7(at, lambda _, raw=raw: raw), "stamp": stamp(at)}


def vectors(seed: int) -> dict[str, Any]:
    """All of them."""
    dice = Random(seed)
    texts = [value(dice) for _ in range(300)] + NUMBERS + TEXTS
    starts = [b"\xff\xd8\xff\xe0" + bytes(12), b"\x89PNG\r\n\x1a\n" + bytes(8), b"RIFF\0\0\0\0WEBPVP8 ",
              b"\0\0\0\x18ftypavif\0\0\0\0", b"\0\0\0\x18ftypheic\0\0\0\0", b"GIF89a", b""]
    return {
        # as text: a parser need not tell 1.0 from 1, but the bytes that follow from both must be the same
        "canonical": [{"json": json.dumps(each), "text": rfc8785.dumps(each).decode()} for each in texts],
        "entries": list(entries(dice)), "proofs": list(proofs(dice)), "notes": list(notes(dice)),
        "receipts": list(receipts(dice)), "views": list(views(dice)), "digests": digests(dice),
        "healths": list(healths(dice)), "ids": list(ids(dice)), "states": {news: state_of(news) for news in NEWS},
        "media": [{"start": start.hex(), "media_type": media_type_of(start)} for start in starts],
        "rules": {name: {field: declared.rule.value for field, declared in one.fields.items()}
                  for name, one in RECORD_TYPES.items()},
    }


if __name__ == "__main__":
    json.dump(vectors(int(sys.argv[1]) if len(sys.argv) > 1 else 1), sys.stdout)
