"""The worker takes up what a killed one left behind, at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from media.stores.contract import key_of
from server import jobs
from tests.bureau import a_photo
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import sha256

SCOPE = "320412110"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as office:
        yield office


def photographed(device: Handheld, content: bytes) -> str:
    mutation = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(mutation)
    return str(mutation["record_id"])


def media(device: Handheld, evidence: str) -> Any:
    return device.owner.record("evidence", evidence)["fields"]["media"]["state"]


def resume(office: Indoors) -> None:
    with office.app.app_context():
        jobs._resume()


def test_a_check_that_was_lost_is_made_when_the_worker_starts(office: Indoors, monkeypatch: pytest.MonkeyPatch) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    evidence = photographed(device, content)
    with monkeypatch.context() as killed:
        killed.setattr(jobs, "check_photo", lambda *_: None)
        assert device.upload(content).status_code == 204
    assert media(device, evidence) == "stored"
    resume(office)
    assert media(device, evidence) == "verified"


def test_bytes_that_came_whole_are_stored_and_checked_when_the_worker_starts(office: Indoors) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    evidence = photographed(device, content)
    where = device.create_upload(len(content), sha256(content)).headers["Location"]
    (office.app.extensions["menqian"].settings.spool / where.rsplit("/", 1)[1]).write_bytes(content)
    resume(office)
    assert media(device, evidence) == "verified"


def test_a_photo_that_the_store_does_not_take_stands_in_no_others_way(office: Indoors) -> None:
    device, settings = office.handheld(SCOPE), office.app.extensions["menqian"].settings
    contents = [a_photo() for _ in range(2)]
    evidence = [photographed(device, content) for content in contents]
    waits = []
    for content in contents:
        where = device.create_upload(len(content), sha256(content)).headers["Location"]
        waits.append(settings.spool / where.rsplit("/", 1)[1])
        waits[-1].write_bytes(content)
        office.clock.put_on(seconds=1)
    place = settings.data / "media" / key_of(sha256(contents[0]))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"other bytes")
    resume(office)
    assert [media(device, each) for each in evidence] == ["expected", "verified"]
    assert [path.exists() for path in waits] == [True, False]
    place.unlink()
    resume(office)
    assert [media(device, each) for each in evidence] == ["verified", "verified"]


def test_small_photos_and_ticks_go_before_the_large_photos_of_a_shift(tmp_path: Path) -> None:
    with indoors(tmp_path / "data", MENQIAN_QUEUE_URL=f"sqlite:///{tmp_path / 'queue.db'}") as office:
        device, queue = office.handheld(SCOPE), office.app.extensions["menqian_queue"]
        large = [a_photo() + bytes(1_000_000) for _ in range(2)]
        small = [a_photo() for _ in range(2)]
        for content in (*large, *small):
            assert device.upload(content).status_code == 204
        with office.app.app_context():
            office.app.extensions["menqian_tasks"]["tick"]()
        asked = [queue.dequeue() for _ in range(5)]
        assert asked[0].name == "_tick"
        assert [task.args[0] for task in asked[1:]] == [sha256(content) for content in (*small, *large)]


def test_what_waits_in_a_long_queue_is_not_asked_for_again(tmp_path: Path) -> None:
    with indoors(tmp_path / "data", MENQIAN_QUEUE_URL=f"sqlite:///{tmp_path / 'queue.db'}") as office:
        device, queue, content = office.handheld(SCOPE), office.app.extensions["menqian_queue"], a_photo()
        device.upload(content)
        with office.app.app_context():
            jobs._take_up(timedelta(), timedelta())
            assert queue.pending_count() == 2, "asked for once more, for the hint may have been lost"
            for _ in range(50):
                jobs.check_photo(sha256(content))
            jobs._take_up(timedelta(), timedelta())
        assert queue.pending_count() == 52
