"""The installation on a real PostgreSQL: each schedule gets a database copied from the template's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from server.db import db
from tests.simulator.installation import Installation


class PostgresInstallation(Installation):
    """As the embedded one, with a database of its own on the server of `url`."""

    def __init__(self, directory: Path, url: str) -> None:
        self._url = make_url(url).set(database=f"{directory.parent.name.replace('-', '_')}_now")
        admin = make_url(url).set(drivername="postgresql", database="postgres")
        self._admin = psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True)
        self._connection: psycopg.Connection[Any] | None = None
        self._make(self._url.database, "template1")
        super().__init__(directory, self._url.render_as_string(hide_password=False))

    def read(self, sql: str, *values: Any) -> list[Any]:
        if self._connection is None:
            plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
            self._connection = psycopg.connect(plain, autocommit=True)
        done = self._connection.execute(sql.replace("%", "%%").replace("?", "%s").encode(), values)
        return done.fetchall() if done.description else []

    def copy_to(self, target: Path) -> None:
        self._let_go()
        self._make(target.stem, self._url.database)

    def replace_by(self, source: Path) -> None:
        self._let_go()
        self._make(self._url.database, source.stem)

    def close(self) -> None:
        self._let_go()
        super().close()
        self._admin.close()

    def _make(self, name: str | None, template: str | None) -> None:
        self._admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
        self._admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())

    def _let_go(self) -> None:
        """A database is copied only while nobody is connected."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._app is not None:
            with self._app.app_context():
                db.session.remove()
                db.engine.dispose()
