"""The command line `bin/menqian` (design section 5)."""

from __future__ import annotations

import getpass
import os
import re
import sys
from datetime import timedelta
from pathlib import Path

import click
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from media.stores import DigestMismatch, StoreUnavailable
from schemas.problems import Problem, by_path
from server.auth import ROLES
from server.config import NotInitialised, UnsafeSettings
from server.console import installation as _installation
from server.console import made as _made
from server.console import settings as _settings
from server.console import show as _print
from server.console import standing as _standing
from server.console import store_of as _store
from server.console import tell as _tell
from server.db import db, guard_again, initialise, writing
from server.house import house
from server.meters import count_together
from server.registers import roads, zones
from sync.outbox_file import OutboxFileInvalid


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """门前 Menqian: the server of frontage inspections."""


main.add_command(zones)
main.add_command(roads)


@main.command()
def init() -> None:
    """Create or upgrade the database with its triggers, the keys and the directories. Idempotent."""
    with _made(_settings()).app_context():
        initialise()
        guard_again()
    click.echo("ready")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, help="processes on PostgreSQL; SQLite has one, with threads")
def serve(host: str, port: int, workers: int) -> None:
    """Serve HTTP and run the background worker, in the foreground; SIGTERM stops both cleanly."""
    from server import serving
    settings = _settings()
    serving.must_be_free(host, port)
    count_together(settings.data / "metrics" / str(port))  # another may serve beside this one
    with _made(settings).app_context():
        initialise()
        db.session.remove()
        db.engine.dispose()
        try:
            house().store.probe()
        except StoreUnavailable as error:  # photos wait in the spool: nobody is turned away for that
            _tell(f"媒体存储 media store: {error}")
    sys.exit(serving.serve(settings, host, port, workers))


@main.command(hidden=True)
def worker() -> None:
    """The background worker alone (several machines share one queue on Redis)."""
    from server.jobs import run_worker
    run_worker(_standing())


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
    if not scopes:
        click.echo("警告 warning: 未给 --scope,此人看不到任何记录,也不能导入责任区 "
                   "without --scope this person sees no record and imports no zone", err=True)
    with _installation():
        click.echo(make_user("console", **given).id)


@main.group()
def device() -> None:
    """Devices."""


@device.command("invite")
@click.argument("username")
def invite_device(username: str) -> None:
    """Print a code by which one device of this person may enrol once."""
    from server.api.devices import invite
    from server.models import User
    with _installation():
        with writing() as door:
            found = door.session.execute(select(User).where(User.username == username)).scalar_one_or_none()
            if found is None:
                raise click.ClickException(f"无此人员 no such person: {username}")
            code, _ = invite(door, "console", found.id)
        click.echo(code)


@main.group()
def outbox() -> None:
    """What devices could not deliver."""


@outbox.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", metavar="USERNAME", help="the supervisor or admin who brings it; else the machine's account")
def import_outbox(file: Path, by: str | None) -> None:
    """Deliver the outbox that a dying phone saved as FILE, as if it came itself; exit 1 when not all of it is here."""
    from server.outboxes import bring
    with _installation():
        found = bring(file, by, _tell)
    _print(found)
    sys.exit(0 if found["whole"] else 1)


@main.command()
@click.option("--record", is_flag=True, help="enter the result in the journal; otherwise nothing is written")
def verify(record: bool) -> None:
    """Check journal, records, capture chains and media; prints JSON; exit 1 when something does not hold."""
    from server import nightly
    from server.audit import audit
    try:
        with _installation():
            found = nightly.record("console") if record else audit()
    except NotInitialised as error:
        _tell(str(error))
        found = {"ok": False, "problems": [{"code": "not_initialised", "about": "database", "detail": str(error)}]}
    _print(found)
    sys.exit(0 if found["ok"] else 1)


