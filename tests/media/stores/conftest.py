"""The stores that the suite runs on: a directory, and a real S3 store whose buckets are plain or have Object Lock."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.stores import Store, open_store
from tests.engines import running_s3
from tests.media.desk import BODY

LOCKED = "&lock=governance&retain_days=1"


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_s3(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture
def bucket_url(request: pytest.FixtureRequest) -> str:
    """An S3 store's URL with a bucket of the test's own, which does not stand yet."""
    fresh = hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    url: str = request.getfixturevalue("s3_url").replace("s3://menqian", f"s3://test-{fresh}", 1)
    return url


@pytest.fixture
def locked(bucket_url: str) -> Store:
    return open_store(bucket_url + LOCKED)


@pytest.fixture(params=["disk", *(pytest.param(name, marks=pytest.mark.s3) for name in ("s3", "s3-locked"))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "disk":
        return open_store(f"file://{tmp_path}/media store")
    return open_store(request.getfixturevalue("bucket_url") + (LOCKED if request.param == "s3-locked" else ""))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(BODY)
    return path
