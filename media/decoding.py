"""What a strict decoder says about one picture. Runs in media/sandbox.py's child; serves media/pictures.py."""

import importlib
import warnings
import zlib
from pathlib import Path
from typing import Any

import simplejpeg
from PIL import Image, ImageFile, PngImagePlugin

from media.exif import reading_of
from media.formats import Buffer, Layout, TooManyPixels, mapped, type_of, walk
from media.formats.png import LARGEST_INFLATED, LARGEST_INFLATED_TOGETHER

MOST_PIXELS = 250_000_000
# As media.formats.png counts, so that both refuse the same; Pillow's own limit fails on large colour profiles.
PngImagePlugin.MAX_TEXT_CHUNK = LARGEST_INFLATED
PngImagePlugin.MAX_TEXT_MEMORY = LARGEST_INFLATED_TOGETHER
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
ImageFile.LOAD_TRUNCATED_IMAGES = False
PILLOW_FORMATS = {"image/png": "PNG", "image/webp": "WEBP", "image/heic": "HEIF", "image/avif": "AVIF"}


def strict_decode(name: str) -> dict[str, Any]:
    """Decode the file completely; returns the members of media.pictures.Picture. Damage is a result, not an error."""
    with mapped(Path(name)) as data:
        media_type = type_of(data)
        if media_type is None:
            return {"media_type": None, "damaged": "not a picture"}
        try:
            layout = walk(media_type, data)
        except TooManyPixels as bomb:
            return {"media_type": media_type, "damaged": str(bomb)}
        pixels = (layout.width or 0) * (layout.height or 0)
        if not 0 < pixels <= MOST_PIXELS:
            layout.spoil("no size" if pixels == 0 else "too many pixels")
        if not layout.damaged:
            reason = _decode_jpeg(data, layout) if media_type == "image/jpeg" else _decode_other(name, media_type)
            layout.damaged = reason
        return {"media_type": media_type, "width": layout.width, "height": layout.height,
                "orientation": reading_of(layout).orientation, "frames": layout.frames,
                "trailing_bytes": layout.trailing_bytes, "damaged": layout.damaged, "c2pa": layout.c2pa}


def _decode_jpeg(data: Buffer, layout: Layout) -> str | None:
    """Return what libjpeg-turbo finds wrong, its warnings included, or None.

    One eighth in size and grey: every coded byte is still read, and memory stays small for 250 megapixels. Padding
    between header segments is left out first: it harms nothing, and libjpeg's complaint would hide a later one.
    """
    sound, kept = b"", 0
    for start, end in layout.padding:
        sound += data[kept:start]
        kept = end
    sound += data[kept:]
    try:
        *_, colours, _ = simplejpeg.decode_jpeg_header(sound, strict=True)
        simplejpeg.decode_jpeg(sound, colorspace="CMYK" if colours in ("CMYK", "YCCK") else "GRAY", strict=True,
                               min_factor=8, fastdct=True, fastupsample=True)
    except ValueError as error:
        if "memory" in str(error).lower():
            raise MemoryError from error
        return str(error)
    return None


def _decode_other(name: str, media_type: str) -> str | None:
    """Return what Pillow finds wrong in the first frame, or None."""
    if media_type == "image/heic":
        importlib.import_module("pillow_heif").register_heif_opener()  # optional; sniff refuses HEIC without it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata, which media/exif.py reads
            with Image.open(name, formats=[PILLOW_FORMATS[media_type]]) as picture:
                picture.load()
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, RuntimeError, zlib.error) as error:
        return str(error) or type(error).__name__
    return None
