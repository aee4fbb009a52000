"""A fresh deployment to measure: the real server in its own processes, its admin, and the demonstration's zones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from server.demo.town import Town, make_town
from tests.bench.documents import SCOPE
from tests.bureau import PASSWORD, Bureau, with_root
from tests.engines import running_postgres
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, granted


@dataclass(slots=True)
class Deployment:
    """One server with an office; devices are made as they are asked for."""

    engine: str
    folder: Path
    server: Server
    bureau: Bureau
    town: Town

    @property
    def database_url(self) -> str:
        """Where its rows lie."""
        environment = self.server.environment
        return environment.get("MENQIAN_DATABASE_URL") or f"sqlite:///{environment['MENQIAN_DATA']}/menqian.db"

    def device(self) -> Handheld:
        """A new device that signs, of the one inspector of the town."""
        return self.bureau.handheld(SCOPE)


def _stop(server: Server) -> None:
    """On a busy machine it may take longer than a service supervisor waits; it is killed then, and nothing is lost."""
    with suppress(AssertionError):
        server.stop()


@contextmanager
def deployed(folder: Path, engine: str = "sqlite", *, zones: bool = True) -> Iterator[Deployment]:
    """Run a deployment until the context ends: embedded default, or PostgreSQL (durable) with two workers."""
    with ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        database = stack.enter_context(running_postgres(folder / "postgres", durable=True)) \
            if engine == "postgresql" else None
        server = with_root(Server(folder / "server", database_url=database, workers=2,
                                  settings={"MENQIAN_LOG_LEVEL": "warning"}))
        stack.callback(_stop, server)
        server.start()
        try:
            bureau = Bureau(server.url, Person(server.url, "root", PASSWORD))
            town = make_town(1)
            if zones:
                assert granted(bureau.admin.post("/zones/import", town.zones))["rejected"] == []
            yield Deployment(engine, folder, server, bureau, town)
        except AssertionError as error:
            error.add_note(server.tail())
            raise
