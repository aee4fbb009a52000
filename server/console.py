"""What the commands of `bin/menqian` share: the app of an installation, made or standing, and how they print."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click
import orjson
from flask import Flask
from sqlalchemy import inspect

from media.stores import Store, open_store
from server.config import NotInitialised, Settings, UnsafeSettings
from server.db import db
from server.house import house
from sync.models import Clock


def settings() -> Settings:
    """The settings of the environment."""
    with _refusals():
        return Settings.from_environment()


def made(given: Settings) -> Flask:
    """The app, its directories and keys made where they lack: only `init`, `serve` and `restore` make anything."""
    given.data.mkdir(parents=True, exist_ok=True)
    given.spool.mkdir(parents=True, exist_ok=True)
    return _app(lambda: given)


def standing() -> Flask:
    """The app of an installation that stands; raises NotInitialised."""
    return _app(Settings.of_existing)


@contextmanager
def installation() -> Iterator[None]:
    """The app's context, of an installation that `init` made; raises NotInitialised."""
    with standing().app_context():
        if not inspect(db.engine).has_table(Clock.__tablename__) or db.session.get(Clock, 1) is None:
            raise NotInitialised(f"clock in {db.engine.url.render_as_string()}")
        db.session.rollback()
        yield


def _app(read: Callable[[], Settings]) -> Flask:
    from server import create_app
    with _refusals():
        return create_app(read())


@contextmanager
def _refusals() -> Iterator[None]:
    """Settings that cannot be are one clear line."""
    try:
        yield
    except UnsafeSettings as error:
        raise click.ClickException(str(error)) from None


def store_of(url: str | None) -> Store:
    """The store of that URL, or that of the settings."""
    try:
        replace(house().settings, media_url=url or house().settings.media_url).check()
        return open_store(url) if url else house().store
    except (UnsafeSettings, ValueError) as error:
        raise click.ClickException(str(error)) from None


def show(document: Any) -> None:
    """Print a document as JSON."""
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def tell(line: str) -> None:
    """Say how far long work has come, beside what it prints."""
    click.echo(line, err=True)
