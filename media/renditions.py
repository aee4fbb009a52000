"""The two copies of a photo that pages show: small, upright, without any metadata. Serves the background check.

The same photo and the same recipe give the same bytes; the recipe is kept beside each rendition as its provenance.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL
from PIL import Image, features

from media import sandbox
from media.exif import read_exif

LONG_SIDE_PX = {"thumb": 320, "screen": 1600}
SAVING: dict[str, Any] = {"quality": 82, "subsampling": "4:2:0", "optimize": True, "progressive": False}
RECIPE: dict[str, Any] = {
    "tool": "Pillow", "version": PIL.__version__, "codec": f"libjpeg-turbo {features.version('libjpeg_turbo')}",
    "long_side_px": LONG_SIDE_PX, "filter": "lanczos", "reducing_gap": 2.0, "draft": [2, 4, 8],
    "background": "white", **SAVING,
}
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")  # never "all": EPS would start Ghostscript
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class NotRendered(ValueError):
    """The picture cannot be decoded well enough to be shown, or not within bounds."""


def render(path: Path, kind: str) -> bytes:
    """Return the `thumb` or `screen` rendition as JPEG; call it where hostile pictures may be opened (render_apart)."""
    return encoded(upright(path, LONG_SIDE_PX[kind]))


def render_apart(path: Path, kind: str, target: Path) -> None:
    """Render in the bounded process and write the JPEG to `target`. Raises NotRendered, sandbox.ChildLost."""
    make_apart(_render_to, path, target, kind)


def make_apart(make: Callable[..., None], path: Path, target: Path, *arguments: Any) -> None:
    """Call `make(path, target, *arguments)` in the bounded process, paths as texts; what fails leaves no file.

    Raises NotRendered, sandbox.ChildLost.
    """
    try:
        sandbox.run(make, str(path.resolve()), str(target.resolve()), *arguments)
    except (sandbox.OutOfBounds, sandbox.CallFailed) as error:
        target.unlink(missing_ok=True)
        raise NotRendered(str(error)) from error


def _render_to(name: str, target: str, kind: str) -> None:
    Path(target).write_bytes(render(Path(name), kind))


def encoded(picture: Image.Image) -> bytes:
    """The JPEG of an RGB picture that has nothing attached."""
    target = BytesIO()
    picture.save(target, "JPEG", **SAVING)
    return target.getvalue()


def upright(path: Path, long_side_px: int) -> Image.Image:
    """Return the first frame, at most so long, turned as its orientation says, RGB, with nothing attached.

    Raises NotRendered.
    """
    try:
        return _upright(path, long_side_px)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, RuntimeError) as error:
        raise NotRendered(str(error)) from error


def _upright(path: Path, long_side_px: int) -> Image.Image:
    with Image.open(path, formats=_formats()) as opened:
        width, height = (max(1, side * long_side_px // max(opened.size)) for side in opened.size)
        opened.draft("RGB", (width, height))  # JPEG: decodes at 1/2, 1/4 or 1/8, never smaller than asked
        opened.thumbnail((long_side_px, long_side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
        picture, is_upright = _on_white(opened), opened.format == "HEIF"  # whose decoder turns what it decodes
    turn = None if is_upright else UPRIGHT.get(read_exif(path).orientation or 1)
    if turn is not None:  # one of Pillow's turns is number 0
        picture = picture.transpose(turn)
    picture.info = {}  # Pillow writes a comment from here into a JPEG
    return picture


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _formats() -> list[str]:
    """Name the formats that this Pillow can open; HEIF where its plug-in is installed."""
    Image.init()
    if find_spec("pillow_heif"):  # optional; a child that has decoded no HEIC yet has not registered it
        import_module("pillow_heif").register_heif_opener()
    return [name for name in FORMATS if name in Image.OPEN]
