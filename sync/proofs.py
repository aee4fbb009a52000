"""Proofs of inclusion as texts that stand alone: index, audit path and signed checkpoint (C2SP tlog-proof).

Serves evidence bundles, whose reader needs nothing else to know that an entry is in the log.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator

from sqlalchemy.orm import Session

from sync.journal import subtree_of
from sync.merkle import inclusion_path

HEAD = "c2sp.org/tlog-proof@v1"
TOGETHER = 64  # proofs that share what was read: neighbours do, and what is kept stays below a megabyte


def proof_text(index: int, path: Iterable[bytes], checkpoint: str) -> str:
    """The tlog-proof of one leaf; `path` as RFC 6962 section 2.1.1 has it, `checkpoint` a signed note."""
    hashes = "".join(base64.b64encode(part).decode() + "\n" for part in path)
    return f"{HEAD}\nindex {index}\n{hashes}\n{checkpoint}"


def proofs_of(session: Session, indexes: Iterable[int], size: int, checkpoint: str) -> Iterator[tuple[int, str]]:
    """(index, tlog-proof) of entries in the tree of `size` leaves under that checkpoint, in their order.

    Raises ValueError for an index that the tree does not have.
    """
    for place, index in enumerate(indexes):
        if place % TOGETHER == 0:
            subtree = subtree_of(session)
        yield index, proof_text(index, inclusion_path(index, size, subtree), checkpoint)
