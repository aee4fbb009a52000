"""The roads of the map on the real app: imported again nothing changes, each sees those of the own scopes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.demo.town import make_town
from tests.bureau import a_road, collection, frontage
from tests.server.backups import back_up, elsewhere, restored
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited
from tests.wire import Person, Wire, granted, refused

TOWN, VILLAGE, ELSEWHERE = "320412100", "320412100201", "320402001"
LINE = [[119.95, 31.70], [119.96, 31.71]]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Indoors]:
    with indoors(tmp_path / "data") as office:
        yield office


def imported(admin: Person, *features: Any) -> dict[str, Any]:
    return granted(admin.post("/roads/import", collection(*features)))


def counts(answer: dict[str, Any]) -> tuple[Any, ...]:
    return (*(answer[name] for name in ("imported", "created", "updated", "unchanged", "skipped")),
            [one["index"] for one in answer["rejected"]])


def names(reader: Wire) -> set[str]:
    return {one["properties"]["name"] for one in granted(reader.get("/roads"))["features"]}


def test_a_road_comes_back_as_it_was_given(office: Indoors) -> None:
    imported(office.admin, a_road(LINE, TOWN, road_id="R-1", section="东段", carriageway_m=22))
    answer = office.admin.get("/roads")
    assert answer.headers["Content-Type"] == "application/geo+json"
    assert granted(answer) == {"type": "FeatureCollection", "features": [{
        "type": "Feature", "id": "R-1", "geometry": {"type": "LineString", "coordinates": LINE}, "properties": {
            "road_id": "R-1", "name": "武宜路", "section": "东段", "scope": TOWN, "carriageway_m": 22.0}}]}


def test_importing_twice_changes_nothing_and_a_change_replaces(office: Indoors) -> None:
    roads = [a_road(LINE, TOWN, road_id="R-1"), a_road(LINE, TOWN, name="花园街"), a_road(LINE, TOWN, id="street-3")]
    assert counts(imported(office.admin, *roads)) == (3, 3, 0, 0, 0, [])
    before = granted(office.admin.get("/roads"))
    assert counts(imported(office.admin, *roads)) == (3, 0, 0, 3, 0, [])
    assert granted(office.admin.get("/roads")) == before
    roads[0]["properties"]["name"] = "武宜南路"
    roads[1]["geometry"]["coordinates"] = LINE[::-1]
    assert counts(imported(office.admin, *roads)) == (3, 0, 2, 1, 0, [])
    assert names(office.admin) == {"武宜南路", "花园街", "武宜路"}
    assert len(granted(office.admin.get("/roads"))["features"]) == 3


def test_polygons_are_passed_over_and_the_rest_is_reported_one_by_one(office: Indoors) -> None:
    found = imported(office.admin, frontage(119.95, 31.7, TOWN), a_road(LINE, "999999999"),
                     a_road(LINE, TOWN, name=None), a_road(LINE, TOWN), 7, a_road(LINE[:1], TOWN))
    assert counts(found) == (1, 1, 0, 0, 1, [1, 2, 4, 5])
    assert [one["code"] for one in found["rejected"]] == [
        "scope_unknown", "missing_property", "invalid_geometry", "invalid_geometry"]


def test_a_town_with_streets_and_zones_in_one_file_gives_its_streets(office: Indoors) -> None:
    town = make_town(1)
    both = town.roads["features"] + town.zones["features"]
    found = imported(office.admin, *both)
    assert counts(found) == (7, 7, 0, 0, len(both) - 7, [])


@pytest.mark.parametrize("body", [[], "x", 7, {}, {"type": "FeatureCollection"},
                                  {"type": "FeatureCollection", "features": 7}])
def test_what_is_no_collection_is_a_problem(office: Indoors, body: Any) -> None:
    refused(office.admin.http.post(office.admin.url("/roads/import"), json=body), 422, "invalid_request")


def test_only_an_administrator_imports_and_only_into_the_own_scopes(office: Indoors) -> None:
    for role in ("inspector", "supervisor", "auditor"):
        refused(office.person(role, scopes=("32",)).post("/roads/import", collection(a_road(LINE, TOWN))), 403)
    refused(Wire(office.url).get("/roads"), 401)
    local = office.person("admin", scopes=(ELSEWHERE,))
    assert [one["code"] for one in imported(local, a_road(LINE, TOWN))["rejected"]] == ["out_of_scope"]
    imported(office.admin, a_road(LINE, TOWN, road_id="R-1"))
    taken = imported(local, a_road(LINE, ELSEWHERE, road_id="R-1", name="改到别处"))
    assert [one["code"] for one in taken["rejected"]] == ["out_of_scope"]
    assert names(office.admin) == {"武宜路"}


def test_each_sees_the_roads_of_the_own_scopes_and_of_those_above(office: Indoors) -> None:
    imported(office.admin, a_road(LINE, "3204", name="市道"), a_road(LINE, TOWN, name="镇道"),
             a_road(LINE, ELSEWHERE, name="别处的路"))
    assert names(office.person("inspector", scopes=(TOWN,))) == {"市道", "镇道"}
    assert names(office.handheld(ELSEWHERE)) == {"市道", "别处的路"}
    assert names(office.person("supervisor", scopes=("3204",))) == {"市道", "镇道", "别处的路"}


def test_who_has_them_already_is_told_so_until_they_change(office: Indoors) -> None:
    imported(office.admin, *(a_road(LINE, TOWN, name=f"{n}路") for n in range(30)))  # more than is left uncompressed
    device, other = office.handheld(TOWN), office.handheld(ELSEWHERE)
    whole = device.get("/roads")
    tag = whole.headers["ETag"]
    assert whole.headers["Cache-Control"] == "private, no-cache" and whole.headers["Content-Encoding"] == "gzip"
    same = device.get("/roads", headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    assert other.get("/roads", headers={"If-None-Match": tag}).status_code == 200
    imported(office.admin, a_road(LINE, ELSEWHERE))
    assert device.get("/roads", headers={"If-None-Match": tag}).status_code == 304
    imported(office.admin, a_road(LINE, TOWN, name="1路", carriageway_m=9))
    assert device.get("/roads", headers={"If-None-Match": tag}).status_code == 200


def test_the_journal_tells_of_an_import_and_the_audit_finds_nothing_wrong(office: Indoors) -> None:
    imported(office.admin, a_road(LINE, TOWN), frontage(119.95, 31.7, TOWN), 7)
    entries = granted(office.admin.get("/journal/entries"))["entries"]
    told, = (one for one in entries if one["kind"] == "roads_imported")
    assert told["actor"] == office.admin.id
    assert told["body"] == {"imported": 1, "created": 1, "updated": 0, "unchanged": 0, "skipped": 1, "rejected": 1}
    assert audited(office)["problems"] == []


def test_a_backup_brings_the_roads_back(office: Indoors, tmp_path: Path) -> None:
    device = office.handheld(TOWN)
    imported(office.admin, a_road(LINE, TOWN))
    before = granted(device.get("/roads"))
    back_up(office, tmp_path / "backup")
    with restored(tmp_path / "backup", tmp_path / "second") as app:
        assert granted(elsewhere(device, app).get("/roads")) == before
