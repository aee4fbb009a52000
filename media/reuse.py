"""Finds photos that show the same picture: a difference hash that survives re-encoding, scaling and brightness.

Serves the `reused_near` flag. On 861 pairs of unrelated photos no distance was below 25; copies were at most 17 apart.
A turned or mirrored copy has another hash, which is no rearrangement of the first: the picture itself must be turned.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from PIL import Image

from media.renditions import UPRIGHT, upright

NEAR_BITS = 24
SIDE = 16
AS_IS = 1  # EXIF's number for a picture that needs no turning
# A sky or a bare wall has few steps between neighbours; its hash would be near to that of every other wall.
LEAST_STEP, LEAST_STEPS = 3, 48


def dhash256(path: Path) -> int | None:
    """Return 256 bits, one for each pair of neighbours in a 17 x 16 grey reduction: is the right one brighter?

    None for a picture with too little detail. Turned upright first. Raises NotRendered for damaged pictures.
    """
    return _dhash(upright(path, 320).convert("L"))


def dhashes(path: Path) -> dict[int, int]:
    """Return the hashes of the picture and of its seven turned and mirrored copies, by EXIF orientation (1 to 8).

    What has too little detail is left out. Raises what Pillow raises on damaged pictures.
    """
    grey = upright(path, 320).convert("L")
    turned = {AS_IS: grey, **{number: grey.transpose(turn) for number, turn in UPRIGHT.items()}}
    return {number: found for number, picture in turned.items() if (found := _dhash(picture)) is not None}


def distance(one: int, other: int) -> int:
    """Return the number of bits in which two hashes differ, 0 to 256; NEAR_BITS or fewer mean the same picture."""
    return (one ^ other).bit_count()


def turned_back(orientation: int) -> int:
    """Return the EXIF orientation that undoes this one: only the quarter turns are not their own."""
    return {6: 8, 8: 6}.get(orientation, orientation)


def hex_of(hashes: Mapping[int, int]) -> str | None:
    """The hash of the picture as it is, as 64 hex digits; None for low detail."""
    return f"{hashes[AS_IS]:064x}" if AS_IS in hashes else None


def _dhash(grey: Image.Image) -> int | None:
    small = grey.resize((SIDE + 1, SIDE), Image.Resampling.BOX).tobytes()
    rows = (small[at : at + SIDE + 1] for at in range(0, len(small), SIDE + 1))
    steps = [right - left for row in rows for left, right in pairwise(row)]
    if sum(abs(step) >= LEAST_STEP for step in steps) < LEAST_STEPS:
        return None
    return sum((step > 0) << place for place, step in enumerate(steps))
