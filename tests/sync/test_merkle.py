"""The tree against RFC 6962's own definitions, our vectors, and the public ones where they are at hand."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

OWN = json.loads((Path(__file__).parents[1] / "data" / "merkle.json").read_text())
PUBLIC = Path(__file__).parents[2].parent / "shared" / "data" / "merkle"
needs_public_vectors = pytest.mark.skipif(not PUBLIC.exists(), reason="shared/data is not beside the repository")


def numbered(size):
    return [leaf_hash(str(i).encode()) for i in range(size)]


def subtrees(leaves):
    return lambda level, index: root_of(leaves[index << level: index + 1 << level])


def hexes(hashes):
    return [each.hex() for each in hashes]


def unhex(hashes):
    return [bytes.fromhex(each) for each in hashes]


def unbase64(text):
    return base64.b64decode(text or "")


def test_the_empty_tree_has_the_hash_of_nothing():
    assert root_of([]) == Frontier().root() == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_roots_are_those_of_the_vectors():
    for size, root in OWN["roots"].items():
        assert root_of(numbered(int(size))).hex() == root


def test_a_frontier_has_the_root_of_the_reference_at_each_size():
    frontier, leaves = Frontier(), numbered(70)
    for size, leaf in enumerate(leaves):
        assert frontier.size == size
        assert frontier.root() == root_of(leaves[:size])
        frontier.append(leaf)


def test_a_frontier_goes_through_json_and_on_growing():
    frontier, leaves = Frontier(), numbered(45)
    for size, leaf in enumerate(leaves):
        frontier = Frontier.from_json(size, json.loads(json.dumps(frontier.to_json())))
        frontier.append(leaf)
    assert frontier.root() == root_of(leaves)


@pytest.mark.parametrize(("size", "peaks"), [(1, []), (2, ["00" * 32] * 2), (1, ["00"]), (-1, []), (1, ["zz" * 32])])
def test_peaks_that_do_not_fit_the_size_are_refused(size, peaks):
    with pytest.raises(ValueError):
        Frontier.from_json(size, peaks)


def test_a_leaf_that_is_no_hash_is_refused():
    with pytest.raises(ValueError):
        Frontier().append(b"short")


def test_proofs_are_those_of_the_vectors():
    subtree = subtrees(numbered(100))
    for case in OWN["inclusion"]:
        assert hexes(inclusion_path(case["index"], case["size"], subtree)) == case["hashes"]
    for case in OWN["consistency"]:
        assert hexes(consistency_path(case["from"], case["to"], subtree)) == case["hashes"]


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (5, 4)])
def test_there_is_no_inclusion_path_to_a_leaf_outside_the_tree(index, size):
    with pytest.raises(ValueError):
        inclusion_path(index, size, subtrees(numbered(4)))


@pytest.mark.parametrize(("old", "new"), [(0, 4), (5, 4), (-1, 4), (0, 0)])
def test_there_is_no_consistency_path_from_nothing_or_backwards(old, new):
    with pytest.raises(ValueError):
        consistency_path(old, new, subtrees(numbered(4)))


@given(st.data())
def test_every_inclusion_path_verifies_and_only_at_its_place(data):
    size = data.draw(st.integers(1, 200), "size")
    index = data.draw(st.integers(0, size - 1), "index")
    leaves = numbered(size)
    root, path = root_of(leaves), inclusion_path(index, size, subtrees(leaves))
    assert verify_inclusion(index, size, leaves[index], path, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index) if size > 1 else st.just(size), "other")
    assert not verify_inclusion(other, size, leaves[index], path, root)
    assert not verify_inclusion(index, size, leaf_hash(b"other"), path, root)
    assert not verify_inclusion(index, size, leaves[index], [*path, root], root)
    assert not verify_inclusion(index, size, leaves[index], path, node_hash(root, root))
    for at in range(len(path)):
        assert not verify_inclusion(index, size, leaves[index], path[:at] + path[at + 1:], root)


@given(st.data())
def test_every_consistency_path_verifies_and_none_hides_a_changed_past(data):
    new = data.draw(st.integers(1, 200), "new")
    old = data.draw(st.integers(1, new), "old")
    leaves = numbered(new)
    old_root, new_root, path = root_of(leaves[:old]), root_of(leaves), consistency_path(old, new, subtrees(leaves))
    assert verify_consistency(old, new, old_root, new_root, path)
    changed = [leaf_hash(b"changed"), *leaves[1:]]
    assert not verify_consistency(old, new, old_root, root_of(changed), path)
    assert not verify_consistency(old, new, old_root, root_of(changed), consistency_path(old, new, subtrees(changed)))
    assert not verify_consistency(old, new, old_root, new_root, [*path, new_root])
    for at in range(len(path)):
        assert not verify_consistency(old, new, old_root, new_root, path[:at] + path[at + 1:])


def test_hashes_of_a_wrong_length_and_size_zero_never_verify():
    leaves = numbered(2)
    root = root_of(leaves)
    assert not verify_inclusion(0, 0, leaves[0], [], EMPTY_ROOT)
    assert not verify_inclusion(0, 2, leaves[0], [leaves[1][:-1]], root)
    assert not verify_consistency(0, 2, EMPTY_ROOT, root, [])
    assert not verify_consistency(1, 2, b"", root, [leaves[1]])
    assert not verify_consistency(3, 2, root, root, [])


@needs_public_vectors
def test_public_inclusion_cases_are_judged_as_published():
    cases = json.loads((PUBLIC / "inclusion.json").read_text())
    for case in cases:
        path = [unbase64(each) for each in case["proof"] or []]
        leaf, root = unbase64(case["leafHash"]), unbase64(case["root"])
        verdict = verify_inclusion(case["leafIdx"], case["treeSize"], leaf, path, root)
        assert verdict is not case["wantErr"], case["case"]


@needs_public_vectors
def test_public_consistency_cases_are_judged_as_published():
    cases = json.loads((PUBLIC / "consistency.json").read_text())
    for case in cases:
        path = [unbase64(each) for each in case["proof"] or []]
        old_root, new_root = unbase64(case["root1"]), unbase64(case["root2"])
        verdict = verify_consistency(case["size1"], case["size2"], old_root, new_root, path)
        assert verdict is not case["wantErr"], case["case"]


@needs_public_vectors
def test_public_trees_and_their_proofs_are_reproduced():
    trees = json.loads((PUBLIC / "trees.json").read_text())
    classic = [leaf_hash(bytes.fromhex(each)) for each in trees["leaf_inputs_hex"]]
    assert hexes(classic) == trees["leaf_hashes_hex"]
    assert [root_of(classic[:size]).hex() for size in range(9)] == trees["roots_hex_by_size"]
    counter = numbered(max(map(int, trees["counter_tree"]["roots_hex_by_size"])))
    for size, root in trees["counter_tree"]["roots_hex_by_size"].items():
        assert root_of(counter[:int(size)]).hex() == root
    for leaves, tree in ((classic, trees), (counter, trees["counter_tree"])):
        subtree = subtrees(leaves)
        for case in tree["inclusion"]:
            assert hexes(inclusion_path(case["index"], case["size"], subtree)) == case["hashes"]
        for case in tree["consistency"]:
            assert hexes(consistency_path(case["from"], case["to"], subtree)) == case["hashes"]
