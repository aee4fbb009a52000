"""Letters in the demonstration's photographs: a Chinese font of the machine, else Latin words.

Serves `scenery` and `pictures`. No font is carried along; Debian's fonts-noto-cjk has one.
"""

from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Folder, file pattern, and which face of the collection writes simplified Chinese.
_CHINESE_FONTS = (
    ("/usr/share/fonts", "**/NotoSansCJK-Bold.ttc", 2),
    ("/usr/share/fonts", "**/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts", "**/wqy-*.ttc", 0),
    ("/System/Library/Fonts", "STHeiti Medium.ttc", 0),
    ("C:/Windows/Fonts", "msyh*.ttc", 0),
)


@lru_cache(maxsize=1)
def chinese_font() -> tuple[str, int] | None:
    """Find a font file with Chinese letters on this machine: its path and the face in it."""
    for folder, pattern, face in _CHINESE_FONTS:
        for path in sorted(Path(folder).glob(pattern)):
            return str(path), face
    return None


@lru_cache(maxsize=64)
def font(size_px: int) -> Font:
    found = chinese_font()
    return ImageFont.truetype(found[0], size_px, index=found[1]) if found else ImageFont.load_default(size_px)


def writable(text: str, latin: str) -> str:
    """Return the text, or the Latin words in its place where no font has its letters."""
    return text if chinese_font() else latin
