"""The app's icons as PNG, with the lines of `server/static/icon.svg`: what installs to a home screen wants pixels.

Serves `edition`.
"""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

GREEN, WHITE = (13, 92, 85, 255), (255, 255, 255, 255)
LINES = (((8, 26), (8, 9), (24, 9), (24, 26)), ((13, 26), (13, 17), (19, 17), (19, 26)))
GRID, STROKE, CORNER = 32, 2.4, 6
FINER = 2
"""Drawn so many times larger and scaled down, for Pillow's lines have hard edges."""
MASKED = 0.72
"""A launcher may cut an icon to any shape within the middle 80 % (W3C, maskable icons)."""


def icon(size: int, *, whole: bool = False, shrunk: float = 1.0) -> bytes:
    """A square PNG of that size: with round corners, or a `whole` square that the launcher cuts itself."""
    wide = size * FINER
    unit = wide / GRID
    picture = Image.new("RGBA", (wide, wide), GREEN if whole else (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    if not whole:
        draw.rounded_rectangle((0, 0, wide - 1, wide - 1), CORNER * unit, fill=GREEN)
    for line in LINES:
        points = [tuple(round(wide / 2 + (each * unit - wide / 2) * shrunk) for each in point) for point in line]
        width = 2 * round(STROKE * unit * shrunk / 2)
        draw.line(points, fill=WHITE, width=width)
        for x, y in points[1:-1]:  # round joins, as the lines of the SVG have
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2 - 1, y + width / 2 - 1), fill=WHITE)
    out = io.BytesIO()
    picture.resize((size, size), Image.Resampling.BOX).save(out, "PNG")
    return out.getvalue()


def icons() -> dict[str, bytes]:
    """The files by name: for launchers, for those that cut, for iOS."""
    return {"icon-192.png": icon(192), "icon-512.png": icon(512),
            "icon-maskable.png": icon(512, whole=True, shrunk=MASKED), "icon-180.png": icon(180, whole=True)}
