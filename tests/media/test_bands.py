"""The index of hashes: everything within the cut is found, on both engines, and nothing beyond it."""

from collections.abc import Iterator
from random import Random

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from media.bands import BANDS, Near, enter, keys_of, leave, look_up
from media.models import PhotoBand
from media.reuse import NEAR_BITS
from sync.models import table_of
from tests.conftest import Engine

RANDOM = Random(24)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """An empty index in a database of its own."""
    database = create_engine(engine.another().database_url or "sqlite://")
    table_of(PhotoBand).create(database)
    with Session(database) as session:
        yield session
    database.dispose()


def flipped(dhash: int, bits: int) -> int:
    """The hash with so many bits the other way."""
    for place in RANDOM.sample(range(256), bits):
        dhash ^= 1 << place
    return dhash


def spread(dhash: int) -> int:
    """The hash with two bits the other way in each band but one: the farthest for which one band has but one."""
    places = [place for band in range(BANDS - 1) for place in (band, band + BANDS)]
    return dhash ^ sum(1 << place for place in places)


def test_every_hash_within_the_cut_is_found_and_none_beyond(session: Session) -> None:
    dhash = RANDOM.getrandbits(256)
    others = {flipped(dhash, bits): bits for bits in range(40) for _ in range(20)} | {spread(dhash): NEAR_BITS}
    for other in others:
        enter(session, other)
    found = {int(near.dhash, 16): near.distance for near in look_up(session, {1: dhash})}
    assert found == {other: bits for other, bits in others.items() if bits <= NEAR_BITS}
    assert spread(dhash) in found


def test_the_nearest_comes_first_with_the_orientation_in_which_it_was_found(session: Session) -> None:
    upright, turned = RANDOM.getrandbits(256), RANDOM.getrandbits(256)
    for other in (flipped(upright, 9), turned, flipped(turned, 3)):
        enter(session, other)
    assert [near[1:] for near in look_up(session, {1: upright, 6: turned})] == [(0, 6), (3, 6), (9, 1)]
    assert look_up(session, {6: turned})[0] == Near(f"{turned:064x}", 0, 6)
    assert look_up(session, {}) == look_up(session, {1: RANDOM.getrandbits(256)}) == []


def test_a_hash_stands_under_each_of_its_keys_once(session: Session) -> None:
    for _ in range(2):
        enter(session, 7)
    assert session.scalar(select(func.count()).select_from(PhotoBand)) == BANDS == len(set(keys_of(7)))
    enter(session, 2**256 - 1)
    leave(session, 7)
    assert set(session.scalars(select(PhotoBand.key))) == set(keys_of(2**256 - 1))
