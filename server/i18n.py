"""Pages are zh-CN with English beside it; times are shown in Beijing time."""

from __future__ import annotations

from flask import Flask, request
from flask_babel import Babel

babel = Babel()


def init_app(app: Flask) -> None:
    app.config.update(BABEL_DEFAULT_LOCALE="zh_CN", BABEL_DEFAULT_TIMEZONE="Asia/Shanghai")
    babel.init_app(app, locale_selector=choose)


def choose() -> str:
    """zh-CN unless the person chose English with `?lang=en` or the cookie of that name."""
    return "en" if (request.args.get("lang") or request.cookies.get("lang")) == "en" else "zh_CN"
