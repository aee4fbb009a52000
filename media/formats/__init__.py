"""How the bytes of each picture format lie, found without decoding. Serves media/pictures.py and media/exif.py.

A walk reads markers, chunks or boxes only. It never raises on hostile bytes: what is wrong stands in `Layout.damaged`.
"""

from media.formats import heif, jpeg, png, webp
from media.formats.layout import Buffer, Layout, TooManyPixels, mapped

__all__ = ["Buffer", "Layout", "TooManyPixels", "mapped", "type_of", "walk"]

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
WALKS = {"image/jpeg": jpeg.walk, "image/png": png.walk, "image/webp": webp.walk, "image/heic": heif.walk,
         "image/avif": heif.walk}


def type_of(data: Buffer) -> str | None:
    """Return the media type that the first bytes prove, None for what is no picture that we take."""
    magic = bytes(data[:32])
    if magic[:2] == b"\xff\xd8" and jpeg.begins_well(data):
        return "image/jpeg"
    if magic[:8] == png.SIGNATURE and magic[12:16] == b"IHDR":
        return "image/png"
    if magic[:4] == b"RIFF" and magic[8:12] == b"WEBP":
        return "image/webp"
    if magic[4:8] == b"ftyp":
        brands = {magic[8:12], *(magic[at : at + 4] for at in range(16, 32, 4))}
        if brands & AVIF_BRANDS:
            return "image/avif"
        if brands & HEIC_BRANDS:
            return "image/heic"
    return None


def walk(media_type: str, data: Buffer, *, header_only: bool = False) -> Layout:
    """Walk a picture of a known type; `header_only` stops where the size is known and the pixels begin.

    Raises TooManyPixels for a chunk that inflates beyond all use.
    """
    return WALKS[media_type](data, header_only)
