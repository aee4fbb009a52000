"""The rows of all tables as files: `tables/NAME.jsonl.gz`, first the columns' names, then a JSON array a row.

Serves `making` and `restoring`. Tables are read from the database itself, so that a backup holds what stands there,
whatever release made it. Texts stay the very texts; bytes are `{"base64": …}`.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, MetaData, Table, func, insert, select

from sync.audit import batches

FOLDER = "tables"
CHUNK = 1000
NOT_OURS = "alembic_version"  # the revision stands in the manifest
Tell = Callable[[str], None]


def save(connection: Connection, directory: Path, tell: Tell) -> dict[str, int]:
    """Write every table from the snapshot of this connection's transaction; gives the number of rows of each."""
    (directory / FOLDER).mkdir()
    counts = {}
    for table in _tables(connection):
        name = str(table.name)
        counts[name] = write_lines(_path(directory, name), [str(each.name) for each in table.columns],
                                   _rows(connection, table))
        if counts[name]:
            tell(f"{name}: {counts[name]}")
    return counts


def load(connection: Connection, directory: Path, tell: Tell) -> None:
    """Insert the rows of every saved table into the empty tables of the same revision."""
    for table in _tables(connection):
        if not _path(directory, table.name).exists():
            continue
        columns, rows = read_lines(_path(directory, table.name))
        count = 0
        for chunk in batches(rows, CHUNK):
            connection.execute(insert(table), [dict(zip(columns, map(_unpacked, row), strict=True)) for row in chunk])
            count += len(chunk)
        if connection.dialect.name == "postgresql":
            _advance_numbers(connection, table)
        if count:
            tell(f"{table.name}: {count}")


def column(directory: Path, table: str, name: str) -> Iterator[Any]:
    """One column of a saved table, in the order of its primary key."""
    columns, rows = read_lines(_path(directory, table))
    place = columns.index(name)
    return (row[place] for row in rows)


def write_lines(path: Path, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> int:
    """Write a file of JSON lines; gives the number of rows. The same rows give the same bytes."""
    count = 0
    with path.open("xb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as packed:
        packed.write(orjson.dumps(list(columns), option=orjson.OPT_APPEND_NEWLINE))
        for chunk in batches(rows, CHUNK):
            packed.write(b"".join(orjson.dumps(list(row), _packed, orjson.OPT_APPEND_NEWLINE) for row in chunk))
            count += len(chunk)
    return count


def read_lines(path: Path) -> tuple[list[str], Iterator[list[Any]]]:
    """The columns' names and the rows of a file of JSON lines."""
    lines = _lines(path)
    return next(lines), lines


def _lines(path: Path) -> Iterator[list[Any]]:
    with gzip.open(path, "rb") as packed:
        yield from map(orjson.loads, packed)


def _tables(connection: Connection) -> list[Table]:
    """Every table that stands in the database, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != NOT_OURS]


def _rows(connection: Connection, table: Table) -> Iterator[Any]:
    query = select(table).order_by(*table.primary_key.columns)
    return iter(connection.execute(query, execution_options={"yield_per": CHUNK}))


def _advance_numbers(connection: Connection, table: Table) -> None:
    """Let PostgreSQL's own counters begin behind what was inserted: numbers are never used twice."""
    for each in table.columns:
        counter = func.pg_get_serial_sequence(f'"{table.name}"', each.name)
        newest = select(func.max(each)).scalar_subquery()
        if connection.execute(select(counter)).scalar() is not None:
            connection.execute(select(func.setval(counter, func.coalesce(newest, 1))))


def _path(directory: Path, name: str) -> Path:
    return directory / FOLDER / f"{name}.jsonl.gz"


def _packed(value: Any) -> dict[str, str]:
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(f"a column gives {type(value).__name__}")


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value
