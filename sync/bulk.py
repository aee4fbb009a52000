"""Many rows at once: into one table in one call of the driver, and from one by many ids. Serves the door.

SQLAlchemy compiles the statement once; the rows go to the driver as plain tuples, without a parameter dictionary and a
type's conversion for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import BindParameter, Dialect, Table, Text, insert, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NULLTYPE

from sync.models import Json

DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    "sqlite": partial(sqlite.dialect, paramstyle="qmark"),
    "postgresql": partial(postgresql.dialect, paramstyle="format")}


class Among(FunctionElement[Any]):
    """SQL for "the column is one of these texts": a thousand of them are one parameter, a list as JSON; a statement
    that is made once has it bound."""

    type = NULLTYPE  # as a Boolean, SQLite would be asked "… = 1", for which it reads the whole table
    inherit_cache = True

    def __init__(self, column: Any, texts: Sequence[str] | BindParameter[str]) -> None:
        super().__init__(column, texts if isinstance(texts, BindParameter)
                         else literal(orjson.dumps(list(texts)).decode(), Text()))


@compiles(Among, "sqlite")
def _among_in_sqlite(among: Among, compiler: SQLCompiler, **how: Any) -> str:
    column, texts = (compiler.process(part, **how) for part in among.clauses)
    return f"{column} IN (SELECT value FROM json_each({texts}))"


@compiles(Among, "postgresql")
def _among_in_postgresql(among: Among, compiler: SQLCompiler, **how: Any) -> str:
    column, texts = (compiler.process(part, **how) for part in among.clauses)
    return f"{column} = ANY (ARRAY(SELECT json_array_elements_text(CAST({texts} AS json))))"


def insert_rows(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows; each names every column but those with a scalar default. JSON is encoded here."""
    if not rows:
        return
    connection = session.connection()
    statement, defaults, documents = _compiled(table, connection.dialect.name)
    whole = itemgetter(*defaults)
    ready = [whole(row if len(row) == len(defaults) else {**defaults, **row}) for row in rows]
    if documents:
        ready = [_encoded(values, documents) for values in ready]
    connection.exec_driver_sql(statement, ready)


def _encoded(values: tuple[Any, ...], documents: tuple[int, ...]) -> tuple[Any, ...]:
    """The values of a row, those at the places of documents as JSON."""
    encoded = list(values)
    for place in documents:
        if encoded[place] is not None:
            encoded[place] = orjson.dumps(encoded[place]).decode()
    return tuple(encoded)


@cache
def _compiled(table: Table, dialect: str) -> tuple[str, dict[str, Any], tuple[int, ...]]:
    """The INSERT of a dialect, the default of each column in its order, and the places of those that hold JSON."""
    statement = str(insert(table).compile(dialect=DIALECTS[dialect]()))
    return (statement, {column.name: getattr(column.default, "arg", None) for column in table.columns},
            tuple(place for place, column in enumerate(table.columns) if isinstance(column.type, Json)))
