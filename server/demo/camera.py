"""What the inspectors photograph: synthetic pictures of the town, or real ones from a directory. Serves `patrol`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

from server.demo.pictures import make_photo
from server.demo.town import Shop

SIZE = (1024, 768)
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
LARGEST_BYTES = 60_000_000


class Camera:
    """Takes photographs. Those of a directory come first, each once; when they are used up, synthetic ones follow."""

    def __init__(self, directory: Path | None = None) -> None:
        """Raises FileNotFoundError for a directory without a photograph."""
        self._real = iter(photographs(directory) if directory else ())
        self._serial = count(1)
        self.real = 0

    def take(self, shop: Shop, scene: str, at: datetime) -> bytes:
        """The bytes of one photograph."""
        path = next(self._real, None)
        if path is not None:
            self.real += 1
            return path.read_bytes()
        return make_photo(next(self._serial), taken_at=at, lon=shop.lon, lat=shop.lat, sign=shop.name, scene=scene,
                          size=SIZE)


def photographs(directory: Path) -> list[Path]:
    """The picture files under a directory by name, no two with the same bytes, none over the upload limit."""
    found = list(_unlike(sorted(path for path in directory.rglob("*") if path.suffix.lower() in ENDINGS)))
    if not found:
        raise FileNotFoundError(f"{directory}: 没有照片 no photographs ({', '.join(ENDINGS)})")
    return found


def _unlike(paths: list[Path]) -> Iterator[Path]:
    seen = set()
    for path in paths:
        if path.is_file() and 0 < path.stat().st_size <= LARGEST_BYTES:
            with path.open("rb") as photo:
                digest = hashlib.file_digest(photo, "sha256").digest()
            if digest not in seen:
                seen.add(digest)
                yield path
