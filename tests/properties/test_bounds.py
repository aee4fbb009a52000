"""Memory, inflation and the gate's time are bounded for any input: hostile bodies against the real app.

What is refused is refused before the gate opens; what is taken costs in proportion to its bytes.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from schemas.people import MOST_SCOPES
from server.config import Settings
from server.db import db, writing
from sync import held, mutations
from sync import pull as pulling
from sync.cursors import Cursor
from sync.models import Clock, Held
from sync.mutations import MOST_UNITS, MOST_VALUES
from tests.enrolled import Handheld
from tests.properties.effort import peak_of
from tests.server.indoors import Indoors, indoors
from tests.wire import a_finding, granted, new_id, refused

LIMIT = 8 * 2**20
SCOPE = "320412100"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("bounds")) as office:
        yield office


@pytest.fixture
def device(office: Indoors) -> Handheld:
    return office.handheld(signs=False)


def number(office: Indoors) -> int:
    """The newest number that the gate gave."""
    with office.app.app_context():
        return db.session.execute(select(Clock.seq)).scalar_one()


def post(device: Handheld, body: bytes):
    return device.http.post(device.url("/sync/push"), content=body,
                            headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})


def bomb(size: int, members: int) -> bytes:
    one = zlib.compressobj(9, wbits=31)
    part = one.compress(b" " * (size // members)) + one.flush()
    return part * members


@pytest.mark.parametrize("members", [1, 64, 900])
def test_a_gzip_bomb_is_refused_within_the_limit_of_a_plain_body(office, device, members):
    body, before = bomb(512 * 2**20, members), number(office)
    answers = []
    assert peak_of(lambda: answers.append(post(device, body))) < 3 * LIMIT
    refused(answers[0], 413)
    assert number(office) == before


def test_a_body_of_very_many_empty_members_is_refused_soon(office, device):
    refused(post(device, gzip.compress(b"") * 300_000), 400, "invalid_encoding")


def test_the_members_of_an_honest_body_may_be_cut_anywhere(device):
    body = json.dumps({"mutations": [device.create("finding", SCOPE, a_finding())]}).encode()
    parts = [gzip.compress(body[start:start + 7]) for start in range(0, len(body), 7)]
    [outcome] = granted(post(device, b"".join(parts)))["outcomes"]
    assert outcome["outcome"] == "applied"


@pytest.mark.parametrize("opening", [b"[", b'{"mutations":[', b'{"a":'], ids=["lists", "envelopes", "objects"])
def test_the_deepest_json_is_refused_before_the_gate(office, device, opening):
    before = number(office)
    refused(device.send(opening * (LIMIT // len(opening) - 1)), 400, "invalid_json")
    assert number(office) == before


def test_a_push_of_more_bytes_than_a_push_may_have_is_refused_whole(office, device):
    before = number(office)
    mutations = [device.create("finding", SCOPE, a_finding(later="x" * 60_000)) for _ in range(150)]
    refused(device.push(*mutations), 413)
    assert number(office) == before


def test_the_fullest_push_is_taken_in_a_fixed_multiple_of_its_bytes(device):
    def push_of(count: int, length: int) -> int:
        mutations = [device.create("finding", SCOPE, a_finding(later="x" * length)) for _ in range(count)]
        answers = []
        peak = peak_of(lambda: answers.append(device.push(*mutations)))
        assert {outcome["outcome"] for outcome in granted(answers[0])["outcomes"]} == {"applied"}
        return peak // (count * length)
    assert push_of(120, 60_000) < 16


def test_one_mutation_of_a_million_members_is_quarantined_and_delays_nobody(device):
    huge = [device.create("finding", SCOPE, a_finding(tags=[f"t{place}" for place in range(8_000)])),
            device.create("inspection", SCOPE, {"started_at": a_finding()["observed_at"], "answers": {
                str(place): {"value": 1} for place in range(8_000)}}),
            device.mutation("track", new_id(), "put", scope=SCOPE, add={"points": [{"id": str(place)}
                                                                                  for place in range(8_000)]})]
    outcomes = device.deliver(*huge, device.create("finding", SCOPE, a_finding()))
    assert [outcome["outcome"] for outcome in outcomes] == ["quarantined"] * 3 + ["applied"]


def test_an_edit_of_very_many_values_is_quarantined_before_it_can_open_a_conflict_for_each(office, device):
    other = office.handheld(signs=False)
    record = device.create("inspection", SCOPE, {"started_at": a_finding()["observed_at"], "answers": {}})
    device.deliver(record)
    answers = {f"q{place}": {"value": 1} for place in range(MOST_VALUES + 1)}
    [outcome] = other.deliver(other.edit("inspection", record["record_id"], 1, set={"answers": answers}))
    assert (outcome["outcome"], outcome["problem"]["code"]) == ("quarantined", "mutation_too_large")
    answers.popitem()
    [outcome] = other.deliver(other.edit("inspection", record["record_id"], 1, set={"answers": answers}))
    assert outcome["outcome"] == "applied"


def test_a_push_that_writes_very_much_is_quarantined_from_there_on_and_nothing_of_it_is_lost(office, device,
                                                                                             monkeypatch):
    monkeypatch.setattr(mutations, "MOST_WRITTEN", 20)
    other = office.handheld(signs=False)
    records = [device.create("finding", SCOPE, a_finding(**{f"x{place}": 0 for place in range(10)})) for _ in range(4)]
    device.deliver(*records)
    for record in records:
        device.deliver(device.edit("finding", record["record_id"], 1, set={f"x{place}": 1 for place in range(10)}))
    edits = [other.edit("finding", record["record_id"], 1, set={f"x{place}": 2 for place in range(10)})
             for record in records]
    outcomes = other.deliver(*edits, other.create("finding", SCOPE, a_finding()))
    assert [outcome["outcome"] for outcome in outcomes] == ["conflicted"] * 2 + ["quarantined"] * 3
    assert {outcome["problem"]["code"] for outcome in outcomes[2:]} == {"mutation_too_large"}
    supervisor = office.person("supervisor", scopes=(SCOPE,))
    kept = {row["mutation"]["id"]: row["id"] for row in supervisor.get("/quarantine").json()["items"]}
    released = [granted(supervisor.post(f"/quarantine/{kept[outcome['id']]}/release")) for outcome in outcomes[2:]]
    assert [settled["outcome"] for settled in released] == ["conflicted"] * 2 + ["applied"]


def test_what_waited_is_settled_in_portions(office, device, monkeypatch):
    monkeypatch.setattr(held, "MOST_WRITTEN", 20)
    round_id = new_id()
    waiting = [device.create("finding", SCOPE, a_finding(inspection_id=round_id)) for _ in range(25)]
    assert {outcome["outcome"] for outcome in device.deliver(*waiting)} == {"held"}
    device.deliver(device.create("inspection", SCOPE, {"started_at": a_finding()["observed_at"]}, id=round_id))

    def settled() -> int:
        with office.app.app_context():
            return 25 - len(db.session.execute(select(Held.n)).all())
    assert 0 < settled() < 25
    for _ in range(3):
        with office.app.app_context(), writing() as door:
            held.settle_arrived(door)
    assert settled() == 25


def test_a_record_that_is_full_takes_no_more_and_is_read_no_longer(device):
    record = device.create("finding", SCOPE, a_finding())
    device.deliver(record)
    outcomes = []
    for part in range(MOST_UNITS // MOST_VALUES + 2):
        values = {f"n{part}.{place}": 1 for place in range(MOST_VALUES)}
        outcomes += device.deliver(device.edit("finding", record["record_id"], 1, set=values))
    assert [outcome["outcome"] for outcome in outcomes[:MOST_UNITS // MOST_VALUES]] \
        == ["applied"] * (MOST_UNITS // MOST_VALUES)
    assert outcomes[-1]["problem"]["code"] == "record_too_large"
    [deleted] = device.deliver(device.remove("finding", record["record_id"], 1))
    assert deleted["outcome"] in ("applied", "merged")


def test_a_pull_of_very_large_records_is_a_page_of_bounded_length(office):
    scope = "320412102"
    device = office.handheld(scope, signs=False)
    for _ in range(2):
        device.deliver(*(device.create("finding", scope, a_finding(later="x" * 60_000)) for _ in range(120)))
    pages, cursor, more = [], None, True
    while more:
        answer = device.pull(cursor, 1000)
        page = granted(answer)
        pages.append((len(answer.content), len(page["changes"])))
        cursor, more = page["cursor"], page["more"]
    assert sum(count for _, count in pages) == 240
    assert max(size for size, _ in pages) < 1.1 * pulling.PAGE_SIZE


@pytest.mark.parametrize("health", [{"unsent": 10**30}, {"unsent": -1}, {"unsent": "x" * 100_000},
                                    {"unsent": [[]] * 1000}, {f"m{place}": 1 for place in range(1000)},
                                    {"device_time": "9" * 10_000}], ids=range(6))
def test_health_of_any_size_is_refused_or_kept_small(office, device, health):
    before = number(office)
    assert device.push(health=health).status_code in (400, 422)
    assert number(office) == before


@pytest.mark.parametrize("said", ["unsent=" + "9" * 5000, "x=" * 2000, ";" * 5000, "time=9999-99-99T99:99:99Z"],
                         ids=range(4))
def test_a_health_header_of_any_kind_is_never_a_reason_to_refuse(device, said):
    granted(device.http.get(device.url("/sync/pull"), headers={"Menqian-Health": said}))


def test_the_scopes_of_a_person_fit_into_the_line_that_a_cursor_travels_in(office):
    codes = [f"3204{place:011}" for place in range(MOST_SCOPES + 1)]
    body = {"username": "wide", "name": "n", "roles": ["inspector"], "scopes": codes, "password": "a-long-password-1"}
    refused(office.admin.post("/users", body), 422)
    cursor = Cursor(new_id(), new_id(), 2**53, began=2**53, codes=tuple(codes[1:]))
    cursor.turn_to([code.replace("3204", "3205") for code in codes[1:]])
    assert len("/api/v1/sync/pull?cursor=&limit=1000") + len(cursor.text(b"s" * 32)) < 8190


def test_the_limits_of_hello_are_those_that_hold(office, device, tmp_path):
    settings = Settings.from_environment({"MENQIAN_DATA": str(tmp_path)})
    limits = granted(device.http.get(device.url("/hello")))["limits"]
    assert limits["push_bytes"] == LIMIT and limits["mutation_bytes"] == settings.mutation_bytes
