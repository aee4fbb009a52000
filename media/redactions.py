"""Redacted copies: boxes that a person drew are covered for good. Serves media/derivatives.py.

A copy is made anew from the original, as large as the `screen` rendition. The boxes are covered before it is encoded,
so that the file holds nothing of what lies under them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from pathlib import Path
from typing import Any

from PIL import Image

from media.renditions import LONG_SIDE_PX, RECIPE, encoded, make_apart, upright

# Reducing a picture mixes each of its pixels into others, at most three pixels of the result away (Lanczos), or half a
# pixel more where it was halved before: what lies further outside a box holds nothing of its inside.
MARGIN_PX = 4
# Mosaics of many fine cells can be read: text and numbers are matched against all that could have made them. Twelve
# coarse cells of a few tones hold less than a number plate or a face.
CELLS = 4  # along the longer side of a box
TONES = 8  # of each colour
REDACTION: dict[str, Any] = {**RECIPE, "long_side_px": LONG_SIDE_PX["screen"], "margin_px": MARGIN_PX}
PIXELATION = {"cells": CELLS, "tones": TONES}

Box = Mapping[str, float]


def recipe_of(boxes: Sequence[Box], method: str) -> dict[str, Any]:
    """How a redacted copy is made: tool, version, encoding, and the parameters that the person gave."""
    return {**REDACTION, **(PIXELATION if method == "pixelate" else {}),
            "params": {"method": method, "boxes": [dict(box) for box in boxes]}}


def redact(path: Path, boxes: Sequence[Box], method: str) -> bytes:
    """Return the JPEG with every box covered by `black` or `pixelate`; call it where hostile pictures may be opened.

    A box is `{x, y, width, height}` in fractions of the upright picture. Raises NotRendered.
    """
    picture = upright(path, LONG_SIDE_PX["screen"])
    for box in boxes:
        area = area_of(box, picture.size)
        picture.paste((0, 0, 0) if method == "black" else mosaic(picture.crop(area)), area)
    return encoded(picture)


def redact_apart(path: Path, target: Path, boxes: Sequence[Box], method: str) -> None:
    """Redact in the bounded process and write the JPEG to `target`. Raises NotRendered, sandbox.ChildLost."""
    make_apart(_redact_to, path, target, [dict(box) for box in boxes], method)


def _redact_to(name: str, target: str, boxes: Sequence[Box], method: str) -> None:
    Path(target).write_bytes(redact(Path(name), boxes, method))


def area_of(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The whole pixels of a box (left, upper, right, lower), and MARGIN_PX more on each side, within the picture."""
    (left, right), (upper, lower) = (
        (max(0, floor(start * length) - MARGIN_PX), min(length, ceil((start + extent) * length) + MARGIN_PX))
        for start, extent, length in ((box["x"], box["width"], size[0]), (box["y"], box["height"], size[1])))
    return left, upper, right, lower


def mosaic(inside: Image.Image) -> Image.Image:
    """A few cells of the mean colour in a few tones."""
    cell = max(1, ceil(max(inside.size) / CELLS))
    few = inside.resize((ceil(inside.width / cell), ceil(inside.height / cell)), Image.Resampling.BOX)
    step = 256 // TONES
    return few.point(lambda value: value // step * step + step // 2).resize(inside.size, Image.Resampling.NEAREST)
