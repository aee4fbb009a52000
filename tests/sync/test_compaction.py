"""Compaction on the engine alone: what may go goes, and each promise of the log holds afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.values import stamp
from sync import compaction
from sync.health import columns_of
from sync.models import Checkpoint, Clock, Departure, Device, Held
from tests.engines import running_postgres
from tests.sync.desk import Desk

A, B = "320412100", "320412102"
YEAR = timedelta(days=365)


BOTH = pytest.mark.parametrize(
    "desk", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)


@pytest.fixture
def desk(request, tmp_path):
    if getattr(request, "param", "sqlite") == "sqlite":
        yield Desk(tmp_path)
        return
    with running_postgres(tmp_path / "pg") as url:
        desk = Desk(tmp_path, url=url)
        yield desk
        desk.engine.dispose()


def compact(desk: Desk) -> int:
    """Compact all that is older than a year; gives how many departures went."""
    with desk.writing() as door:
        compaction.raise_floor(door, compaction.droppable_floor(door.session, desk.now - YEAR))
    gone = 0
    while True:
        with desk.writing() as door:
            dropped = compaction.drop_departures(door)
        if not dropped:
            return gone
        gone += dropped


def clock_of(desk: Desk) -> Any:
    with Session(desk.engine) as session:
        return session.get(Clock, 1)


def moved(desk: Desk, city, scope: str = B) -> str:
    """A finding that was made in A and moved away."""
    [made] = desk.push(city, desk.finding(scope=A))
    desk.push(city, desk.edit(made["record_id"], 1, scope=scope))
    return str(made["record_id"])


@BOTH
def test_only_departures_from_before_go_and_the_floor_stands_at_the_newest_of_them(desk, monkeypatch):
    monkeypatch.setattr(compaction, "CHUNK", 2)
    city = desk.device(scopes=("3204",))
    for _ in range(5):
        moved(desk, city)
    seq = clock_of(desk).seq
    desk.push(city, desk.finding(scope=A))
    desk.now += YEAR + timedelta(days=1)
    late = moved(desk, city)
    assert compact(desk) == 5
    assert clock_of(desk).floor_seq == seq
    with Session(desk.engine) as session:
        assert session.execute(select(Departure.record_id)).scalars().all() == [late]
    assert compact(desk) == 0 and clock_of(desk).floor_seq == seq


def test_a_cursor_from_before_expires_and_one_from_after_goes_on_with_its_forgets(desk):
    city, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A,))
    [made] = desk.push(city, desk.finding(scope=A))
    _, old = desk.pull_all(reader)
    moved(desk, city)
    _, new = desk.pull_all(reader)
    desk.now += YEAR + timedelta(days=1)
    compact(desk)
    with pytest.raises(Problem, match="cursor_expired"):
        desk.pull(reader, old)
    desk.push(city, desk.edit(made["record_id"], 1, scope=B))
    assert [(change["op"], change["id"]) for change in desk.pull_all(reader, new)[0]] == [("forget", made["record_id"])]


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_a_pull_from_the_beginning_comes_to_its_end_below_the_floor(desk, limit):
    city, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A,))
    wanted = [desk.push(city, desk.finding(scope=A))[0]["record_id"] for _ in range(4)]
    moved(desk, city)
    desk.now += YEAR + timedelta(days=1)
    compact(desk)
    assert [change["id"] for change in desk.pull_all(reader, limit=limit)[0]] == wanted


def test_a_pull_that_had_begun_before_a_departure_went_begins_again_rather_than_miss_it(desk):
    city, reader = desk.device(scopes=("3204",)), desk.device(scopes=(A,))
    leaves, stays = (desk.push(city, desk.finding(scope=A))[0]["record_id"] for _ in range(2))
    page = desk.pull(reader, limit=1)
    assert [change["id"] for change in page["changes"]] == [leaves]
    desk.push(city, desk.edit(leaves, 1, scope=B))
    desk.now += YEAR + timedelta(days=1)
    compact(desk)
    with pytest.raises(Problem, match="cursor_expired"):
        desk.pull(reader, page["cursor"])
    assert [change["id"] for change in desk.pull_all(reader)[0]] == [stays]


def test_deletions_do_not_resurrect_and_replays_are_answered_as_ever(desk):
    writer, other = desk.device(), desk.device()
    mutations = [desk.numbered(writer, desk.finding("0" * 8 + "-0000-4000-8000-" + "0" * 12))]
    record_id = mutations[0]["record_id"]
    mutations += [desk.numbered(writer, {"type": "finding", "record_id": record_id, "op": "delete", "base": 1,
                                         "set": {"reason": "误报"}}),
                  desk.numbered(writer, desk.finding(text="forbidden"))]
    first = desk.push_raw(writer, mutations)
    seq, size = clock_of(desk).seq, clock_of(desk).journal_size
    moved(desk, desk.device(scopes=("3204",)))
    desk.now += YEAR + timedelta(days=1)
    compact(desk)
    assert desk.push_raw(writer, mutations) == [{**outcome, "replayed": True} for outcome in first]
    [late] = desk.push(other, desk.edit(record_id, 1, set={"text": "迟到"}))
    assert late["outcome"] == "conflicted"
    assert record_id not in {change["id"] for change in desk.pull_all(desk.device())[0] if change["op"] == "put"}
    assert clock_of(desk).seq > seq + 2 and clock_of(desk).journal_size > size


# checkpoints


def signed(desk: Desk, count: int, hours: int = 1) -> list[str]:
    """So many checkpoints, an entry and an hour apart; their roots."""
    roots = []
    for _ in range(count):
        with desk.writing() as door:
            door.record_entry("opened", "somebody", None, {})
            door.flush()
            root = door.gate.frontier.root().hex()
            door.session.add(Checkpoint(size=door.gate.frontier.size, root=root, at=door.at, note=""))
        roots.append(root)
        desk.now += timedelta(hours=hours)
    return roots


def contact(desk: Desk, device_id: str, **health: Any) -> None:
    with desk.writing() as door:
        device = door.session.get_one(Device, device_id)
        for name, value in columns_of(health, desk.now, device.reported, device.last_seen_at).items():
            setattr(device, name, value)


def thinned(desk: Desk, frozen: tuple[int, ...] = (), named: tuple[str, ...] = ()) -> list[str]:
    """The roots of the checkpoints that are left after those older than a year were thinned."""
    with desk.writing() as door:
        compaction.drop_checkpoints(door, compaction.droppable_checkpoints(
            door.session, desk.now - YEAR, list(frozen), set(named)))
    with Session(desk.engine) as session:
        return list(session.execute(select(Checkpoint.root).order_by(Checkpoint.size)).scalars())


def test_the_last_checkpoint_of_each_day_stays_and_all_of_the_last_year(desk):
    old = signed(desk, 48)  # from 01:00 on: 23 of the first day, 24 of the second, 1 of the third
    desk.now += YEAR
    new = signed(desk, 3)
    assert thinned(desk) == [old[22], old[46], old[47], *new]
    with Session(desk.engine) as session:
        assert session.execute(select(func.count()).select_from(Checkpoint)).scalar() == 6


@BOTH
def test_what_a_capture_names_a_draw_names_or_a_frame_waits_for_stays(desk):
    writer = desk.device()
    old = signed(desk, 10)
    about = {"type": "finding", "id": desk.uuid()}

    def evidence(beacon: str, **parts: Any) -> dict[str, Any]:
        return {"type": "evidence", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": A, "set": {
            "sha256": "0" * 64, "bytes": 1, "media_type": "image/jpeg", "role": "scene", "about": about,
            "captured_at": "2026-11-22T00:30:00.000Z",
            "capture": {"seq": 1, "prev": "0" * 64, "beacon": beacon}}, **parts}

    outcomes = desk.push(writer, evidence(old[2]), evidence(old[3], scope="99"), desk.finding(about["id"], scope=A),
                         {**evidence(old[4]), "base": 1})
    assert [one["outcome"] for one in outcomes] == ["held", "quarantined", "applied", "held"]
    with Session(desk.engine) as session:
        session.get_one(Device, writer.id).last_seen_at = "2029"
        assert session.execute(select(func.count()).select_from(Held)).scalar() == 1
        session.commit()
    desk.now += YEAR
    assert thinned(desk, frozen=(5,), named=(old[7],)) == [old[2], old[3], old[4], old[5], old[7], old[9]]


def test_while_a_device_may_hold_captures_nothing_that_they_may_name_goes(desk):
    silent, unsent = desk.device(), desk.device()
    old = signed(desk, 6)
    with Session(desk.engine) as session:
        session.get_one(Device, silent.id).last_seen_at = "2029"
        device = session.get_one(Device, unsent.id)
        device.last_seen_at, device.reported = "2029", {"oldest_unsent_at": "2026-11-22T03:30:00Z"}
        session.commit()
    desk.now += YEAR
    assert thinned(desk) == old[2:]  # the newest before is the one that it had heard of


@pytest.mark.parametrize("state", ["active", "revoked"])
def test_what_a_device_had_heard_of_before_its_unsent_work_stays_however_often_it_is_seen_since(desk, state):
    device = desk.device()
    with desk.writing() as door:
        door.session.get_one(Device, device.id).enrolled_at = stamp(desk.now)
    old = signed(desk, 3)
    heard = desk.now
    contact(desk, device.id, unsent=0)
    old += signed(desk, 5)
    for _ in range(2):
        contact(desk, device.id, unsent=1, oldest_unsent_at=stamp(heard + timedelta(hours=2.5)))
        old += signed(desk, 2)
    with desk.writing() as door:
        door.session.get_one(Device, device.id).state = state
    desk.now += YEAR
    assert thinned(desk) == old[2:]
    contact(desk, device.id, unsent=0)
    assert thinned(desk) == old[-1:]
