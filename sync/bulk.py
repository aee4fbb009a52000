"""Many rows at once: into one table in one call of the driver, and from one by many ids. Serves the door.

A statement is made once. SQLite takes the rows as plain tuples; PostgreSQL all of them as one JSON text, for a message
to the server for each row costs more than the row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import BindParameter, Table, Text, literal
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NULLTYPE

from sync.models import Json

POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy declares no types here


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
    _send(session, table, rows, _inserting)


def update_rows(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows, which name every column, over those with the same primary key. JSON is encoded here."""
    _send(session, table, rows, _updating)


def _send(session: Session, table: Table, rows: Sequence[dict[str, Any]],
          statement: Callable[[Table, str], str]) -> None:
    if not rows:
        return
    connection = session.connection()
    defaults, documents = _columns(table)
    whole = [row if len(row) == len(defaults) else {**defaults, **row} for row in rows]
    columns = {name: [row[name] for row in whole] for name in defaults}
    for name in documents:
        columns[name] = [None if value is None else orjson.dumps(value).decode() for value in columns[name]]
    sent = list(zip(*columns.values(), strict=True))
    if connection.dialect.name == "postgresql":
        named = [dict(zip(columns, values, strict=True)) for values in sent]
        connection.exec_driver_sql(statement(table, "postgresql"), (orjson.dumps(named).decode(),))
    else:
        connection.exec_driver_sql(statement(table, "sqlite"), sent)


@cache
def _columns(table: Table) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The default of each column in its order, and the columns that hold JSON."""
    if reckoned := [column.name for column in table.columns if column.default is not None
                    and not column.default.is_scalar]:
        raise TypeError(f"{table.name}: a default that is reckoned row by row has no place here: {reckoned}")
    return ({column.name: getattr(column.default, "arg", None) for column in table.columns},
            tuple(column.name for column in table.columns if isinstance(column.type, Json)))


@cache
def _inserting(table: Table, dialect: str) -> str:
    names = ", ".join(map(_quoted, table.columns.keys()))
    if dialect == "postgresql":
        return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {_sent(table)}"
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(table.columns))})"


@cache
def _updating(table: Table, dialect: str) -> str:
    names = list(map(_quoted, table.columns.keys()))
    keys = list(map(_quoted, table.primary_key.columns.keys()))
    same = " AND ".join(f"{table.name}.{key} = sent.{key}" for key in keys)
    if dialect == "postgresql":
        values = ", ".join(f"{name} = sent.{name}" for name in names if name not in keys)
        return f"UPDATE {table.name} SET {values} FROM {_sent(table)} WHERE {same}"
    values = ", ".join(f"{name} = ?{place}" for place, name in enumerate(names, 1) if name not in keys)
    where = " AND ".join(f"{key} = ?{names.index(key) + 1}" for key in keys)
    return f"UPDATE {table.name} SET {values} WHERE {where}"


def _sent(table: Table) -> str:
    """The rows of the one parameter, as a table of the columns' types."""
    types = (f"{_quoted(column.name)} {column.type.compile(POSTGRESQL)}" for column in table.columns)
    return f"json_to_recordset(CAST(%s AS json)) AS sent ({', '.join(types)})"


def _quoted(name: str) -> str:
    return f'"{name}"'