@main.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--with-media", is_flag=True, help="copy the photos also out of an S3 store, which are listed otherwise")
@click.option("--since", "earlier", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="an earlier backup on the same disk: hard-link the photos that it has")
@click.option("--check", is_flag=True, help="hold the backup in DIR against its manifest; write nothing")
def backup(directory: Path, with_media: bool, earlier: Path | None, check: bool) -> None:
    """Back up a running installation into the empty DIR; exit 1 when a photo is missing."""
    from server.backup import making, manifest, photos
    try:
        if check:
            made = manifest.check(directory)
        else:
            with _installation():
                made = making.back_up(directory, with_media=with_media, earlier=earlier, tell=_tell)
    except (making.NotEmpty, manifest.BackupInvalid) as error:
        raise click.ClickException(str(error)) from None
    gone = photos.told_missing(directory, made.missing)
    _print({"made_at": made.made_at, "epoch": made.epoch, "journal_size": made.journal_size, "rows": sum(
        made.rows.values()), "media": made.media, "photos": made.photos, **gone})
    if made.missing:
        raise click.ClickException(f"备份已成,但存储中缺照片 the backup is whole but for {len(gone['photos_missing'])} "
                                   f"photos and {gone['renditions_missing']} renditions and "
                                   f"{len(gone['copies_missing'])} copies that the media store does not have")


@main.command()
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--allow-missing", is_flag=True, help="go on when photos are nowhere; devices are asked for them")
def restore(directory: Path, allow_missing: bool) -> None:
    """Restore the backup in DIR into an empty installation, in a new epoch; prints what came back."""
    from server.backup import manifest, place, restoring
    try:
        made = manifest.check_rows(directory)
        here = place.prepare(directory, made, os.environ, _tell, allow_missing=allow_missing)
        with _made(here.settings).app_context():
            _print(restoring.restore(directory, made, here, _tell))
    except (manifest.BackupInvalid, place.RestoreRefused, DigestMismatch, UnsafeSettings) as error:
        raise click.ClickException(str(error)) from None


@main.group()
def media() -> None:
    """Photos and their stores."""


@media.command("move")
@click.argument("to", metavar="TO")
@click.option("--from", "origin", metavar="URL", help="the store to copy from, where it is not that of the settings")
def move_media(to: str, origin: str | None) -> None:
    """Copy all photos into the store TO while the server serves; `-` reads its URL, which may hold keys, from standard
    input. Run it again for what came since. Exit 1 when a photo is missing or damaged."""
    from server.media_move import move
    with _installation():
        target, source = (_store(url) for url in (sys.stdin.readline().strip() if to == "-" else to, origin))
        if source.place == target.place:
            raise click.UsageError(f"两个存储相同 both stores are {target.place}")
        moved = move(source, target, _tell)
    _print(moved)
    sys.exit(1 if moved["missing"] or moved["damaged"] or moved.get("holds_trouble") else 0)


@main.command()
@click.option("--older-than", "age", default="365d", show_default=True, metavar="DAYS", help="such as 365d")
def compact(age: str) -> None:
    """Remove what is older and no promise needs; devices that were away for longer pull from the beginning."""
    from server.compaction import compact as compact_older
    if not re.fullmatch(r"[1-9]\d{0,4}d", age):
        raise click.BadParameter("须为天数 must be a number of days such as 365d", param_hint="--older-than")
    with _installation():
        _print(compact_older(house().clock() - timedelta(days=int(age[:-1]))))


@main.command()
def doctor() -> None:
    """Say what works here and what does not; exit 1 when something is missing."""
    from server.doctor import examine, examine_machine
    try:
        with _standing().app_context():
            found = examine()
    except NotInitialised as error:
        found = {**examine_machine(), "installation": (False, str(error))}
    for name, (works, said) in found.items():
        click.echo(f"{'ok  ' if works else 'FAIL'} {name}: {said}")
    sys.exit(0 if all(works for works, _ in found.values()) else 1)


def run() -> None:
    """The entry point: known failures are one clear line, never a traceback."""
    try:
        main(prog_name="menqian", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except NotInitialised as error:
        _fail(str(error))
    except OutboxFileInvalid as error:
        _fail(f"发件箱文件 outbox file: {error}")
    except Problem as problem:
        _fail(f"{problem.code}: {problem.detail}")
    except ValidationError as error:
        _fail(*(f"{path}: {texts[0]}" for path, texts in by_path(error.normalized_messages()).items()))
    except SQLAlchemyError as error:
        _fail(f"database: {str(error).splitlines()[0]}")
    except StoreUnavailable as error:
        _fail(f"media: {error}")
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))


def _fail(*lines: str) -> None:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(1)


if __name__ == "__main__":
    run()
