"""Pages: any size, any interruption and any length of documents give a reader the same; no page is without bound."""

from __future__ import annotations

import random
import sqlite3
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, update

from sync import pull as pulling
from sync import walks
from sync.kept import RECORD
from tests.sync.desk import Desk

A, B, C = "320412100", "320412102", "320404116"
WIDTHS = st.sampled_from([(A,), (B,), (A, B), ("3204",), (A, C)])
STEPS = st.lists(st.tuples(st.sampled_from(["create", "edit", "move", "delete", "page", "scopes"]),
                           st.integers(0, 99)), min_size=5, max_size=25)


class Held:
    """What a reader holds; a page that was cut is asked for again with the old cursor."""

    def __init__(self) -> None:
        self.rows: dict[str, dict] = {}
        self.cursor: str | None = None
        self.seen: dict[str, int] = {}

    def take(self, page: dict) -> bool:
        for change in page["changes"]:
            if change["op"] == "put":
                assert change["version"] >= self.seen.get(change["id"], 0), "a version went back"
                self.seen[change["id"]] = change["version"]
                self.rows[change["id"]] = change
            else:
                self.rows.pop(change["id"], None)
        self.cursor = page["cursor"]
        return page["more"]


def carry_out(desk: Desk, city, made: dict[str, int], what: str, number: int) -> None:
    if what == "create" or not made:
        [outcome] = desk.push(city, desk.finding(scope=(A, B, C)[number % 3], text="x" * number))
        made[outcome["record_id"]] = 1
        return
    record_id = list(made)[number % len(made)]
    mutation = {"edit": partial(desk.edit, set={"text": "y" * number}),
                "move": partial(desk.edit, scope=(A, B, C)[number % 3]),
                "delete": partial(desk.edit, op="delete", set={"reason": "r"})}[what](record_id, made[record_id])
    [outcome] = desk.push(city, mutation)
    made[record_id] = outcome["version"] or made[record_id]


@settings(max_examples=15, deadline=None)
@given(steps=STEPS, widths=st.lists(WIDTHS, min_size=1, max_size=4), limit=st.sampled_from([1, 2, 3, 1000]),
       size=st.sampled_from([1, 60, 2**22]), lost=st.sets(st.integers(0, 30)),
       walking=st.fixed_dictionaries({"LARGE": st.sampled_from([0, 95, 2**14]),
                                      "FIRST_BATCH": st.sampled_from([1, 100]), "FEW_SCOPES": st.sampled_from([0, 8])}))
def test_any_page_size_and_interruption_give_the_same_rows(tmp_path_factory, steps, widths, limit, size, lost, walking):
    desk = Desk(tmp_path_factory.mktemp("pages"))
    city, reader = desk.device(scopes=("32",)), desk.device()
    held, made, scopes, asked = Held(), {}, list(widths), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pulling, "PAGE_SIZE", size)
        for name, value in walking.items():
            patch.setattr(walks, name, value)
        for what, number in steps:
            if what == "scopes":
                scopes = scopes[1:] or scopes
            elif what == "page":
                page = desk.pull(reader, held.cursor, limit, scopes=scopes[0])
                asked += 1
                if asked not in lost:
                    held.take(page)
            else:
                carry_out(desk, city, made, what, number)
        while held.take(desk.pull(reader, held.cursor, limit, scopes=scopes[0])):
            pass
    whole = Held()
    whole.take(desk.pull(reader, None, 1000, scopes=scopes[0]))
    assert held.rows == whole.rows
    desk.engine.dispose()


@pytest.mark.parametrize("scopes", [(A,), (A, B, C), ("32",)], ids=["one", "three", "city"])
def test_a_page_ends_when_its_documents_fill_it(tmp_path, monkeypatch, scopes):
    monkeypatch.setattr(pulling, "PAGE_SIZE", 20_000)
    desk = Desk(tmp_path)
    city, reader = desk.device(scopes=("32",)), desk.device(scopes=scopes)
    chance = random.Random(7)
    desk.push(city, *(desk.finding(scope=chance.choice(scopes if scopes != ("32",) else (A, B, C)), text="x" * 5_000)
                      for _ in range(30)))
    cursor, pages = None, []
    while not pages or pages[-1]["more"]:
        pages.append(desk.pull(reader, cursor))
        cursor = pages[-1]["cursor"]
    counts = [len(page["changes"]) for page in pages]
    assert max(counts) == 4 and sum(counts) == 30
    found = [change["id"] for page in pages for change in page["changes"]]
    assert len(set(found)) == 30


def test_large_records_behind_small_ones_never_stop_a_reader(tmp_path):
    """What the database joins is bounded: it takes no text of more than 1,000,000,000 bytes, here of 3 MB."""
    desk = Desk(tmp_path)
    city, reader = desk.device(scopes=("32",)), desk.device()
    made = [outcome["record_id"] for outcome in desk.push(city, *(desk.finding(text="x") for _ in range(420)))]
    with desk.engine.begin() as connection:
        text = '{"x":"%s"}' % ("y" * 2**20)
        connection.execute(update(RECORD).where(RECORD.c.id.in_(made[400:])).values(fields=text))
    desk.engine.dispose()
    event.listen(desk.engine, "connect", lambda raw, _: raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 3 * 2**20))
    cursor, pages = None, []
    while not pages or pages[-1]["more"]:
        pages.append(desk.pull(reader, cursor))
        cursor = pages[-1]["cursor"]
    assert [change["id"] for page in pages for change in page["changes"]] == made
    assert [len(page["changes"]) for page in pages] == [404, 4, 4, 4, 4]


def test_a_reader_of_many_scopes_and_a_granted_scope_get_bounded_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(pulling, "PAGE_SIZE", 20_000)
    desk = Desk(tmp_path)
    city, reader = desk.device(scopes=("32",)), desk.device()
    places = [f"3204{number:05}" for number in range(10_000, 10_012)]
    desk.push(city, *(desk.finding(scope=place, text="x" * 5_000) for place in places for _ in range(2)))
    cursor = desk.pull(reader, scopes=("3205",))["cursor"]
    counts, more = [], True
    while more:
        page = desk.pull(reader, cursor, scopes=("3204",))
        counts, cursor, more = [*counts, len(page["changes"])], page["cursor"], page["more"]
    assert sum(counts) == 24 and max(counts) == 4
