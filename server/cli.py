"""The command line `bin/menqian` (design section 5)."""

from __future__ import annotations

import getpass
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import click
import orjson
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from schemas.problems import Problem
from server.auth import ROLES
from server.config import Settings, UnsafeSettings
from server.db import db, writing
from server.gunicorn_config import die_with_parent
from sync.models import Clock

STOP_SECONDS = 8


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """门前 Menqian: the server of frontage inspections."""


@main.command()
def init() -> None:
    """Create or upgrade the database, the keys and the directories. Idempotent."""
    app = _app()
    with app.app_context():
        initialise()
    click.echo("ready")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True, help="processes on PostgreSQL; SQLite has one, with threads")
def serve(host: str, port: int, workers: int) -> None:
    """Serve HTTP and run the background worker, in the foreground; SIGTERM stops both cleanly."""
    settings = _settings()
    with _app().app_context():
        initialise()
    sys.exit(_serve(settings, host, port, workers))


@main.command(hidden=True)
def worker() -> None:
    """The background worker alone (several machines share one queue on Redis)."""
    from server.jobs import run_worker
    run_worker(_app())


@main.group()
def user() -> None:
    """People."""


@user.command("add")
@click.argument("username")
@click.option("--name", required=True)
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES))
@click.option("--scope", "scopes", multiple=True, help="division code; repeatable")
@click.option("--unit", help="the unit that cases are dispatched to")
@click.option("--password-stdin", is_flag=True, help="read the password from standard input")
def add_user(username: str, name: str, roles: tuple[str, ...], scopes: tuple[str, ...], unit: str | None,
             password_stdin: bool) -> None:
    """Add a person; prints the id."""
    from schemas.people import User as UserSchema
    from server.api.users import make_user
    password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass("password: ")
    given = UserSchema().load({"username": username, "name": name, "roles": list(roles), "scopes": list(scopes),
                               "password": password, **({"unit": unit} if unit else {})})
    with _app().app_context():
        with writing() as door:
            made = make_user(door, "console", **given)
        click.echo(made.id)


@main.group()
def device() -> None:
    """Devices."""


@device.command("invite")
@click.argument("username")
def invite_device(username: str) -> None:
    """Print a code by which one device of this person may enrol once."""
    from server.api.devices import invite
    from server.models import User
    with _app().app_context():
        with writing() as door:
            found = door.session.execute(select(User).where(User.username == username)).scalar_one_or_none()
            if found is None:
                raise click.ClickException(f"无此人员 no such person: {username}")
            code, _ = invite(door, "console", found.id)
        click.echo(code)


@main.group()
def zones() -> None:
    """Frontage responsibility zones."""


@zones.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_zones(file: Path) -> None:
    """Import a GeoJSON FeatureCollection; prints what was imported and what was rejected."""
    from server.zones import check_collection, import_features
    try:
        collection = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"不是有效的 JSON not valid JSON: {error}") from None
    with _app().app_context():
        checked = check_collection(db.session(), collection, None)
        with writing() as door:
            found = import_features(door, collection, actor="console", scopes=None, checked=checked)
        _print(found)


@main.command()
def verify() -> None:
    """Check journal, records, capture chains and media; prints JSON; exit 1 when something does not hold."""
    from server.audit import audit
    with _app().app_context():
        found = audit()
    _print(found)
    sys.exit(0 if found["ok"] else 1)


@main.command()
def doctor() -> None:
    """Say what works here and what does not; exit 1 when something is missing."""
    from server.doctor import examine
    with _app().app_context():
        found = examine()
    for name, (works, said) in found.items():
        click.echo(f"{'ok  ' if works else 'FAIL'} {name}: {said}")
    sys.exit(0 if all(works for works, _ in found.values()) else 1)


def initialise() -> None:
    """Migrate the database to the newest schema and start its clock."""
    upgrade()
    if db.session.get(Clock, 1) is None:
        db.session.add(Clock(id=1, seq=0, epoch=str(uuid.uuid4()), floor_seq=0, journal_size=0, journal_peaks=[]))
    db.session.commit()


def _serve(settings: Settings, host: str, port: int, workers: int) -> int:
    """Run gunicorn and the worker as children; when one ends or a signal comes, end the other."""
    processes = 1 if settings.embedded else max(1, workers)
    web = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", str(processes), "--threads",
           str(max(8, 4 * workers) if settings.embedded else 8), "--bind", f"{host}:{port}", "--timeout", "120",
           "--graceful-timeout", str(STOP_SECONDS - 2), "--keep-alive", "15", "--log-level", "warning",
           "--limit-request-line", "8190", "--config", "python:server.gunicorn_config", "server.wsgi:app"]
    background = [sys.executable, "-m", "server.cli", "worker"]
    children = [subprocess.Popen(command, preexec_fn=die_with_parent) for command in (web, background)]

    def stop(*_: Any) -> None:
        for child in children:
            if child.poll() is None:
                child.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    ended = _wait_for_one(children)
    stop()
    for child in children:
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
    return max(0, ended)


def _wait_for_one(children: list[subprocess.Popen[bytes]]) -> int:
    while True:
        pid, status = os.wait()
        if any(child.pid == pid for child in children):
            for child in children:
                if child.pid == pid:
                    child.returncode = os.waitstatus_to_exitcode(status)
            return os.waitstatus_to_exitcode(status)


def _settings() -> Settings:
    try:
        return Settings.from_environment()
    except UnsafeSettings as error:
        raise click.ClickException(str(error)) from None


def _app() -> Flask:
    from server import create_app
    settings = _settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    settings.spool.mkdir(parents=True, exist_ok=True)
    return create_app(settings)


def _print(document: Any) -> None:
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def run() -> None:
    """The entry point: known failures are one clear line, never a traceback."""
    try:
        main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except Problem as problem:
        click.echo(f"{problem.code}: {problem.detail}", err=True)
        sys.exit(1)
    except SQLAlchemyError as error:
        click.echo(f"database: {str(error).splitlines()[0]}", err=True)
        sys.exit(1)



if __name__ == "__main__":
    run()
