"""The journal in its tables: leaves, stored nodes, proofs of every size around a block's edge, checkpoints."""

from __future__ import annotations

import hashlib

import orjson
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from sync import journal, merkle, notes
from sync.models import Checkpoint, History, JournalNode
from tests.sync.desk import Desk

SIGNER = journal.Signer("test/journal", Ed25519PrivateKey.from_private_bytes(b"k" * 32))


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    with desk.writing() as door:
        for number in range(700):
            door.record_entry("test", "nobody", None, {"number": number})
    return desk


def leaves(desk):
    with Session(desk.engine) as session:
        return [bytes.fromhex(entry["leaf_hash"]) for entry in journal.entries(session, 0, 1000)]


@given(st.dictionaries(st.text(), st.one_of(
    st.none(), st.booleans(), st.text(), st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.one_of(st.text(), st.integers(-9, 9), st.lists(st.text()))), st.dictionaries(st.text(), st.text()))))
def test_the_fast_way_to_canonical_json_gives_the_same_bytes(document):
    assert journal.canonical(document) == rfc8785.dumps(document)


@given(st.text(), st.text(), st.none() | st.text(), st.dictionaries(st.text(), st.text()))
def test_a_leaf_does_not_depend_on_the_way_to_its_json(kind, actor, about, body):
    document = {"at": "2026-01-01T00:00:00.000Z", "kind": kind, "actor": actor, "about": about, "body": body}
    assert journal.Entry(**document).leaf() == merkle.leaf_hash(rfc8785.dumps(document))


def test_a_leaf_is_the_hash_of_its_canonical_json(desk):
    with Session(desk.engine) as session:
        entry = journal.entries(session, 5, 1)[0]
    body = rfc8785.dumps({name: entry[name] for name in ("at", "kind", "actor", "about", "body")})
    assert entry["leaf_hash"] == hashlib.sha256(b"\0" + body).hexdigest()


def test_only_every_eighth_level_is_stored(desk):
    with Session(desk.engine) as session:
        assert session.execute(select(func.count()).select_from(JournalNode)).scalar_one() == 700 // 256


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 700])
def test_inclusion_proofs_verify_around_the_edges_of_blocks(desk, size):
    hashes = leaves(desk)
    root = merkle.root_of(hashes[:size])
    with Session(desk.engine) as session:
        for index in {0, size // 2, size - 1}:
            path = [bytes.fromhex(part) for part in journal.inclusion(session, index, size)]
            assert merkle.verify_inclusion(index, size, hashes[index], path, root)


@pytest.mark.parametrize(("old", "new"), [(1, 700), (255, 256), (256, 512), (300, 700), (512, 700), (700, 700)])
def test_consistency_proofs_verify(desk, old, new):
    hashes = leaves(desk)
    with Session(desk.engine) as session:
        path = [bytes.fromhex(part) for part in journal.consistency(session, old, new)]
    assert merkle.verify_consistency(old, new, merkle.root_of(hashes[:old]), merkle.root_of(hashes[:new]), path)


@pytest.mark.parametrize(("index", "size"), [(700, 700), (0, 701), (5, 5)])
def test_a_proof_outside_the_log_is_refused(desk, index, size):
    with Session(desk.engine) as session, pytest.raises(Problem) as refused:
        journal.inclusion(session, index, size)
    assert refused.value.code == "size_invalid"


def test_a_checkpoint_is_signed_over_the_frontiers_root_and_issued_once(desk):
    with desk.writing() as door:
        first = journal.issue_checkpoint(door.session, door.gate.frontier, SIGNER, door.now)
        again = journal.issue_checkpoint(door.session, door.gate.frontier, SIGNER, door.now)
        assert first == again
    read = notes.verify_note(first.note, notes.key_line(SIGNER.origin, SIGNER.key.public_key()))
    assert (read.size, read.root) == (700, merkle.root_of(leaves(desk)))
    with Session(desk.engine) as session:
        assert session.execute(select(func.count()).select_from(Checkpoint)).scalar_one() == 1


def test_a_change_is_bound_by_a_commitment_without_its_values(desk):
    writer = desk.device()
    desk.push(writer, desk.finding(text="谁也不该在日志里读到这句话"))
    with Session(desk.engine) as session:
        entry = journal.entries(session, 700, 10)[0]
    assert entry["kind"] == "change" and "谁也不该" not in str(entry)
    with desk.writing() as door:
        row = door.session.execute(select(History)).scalar_one()
    assert journal.commitment(row.salt, orjson.loads(row.changed)) == entry["body"]["commitment"]
