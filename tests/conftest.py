"""One running server an engine for the whole session: `embedded` (SQLite, files) and `grown` (PostgreSQL, S3)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.bureau import PASSWORD, Bureau
from tests.running import Server
from tests.wire import Person


class Engine(NamedTuple):
    """Where an installation keeps its rows and bytes; None means the embedded default."""

    name: str
    database_url: str | None
    media_url: str | None

    def another(self) -> Engine:
        """An empty place of the same kind: a new database and a new bucket of the same services."""
        if self.database_url is None or self.media_url is None:
            return self
        fresh = f"other_{uuid.uuid4().hex[:8]}"
        admin = create_engine(self.database_url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {fresh}"))
        admin.dispose()
        database = make_url(self.database_url).set(database=fresh).render_as_string(hide_password=False)
        bucket = self.media_url.removeprefix("s3://").split("?")[0].split("/")[0]
        media = self.media_url.replace(f"s3://{bucket}", f"s3://{fresh.replace('_', '-')}", 1)
        return Engine(self.name, database, media)


@pytest.fixture(scope="session", params=["embedded", "grown"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if request.param == "embedded":
        yield Engine("embedded", None, None)
        return
    engines = pytest.importorskip("tests.engines")
    with ExitStack() as services:
        database = services.enter_context(engines.running_postgres(tmp_path_factory.mktemp("postgres")))
        media = services.enter_context(engines.running_s3(tmp_path_factory.mktemp("s3")))
        yield Engine("grown", database, media)


def installed(directory: Path, engine: Engine, **options: Any) -> Server:
    """A new installation with one administrator, `root`, not yet started."""
    server = Server(directory, database_url=engine.database_url, media_url=engine.media_url, **options)
    server.cli("init")
    server.cli("user", "add", "root", "--name", "管理员", "--role", "admin", "--scope", "32", "--password-stdin",
               stdin=PASSWORD + "\n")
    return server


@pytest.fixture(scope="session")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = installed(tmp_path_factory.mktemp(f"server-{engine.name}"), engine)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def admin(server: Server) -> Person:
    return Person(server.url, "root", PASSWORD)


@pytest.fixture(scope="session")
def bureau(server: Server, admin: Person) -> Bureau:
    return Bureau(server.url, admin)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test shows the end of its server's log."""
    report = yield
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(server, Server):
        report.sections.append(("server log", server.tail()))
    return report
