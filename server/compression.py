"""Answers are compressed when the client allows; stored photos are not, they are compressed already."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_compress import Compress

compress = Compress()


def init_app(app: Flask) -> None:
    app.config.update(COMPRESS_REGISTER=False, COMPRESS_ALGORITHM=["gzip"], COMPRESS_ALGORITHM_STREAMING=["gzip"],
                      COMPRESS_LEVEL=4, COMPRESS_MIN_SIZE=1000,
                      COMPRESS_MIMETYPES=[
                          "application/json", "application/problem+json", "application/geo+json", "text/html",
                          "text/css", "text/javascript", "application/javascript", "image/svg+xml"])
    compress.init_app(app)
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    """Compress what has a body; what has none says nothing about one (RFC 9110, 8.3 and 15.3.5)."""
    if response.status_code == 204:
        response.response = []
    if response.is_sequence and not any(response.response):
        if response.mimetype == response.default_mimetype or response.status_code == 204:
            response.headers.pop("Content-Type", None)
        if response.status_code == 204:
            response.headers.pop("Content-Length", None)
        return response
    if request.method == "HEAD":
        return response
    if not request.accept_encodings["gzip"]:  # Flask-Compress takes a coding at q=0, a refusal, for the least wish
        response.vary.add("Accept-Encoding")
        return response
    return compress.after_request(response)
