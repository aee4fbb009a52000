"""The doctor says what works here and what does not, and never fails itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from server.doctor import Said, examine
from tests.server.indoors import Indoors, indoors


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as office:
        yield office


def examined(office: Indoors) -> dict[str, Said]:
    with office.app.app_context():
        return examine()


def test_a_sound_installation_works_in_every_part(office: Indoors) -> None:
    found = examined(office)
    del found["pages"]  # bin/setup's copies are no part of an installation in a test
    assert [name for name, (works, _) in found.items() if not works] == []
    assert {"python", "libraries", "database", "migrations", "media", "queue", "spool", "disk", "clock"} <= set(found)
    assert all(said for _, said in found.values())


def test_each_fault_is_named_where_it_is(office: Indoors) -> None:
    settings = office.app.extensions["menqian"].settings
    with create_engine(settings.database_url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001_engine'"))
    settings.spool.rmdir()
    office.clock.put_on(days=-400)
    found = examined(office)
    assert {name for name, (works, _) in found.items() if not works} - {"pages"} == {"migrations", "spool", "disk",
                                                                                     "clock"}
    assert "bin/menqian init" in found["migrations"][1]


def test_a_database_that_is_gone_stops_no_other_part(office: Indoors) -> None:
    settings = office.app.extensions["menqian"].settings
    with create_engine(settings.database_url).begin() as connection:
        connection.execute(text("DROP TABLE checkpoint"))
        connection.execute(text("DROP TABLE alembic_version"))
    found = examined(office)
    assert found["clock"] == (False, "尚未初始化 not initialised (run menqian init)")
    assert not found["migrations"][0]
    assert found["media"][0] and found["queue"][0] and found["database"][0]
