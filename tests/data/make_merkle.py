"""Writes merkle.json: vectors from RFC 6962 section 2.1 transcribed word by word, sharing no code with sync/merkle.py.

Run `python tests/data/make_merkle.py` to renew the file; leaf i is the ASCII decimal of i.
"""

import json
from hashlib import sha256
from pathlib import Path

SIZES = [*range(1, 18), 31, 32, 33, 64, 100]


def mth(leaves):
    if len(leaves) == 0:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m, leaves, is_whole):
    if m == len(leaves):
        return [] if is_whole else [mth(leaves)]
    k = largest_power_below(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], is_whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def largest_power_below(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def numbered(size):
    return [str(i).encode() for i in range(size)]


def hexes(hashes):
    return [each.hex() for each in hashes]


def vectors():
    return {
        "leaf": "ASCII decimal of the index",
        "roots": {str(n): mth(numbered(n)).hex() for n in [0, *SIZES]},
        "inclusion": [{"index": m, "size": n, "hashes": hexes(path(m, numbered(n)))}
                      for n in SIZES for m in {0, 1, n // 2, n - 2, n - 1} if 0 <= m < n],
        "consistency": [{"from": m, "to": n, "hashes": hexes(subproof(m, numbered(n), True))}
                        for n in SIZES for m in {1, 2, 3, n // 2, n - 1, n} if 0 < m <= n],
    }


if __name__ == "__main__":
    lines = json.dumps(vectors(), indent=1)
    Path(__file__).with_name("merkle.json").write_text(lines + "\n")
