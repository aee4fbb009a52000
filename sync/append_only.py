"""What the database itself refuses: to change or remove what only ever grows. Serves migrations, `verify` and `doctor`.

Triggers hold on both engines, also for programs that are not ours. Who owns the database can drop them: then the tree
still tells, and so does whoever asks here. Dropping a whole table, as `menqian restore` does, is refused to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text

GUARDED: Mapping[str, tuple[str, ...]] = {
    "journal_entry": ("UPDATE", "DELETE"), "journal_node": ("UPDATE", "DELETE"),
    "checkpoint": ("UPDATE",),  # compaction thins them
    "journal_timestamp": ("UPDATE", "DELETE")}
FUNCTION = "refuse_change"
BODY = "BEGIN RAISE EXCEPTION '% only grows: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '42501'; END"
# pg_trigger.tgtype of statement triggers (PostgreSQL, src/include/catalog/pg_trigger.h)
BEFORE, BITS = 2, {"DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
STANDING = text("SELECT t.tgname, t.tgtype, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE "
                "t.tgrelid = to_regclass(:name) AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL AND t.tgattr = ''")


def guard(dialect: str, tables: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The statements that put the triggers up, for tables that stand without them."""
    if dialect == "postgresql":
        yield f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${BODY}$$"
        for table, refused in tables.items():
            yield (f"CREATE TRIGGER {_name(table)} BEFORE {' OR '.join((*refused, 'TRUNCATE'))} ON {table} "
                   f"FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()")
    else:
        for table, refused in tables.items():
            yield from (_lite(table, act) for act in refused)


def unguard(dialect: str, tables: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The statements that take the triggers down."""
    if dialect == "postgresql":
        yield from (f"DROP TRIGGER IF EXISTS {_name(table)} ON {table}" for table in tables)
    else:
        yield from (f"DROP TRIGGER IF EXISTS {_name(table, act)}" for table, refused in tables.items()
                    for act in refused)


def guard_again(connection: Connection) -> None:
    """Put up what is missing of the triggers, as the owner of the tables."""
    missing = {table: GUARDED[table] for table in unguarded(connection)}
    dialect = connection.dialect.name
    for statement in (*unguard(dialect, missing), *guard(dialect, missing)):
        connection.execute(text(statement))


def unguarded(connection: Connection) -> list[str]:
    """The tables whose triggers are not all there and as they shall be."""
    if connection.dialect.name == "postgresql":
        return [table for table, refused in GUARDED.items() if (
            _name(table), BEFORE + sum(BITS[act] for act in (*refused, "TRUNCATE")), BODY) not in {
                tuple(row) for row in connection.execute(STANDING, {"name": table})}]
    standing = set(connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")).scalars())
    return [table for table, refused in GUARDED.items() if not {_lite(table, act) for act in refused} <= standing]


def _lite(table: str, act: str) -> str:
    return (f"CREATE TRIGGER {_name(table, act)} BEFORE {act} ON {table} BEGIN "
            f"SELECT RAISE(ABORT, '{table} only grows: {act} is refused'); END")


def _name(table: str, act: str = "change") -> str:
    return f"{table}_no_{act.lower()}"
