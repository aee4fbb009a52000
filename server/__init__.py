"""Menqian over HTTP. `create_app` is the table of contents of the server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from media.stores import Store, open_store
from server import (
    api,
    compression,
    db,
    errors,
    handheld,
    house,
    i18n,
    intake,
    jobs,
    limits,
    live,
    logs,
    operation,
    pages,
    trade,
    wire,
)
from server.config import Settings, UnsafeSettings


def create_app(settings: Settings | None = None, *, clock: Callable[[], datetime] = house.wall_clock,
               random_bytes: Callable[[int], bytes] = house.random_bytes) -> Flask:
    """The WSGI application of one installation. `clock` and `random_bytes` are arguments so that tests own them."""
    settings = settings or Settings.from_environment()
    app = Flask("server")
    app.request_class = wire.Request
    if settings.proxies:
        trusted = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=trusted, x_proto=trusted, x_host=trusted)
    app.json = wire.OrJson(app)
    app.config.update(SECRET_KEY=settings.secret_key, MAX_CONTENT_LENGTH=settings.push_bytes,
                      SESSION_COOKIE_NAME="menqian", SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_HTTPONLY=True,
                      SESSION_COOKIE_SECURE=settings.secure_cookies, PROPAGATE_EXCEPTIONS=False)
    app.extensions["menqian"] = house.House(
        settings=settings, rules=trade.rules(), signer=house.read_signer(settings),
        store=_opened(settings), clock=clock, random_bytes=random_bytes)
    logs.init_app(app, settings)
    db.connect(app, settings.database_url)
    limits.init_app(app, settings)
    intake.init_app(app, settings)
    compression.init_app(app)
    i18n.init_app(app)
    errors.init_app(app)
    api.init_app(app)
    pages.init_app(app)
    handheld.init_app(app)
    operation.init_app(app)
    jobs.init_app(app)
    live.init_app(app)
    return app


def _opened(settings: Settings) -> Store:
    """The media store; raises UnsafeSettings where its URL cannot be."""
    try:
        return open_store(settings.media_url)
    except ValueError as error:
        raise UnsafeSettings(f"MENQIAN_MEDIA_URL 无效 cannot be: {error}") from None
