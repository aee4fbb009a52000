"""Frontage zones (protocol section 8): import, versions, attribution of a place, and the zone a finding keeps."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import shape

from tests.bureau import Bureau, collection, east_north, eventually, frontage
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, granted, moment, new_id, position, refused

SCOPE, NEXT_SCOPE = "320402001", "320402002"
TOWN = Path(__file__).parents[2].parent / "shared" / "data" / "zones.geojson"


@pytest.fixture
def corner() -> tuple[float, float]:
    """A place where no other test has drawn a zone: somewhere on a 40 km square, 100 m apart by chance."""
    dice = random.Random()
    return 119.2 + dice.randrange(4000) / 10_000, 31.9 + dice.randrange(4000) / 10_000


def imported(admin: Person, *features: dict[str, Any]) -> None:
    answer = granted(admin.post("/zones/import", collection(*features)))
    assert (answer["imported"], answer["rejected"]) == (len(features), [])


def attribute(reader: Person | Handheld, lon: float, lat: float, accuracy_m: float = 2, **more: Any) -> dict[str, Any]:
    query = {"lon": lon, "lat": lat, "crs": "EPSG:4326", "accuracy_m": accuracy_m, **more}
    answer = granted(reader.get("/zones/attribute", params=query))
    assert sum(candidate["probability"] for candidate in answer["candidates"]) <= 1 + 1e-9
    for candidate in answer["candidates"]:
        assert {"zone_id", "version", "party", "probability", "distance_m", "inside", "method"} <= set(candidate)
    return answer


def inside(feature: dict[str, Any]) -> tuple[float, float]:
    point = shape(feature["geometry"]).representative_point()
    return point.x, point.y


def test_a_zone_is_imported_and_drawn(admin: Person, corner: tuple[float, float]) -> None:
    serial = f"T-{new_id()[-8:]}"
    zone = frontage(*corner, SCOPE, sticker_serial=serial)
    imported(admin, zone)
    west, south = corner
    bbox = f"{west - .001},{south - .001},{west + .001},{south + .001}"
    drawn = granted(admin.get("/zones.geojson", params={"bbox": bbox}))
    assert drawn["type"] == "FeatureCollection"
    feature, = drawn["features"]
    properties = feature["properties"]
    assert (properties["zone_id"], properties["version"]) == (zone["properties"]["zone_id"], 1)
    assert properties["party"]["name"] == "三余便利店"
    assert properties["sticker_serial"] == serial
    assert shape(feature["geometry"]).symmetric_difference(shape(zone["geometry"])).area < 1e-12


def test_importing_the_same_again_changes_nothing_and_a_change_makes_a_version(admin: Person,
                                                                              corner: tuple[float, float]) -> None:
    zone = frontage(*corner, SCOPE)
    imported(admin, zone)
    granted(admin.post("/zones/import", collection(zone)))
    place = inside(zone)
    assert attribute(admin, *place)["candidates"][0]["version"] == 1
    moved_in = json.loads(json.dumps(zone))
    moved_in["properties"] |= {"party": {"name": "新开的店"}, "valid_from": "2026-06-01"}
    imported(admin, moved_in)
    then, now = (attribute(admin, *place, at=at)["candidates"][0]
                 for at in ("2026-03-01T00:00:00.000Z", "2026-07-01T00:00:00.000Z"))
    assert (then["version"], then["party"]["name"]) == (1, "三余便利店")
    assert (now["version"], now["party"]["name"]) == (2, "新开的店")


BOWTIE = {"type": "Polygon", "coordinates": [[[118.9, 31.5], [118.9002, 31.5002], [118.9002, 31.5], [118.9, 31.5002],
                                              [118.9, 31.5]]]}


@pytest.mark.parametrize(("change", "code"), [
    ({"geometry": BOWTIE}, "self_crossing"),
    ({"geometry": {"type": "Point", "coordinates": [119, 31]}}, "invalid_geometry"),
    ({"geometry": None}, "invalid_geometry"),
    ({"geometry": {"type": "Polygon", "coordinates": [[[119, 31], [119, 31]]]}}, "invalid_geometry"),
    ({"geometry": {"type": "Polygon", "coordinates": "everywhere"}}, "invalid_geometry"),
    ({"geometry": {"type": "Polygon", "coordinates": [[[1e308, 1e308], [0, 0], [1, 1], [1e308, 1e308]]]}}, None),
    ({"properties": {"scope": "999999999"}}, None), ({"properties": {"crs": "EPSG:3857"}}, "crs_unknown"),
    ({"properties": {"valid_from": "soon"}}, None), ({"properties": {"valid_to": "2020-01-01"}}, None),
    ({"properties": {"name": None}}, None), ({"properties": None}, None), ({"type": "Nonsense"}, None)])
def test_a_bad_polygon_is_reported_and_the_good_one_imported(admin: Person, corner: tuple[float, float],
                                                             change: dict[str, Any], code: str | None) -> None:
    bad = frontage(*east_north(*corner, 30, 0), SCOPE)
    for name, value in change.items():
        bad[name] = {**bad[name], **value} if isinstance(value, dict) and name == "properties" else value
    good = frontage(*corner, SCOPE)
    answer = granted(admin.post("/zones/import", collection(bad, good)))
    assert answer["imported"] == 1
    rejected, = answer["rejected"]
    assert rejected["index"] == 0
    assert rejected["detail"]
    assert "name" in rejected
    assert code is None or rejected["code"] == code
    assert attribute(admin, *inside(good))["candidates"][0]["zone_id"] == good["properties"]["zone_id"]


def test_overlapping_outlines_are_reported_and_touching_are_not(admin: Person, corner: tuple[float, float]) -> None:
    first = frontage(*corner, SCOPE)
    neighbour = frontage(*east_north(*corner, 8, 0), SCOPE)
    neighbour["geometry"]["coordinates"][0][0] = first["geometry"]["coordinates"][0][1]
    neighbour["geometry"]["coordinates"][0][3] = first["geometry"]["coordinates"][0][2]
    neighbour["geometry"]["coordinates"][0][4] = first["geometry"]["coordinates"][0][1]
    imported(admin, first, neighbour)
    answer = granted(admin.post("/zones/import", collection(frontage(*east_north(*corner, 4, 0), SCOPE))))
    assert answer["imported"] == 0
    assert answer["rejected"][0]["code"] == "overlapping"
    twice = [frontage(*east_north(*corner, 0, 40 + 3 * i), SCOPE) for i in range(2)]
    answer = granted(admin.post("/zones/import", collection(*twice)))
    assert (answer["imported"], [row["index"] for row in answer["rejected"]]) == (1, [1])


@pytest.mark.parametrize("body", [[], "x", 7, None, {}, {"type": "FeatureCollection"}, {"type": "Feature"},
                                  {"type": "FeatureCollection", "features": 7}])
def test_what_is_no_collection_is_a_problem(admin: Person, body: Any) -> None:
    refused(admin.http.post(admin.url("/zones/import"), json=body), (400, 422))


@pytest.mark.parametrize("feature", [7, None, [], "x", {}])
def test_what_is_no_feature_is_rejected_by_its_index(admin: Person, feature: Any) -> None:
    answer = granted(admin.post("/zones/import", collection(feature)))
    assert answer["imported"] == 0
    assert [row["index"] for row in answer["rejected"]] == [0]


def test_only_an_administrator_imports(bureau: Bureau, corner: tuple[float, float]) -> None:
    for role in ("inspector", "supervisor", "auditor"):
        person = bureau.person(role, scopes=(SCOPE,))
        refused(person.post("/zones/import", collection(frontage(*corner, SCOPE))), 403)


def test_an_administrator_imports_into_the_own_scope_only(bureau: Bureau, corner: tuple[float, float]) -> None:
    local = bureau.person("admin", scopes=("320404",))
    answer = granted(local.post("/zones/import", collection(frontage(*corner, SCOPE))))
    assert (answer["imported"], answer["rejected"][0]["code"]) == (0, "out_of_scope")


def test_deep_inside_is_certain_and_far_away_is_none(admin: Person, corner: tuple[float, float]) -> None:
    zone = frontage(*corner, SCOPE, width_m=12, depth_m=12)
    imported(admin, zone)
    answer = attribute(admin, *inside(zone), accuracy_m=1)
    assert answer["decision"] == "certain"
    best = answer["candidates"][0]
    assert best["zone_id"] == zone["properties"]["zone_id"]
    assert best["inside"] is True
    assert best["probability"] >= 0.98
    assert best["distance_m"] == pytest.approx(0, abs=0.01)
    assert attribute(admin, *east_north(*corner, 0, 500))["decision"] == "none"


def test_between_two_shops_it_is_ambiguous_and_the_chances_are_even(admin: Person, corner: tuple[float, float]) -> None:
    left, right = frontage(*corner, SCOPE), frontage(*east_north(*corner, 8.05, 0), SCOPE)
    imported(admin, left, right)
    answer = attribute(admin, *east_north(*corner, 8.02, 3), accuracy_m=5)
    assert answer["decision"] == "ambiguous"
    chances = {candidate["zone_id"]: candidate["probability"] for candidate in answer["candidates"]}
    pair = [chances[zone["properties"]["zone_id"]] for zone in (left, right)]
    assert pair[0] == pytest.approx(pair[1], abs=0.06)
    assert 0.1 < sum(pair) < 1


def test_a_sticker_decides_where_the_position_cannot(admin: Person, corner: tuple[float, float]) -> None:
    serial = f"S-{new_id()[-8:]}"
    left, right = frontage(*corner, SCOPE, sticker_serial=serial), frontage(*east_north(*corner, 8.05, 0), SCOPE)
    imported(admin, left, right)
    near = attribute(admin, *east_north(*corner, 8.02, 3), accuracy_m=5, sticker_serial=serial)
    assert near["decision"] == "certain"
    best = near["candidates"][0]
    assert (best["zone_id"], best["method"]) == (left["properties"]["zone_id"], "sticker")
    far = attribute(admin, *east_north(*corner, 5000, 3), sticker_serial=serial)
    assert far["decision"] != "certain"


def test_a_position_from_a_phone_map_is_shifted_back(bureau: Bureau, admin: Person) -> None:
    device = bureau.handheld(SCOPE)
    finding = device.report(SCOPE, position=position(116.365697909, 39.911112866, "GCJ-02"))
    kept = device.owner.record("finding", finding)["fields"]["position"]
    assert (kept["lon"], kept["crs"]) == (116.365697909, "GCJ-02")
    assert kept["normalized"]["lon"] == pytest.approx(116.359496, abs=2e-6)
    assert kept["normalized"]["lat"] == pytest.approx(39.909745, abs=2e-6)
    answer = attribute(admin, 116.365697909, 39.911112866, crs="GCJ-02")
    assert answer["decision"] == "none"


@pytest.mark.parametrize(("change", "code"), [
    ({"crs": None}, "crs_missing"), ({"crs": "EPSG:3857"}, "crs_unknown"), ({"lon": None}, None),
    ({"lat": "north"}, None),
    ({"lon": "nan"}, None), ({"lat": "inf"}, None), ({"lon": "1e400"}, None), ({"lat": "95"}, None),
    ({"accuracy_m": "-5"}, None), ({"accuracy_m": "nan"}, None), ({"at": "yesterday"}, None)])
def test_a_place_that_cannot_be_is_a_problem(admin: Person, change: dict[str, Any], code: str | None) -> None:
    query = {"lon": 119.9, "lat": 31.7, "crs": "EPSG:4326", "accuracy_m": 5, **change}
    kept = {name: value for name, value in query.items() if value is not None}
    refused(admin.get("/zones/attribute", params=kept), (400, 422), code)


@pytest.mark.parametrize("bbox", ["x", "1,2,3", "1,2,3,4,5", "nan,nan,nan,nan", "200,0,300,1", "2,2,1,1",
                                  "9e999,0,1,1"])
def test_a_box_that_is_none_is_never_a_crash(admin: Person, bbox: str) -> None:
    answer = admin.get("/zones.geojson", params={"bbox": bbox})
    if answer.status_code != 200:
        refused(answer, (400, 422))


def test_a_finding_is_tied_to_the_zone_it_lies_in(bureau: Bureau, admin: Person, corner: tuple[float, float]) -> None:
    zone = frontage(*corner, SCOPE, width_m=12, depth_m=12)
    imported(admin, zone)
    device = bureau.handheld(SCOPE)
    finding = device.report(SCOPE, position=position(*inside(zone), accuracy_m=1))
    tied = device.owner.record("finding", finding)["fields"]["zone"]
    assert (tied["zone_id"], tied["version"]) == (zone["properties"]["zone_id"], 1)
    assert (tied["method"], tied["decision"]) == ("position", "certain")
    assert tied["probability"] >= 0.98
    assert {"distance_m", "candidates"} <= set(tied)
    page = granted(device.owner.get(f"/records?type=finding&zone_id={zone['properties']['zone_id']}"))
    assert [record["id"] for record in page["items"]] == [finding]


def test_a_later_change_of_zone_or_party_never_moves_a_finding(bureau: Bureau, admin: Person,
                                                              corner: tuple[float, float]) -> None:
    zone = frontage(*corner, SCOPE, width_m=12, depth_m=12)
    imported(admin, zone)
    device = bureau.handheld(SCOPE)
    finding = device.report(SCOPE, position=position(*inside(zone), accuracy_m=1))
    before = device.owner.record("finding", finding)["fields"]["zone"]
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d")
    zone["properties"] |= {"party": {"name": "后来的店"}, "valid_from": yesterday}
    imported(admin, zone)
    device.deliver(device.edit("finding", finding, 1, set={"text": "后来补充"}))
    assert device.owner.record("finding", finding)["fields"]["zone"] == before
    late = device.report(SCOPE, position=position(*inside(zone), accuracy_m=1),
                         observed_at=moment(-3 * 86400))
    tied = device.owner.record("finding", late)["fields"]["zone"]
    assert tied["version"] == 1, "the version in force at observed_at, though it arrives later"


def test_an_ambiguous_zone_waits_for_a_person(bureau: Bureau, admin: Person, corner: tuple[float, float]) -> None:
    """The right one may lie in the next street."""
    left, right = frontage(*corner, SCOPE), frontage(*east_north(*corner, 8.05, 0), NEXT_SCOPE)
    imported(admin, left, right)
    device = bureau.handheld(SCOPE)
    reviewer = bureau.person("reviewer", scopes=(SCOPE,))
    place = position(*east_north(*corner, 8.02, 3), accuracy_m=5)
    finding = device.report(SCOPE, position=place)
    assert device.owner.record("finding", finding)["fields"]["zone"]["decision"] == "ambiguous"
    refused(reviewer.command("finding", finding, "file", {"condition": "d1"}), 422)
    refused(reviewer.command("finding", finding, "choose_zone", {"zone_id": new_id()}), 422)
    granted(reviewer.command("finding", finding, "choose_zone", {"zone_id": right["properties"]["zone_id"]}))
    tied = reviewer.record("finding", finding)["fields"]["zone"]
    assert (tied["zone_id"], tied["method"], tied["version"]) == (right["properties"]["zone_id"], "person", 1)
    granted(reviewer.command("finding", finding, "file", {"condition": "d1"}))


def test_the_zones_of_a_scope_reach_its_devices(bureau: Bureau, admin: Person, corner: tuple[float, float]) -> None:
    zone = frontage(*corner, SCOPE)
    imported(admin, zone)
    near, far = bureau.handheld(SCOPE), bureau.handheld("320481")
    near.catch_up()
    far.catch_up()
    assert ("zone", zone["properties"]["zone_id"]) in near.rows
    assert ("zone", zone["properties"]["zone_id"]) not in far.rows


def test_the_command_line_imports_a_file(server: Server, admin: Person, tmp_path: Path,
                                         corner: tuple[float, float]) -> None:
    zone = frontage(*corner, SCOPE)
    file = tmp_path / "zones.geojson"
    file.write_text(json.dumps(collection(zone, {"type": "Feature"}), ensure_ascii=False))
    answer = json.loads(server.cli("zones", "import", str(file)).stdout)
    assert answer["imported"] == 1
    assert answer["rejected"][0]["index"] == 1
    found = eventually(lambda: attribute(admin, *inside(zone), accuracy_m=1)["candidates"], within_s=10)
    assert found[0]["zone_id"] == zone["properties"]["zone_id"]


@pytest.mark.skipif(not TOWN.exists(), reason="needs the town of shared/data")
def test_a_whole_town_is_imported_and_every_shop_found(bureau: Bureau, admin: Person) -> None:
    town = json.loads(TOWN.read_text())
    answer = granted(admin.post("/zones/import", town))
    assert (answer["imported"], answer["rejected"]) == (715, [])
    for feature in random.Random(7).sample(town["features"], 25):
        best = attribute(admin, *inside(feature), accuracy_m=1)["candidates"][0]
        assert best["zone_id"] == feature["properties"]["zone_id"]
    device = bureau.handheld("320412100")
    feature = town["features"][100]
    finding = device.report("320412100", sticker_serial=feature["properties"]["sticker_serial"])
    tied = device.owner.record("finding", finding)["fields"]["zone"]
    assert (tied["zone_id"], tied["method"]) == (feature["properties"]["zone_id"], "sticker")
