"""What is news to whom, told from the scopes' newest numbers and from settlements."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from sync.news import is_behind, newest, news_since
from sync.pull import Reader
from tests.sync.desk import SECRET, Desk

A, B = "320412100", "320412102"


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


def test_a_change_concerns_those_whose_codes_cover_it_or_lie_below_it(desk):
    writer = desk.device(scopes=("3204",))
    with Session(desk.engine) as session:
        before = newest(session)
    desk.push(writer, desk.finding(scope=A))
    with Session(desk.engine) as session:
        news = news_since(session, before, ())
        assert news.concern(Reader("x", (A,)), before) and news.concern(Reader("x", ("32",)), before)
        assert not news.concern(Reader("x", (B,)), before) and not news.concern(Reader("x", (A,)), news.seq)
        assert news.concern(Reader("x", (f"{A}001",)), before)
        assert news_since(session, news.seq, ()).scopes == {}


def test_a_settlement_concerns_its_device_alone(desk):
    device = desk.device(scopes=(A,))
    finding = desk.finding(scope=A)
    desk.push(device, desk.edit(finding["record_id"], 1, set={"text": "早到"}))
    with Session(desk.engine) as session:
        before = newest(session)
    desk.push(device, finding)
    with Session(desk.engine) as session:
        news = news_since(session, before, (device.id, "other"))
        assert set(news.devices) == {device.id}
        assert news.concern(Reader(device.id, (B,)), before) and not news.concern(Reader("other", (B,)), before)


def test_a_reader_is_behind_until_it_has_pulled_all_for_its_scopes(desk):
    writer, device = desk.device(scopes=(A,)), desk.device(scopes=(A,))

    def behind(cursor, scopes=(A,)):
        with Session(desk.engine) as session:
            return is_behind(session, Reader(device.id, scopes), cursor, SECRET)

    _, cursor = desk.pull_all(device)
    assert behind(None) and behind("forged") and not behind(cursor)
    desk.push(desk.device(scopes=(B,)), desk.finding(scope=B))
    assert not behind(cursor) and behind(cursor, (A, B))
    desk.push(writer, desk.finding(scope=A))
    assert behind(cursor)
    assert not behind(desk.pull_all(device, cursor)[1])
