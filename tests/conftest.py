"""One running server an engine for the whole session: `embedded` (SQLite, files) and `grown` (PostgreSQL, S3)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.bureau import PASSWORD, Bureau, with_root
from tests.phones import ARGUMENTS, HEADLESS
from tests.running import Server
from tests.wire import Person

T = TypeVar("T")
Server.forks = True  # to load our modules takes two seconds of processor time, a hundred and fifty times in a run


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


class Places:
    """What runs for the whole session, by engine: services, a server, its administrator, its bureau. Each is started
    when first asked for and stays, though tests of both engines take turns in every file."""

    def __init__(self, tmp: pytest.TempPathFactory, services: ExitStack) -> None:
        self.tmp, self.services = tmp, services
        self._made: dict[Any, Any] = {}

    def once(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made

    def engine(self, name: str) -> Engine:
        if name == "embedded":
            return Engine("embedded", None, None)
        engines = pytest.importorskip("tests.engines")
        database = self.services.enter_context(engines.running_postgres(self.tmp.mktemp("postgres")))
        media = self.services.enter_context(engines.running_s3(self.tmp.mktemp("s3")))
        return Engine("grown", database, media)

    def server(self, engine: Engine) -> Server:
        server = installed(self.tmp.mktemp(f"server-{engine.name}"), engine).start()
        self.services.callback(server.stop)
        return server


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with ExitStack() as services:
        yield Places(tmp_path_factory, services)


@pytest.fixture(scope="session", params=["embedded", "grown"])
def engine(request: pytest.FixtureRequest, places: Places) -> Engine:
    return places.once(("engine", request.param), lambda: places.engine(request.param))


def installed(directory: Path, engine: Engine, **options: Any) -> Server:
    """A new installation with one administrator, `root`, not yet started."""
    return with_root(Server(directory, database_url=engine.database_url, media_url=engine.media_url, **options))


@pytest.fixture(scope="session")
def server(engine: Engine, places: Places) -> Server:
    return places.once(("server", engine.name), lambda: places.server(engine))


@pytest.fixture(scope="session")
def admin(engine: Engine, server: Server, places: Places) -> Person:
    return places.once(("admin", engine.name), lambda: Person(server.url, "root", PASSWORD))


@pytest.fixture(scope="session")
def bureau(engine: Engine, server: Server, admin: Person, places: Places) -> Bureau:
    return places.once(("bureau", engine.name), lambda: Bureau(server.url, admin))


@pytest.fixture(scope="session")
def play() -> Iterator[Playwright]:
    """The one Playwright of this process, which bears no second beside it; drives Debian's chromium."""
    if not HEADLESS.exists():
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as play:
        yield play


@pytest.fixture(scope="session")
def chromium(play: Playwright) -> Iterator[Browser]:
    browser = play.chromium.launch(executable_path=str(HEADLESS), args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test shows the end of its server's log."""
    report = yield
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(server, Server):
        report.sections.append(("server log", server.tail()))
    return report
