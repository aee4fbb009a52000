"""Limits against guessing: failed logins per user name and address, failed enrolments per address."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from server.config import Settings
from server.house import house

limiter = Limiter(get_remote_address, strategy="fixed-window")


def init_app(app: Flask, settings: Settings) -> None:
    redis = settings.queue_url if settings.queue_url.startswith("redis") else None
    app.config.update(RATELIMIT_STORAGE_URI=redis or "memory://", RATELIMIT_HEADERS_ENABLED=True)
    limiter.init_app(app)


def failed(response: Response) -> bool:
    """Only failures count."""
    return response.status_code in (401, 404, 409, 410)


def login_key() -> str:
    """User name and address together, so that one attacker cannot lock a colleague out everywhere."""
    body = request.get_json(silent=True) if request.is_json else request.form
    name = body.get("username") if isinstance(body, dict) or hasattr(body, "get") else None
    return f"{get_remote_address()}|{str(name)[:80]}"


def attempts() -> str:
    return house().settings.login_attempts


# One count for the API's login and the page's.
logins = limiter.shared_limit(attempts, scope="logins", key_func=login_key, deduct_when=failed)
