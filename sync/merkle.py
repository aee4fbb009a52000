"""The Merkle tree of RFC 6962: hashes, roots, proofs and their verification; pure, it knows no storage.

Serves the journal, which stores hashes and answers proofs from them, and everyone who checks: devices, `verify`,
bundles. Hashes are 32 bytes of SHA-256. `level` counts from the leaves up; the subtree (level, index) is complete and
holds the 2**level leaves from index * 2**level on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from hashlib import sha256

Subtree = Callable[[int, int], bytes]
"""Gives the hash of the complete aligned subtree (level, index); where from is the storage's affair."""

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data), RFC 6962 section 2.1."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), RFC 6962 section 2.1."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The tree head as RFC 6962 section 2.1 defines it, recursively: the reference to which all else is held."""
    if not leaf_hashes:
        return EMPTY_ROOT
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    split = _split(len(leaf_hashes))
    return node_hash(root_of(leaf_hashes[:split]), root_of(leaf_hashes[split:]))


class Frontier:
    """The right edge of a growing tree: the roots (`peaks`) of its complete subtrees, widest first.

    O(log n) to keep, and enough to append and to know the root.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Raises ValueError when such peaks cannot belong to a tree of that size."""
        if size < 0 or len(peaks) != size.bit_count() or not _all_hashes(*peaks):
            raise ValueError(f"{len(peaks)} peaks do not fit a tree of {size} leaves")
        self.size = size
        self._peaks = list(peaks)

    @classmethod
    def from_json(cls, size: int, peaks: Sequence[str]) -> Frontier:
        """The frontier whose `to_json` gave these peaks at this size; raises ValueError when they do not fit."""
        return cls(size, [bytes.fromhex(peak) for peak in peaks])

    def to_json(self) -> list[str]:
        """The peaks in hex; with `size` they restore the frontier."""
        return [peak.hex() for peak in self._peaks]

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Take the next leaf hash; gives the subtrees that it completes as (level, index, hash), the leaf first."""
        if len(leaf) != HASH_BYTES:
            raise ValueError("a leaf hash has 32 bytes")
        level, index, node = 0, self.size, leaf
        completed = [(level, index, node)]
        while index & 1:
            level, index, node = level + 1, index >> 1, node_hash(self._peaks.pop(), node)
            completed.append((level, index, node))
        self._peaks.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The tree head of the leaves so far."""
        return _fold(self._peaks) if self._peaks else EMPTY_ROOT


def root_at(size: int, subtree: Subtree) -> bytes:
    """The tree head over the first `size` leaves of a tree that has at least so many."""
    return _root_between(0, size, subtree) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, leaf side first; raises ValueError unless index < size."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, end, path = 0, size, list[bytes]()
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(_root_between(split, end, subtree))
            end = split
        else:
            path.append(_root_between(start, split, subtree))
            start = split
    return path[::-1]


def consistency_path(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962 section 2.1.2; raises ValueError unless 0 < old <= new."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new}")
    start, end, path = 0, new, list[bytes]()
    while end != old:
        split = start + _split(end - start)
        if old <= split:
            path.append(_root_between(split, end, subtree))
            end = split
        else:
            path.append(_root_between(start, split, subtree))
            start = split
    if start:  # else the old tree is this very subtree, whose root the verifier has
        path.append(_root_between(start, end, subtree))
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 section 2.1.3.2: does the tree of `size` leaves under `root` hold `leaf` at `index`?"""
    if not 0 <= index < size or not _all_hashes(leaf, root, *path):
        return False
    at, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            current = node_hash(sibling, current)
            at, last = _skip_unpaired(at, last)
        else:
            current = node_hash(current, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and current == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """RFC 9162 section 2.1.4.2: is the tree of `old` leaves a prefix of the tree of `new` leaves?

    Size 0, of which the RFC says nothing, is refused; equal sizes need equal roots and an empty path.
    """
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if not _all_hashes(old_root, new_root, *path):
        return False
    hashes = [old_root, *path] if old.bit_count() == 1 else list(path)
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    from_old = from_new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            from_old, from_new = node_hash(sibling, from_old), node_hash(sibling, from_new)
            at, last = _skip_unpaired(at, last)
        else:
            from_new = node_hash(from_new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and from_old == old_root and from_new == new_root


def fold_complete(hashes: bytes) -> bytes:
    """The root over 2**n hashes that stand one behind the other."""
    while len(hashes) > HASH_BYTES:
        hashes = b"".join([sha256(b"\x01" + hashes[at:at + 2 * HASH_BYTES]).digest()
                           for at in range(0, len(hashes), 2 * HASH_BYTES)])
    return hashes


def _split(size: int) -> int:
    """The largest power of two below `size` (RFC 6962's k), for size > 1."""
    return 1 << (size - 1).bit_length() - 1


def _root_between(start: int, end: int, subtree: Subtree) -> bytes:
    """The tree head over the leaves start..end-1, where `start` is aligned as the RFC's splits leave it."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(subtree(level, start >> level))
        start += 1 << level
    return _fold(peaks)


def _fold(peaks: Sequence[bytes]) -> bytes:
    """The root over peaks that stand widest first."""
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks))


def _skip_unpaired(at: int, last: int) -> tuple[int, int]:
    """Climb past the levels where a node at the right edge has no sibling."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _all_hashes(*hashes: bytes) -> bool:
    return all(len(each) == HASH_BYTES for each in hashes)
