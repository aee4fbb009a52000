"""Fixtures of the server's tests: an office whose rows somebody changes behind the door."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited, unguarded


@pytest.fixture
def office(tmp_path: Path, settings: dict[str, str]) -> Iterator[Indoors]:
    """An office of its own for each test, on the engines that the file's `settings` name."""
    with indoors(tmp_path / "data", **settings) as office:
        yield office


@pytest.fixture
def tampered(office: Indoors, tmp_path: Path) -> Iterator[Any]:
    """Changes rows and files behind the door's back, and puts them back afterwards."""
    database = office.app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    data = Path(database).parent
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    shutil.copytree(data, tmp_path / "sound")

    def change(statement: str, **values: Any) -> dict[str, Any]:
        with engine.begin() as connection, unguarded(connection):
            done = connection.execute(text(statement), values)
            assert done.rowcount, "nothing was tampered with"
        return audited(office)

    yield change
    engine.dispose()
    with engine.begin() as connection, unguarded(connection):
        connection.execute(text("ATTACH :sound AS sound"), {"sound": str(tmp_path / "sound" / Path(database).name)})
        for table in connection.execute(text("SELECT name FROM sound.sqlite_master WHERE type = 'table'")).scalars():
            connection.execute(text(f'DELETE FROM main."{table}"'))
            connection.execute(text(f'INSERT INTO main."{table}" SELECT * FROM sound."{table}"'))
    engine.dispose()
