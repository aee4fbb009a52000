"""Every failure leaves as problem+json, or as a page where a person looks; nothing of the inside is shown."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, render_template, request
from flask.globals import request_ctx
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable

from media.stores import NotStored, StoreUnavailable
from schemas.problems import Problem, by_path
from server.arriving import drop_refused
from server.refusals import remember_problem
from server.rules.masking import displayed

log = structlog.get_logger()

BY_STATUS = {400: "invalid_request", 401: "login_required", 404: "not_found", 405: "method_not_allowed",
             408: "request_timeout", 411: "length_required", 413: "too_large", 415: "unsupported_media_type",
             416: "range_unsatisfiable", 422: "invalid_request", 429: "too_many_requests", 503: "unavailable"}
SAID = {404: "没有这个地址 There is no such address",
        405: "此地址不接受这种请求 This address does not take such a request"}


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.after_request(drop_refused)
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(StoreUnavailable, _store)
    app.register_error_handler(NotStored, _lost)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(Exception, _unexpected)


def answer(problem: Problem) -> Response:
    """The response of a problem: problem+json, or a page for a browser on a page."""
    remember_problem(problem)
    status = problem.kind.status
    if _wants_page():
        response = Response(render_template("problem.html", problem=problem), status=status)
    else:
        body = problem.to_dict()  # what it names of a value may be a number; the rest is what the wire has in full
        response = jsonify({**body, **displayed({name: body[name] for name in ("detail", "errors") if name in body})})
        response.status_code = status
        response.content_type = "application/problem+json"
    wait = problem.retry_after or {429: 60, 503: 5}.get(status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    if status == 401 and not _wants_page():
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 405:
        response.allow.update(request_ctx.url_adapter.allowed_methods() if request_ctx.url_adapter else ())
    return response


def _wants_page() -> bool:
    """True for a browser on a page; htmx, which takes anything, shows what it gets in the page."""
    wanted = request.accept_mimetypes.best_match(["application/problem+json", "text/html"])
    looks = wanted == "text/html" or "HX-Request" in request.headers
    return looks and not request.path.startswith(("/api/", "/static/"))


def _http(error: HTTPException) -> Any:
    if isinstance(error, RateLimitExceeded):
        return answer(Problem("too_many_requests", error.description or "", retry_after=60))
    if isinstance(error, CSRFError):
        return answer(Problem("csrf_invalid"))
    code = error.code or 500
    if code < 400:
        return error
    messages = getattr(error, "data", {}).get("messages") if isinstance(getattr(error, "data", None), dict) else None
    if messages and code == 400:
        return answer(Problem("invalid_json", "the body is not valid JSON"))
    if messages:
        return answer(_from_marshmallow(messages))
    ours = error.description if error.description != type(error).description else None  # werkzeug's own is English
    response = answer(Problem(BY_STATUS.get(code, "invalid_request" if code < 500 else "internal_error"),
                              ours or SAID.get(code, "")))
    if isinstance(error, RequestedRangeNotSatisfiable):
        response.headers["Content-Range"] = f"bytes */{error.length}"  # RFC 9110, 15.5.17
    return response


def _from_marshmallow(messages: Any) -> Problem:
    """A problem from marshmallow's messages, which webargs groups by location."""
    errors: dict[str, list[str]] = {}
    for location, found in (messages.items() if isinstance(messages, dict) else [("", messages)]):
        errors |= by_path(found, "" if location in ("json", "query", "headers", "form") else str(location))
    unknown = any("Unknown field" in text for texts in errors.values() for text in texts)
    detail = "; ".join(f"{name or 'body'}: {texts[0]}" for name, texts in sorted(errors.items()))
    return Problem("unknown_field" if unknown else "invalid_request", detail, errors=errors)


def _store(error: StoreUnavailable) -> Response:
    log.error("store_unavailable", error=str(error))
    return answer(Problem("unavailable", "媒体存储暂不可用 The media store cannot be reached"))


def _lost(error: NotStored) -> Response:
    log.error("photo_lost", sha256=str(error))
    return answer(Problem("not_found", "照片不在存储中 The photo is not in the store"))


def _database(error: OperationalError) -> Response:
    log.error("database_unavailable", error=str(error.orig))
    return answer(Problem("busy", "数据库繁忙或不可用 The database is busy or cannot be reached"))


def _unexpected(error: Exception) -> Response:
    log.exception("unexpected", path=request.path, request_id=g.get("request_id"))
    return answer(Problem("internal_error", f"request {g.get('request_id', '-')}"))
