"""The pages of reviewers and supervisors, one module a noun: plain HTML, zh-CN with English beside it.

A page has no rule of its own: it calls what the API calls, under a cookie instead of a bearer token.
"""

from __future__ import annotations

import importlib
import pkgutil

from flask import Flask

from server.pages.entrance import bp, csrf, guard
from server.pages.flags import rule_said
from server.pages.lookups import (
    called,
    class_name,
    excerpt,
    ground_name,
    name_of,
    place_of,
    retention_name,
    scope_name,
    title_of,
    type_name,
)
from server.pages.values import value_of
from server.pages.words import beijing, clock_said, plain, plain_word, t, word
from sync.health import has_unsent


def init_app(app: Flask) -> None:
    """Register the pages, their words, and the headers that keep a browser safe."""
    for module in pkgutil.iter_modules(__path__, "server.pages."):  # each attaches its views to the blueprint
        importlib.import_module(module.name)
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None)
    csrf.init_app(app)
    app.register_blueprint(bp)
    app.after_request(guard)
    app.jinja_env.globals.update(
        t=t, word=word, plain=plain, plain_word=plain_word, name_of=name_of, class_name=class_name, title_of=title_of,
        called=called, type_name=type_name, scope_name=scope_name, place_of=place_of, excerpt=excerpt,
        value_of=value_of, rule_said=rule_said, retention_name=retention_name, ground_name=ground_name)
    app.jinja_env.filters.update(beijing=beijing, clock_said=clock_said, has_unsent=has_unsent)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
