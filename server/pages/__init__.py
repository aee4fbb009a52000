"""HTML pages of reviewers and supervisors, one module a noun."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages."""
