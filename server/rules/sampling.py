"""The spot check's draw: a sample that nobody picks and anybody can re-run (protocol section 11, `hmac-sort-1`).

Pure; serves the supervisor who freezes and draws, and the report on what was found. A frame is pairs (record_id,
stratum). Digests, secret, beacon and seed are hex texts, as they stand in the proof.
"""

from __future__ import annotations

import hmac
import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from hashlib import sha256
from statistics import NormalDist
from typing import Any

ALGORITHM = "hmac-sort-1"

Frame = Sequence[tuple[str, str]]


def frame_digest(frame: Frame) -> str:
    """SHA-256 of the lines `"{record_id} {stratum}\\n"`, sorted; raises ValueError for a frame they could not tell."""
    if len({record_id for record_id, _ in frame}) < len(frame):
        raise ValueError("a record stands in the frame twice")
    if any(" " in record_id or "\n" in record_id + stratum for record_id, stratum in frame):
        raise ValueError("a record id holds no space, and neither it nor a stratum holds a newline")
    lines = sorted(f"{record_id} {stratum}\n" for record_id, stratum in frame)
    return sha256("".join(lines).encode()).hexdigest()


def commitment(secret: str) -> str:
    """SHA-256 of the secret's bytes, published before the beacon is known."""
    return sha256(bytes.fromhex(secret)).hexdigest()


def seed(frame_digest: str, beacon: str, secret: str) -> str:
    """SHA-256(frame_digest bytes || beacon bytes || secret bytes)."""
    return sha256(bytes.fromhex(frame_digest) + bytes.fromhex(beacon) + bytes.fromhex(secret)).hexdigest()


def allocate(strata_counts: Mapping[str, int], size: int) -> dict[str, int]:
    """How many records each stratum gives, by stratum name; they add up to `size`, or to the frame when that is less.

    Proportional by largest remainder, ties to the smaller name; then, while a stratum has 0 and the size is at least
    the number of strata, it takes 1 from the largest (tie: smaller name). Raises ValueError for a negative size.
    """
    if size < 0 or any(count < 0 for count in strata_counts.values()):
        raise ValueError("a sample has no negative size, nor a stratum a negative count")
    total = sum(strata_counts.values())
    size = min(size, total)
    shares = {name: divmod(size * count, total) if total else (0, 0) for name, count in sorted(strata_counts.items())}
    allocation = {name: whole for name, (whole, _) in shares.items()}
    by_remainder = sorted(shares, key=lambda name: (-shares[name][1], name))
    for name in by_remainder[:size - sum(allocation.values())]:
        allocation[name] += 1
    empty = [name for name in allocation if not allocation[name] and strata_counts[name]]
    if size >= sum(count > 0 for count in strata_counts.values()):
        for name in empty:
            allocation[min(allocation, key=lambda other: (-allocation[other], other))] -= 1
            allocation[name] = 1
    return allocation


def draw(frame: Frame, allocation: Mapping[str, int], seed: str) -> list[dict[str, Any]]:
    """`[{record_id, stratum, rank}]`: in each stratum the records with the smallest HMAC-SHA-256(seed, record_id).

    Sorted by stratum and rank; `rank` counts from 1 in each stratum. Raises ValueError when a stratum holds too few.
    """
    sample = []
    for stratum, wanted in sorted(allocation.items()):
        ranked = sorted((record_id for record_id, name in frame if name == stratum),
                        key=lambda record_id: _ticket(seed, record_id))
        if len(ranked) < wanted:
            raise ValueError(f"the stratum {stratum} holds {len(ranked)} records, not {wanted}")
        sample += [{"record_id": record_id, "stratum": stratum, "rank": rank}
                   for rank, record_id in enumerate(ranked[:wanted], start=1)]
    return sample


def prove(frame: Frame, size: int, beacon: str, secret: str) -> dict[str, Any]:
    """The draw with all that is needed to re-run it: the answer of `GET /spot-checks/{id}/proof`."""
    digest = frame_digest(frame)
    drawn_seed = seed(digest, beacon, secret)
    allocation = allocate(Counter(stratum for _, stratum in frame), size)
    return {"algorithm": ALGORITHM, "frame": [list(pair) for pair in sorted(frame)], "frame_digest": digest,
            "commitment": commitment(secret), "secret": secret, "beacon": beacon, "seed": drawn_seed,
            "allocation": allocation, "sample": draw(frame, allocation, drawn_seed)}


def sample_size(frame_size: int, confidence: float, margin: float) -> int:
    """How many of `frame_size` records to check, at p = 0.5, for a margin of error at a confidence, rounded up.

    Cochran, Sampling Techniques (3rd ed. 1977) section 4.4: n0 = z² p q / d², n = n0 / (1 + (n0 - 1) / N), which at
    p = q = 0.5 is N z² / (z² + (N - 1) (2 d)²). `confidence` and `margin` lie between 0 and 1, else ValueError.
    """
    if frame_size < 0 or not 0 < margin < 1:
        raise ValueError("a frame has no negative size, and a margin lies between 0 and 1")
    z = _z(confidence)
    if frame_size == 0:
        return 0
    return min(frame_size, max(1, math.ceil(frame_size * z**2 / (z**2 + (frame_size - 1) * (2 * margin) ** 2))))


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval for a rate of `successes` in `n` (Wilson 1927, JASA 22); (0, 1), all we know, when n is 0."""
    if not 0 <= successes <= n:
        raise ValueError(f"no rate of {successes} in {n}")
    z = _z(confidence)
    if n == 0:
        return 0.0, 1.0
    rate, weight = successes / n, z * z / n
    centre = (rate + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(rate * (1 - rate) / n + weight / (4 * n))
    return (0.0 if successes == 0 else max(0.0, centre - half)), (1.0 if successes == n else min(1.0, centre + half))


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Cohen's kappa (1960) of two people's values for the same records: 1 agreement, 0 chance.

    None where it is not defined: without pairs, or when both always gave one and the same value.
    """
    if not pairs:
        return None
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    agreed = sum(one == other for one, other in pairs)
    by_chance = sum(count * second[value] for value, count in first.items())
    if by_chance == len(pairs) ** 2:
        return None
    expected = by_chance / len(pairs)
    return (agreed - expected) / (len(pairs) - expected)


def _ticket(seed: str, record_id: str) -> bytes:
    return hmac.digest(bytes.fromhex(seed), record_id.encode("ascii"), "sha256")


def _z(confidence: float) -> float:
    """The two-sided quantile of the normal distribution; raises ValueError for a confidence outside (0, 1)."""
    if not 0 < 1 - confidence < 1:
        raise ValueError("a confidence lies between 0 and 1")
    return -NormalDist().inv_cdf((1 - confidence) / 2)
