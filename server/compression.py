"""Answers are compressed when the client allows; stored photos are not, they are compressed already."""

from __future__ import annotations

from flask import Flask
from flask_compress import Compress

compress = Compress()


def init_app(app: Flask) -> None:
    app.config.update(COMPRESS_ALGORITHM=["gzip"], COMPRESS_LEVEL=4, COMPRESS_MIN_SIZE=1000, COMPRESS_MIMETYPES=[
        "application/json", "application/problem+json", "application/geo+json", "text/html", "text/css",
        "text/javascript", "application/javascript", "image/svg+xml"])
    compress.init_app(app)
