"""Display copies 显示件: the `screen` rendition over a band that says when, where and by whom, of which original.

Nothing is written over the picture. A band proves nothing; its code leads to what does. Serves media/derivatives.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import segno
from PIL import Image, ImageDraw, ImageFont

from media.renditions import LONG_SIDE_PX, RECIPE, encoded, make_apart, upright

LABEL = "显示件 Display copy — 非原件 not the original"
NARROWEST_PX = 640
LETTER_PX = 18  # at NARROWEST_PX; grows with the picture, so that both are printed alike
LONGEST_LINE = 200  # characters
QUIET_MODULES = 4  # ISO/IEC 18004: white on each side of a QR code
INK, PAPER = (23, 33, 30), (255, 255, 255)
STAMP: dict[str, Any] = {**RECIPE, "long_side_px": LONG_SIDE_PX["screen"], "source": "screen",
                         "qr": f"segno {segno.__version__}"}

Lines = Sequence[tuple[str, str]]


def recipe_of(lines: Lines, code: str) -> dict[str, Any]:
    """How a display copy is made: tool, version, encoding, and what its band says."""
    return {**STAMP, "params": {"label": LABEL, "code": code}, "said": {"lines": [list(line) for line in lines]}}


def stamp(path: Path, lines: Lines, code: str, font: Path) -> bytes:
    """Return the JPEG of the picture over its band; `lines` are (what, text), `code` stands in the QR code.

    Raises NotRendered; OSError without the font.
    """
    picture = upright(path, LONG_SIDE_PX["screen"])
    width = max(picture.width, NARROWEST_PX)
    below = _band(width, lines, code, font)
    sheet = Image.new("RGB", (width, picture.height + below.height), PAPER)
    sheet.paste(picture, ((width - picture.width) // 2, 0))
    sheet.paste(below, (0, picture.height))
    return encoded(sheet)


def stamp_apart(path: Path, target: Path, lines: Lines, code: str, font: Path) -> None:
    """Stamp in the bounded process and write the JPEG to `target`. Raises NotRendered, sandbox.ChildLost."""
    make_apart(_stamp_to, path, target, [list(line) for line in lines], code, str(font))


def _stamp_to(name: str, target: str, lines: Lines, code: str, font: str) -> None:
    Path(target).write_bytes(stamp(Path(name), lines, code, Path(font)))


def _band(width: int, lines: Lines, code: str, font: Path) -> Image.Image:
    """The label, and under it the lines beside the code."""
    letter = LETTER_PX * width // NARROWEST_PX
    face, step, edge = ImageFont.truetype(str(font), letter, layout_engine=ImageFont.Layout.BASIC), \
        letter * 3 // 2, letter // 2
    square = _qr(code, width // 4)
    text_width = width - square.width - 2 * edge
    rows = [row for what, text in lines for row in _wrapped(f"{what}  {_clean(text)}", face, text_width)]
    top = step + edge
    band = Image.new("RGB", (width, top + edge // 2 + max(len(rows) * step, square.height)), PAPER)
    draw = ImageDraw.Draw(band)
    draw.rectangle((0, 0, width, step), fill=INK)
    draw.text((edge, step // 2), LABEL, PAPER, face, "lm")
    for number, row in enumerate(rows):
        draw.text((edge, top + number * step), row, INK, face, "la")
    band.paste(square, (width - square.width, top))
    return band


def _clean(text: str) -> str:
    """Nothing that could turn or hide letters, on one line."""
    return "".join(letter for letter in text[:LONGEST_LINE] if letter.isprintable())


def _wrapped(text: str, face: ImageFont.FreeTypeFont, width: float) -> list[str]:
    """Rows no wider than `width` in pixels, broken at the last space or between Chinese characters."""
    starts, start = [0], 0
    for end in range(1, len(text) + 1):
        if face.getlength(text[start:end]) > width:
            start = next((at for at in range(end - 1, start, -1) if _may_break(text, at)), max(end - 1, start + 1))
            starts.append(start)
    return [text[start:end].strip() for start, end in pairwise([*starts, len(text)])]


def _may_break(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    return before == " " or (not before.isascii() and after != " ") or (not after.isascii() and after not in ",。、:;)")


def _qr(code: str, most_px: int) -> Image.Image:
    """A QR code with its quiet zone, at most so wide, each module as many whole pixels."""
    matrix = segno.make_qr(code, error="m").matrix
    side = len(matrix) + 2 * QUIET_MODULES
    small = Image.new("L", (side, side), 255)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            if dark:
                small.putpixel((x + QUIET_MODULES, y + QUIET_MODULES), 0)
    scale = max(2, most_px // side)
    return small.resize((side * scale, side * scale), Image.Resampling.NEAREST)
