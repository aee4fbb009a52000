"""The engines that tests of the grown installation stand on."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from media.stores import open_store
from tests import engines


def version_of(directory: Path) -> int:
    with engines.running_postgres(directory) as url:
        database = create_engine(url)
        with database.connect() as connection:
            version = connection.execute(text("SHOW server_version_num")).scalar_one()
        database.dispose()
    return int(version)


@pytest.mark.postgres
def test_two_postgresql_run_side_by_side(tmp_path):
    with ThreadPoolExecutor(2) as pool:
        versions = list(pool.map(version_of, [tmp_path / "one", tmp_path / "other"]))
    assert all(version >= 180_000 for version in versions)


@pytest.mark.postgres
def test_postgresql_runs_from_an_environment_closed_to_others(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "_open_to_all", lambda path: False)
    assert version_of(tmp_path) >= 180_000


@pytest.mark.postgres
def test_postgresql_is_gone_after_its_context(tmp_path):
    with engines.running_postgres(tmp_path) as url:
        pass
    with pytest.raises(Exception, match="refused"):
        create_engine(url).connect()


@pytest.mark.s3
def test_two_s3_stores_run_side_by_side(tmp_path):
    with engines.running_s3(tmp_path / "one") as one, engines.running_s3(tmp_path / "other") as other:
        for url in (one, other):
            open_store(url).check()
