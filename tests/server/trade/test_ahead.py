"""What is looked up for a whole push: the plan of the database does not change with its statistics."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from server.trade.ahead import IN_CELLS
from sync.models import Base

ROWS = text("""
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500)
    INSERT INTO record (id, type, version, scope, seq, created_seq, deleted, fields, stamps, created_at, created_by,
                        updated_at, device_id, cell)
    SELECT hex(n), 'finding', 1, '3204', n, n, 0, '{}', '{}', '', '', '', 'd', '0501/' || n FROM numbers""")


def test_possible_duplicates_are_sought_by_cell_even_where_statistics_say_that_the_table_is_small():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(ROWS)
        connection.execute(text("ANALYZE"))
        query = text(f"EXPLAIN QUERY PLAN {IN_CELLS['sqlite'].text}")
        plan = [row[3] for row in connection.execute(query, {"cells": '["0501/3"]', "device_id": "e"})]
    assert "SCAN record" not in plan
    assert [step for step in plan if step.startswith("SEARCH record")] == [
        "SEARCH record USING INTEGER PRIMARY KEY (rowid=?)"]
