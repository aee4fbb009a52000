"""Prepared snapshots: who gets which, when they are made anew, and what becomes of old and broken ones."""

from __future__ import annotations

import fcntl
import gzip
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import update

from server import snapshots
from server.db import db
from sync.models import Clock
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import a_finding, granted, refused, sha256

SCOPE, OTHER = "320412100", "320412102"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    """Where a snapshot is made for two records, and made anew for a third."""
    with indoors(tmp_path / "data") as office:
        house = office.app.extensions["menqian"]
        house.settings = replace(house.settings, snapshot_records=2, changes_per_pull=1)
        yield office


def reported(device: Handheld, count: int, scope: str = SCOPE) -> None:
    device.deliver(*(device.create("finding", scope, a_finding(f"{number}")) for number in range(count)))


def asked(device: Handheld, **body: Any) -> dict[str, Any]:
    return granted(device.post("/sync/snapshot", body))


def fetched(device: Handheld, offer: dict[str, Any], **headers: str) -> httpx.Response:
    return device.http.get(device.absolute(offer["url"]), headers={name.replace("_", "-"): value
                                                                  for name, value in headers.items()})


def loaded(device: Handheld, offer: dict[str, Any]) -> list[dict[str, Any]]:
    answer = fetched(device, offer)
    assert answer.status_code == 200 and len(answer.content) == offer["bytes"]
    assert sha256(answer.content) == offer["sha256"]
    return [orjson.loads(line) for line in gzip.decompress(answer.content).splitlines()]


def files(office: Indoors) -> set[str]:
    folder = office.app.extensions["menqian"].settings.snapshots
    return {path.name.split(".")[0] for path in folder.glob("*/*.gz")}


def tick(office: Indoors) -> None:
    with office.app.app_context():
        snapshots.sweep()


def test_a_snapshot_and_its_tail_are_what_a_pull_brings(office: Indoors) -> None:
    writer, reader, plain = (office.handheld(SCOPE) for _ in range(3))
    reported(writer, 5)
    offer = asked(reader)
    reported(writer, 1)
    _, *changes, end = loaded(reader, offer)
    assert end == {"changes": offer["changes"]} and offer["changes"] == len(changes)
    reader.cursor = offer["cursor"]
    tail = reader.catch_up()
    assert len(tail) == 1
    plain.catch_up(limit=1000)
    assert {(each["type"], each["id"]): each for each in [*changes, *tail]} == plain.rows


def test_where_little_is_in_scope_there_is_no_snapshot(office: Indoors) -> None:
    reader = office.handheld(SCOPE)
    assert reader.post("/sync/snapshot").status_code == 204
    reported(reader, 1)
    assert reader.post("/sync/snapshot").status_code == 204


def test_readers_of_one_view_share_one_file_and_none_of_another_can_fetch_it(office: Indoors) -> None:
    first, second, foreign = office.handheld(SCOPE), office.handheld(SCOPE), office.handheld(OTHER)
    reported(first, 3)
    reported(foreign, 3, OTHER)
    offer = asked(first)
    assert asked(second)["sha256"] == offer["sha256"] and asked(second)["cursor"] != offer["cursor"]
    refused(foreign.pull(offer["cursor"]), 400, "cursor_invalid")
    refused(fetched(foreign, offer), 404, "not_found")
    assert {change.get("scope") for change in loaded(foreign, asked(foreign))[1:-1]} == {OTHER}


def test_a_changed_scope_a_person_and_a_revoked_device_get_no_file(office: Indoors) -> None:
    owner = office.newcomer("inspector", scopes=(SCOPE,))
    device = office.handheld(owner=owner)
    reported(device, 3)
    offer = asked(device)
    refused(owner.post("/sync/snapshot"), 403, "device_required")
    granted(office.admin.patch(f"/users/{owner.id}", {"scopes": [OTHER]}))
    refused(fetched(device, offer), 404, "not_found")
    granted(office.admin.post(f"/devices/{device.id}/revoke", {"reason": "丢失"}))
    refused(fetched(device, offer), 401, "device_revoked")
    refused(device.post("/sync/snapshot"), 401, "device_revoked")


