"""What is written by the hundred comes back as it went, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from sync.bulk import insert_rows, update_rows
from sync.models import Base, JournalEntry, Receipt, Record, table_of
from tests.engines import running_postgres

RECORD, RECEIPT = table_of(Record), table_of(Receipt)
TEXTS = ['{"x":"\\u0000"}', '{"引":"号\\"\\\\"}', "{}", '{"a":"\u2028\x7f😀"}', "'; DROP TABLE record; --", ""]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request, tmp_path_factory):
    if request.param == "sqlite":
        engine = create_engine("sqlite://")
        Base.metadata.create_all(engine)
        yield engine
        return
    with running_postgres(tmp_path_factory.mktemp("bulk")) as url:
        engine = create_engine(url)
        Base.metadata.create_all(engine)
        yield engine
        engine.dispose()


def record(number: int, **values):
    whole = dict.fromkeys(RECORD.columns.keys())
    return {**whole, "id": f"r{number}", "type": "finding", "version": 1, "scope": "3204", "seq": 2**60 + number,
            "created_seq": number, "deleted": False, "fields": "{}", "stamps": "{}", "created_at": "", "created_by": "",
            "updated_at": "", **values}


def test_records_come_back_as_they_went_and_are_overwritten_whole(engine):
    rows = [record(number, fields=text, deleted=bool(number % 2), lon=119.944000000000003 + number, lat=-0.1,
                   risk=number, status=None if number else "") for number, text in enumerate(TEXTS)]
    with Session(engine) as session:
        insert_rows(session, RECORD, rows)
        found = session.execute(select(RECORD).order_by(RECORD.c.seq)).mappings().all()
        assert [dict(row) for row in found] == rows
        changed = [{**row, "version": 2, "fields": '{"x":"\\u0001"}', "lon": None} for row in rows[1:]]
        update_rows(session, RECORD, changed)
        found = session.execute(select(RECORD).order_by(RECORD.c.seq)).mappings().all()
        assert [dict(row) for row in found] == [rows[0], *changed]


def test_documents_are_encoded_and_missing_columns_take_their_defaults(engine):
    outcome = {"n": 2**53, "problem": {"detail": '"\x00\\'}, "ratio": 0.1, "none": None, "list": []}
    row = {"device_id": "d", "n": 2**53, "id": None, "received_at": "", "digest": "x", "outcome": outcome,
           "settled": None, "settled_seq": None}
    with Session(engine) as session:
        insert_rows(session, RECEIPT, [row])
        insert_rows(session, RECEIPT, [])
        assert session.execute(select(Receipt)).scalar_one().outcome == outcome
        entry = {"index": 0, "at": "", "kind": "k", "actor": "a", "about": None, "body": {"a": [1, "引"]},
                 "leaf_hash": ""}
        insert_rows(session, table_of(JournalEntry), [entry])
        assert session.execute(select(JournalEntry)).scalar_one().body == entry["body"]
