"""How long it takes to find near photos among a million, in all eight orientations: the look-up of media/bands.py."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.orm import Session

from media.bands import BANDS, PLACES, VALUE_BITS, enter, keys_of, look_up
from media.models import PhotoBand
from media.reuse import AS_IS
from sync.audit import batches
from sync.gate import prepare_sqlite
from sync.models import table_of
from tests.bench.likenesses import hashes, queries
from tests.bench.table import Row, timed
from tests.engines import running_postgres

ASKED, WARMED, COPIED = 1_000, 200, 20
BAND = table_of(PhotoBand)
WANTED = "wanted: p99 at most 10 ms"


def reuse_rows(folder: Path, engine: str, photos: int) -> Iterator[Row]:
    """The look-up in one orientation and in all of them; copies that were put there are found."""
    with ExitStack() as stack:
        url = stack.enter_context(running_postgres(folder / "postgres", durable=True)) if engine == "postgresql" \
            else f"sqlite:///{folder / 'photos.db'}"
        database = create_engine(url)
        if engine == "sqlite":
            prepare_sqlite(database)
        _fill(database, photos)
        asked = queries(np.random.default_rng(2), ASKED + WARMED)
        with Session(database) as session:
            for turned in asked[:COPIED]:
                enter(session, turned[AS_IS] ^ 0b111)
            session.commit()
            for turned in asked[:WARMED]:
                found = look_up(session, turned)
                assert turned not in asked[:COPIED] or found[0].distance <= len(keys_of(0)), found
            for what, works in (
                    ("as it is", [partial(look_up, session, {AS_IS: turned[AS_IS]}) for turned in asked[WARMED:]]),
                    ("in 8 orientations", [partial(look_up, session, turned) for turned in asked[WARMED:]])):
                yield Row(f"near photos of one among {photos:,}, {what}", _told(works), WANTED)
        database.dispose()


def _told(works: Sequence[Callable[[], object]]) -> str:
    """The spread of so many look-ups, by the clock and in processor time, PostgreSQL's own not counted."""
    seconds, processor = [], []
    for work in works:
        began = time.thread_time()
        seconds.append(timed(work))
        processor.append(time.thread_time() - began)
    by_clock, own = ([1000 * cut for cut in statistics.quantiles(each, n=100)] for each in (seconds, processor))
    return (f"median {by_clock[49]:.1f} ms, p90 {by_clock[89]:.1f}, p99 {by_clock[98]:.1f}; "
            f"processor {own[49]:.1f}, {own[89]:.1f}, {own[98]:.1f}")


def _fill(database: Engine, photos: int) -> None:
    """Enter the hashes of so many pictures: PostgreSQL's in the order of photos, SQLite's, which sorts, in its own."""
    BAND.create(database)
    known = np.unique(np.concatenate(list(hashes(np.random.default_rng(1), photos))), axis=0)
    known = np.random.default_rng(3).permutation(known)
    bits = np.unpackbits(known, axis=1)[:, ::-1]
    keys = np.stack([band << VALUE_BITS | bits[:, places].astype(np.int64) @ (1 << np.arange(len(places)))
                     for band, places in enumerate(PLACES)], axis=1)
    assert keys[0].tolist() == keys_of(int.from_bytes(known[0].tobytes()))
    order = np.argsort(keys, axis=None) if database.dialect.name == "sqlite" else np.arange(keys.size)
    rows = zip(keys.ravel()[order].tolist(), (known[photo].tobytes() for photo in order // BANDS), strict=True)
    with database.begin() as connection:
        if database.dialect.name == "postgresql":
            _copy(connection, rows)
        else:
            for batch in batches(rows, 100_000):
                connection.exec_driver_sql("INSERT INTO photo_band (key, dhash) VALUES (?, ?)", batch)
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if database.dialect.name == "postgresql" else "ANALYZE"))


def _copy(connection: Connection, rows: Iterable[tuple[int, bytes]]) -> None:
    """The rows first, the index afterwards, as PostgreSQL likes it."""
    connection.execute(text("ALTER TABLE photo_band DROP CONSTRAINT pk_photo_band"))
    with connection.connection.cursor() as cursor, cursor.copy("COPY photo_band (key, dhash) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    connection.execute(text("ALTER TABLE photo_band ADD CONSTRAINT pk_photo_band PRIMARY KEY (key, dhash)"))
