"""The database itself refuses to change what only grows, on both engines, and tells when it would not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, insert, text
from sqlalchemy.exc import DBAPIError

from sync.append_only import GUARDED, guard, guard_again, unguard, unguarded
from sync.gate import prepare_sqlite
from sync.models import Base, Checkpoint, JournalEntry, JournalNode, JournalTimestamp
from tests.engines import running_postgres

AT = "2026-11-27T00:00:00.000Z"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("guarded")
    if request.param == "sqlite":
        engine = create_engine(f"sqlite:///{folder}/menqian.db")
        prepare_sqlite(engine)
        yield filled(engine)
        return
    with running_postgres(folder) as url:
        engine = create_engine(url)
        yield filled(engine)
        engine.dispose()


def filled(engine: Engine) -> Engine:
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        for statement in guard(engine.dialect.name, GUARDED):
            connection.execute(text(statement))
        connection.execute(insert(JournalEntry).values(index=0, at=AT, kind="x", actor="a", about=None, body={},
                                                       leaf_hash="0" * 64))
        connection.execute(insert(JournalNode).values(level=8, index=0, hash="0" * 64))
        connection.execute(insert(Checkpoint), [{"size": size, "root": "0" * 64, "at": AT, "note": "n"}
                                                for size in (1, 2)])
        connection.execute(insert(JournalTimestamp).values(size=1, at=AT, note="n", response="r"))
    return engine


def refused(engine: Engine, statement: str) -> str:
    with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
        connection.execute(text(statement))
    return str(caught.value.orig)


@pytest.mark.parametrize("statement", [
    "UPDATE journal_entry SET actor = 'nobody'", "DELETE FROM journal_entry", "UPDATE journal_node SET hash = 'x'",
    "DELETE FROM journal_node", "UPDATE checkpoint SET note = 'x'", "UPDATE journal_timestamp SET response = 'x'",
    "DELETE FROM journal_timestamp"])
def test_a_change_of_what_only_grows_is_refused_in_clear_words(engine: Engine, statement: str) -> None:
    words = statement.replace("DELETE FROM", "DELETE").split()
    assert f"{words[1]} only grows: {words[0]} is refused" in refused(engine, statement)


def test_rows_cannot_be_replaced_or_emptied_by_a_side_door(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        assert "only grows" in refused(engine, "INSERT OR REPLACE INTO journal_node VALUES (8, 0, 'x')")
        return
    for table in GUARDED:
        assert f"{table} only grows: TRUNCATE is refused" in refused(engine, f"TRUNCATE {table}")
    assert "only grows" in refused(engine, "INSERT INTO journal_node VALUES (8, 0, 'x') "
                                           "ON CONFLICT (level, index) DO UPDATE SET hash = 'x'")


def test_compaction_may_thin_checkpoints(engine: Engine) -> None:
    with engine.begin() as connection:
        assert connection.execute(text("DELETE FROM checkpoint WHERE size = 1")).rowcount == 1


def test_a_table_whose_triggers_are_gone_or_altered_is_named_and_guarded_again(engine: Engine) -> None:
    name = engine.dialect.name
    with engine.connect() as connection:
        assert unguarded(connection) == []
        for statement in unguard(name, {"journal_node": GUARDED["journal_node"]}):
            connection.execute(text(statement))
        assert unguarded(connection) == ["journal_node"]
        if name == "postgresql":
            connection.execute(text("ALTER TABLE checkpoint DISABLE TRIGGER ALL"))
            assert unguarded(connection) == ["journal_node", "checkpoint"]
            connection.execute(text("CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql "
                                    "AS 'BEGIN RETURN NULL; END'"))
            assert unguarded(connection) == list(GUARDED)
        else:
            connection.execute(text("DROP TRIGGER checkpoint_no_update"))
            connection.execute(text("CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint WHEN 0 BEGIN "
                                    "SELECT RAISE(ABORT, 'no'); END"))
            assert unguarded(connection) == ["journal_node", "checkpoint"]
        guard_again(connection)
        assert unguarded(connection) == []
        connection.commit()
    assert "only grows" in refused(engine, "DELETE FROM journal_node")