def test_a_cut_download_goes_on_where_it_was_cut(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    reported(device, 3)
    offer = asked(device)
    whole = fetched(device, offer)
    rest = fetched(device, offer, Range="bytes=100-", If_Range=whole.headers["ETag"])
    assert rest.status_code == 206 and whole.content[:100] + rest.content == whole.content
    assert rest.headers["Content-Range"] == f"bytes 100-{offer['bytes'] - 1}/{offer['bytes']}"
    another = fetched(device, offer, Range="bytes=100-", If_Range='"another"')
    assert another.status_code == 200 and another.content == whole.content
    assert fetched(device, offer, If_None_Match=whole.headers["ETag"]).status_code == 304


def test_a_range_that_is_not_there_is_told_and_one_that_cannot_be_read_asks_for_all(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    reported(device, 3)
    offer = asked(device)
    beyond = fetched(device, offer, Range=f"bytes={offer['bytes']}-")
    refused(beyond, 416, "range_unsatisfiable")
    assert beyond.headers["Content-Range"] == f"bytes */{offer['bytes']}"
    for strange in ("lines=1-2", "bytes=x", "bytes=5-1", "bytes=0-1,5-6"):
        assert len(fetched(device, offer, Range=strange).content) == offer["bytes"]


def test_a_strange_name_is_no_snapshot(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    for name in ("A" * 5000, "..", "0" * 64):
        refused(device.get(f"/sync/snapshots/{name}"), 404)


def test_where_no_file_can_be_written_a_pull_serves(office: Indoors, tmp_path: Path) -> None:
    house = office.app.extensions["menqian"]
    (tmp_path / "file").write_text("no directory")
    house.settings = replace(house.settings, snapshots=tmp_path / "file" / "snapshots")
    device = office.handheld(SCOPE)
    reported(device, 3)
    assert device.post("/sync/snapshot").status_code == 204
    assert len(device.catch_up()) >= 3


def test_a_snapshot_is_made_anew_only_when_its_tail_has_grown(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    reported(device, 3)
    first = asked(device)
    reported(device, 1)
    assert asked(device)["sha256"] == first["sha256"]
    office.clock.put_on(hours=1)
    assert asked(device)["cursor"] == first["cursor"]
    reported(device, 1)
    assert asked(device)["changes"] == 5


def test_a_clock_that_was_set_back_stops_no_renewal(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    reported(device, 3)
    asked(device)
    reported(device, 3)
    office.clock.put_on(days=-400)
    assert asked(device)["changes"] == 6


def test_while_somebody_makes_it_others_wait_or_take_the_old_one(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    reported(device, 3)
    with office.app.app_context():
        folder = snapshots._folder([SCOPE])
    folder.mkdir(parents=True)
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        answer = device.post("/sync/snapshot")
        refused(answer, 503, "snapshot_preparing", "retry")
        assert 1 <= int(answer.headers["Retry-After"]) <= 15
    first = asked(device)
    office.clock.put_on(hours=1)
    reported(device, 3)
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert asked(device)["sha256"] == first["sha256"]
    assert asked(device)["sha256"] != first["sha256"]


def test_a_file_that_is_missing_short_or_damaged_is_made_anew(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    reported(device, 3)
    offer = asked(device)
    path, = office.app.extensions["menqian"].settings.snapshots.glob("*/*.gz")
    whole = path.read_bytes()
    assert asked(device, damaged=offer["sha256"])["sha256"] == offer["sha256"]
    for harm in (path.unlink, lambda: path.write_bytes(whole[:-1])):
        harm()
        assert loaded(device, asked(device))[-1] == {"changes": 3}
    path.write_bytes(bytes(len(whole)))
    again = asked(device, damaged=offer["sha256"])
    assert loaded(device, again)[-1] == {"changes": 3} and path.read_bytes() == whole
    path.with_suffix(".json").write_text("{")
    assert loaded(device, asked(device))[-1] == {"changes": 3}
    refused(device.post("/sync/snapshot", {"damaged": "../../keys/secret"}), 422)


def test_a_restored_server_offers_no_snapshot_of_before(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    reported(device, 3)
    before = asked(device)
    with office.app.app_context():
        db.session.execute(update(Clock).values(epoch=str(uuid.uuid4())))
        db.session.commit()
    after = asked(device)
    assert after["epoch"] != before["epoch"] and after["sha256"] != before["sha256"]
    tick(office)
    assert files(office) == {after["sha256"]}


def test_old_snapshots_are_removed_a_day_after_they_were_last_offered(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    reported(device, 3)
    first = asked(device)
    office.clock.put_on(hours=20)
    reported(device, 3)
    second = asked(device)
    tick(office)
    assert files(office) == {first["sha256"], second["sha256"]}
    office.clock.put_on(hours=5)
    tick(office)
    assert files(office) == {second["sha256"]}
    office.clock.put_on(hours=20)
    tick(office)
    assert files(office) == set()
    assert loaded(device, asked(device))[-1] == {"changes": 6}


def test_what_was_settled_before_the_snapshot_comes_with_the_offer(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    reported(device, 2)
    finding = device.create("finding", SCOPE, a_finding())
    early = device.edit("finding", finding["record_id"], 1, set={"text": "改"})
    early["n"], finding["n"] = finding["n"], early["n"]
    assert device.deliver(early)[0]["outcome"] == "held"
    device.deliver(finding)
    settled, = asked(device)["settled"]
    device.catch_up()
    assert settled["n"] == early["n"] and device.settled == [settled]
