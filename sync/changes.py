"""What a pull says of a record (protocol section 3), written by the database: a page holds a thousand.

What stands between quotation marks here never needs an escape in JSON: type, scope, times and the maker's id are ASCII
of our own making, ids are UUIDs or nothing. Serves pulls and snapshots.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Text, case, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NULLTYPE

from sync.kept import RECORD


class Joined(FunctionElement[Any]):
    """SQL for all texts of a query in one, in the order of their numbers: texts, numbers (by which the query is
    ordered already), what stands between two. SQLite gives bytes, which nobody decodes; PostgreSQL a text."""

    type = NULLTYPE
    inherit_cache = True


@compiles(Joined, "sqlite")
def _joined_by_sqlite(joined: Joined, compiler: SQLCompiler, **how: Any) -> str:
    texts, _, between = (compiler.process(part, **how) for part in joined.clauses)
    return f"CAST(group_concat({texts}, {between}) AS BLOB)"


@compiles(Joined, "postgresql")
def _joined_by_postgresql(joined: Joined, compiler: SQLCompiler, **how: Any) -> str:
    texts, numbers, between = (compiler.process(part, **how) for part in joined.clauses)
    return f"string_agg({texts}, {between} ORDER BY {numbers})"


class Written(FunctionElement[str]):
    """SQL for constant texts and columns, none of them empty, put together. SQLite writes the columns into one text; a
    chain of `||` would copy all that stands so far at each link: a fifth of its time for a page."""

    type = Text()
    inherit_cache = True


@compiles(Written, "sqlite")
def _written_by_sqlite(written: Written, compiler: SQLCompiler, **how: Any) -> str:
    parts = [compiler.process(part, **how) for part in written.clauses]
    format = "".join(part[1:-1].replace("%", "%%") if part.startswith("'") else "%s" for part in parts)
    columns = [part for part in parts if not part.startswith("'")]
    return f"printf('{format}', {', '.join(columns)})"


@compiles(Written, "postgresql")
def _written_by_postgresql(written: Written, compiler: SQLCompiler, **how: Any) -> str:
    return f"({' || '.join(compiler.process(part, **how) for part in written.clauses)})"


class Bytes(FunctionElement[int]):
    """SQL for how many bytes a text has. SQLite has them at hand; it counts characters by reading the text, which was
    a quarter of its time for a page."""

    type = Integer()
    inherit_cache = True


@compiles(Bytes, "sqlite")
def _bytes_in_sqlite(text: Bytes, compiler: SQLCompiler, **how: Any) -> str:
    return f"length(CAST({compiler.process(text.clauses, **how)} AS BLOB))"


@compiles(Bytes, "postgresql")
def _bytes_in_postgresql(text: Bytes, compiler: SQLCompiler, **how: Any) -> str:
    return f"octet_length({compiler.process(text.clauses, **how)})"


def _text(*parts: ColumnElement[Any] | str) -> ColumnElement[str]:
    """SQL that puts columns and constant texts together."""
    return Written(*(literal_column(f"'{part}'", Text()) if isinstance(part, str) else part for part in parts))


def forget(record_type: ColumnElement[str], record_id: ColumnElement[str]) -> ColumnElement[str]:
    """The change that tells a reader to forget a record, as JSON."""
    return _text('{"type":"', record_type, '","id":"', record_id, '","op":"forget"}').label("change")


KNOWN = ('{"type":"', RECORD.c.type, '","id":"', RECORD.c.id)
CHANGE = case(
    (RECORD.c.deleted, _text(*KNOWN, '","op":"delete","version":', RECORD.c.version, "}")),
    else_=_text(*KNOWN, '","op":"put","version":', RECORD.c.version, ',"scope":"', RECORD.c.scope,
                '","fields":', RECORD.c.fields, ',"created_at":"', RECORD.c.created_at,
                '","created_by":"', RECORD.c.created_by, '","updated_at":"', RECORD.c.updated_at, '"}'))
"""A record as it stands, as a change in JSON."""
LENGTH = Bytes(RECORD.c.fields)
"""How long its fields are, in bytes."""
