"""What anybody can check: a draw and a journal that are right, and each way in which they can be wrong."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.demo.proofs import drawn_again, extends, leaf_of, root_matches, sample_of
from sync.merkle import root_of
from sync.notes import key_line, read_checkpoint, sign_checkpoint

SECRET, BEACON = b"s" * 32, b"b" * 32
FRAME = [[f"00000000-0000-4000-8000-00000000000{digit}", "one" if digit % 2 else "two"] for digit in range(8)]
ORIGIN, KEY = "demo.example/journal", Ed25519PrivateKey.from_private_bytes(b"k" * 32)
ENTRIES = [{"index": index, "at": "2026-11-22T01:02:03.456Z", "kind": "change", "actor": "a", "about": None,
            "body": {"n": index}, "leaf_hash": "not looked at"} for index in range(5)]


@pytest.fixture
def proof():
    digest = hashlib.sha256("".join(sorted(f"{record} {name}\n" for record, name in FRAME)).encode()).digest()
    seed = hashlib.sha256(digest + BEACON + SECRET).digest()
    allocation = {"one": 2, "two": 1}
    sample = []
    for stratum, wanted in allocation.items():
        ids = sorted((record for record, name in FRAME if name == stratum),
                     key=lambda record: hmac.new(seed, record.encode(), "sha256").digest())
        sample += [{"record_id": record, "stratum": stratum, "rank": rank}
                   for rank, record in enumerate(ids[:wanted], 1)]
    return {"frame": FRAME, "frame_digest": digest.hex(), "secret": SECRET.hex(), "beacon": BEACON.hex(),
            "commitment": hashlib.sha256(SECRET).hexdigest(), "seed": seed.hex(), "allocation": allocation,
            "sample": sample}


def test_a_draw_is_the_same_when_it_is_drawn_again(proof):
    assert drawn_again(proof) == sample_of(proof)
    assert len(sample_of(proof)) == 3


@pytest.mark.parametrize("change", [
    {"frame": FRAME[1:]}, {"secret": (b"t" * 32).hex()}, {"beacon": (b"c" * 32).hex()}, {"seed": "00" * 32},
    {"commitment": "00" * 32}])
def test_a_draw_from_something_else_is_noticed(proof, change):
    assert drawn_again(proof | change) is None


def test_a_steered_sample_is_noticed(proof):
    proof["sample"][0]["record_id"] = next(
        record for record, stratum in FRAME
        if stratum == "one" and record not in {row["record_id"] for row in proof["sample"]})
    assert drawn_again(proof) != sample_of(proof)


def checkpoint(size):
    return sign_checkpoint(ORIGIN, size, root_of([leaf_of(entry) for entry in ENTRIES[:size]]), KEY)


def test_the_root_follows_from_the_entries():
    head = read_checkpoint(checkpoint(4))
    assert root_matches(head, ENTRIES)
    assert not root_matches(head, ENTRIES[:3])
    assert not root_matches(head, [{**ENTRIES[0], "actor": "b"}, *ENTRIES[1:]])
    assert not root_matches(head, [ENTRIES[0], ENTRIES[0], *ENTRIES[2:]])


def test_a_later_checkpoint_holds_the_earlier_one():
    key = key_line(ORIGIN, KEY.public_key())
    leaves = [leaf_of(entry) for entry in ENTRIES]
    # The journal of 5 holds that of 4: the peak of the first 4 is its whole left half, the fifth leaf its right.
    assert extends(checkpoint(4), checkpoint(5), key, [leaves[4].hex()])
    assert not extends(checkpoint(4), checkpoint(5), key, [leaves[3].hex()])
