"""Limits against guessing: failed logins per user name and address, unknown invitation codes per address."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from schemas.problems import Problem
from server.config import Settings
from server.house import house
from server.wire import read_json

limiter = Limiter(get_remote_address, strategy="fixed-window")
# An office shares one address; a code has 75 bits, so that even this many guesses find none.
ENROLMENTS = "30/minute"


def init_app(app: Flask, settings: Settings) -> None:
    redis = settings.queue_url if settings.queue_url.startswith("redis") else None
    # While Redis is away each process counts for itself: nobody is locked out, and guessing stays slow.
    app.config.update(RATELIMIT_STORAGE_URI=redis or "memory://", RATELIMIT_HEADERS_ENABLED=True,
                      RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=bool(redis))
    limiter.init_app(app)


def wrong_password(response: Response) -> bool:
    return response.status_code == 401


def unknown_code(response: Response) -> bool:
    """A used or expired code was no guess."""
    return response.status_code == 404


def login_key() -> str:
    """User name and address together, so that one attacker cannot lock a colleague out everywhere."""
    try:
        given = read_json(request)  # first, as it keeps the body for the view; reading the form would use it up
    except Problem:
        given = request.form
    name = given.get("username") if isinstance(given, Mapping) else None
    return f"{get_remote_address()}|{str(name)[:80]}"


def attempts() -> str:
    return house().settings.login_attempts


# One count for the API's login and the page's.
logins = limiter.shared_limit(
    attempts, scope="logins", key_func=login_key, deduct_when=wrong_password,
    error_message="登录失败次数过多,请稍后再试 Too many failed logins, try later")
enrolments = limiter.limit(
    ENROLMENTS, deduct_when=unknown_code,
    error_message="此地址的无效邀请码过多,请稍后再试 Too many unknown invitation codes from this address, try later")
