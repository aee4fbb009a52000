"""Finds photos that show the same picture: a difference hash that survives re-encoding, scaling and brightness.

Serves the `reused_near` flag. On 861 pairs of unrelated photos no distance was below 25; copies were at most 17 apart.
"""

from itertools import pairwise
from pathlib import Path

from PIL import Image

from media.renditions import upright

NEAR_BITS = 24
SIDE = 16
# A sky or a bare wall has few steps between neighbours; its hash would be near to that of every other wall.
LEAST_STEP, LEAST_STEPS = 3, 48


def dhash256(path: Path) -> int | None:
    """Return 256 bits, one for each pair of neighbours in a 17 x 16 grey reduction: is the right one brighter?

    None for a picture with too little detail. Turned upright first. Raises what Pillow raises on damaged pictures.
    """
    small = upright(path, 320).convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX).tobytes()
    rows = (small[at : at + SIDE + 1] for at in range(0, len(small), SIDE + 1))
    steps = [right - left for row in rows for left, right in pairwise(row)]
    if sum(abs(step) >= LEAST_STEP for step in steps) < LEAST_STEPS:
        return None
    return sum((step > 0) << place for place, step in enumerate(steps))


def distance(one: int, other: int) -> int:
    """Return the number of bits in which two hashes differ, 0 to 256; NEAR_BITS or fewer mean the same picture."""
    return (one ^ other).bit_count()
