"""Photos held against the tracks of their makers, whichever came first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from schemas.values import stamp
from server.rules.crs import from_4490
from tests.bureau import a_photo, east_north
from tests.darkroom import jpeg, place, scene, tiff
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited
from tests.wire import granted, position

SCOPE = "320412114"
HERE = (119.95, 31.71)
THEN = datetime(2026, 11, 20, 4, tzinfo=UTC)
FAR_M = 400


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("tracks")) as made:
        yield made


@pytest.fixture
def device(office: Indoors) -> Handheld:
    return office.handheld(owner=office.newcomer("inspector", scopes=(SCOPE,)))


@pytest.fixture
def finding(device: Handheld) -> str:
    return device.report(SCOPE)


def points(*seconds: float, east_m: float = 0, crs: str = "EPSG:4326") -> list[dict[str, Any]]:
    lon, lat = from_4490(*east_north(*HERE, east_m, 0), crs)
    return [{"id": f"p{at}/{east_m}", "at": stamp(THEN + timedelta(seconds=at)), "lon": lon, "lat": lat, "crs": crs,
             "accuracy_m": 5} for at in seconds]


def photo(device: Handheld, finding: str, east_m: float = FAR_M, content: bytes | None = None,
          **fields: Any) -> dict[str, Any]:
    values = {"position": position(*east_north(*HERE, east_m, 0)), "captured_at": stamp(THEN), **fields}
    return device.capture(SCOPE, content or a_photo(), ("finding", finding), **values)


def place_flags(device: Handheld, evidence: dict[str, Any]) -> list[dict[str, Any]]:
    flags = device.owner.record("evidence", evidence["record_id"])["fields"]["flags"]
    return [flag["detail"] for flag in flags if flag["code"] == "place_conflict"]


def pairs(device: Handheld, evidence: dict[str, Any]) -> list[list[str]]:
    return [detail["between"] for detail in place_flags(device, evidence)]


def test_a_photo_far_from_the_track_is_flagged_with_the_pair_and_figures(device, finding):
    device.deliver(device.create("track", SCOPE, {"points": points(-20, 20)}))
    evidence = photo(device, finding)
    device.deliver(evidence)
    detail, = place_flags(device, evidence)
    assert detail["between"] == ["device", "track"] and "+ 50 m apart" in detail["rule"]
    assert detail["distance_m"] == pytest.approx(FAR_M, abs=1)
    assert (detail["before_s"], detail["after_s"], detail["uncertainty_m"]) == (20.0, 20.0, 35.0)
    assert "lon" not in str(detail), "where he went is not for everybody who reads flags"


@pytest.mark.parametrize("crs", ["GCJ-02", "BD-09"])
def test_coordinate_systems_are_converted_before_places_are_compared(device, finding, crs):
    device.deliver(device.create("track", SCOPE, {"points": points(-20, 20, crs=crs)}))
    near = photo(device, finding, 0)
    lon, lat = from_4490(*HERE, "GCJ-02")
    shifted = photo(device, finding, position=position(lon, lat, crs="GCJ-02"))
    device.deliver(near, shifted)
    assert place_flags(device, near) == place_flags(device, shifted) == []


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_photo_and_points_may_come_in_any_order(office, device, finding, order, together):
    """The photo, the track with the point before, the point after: the flag is the same in the end."""
    track = device.create("track", SCOPE, {"points": points(-30)})
    more = device.edit("track", track["record_id"], 1, add={"points": points(30)})
    evidence = photo(device, finding)
    made = [(track, evidence, more)[place] for place in order]
    first = min(one["n"] for one in made)
    for n, mutation in enumerate(made, first):
        mutation["n"] = n
    if together:
        device.deliver(*made)
    else:
        for mutation in made:
            device.deliver(mutation)
    detail, = place_flags(device, evidence)
    assert (detail["before_s"], detail["after_s"]) == (30.0, 30.0)
    assert audited(office)["problems"] == []


def test_a_point_that_comes_later_may_take_the_conflict_back(device, finding):
    track = device.create("track", SCOPE, {"points": points(-100)})
    evidence = photo(device, finding)
    device.deliver(track, evidence)
    assert len(place_flags(device, evidence)) == 1
    device.deliver(device.edit("track", track["record_id"], 1, add={"points": points(-5, 5, east_m=FAR_M)}))
    assert place_flags(device, evidence) == []


def test_points_far_away_in_time_and_others_tracks_say_nothing(office, device, finding):
    other = office.handheld(owner=office.newcomer("inspector", scopes=(SCOPE,)))
    other.deliver(other.create("track", SCOPE, {"points": points(-20, 20)}))
    device.deliver(device.create("track", SCOPE, {"points": points(-400, 400)}))
    evidence = photo(device, finding)
    device.deliver(evidence)
    assert place_flags(device, evidence) == []


def test_the_file_is_compared_too_when_it_was_read_and_other_flags_stay(device, finding):
    lon, lat = (((round(degrees * 1e6), 10**6), (0, 1), (0, 1)) for degrees in east_north(*HERE, FAR_M, 0))
    content = jpeg(tiff(gps=place(lat, lon)), picture=scene(seed=99))
    track = device.create("track", SCOPE, {"points": points(-20, 20)})
    evidence = photo(device, finding, 0, content)
    device.deliver(track, evidence)
    assert place_flags(device, evidence) == []
    assert device.upload(content).status_code == 204
    assert pairs(device, evidence) == [["device", "file"], ["file", "track"]]
    version = device.owner.record("evidence", evidence["record_id"])["version"]
    device.deliver(device.create("track", SCOPE, {"points": points(-1, 1, east_m=FAR_M)}))
    after = device.owner.record("evidence", evidence["record_id"])
    assert after["version"] == version + 1
    assert pairs(device, evidence) == [["device", "file"], ["device", "track"]]
    device.deliver(device.create("track", SCOPE, {"points": points(-300)}))
    assert device.owner.record("evidence", evidence["record_id"])["version"] == version + 1, "nothing new was said"


def test_a_deleted_track_still_speaks_against_its_maker(device, finding):
    track = device.create("track", SCOPE, {"points": points(-20, 20)})
    device.deliver(track, device.remove("track", track["record_id"], 1))
    evidence = photo(device, finding)
    device.deliver(evidence)
    assert len(place_flags(device, evidence)) == 1


def test_null_island_is_no_place(device, finding):
    evidence = photo(device, finding, position=position(0.0, 0.0))
    device.deliver(evidence, device.create("track", SCOPE, {"points": points(-20, 20)}))
    detail, = place_flags(device, evidence)
    assert detail["rule"] == "device at null island, which is no measurement"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
def test_clocks_at_the_ends_of_the_calendar_break_nothing(device, finding, at):
    point = {**points(0)[0], "at": at}
    evidence = photo(device, finding, captured_at=at)
    outcomes = device.deliver(evidence, device.create("track", SCOPE, {"points": [point]}), photo(device, finding,
                                                                                                 captured_at=at))
    assert [one["outcome"] for one in outcomes] == ["applied"] * 3
    assert len(place_flags(device, evidence)) == 1


def test_points_without_time_place_or_system_are_kept_and_say_nothing(device, finding):
    sound = points(0)[0]
    odd = [{**sound, "id": name, name: None} for name in ("at", "crs")]
    evidence = photo(device, finding)
    outcomes = device.deliver(evidence, device.create("track", SCOPE, {"points": odd}))
    assert [one["outcome"] for one in outcomes] == ["applied"] * 2
    assert place_flags(device, evidence) == []
    assert granted(device.pull(None))["changes"]
