"""The handheld: an offline web app for inspectors, served at `/handheld/` from the files in `app/`.

The app is static and the same for everybody; whose it is stands only in the browser's own database. Its addresses name
its version, so that no page ever runs half of one and half of another. Serves browsers; knows no record.
"""

from __future__ import annotations

import gzip
from functools import lru_cache, partial

import brotli
from flask import Blueprint, Flask, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from schemas.problems import Problem
from server.handheld.edition import Edition, edition
from server.house import house

bp = Blueprint("handheld", __name__, url_prefix="/handheld")
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
CODINGS = {"br": partial(brotli.compress, quality=11), "gzip": partial(gzip.compress, compresslevel=9, mtime=0)}


def init_app(app: Flask) -> None:
    """Register the app's addresses."""
    app.register_blueprint(bp)


@bp.get("/")
def shell() -> Response:
    """The one page."""
    page = _edition().page
    return _answer(page.content, "text/html; charset=utf-8", ASK_AGAIN, {"Content-Security-Policy": page.policy})


@bp.get("")
def without_slash() -> AnyResponse:
    """To where the service worker's scope begins."""
    return redirect(url_for("handheld.shell"), 308)


@bp.get("/worker.js")
def worker() -> Response:
    """The service worker with the list of this edition's files."""
    return _answer(_edition().worker(), "text/javascript; charset=utf-8", ASK_AGAIN,
                   {"Content-Security-Policy": _edition().page.policy})


@bp.get("/worker-classic.js")
def worker_classic() -> Response:
    """The same for browsers whose service workers take no modules."""
    return _answer(_edition().worker(modules=False), "text/javascript; charset=utf-8", ASK_AGAIN,
                   {"Content-Security-Policy": _edition().page.policy})


@bp.get("/manifest.webmanifest")
def manifest() -> Response:
    """What installs to the home screen."""
    return _answer(_edition().manifest(), "application/manifest+json; charset=utf-8", ASK_AGAIN)


@bp.get("/<version>/<path:name>")
def file(version: str, name: str) -> Response:
    """A file of this edition; raises `not_found` for those of any other."""
    found = _edition()
    if version != found.version or name not in found.files:
        raise Problem("not_found", "没有此文件,或应用已更新 no such file, or the app was updated")
    one = found.files[name]
    return _answer(one.content, one.media_type, FOREVER, {"ETag": f'"{one.sha256}"'}).make_conditional(request)


def _edition() -> Edition:
    return edition(house().settings.tile_url)


def _answer(content: bytes, media_type: str, kept: str, more: dict[str, str] | None = None) -> Response:
    """Texts go as small as they can be made, once for all: a phone in a side street waits for each kilobyte."""
    answer = Response(content, content_type=media_type)
    answer.headers["Cache-Control"] = kept
    answer.headers.update(more or {})
    if media_type.startswith(("text/", "application/")):
        answer.vary.add("Accept-Encoding")
        if coding := next((one for one in CODINGS if request.accept_encodings[one]), None):
            answer.data = _coded(content, coding)
            answer.content_encoding = coding
            if etag := answer.get_etag()[0]:
                answer.set_etag(f"{etag}.{coding}")  # RFC 9110, 8.8.3.3
    return answer


@lru_cache(maxsize=1024)
def _coded(content: bytes, coding: str) -> bytes:
    return bytes(CODINGS[coding](content))
