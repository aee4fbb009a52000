"""Structured logs, one JSON line a request, tied together by a request id that the answer carries too."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

import structlog
from flask import Flask, Response, g, request

from server.config import Settings
from server.rules.masking import displayed_text

log = structlog.get_logger()
QUIET = ("/healthz", "/readyz", "/metrics", "/static/")


def init_app(app: Flask, settings: Settings) -> None:
    level = getattr(logging, settings.log_level.upper())
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
                    structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(ensure_ascii=False), _hide_numbers],
        wrapper_class=structlog.make_filtering_bound_logger(level), cache_logger_on_first_use=False)
    app.before_request(_begin)
    app.after_request(_end)


def _hide_numbers(_: Any, __: str, line: str) -> str:
    """No log has anybody's identity or phone number (domain.md 17.4), not even in the text of a failure."""
    return displayed_text(line)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if given.isascii() and given.isprintable() and 0 < len(given) <= 64 else uuid.uuid4().hex
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "-")
    if not request.path.startswith(QUIET):
        principal: Any = g.get("principal")
        log.info("request", method=request.method, path=request.path, status=response.status_code,
                 ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
                 user=getattr(principal, "user_id", None), device=getattr(principal, "device_id", None))
    return response
