"""One edition of the handheld: its files with their digests, and the version that they make together.

Read once a process. Scripts are served without comments and blanks where `bin/setup` made such of this very source.
What the device needs of the trade (`reference.json`) is one of the files: a new list of classes is
a new edition.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from server.handheld.icons import icons
from server.handheld.reference import reference

APP = Path(__file__).with_name("app")
SMALL = Path(__file__).with_name("small")
SOURCES = SMALL / "SOURCES"
ICON = Path(__file__).parent.with_name("static") / "icon.svg"
SHELL, WORKER = "index.html", "worker.js"
NOT_SERVED = (".d.ts", ".md", "package.json", "LICENSE")
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
         ".svg": "image/svg+xml", ".png": "image/png"}
IMPORT = re.compile(r'import\s*\{\s*deliver(?:\s+as\s+(?P<name>\w+))?\s*\}\s*from\s*"\./delivering\.js";')
TOLD_DIGITS = 20
"""Of each digest: 80 bits tell a damaged file as surely, and the list of all is what weighs most in the worker."""
INSTALLED = (("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"),
             ("icon-maskable.png", "512x512", "maskable"), ("icon.svg", "any", "any"))
MAP_MARK = '<script type="importmap">'


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served."""

    content: bytes
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Page:
    """The shell with the policy that allows its one inline text, the import map."""

    content: bytes
    policy: str


class Edition:
    """The files by name, and all that is made of them."""

    def __init__(self, files: dict[str, File], shell: str, worker: str, tiles: str = "") -> None:
        self.files, self._shell, self._worker = files, shell, worker
        self._tiles = "".join(f" {one.scheme}://{one.netloc.replace('{s}', '*')}" for one in [urlsplit(tiles)] if tiles)
        listed = "".join(f"{name} {one.sha256}\n" for name, one in sorted(files.items()))
        self.version = hashlib.sha256((listed + shell + worker).encode()).hexdigest()[:16]

    @cached_property
    def page(self) -> Page:
        """`index.html` with the addresses of this edition."""
        text = self._shell.replace("{version}", self.version)
        mapped = text.split(MAP_MARK, 1)[1].split("</script>", 1)[0]
        digest = base64.b64encode(hashlib.sha256(mapped.encode()).digest()).decode()
        policy = (f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; connect-src 'self'; "
                  f"img-src 'self' data: blob:{self._tiles}; media-src 'self' blob:; font-src 'self'; "
                  "manifest-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
        return Page(text.encode(), policy)

    def worker(self, *, modules: bool = True) -> bytes:
        """`worker.js` behind a line that names version and files with their digests; without `modules` for browsers
        whose workers cannot import, which have no background sync either."""
        told = {"version": self.version, "files": {name: one.sha256[:TOLD_DIGITS] for name, one in self.files.items()},
                "shell": hashlib.sha256(self.page.content).hexdigest()[:TOLD_DIGITS]}
        return b"self.EDITION = " + orjson.dumps(told) + b";\n" + IMPORT.sub(
            lambda found: self._imported(found["name"] or "deliver", modules), self._worker, count=1).encode()

    def _imported(self, name: str, modules: bool) -> str:
        """How the worker has its deliveries under this name."""
        return f'import {{deliver as {name}}} from "/handheld/{self.version}/delivering.js";' if modules \
            else f"const {name} = null;"

    def manifest(self) -> bytes:
        """The web app manifest (W3C)."""
        return orjson.dumps({
            "id": "/handheld/", "name": "门前 手持端", "short_name": "门前", "lang": "zh-CN", "start_url": "/handheld/",
            "scope": "/handheld/", "display": "standalone", "orientation": "portrait", "background_color": "#f6f8f7",
            "theme_color": "#0d5c55", "description": "离线巡查与执法记录 offline inspection records",
            "icons": [{"src": f"/handheld/{self.version}/{name}", "sizes": sizes, "type": self.files[name].media_type,
                       "purpose": purpose} for name, sizes, purpose in INSTALLED]})


@cache
def edition(tiles: str = "") -> Edition:
    """The edition that this process serves, with map tiles from that address, if there are any."""
    found = {path.relative_to(APP).as_posix(): path for path in sorted(APP.rglob("*"))
             if path.is_file() and not path.name.endswith(NOT_SERVED)}
    small = _small()
    shell, worker = (_smallest(name, found.pop(name).read_bytes(), small).decode() for name in (SHELL, WORKER))
    files = {name: _file(_smallest(name, path.read_bytes(), small), path.suffix) for name, path in found.items()}
    files["icon.svg"] = _file(ICON.read_bytes(), ".svg")
    files |= {name: _file(content, ".png") for name, content in icons().items()}
    files["reference.json"] = _file(orjson.dumps(reference(tiles), option=orjson.OPT_SORT_KEYS), ".json")
    return Edition(files, shell, worker, tiles)


def _small() -> dict[str, str]:
    """The digest of the source that each small script was made from, by its name."""
    lines = SOURCES.read_text(encoding="utf-8").splitlines() if SOURCES.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _smallest(name: str, source: bytes, small: dict[str, str]) -> bytes:
    if small.get(name) != hashlib.sha256(source).hexdigest():
        return source
    return min(source, (SMALL / name).read_bytes(), key=len)  # some libraries come smaller than we could make them


def _file(content: bytes, suffix: str) -> File:
    media_type = TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return File(content, media_type, hashlib.sha256(content).hexdigest())
