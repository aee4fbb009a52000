"""A record's row as a change on the wire (protocol section 3), written by the database: a page holds a thousand.

What stands between quotation marks here never needs an escape in JSON: type, id, scope, times and the maker's id are
ASCII of our own making. Serves pulls and snapshots.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, case, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NULLTYPE

from sync.kept import RECORD


class Encoded(FunctionElement[Any]):
    """A text as the driver gives it with the least work: SQLite as bytes, which nobody decodes; others as it is."""

    type = NULLTYPE
    inherit_cache = True


@compiles(Encoded)
def _encoded(encoded: Encoded, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(encoded.clauses, **how)


@compiles(Encoded, "sqlite")
def _encoded_in_sqlite(encoded: Encoded, compiler: SQLCompiler, **how: Any) -> str:
    return f"CAST({compiler.process(encoded.clauses, **how)} AS BLOB)"


def _joined(*parts: ColumnElement[Any] | str) -> ColumnElement[Any]:
    """SQL that joins columns and constant texts."""
    columns = (literal_column(f"'{part}'") if isinstance(part, str) else part for part in parts)
    return reduce(lambda left, right: left.op("||")(right), columns)


KNOWN = ('{"type":"', RECORD.c.type, '","id":"', RECORD.c.id)
CHANGE = Encoded(case(
    (RECORD.c.deleted, _joined(*KNOWN, '","op":"delete","version":', RECORD.c.version, "}")),
    else_=_joined(*KNOWN, '","op":"put","version":', RECORD.c.version, ',"scope":"', RECORD.c.scope,
                  '","fields":', RECORD.c.fields, ',"created_at":"', RECORD.c.created_at,
                  '","created_by":"', RECORD.c.created_by, '","updated_at":"', RECORD.c.updated_at, '"}')
)).label("change")
"""The column that holds the change as JSON text: bytes or str."""

FORGET = Encoded(_joined(*KNOWN, '","op":"forget"}')).label("change")
"""The same of a record that its reader may see no longer."""
