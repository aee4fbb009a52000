"""The zone register on the real app: only the import changes a zone, names make no version, a move does."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from server import zones
from server.db import db, writing
from tests.bureau import collection, frontage
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, granted, refused

SCOPE, ELSEWHERE = "320402001", "320411101"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("zones")) as office:
        yield office


@pytest.fixture
def zone(office: Indoors) -> dict[str, Any]:
    """A zone in the register, of which no other test knows."""
    place = next(office.serial)
    made = frontage(119.5 + place * 0.001, 31.7, SCOPE, party={"name": "三余便利店", "contact": "10000000001"})
    imported(office.admin, made)
    return made


def imported(admin: Person, *features: dict[str, Any]) -> None:
    answer = granted(admin.post("/zones/import", collection(*features)))
    assert (answer["imported"], answer["rejected"]) == (len(features), [])


def drawn(admin: Person, zone_id: str) -> dict[str, Any]:
    found, = (one["properties"] for one in granted(admin.get("/zones.geojson"))["features"] if one["id"] == zone_id)
    return found


def id_of(zone: dict[str, Any]) -> str:
    return str(zone["properties"]["zone_id"])


def corner(zone: dict[str, Any]) -> dict[str, Any]:
    (west, south), _, (east, north), *_ = zone["geometry"]["coordinates"][0]
    return {"lon": (west + east) / 2, "lat": (south + north) / 2, "crs": "EPSG:4326", "accuracy_m": 2}


def test_nobody_writes_zones_but_the_import(office: Indoors, zone: dict[str, Any]) -> None:
    supervisor, device = office.person("supervisor", scopes=("3204",)), office.handheld(SCOPE, roles=("supervisor",))
    before = supervisor.record("zone", id_of(zone))
    for person in (office.admin, supervisor):
        refused(person.create("zone", SCOPE, {"name": "自画"}), 403, "not_creatable")
        refused(person.edit("zone", id_of(zone), 1, set={"party": {"name": "别家"}}), 403, "not_creatable")
        refused(person.command("zone", id_of(zone), "close"), 422, "command_unknown")
    mutations = [device.create("zone", SCOPE, {"name": "自画"}),
                 device.edit("zone", id_of(zone), 1, set={"outline": None}),
                 device.remove("zone", id_of(zone), 1)]
    codes = [outcome["problem"]["code"] for outcome in device.deliver(*mutations)]
    assert codes == ["not_creatable"] * 3
    assert supervisor.record("zone", id_of(zone)) == before


def test_a_move_is_a_version_in_the_register(office: Indoors, zone: dict[str, Any]) -> None:
    supervisor = office.person("supervisor", scopes=("3204",))
    granted(supervisor.command("zone", id_of(zone), "move", {"scope": ELSEWHERE, "reason": "区划调整"}))
    record, shown = supervisor.record("zone", id_of(zone)), drawn(office.admin, id_of(zone))
    assert (record["scope"], record["fields"]["zone_version"]) == (ELSEWHERE, 2)
    assert (shown["scope"], shown["version"], shown["valid_from"]) == (ELSEWHERE, 2, record["fields"]["valid_from"])
    before = granted(office.admin.get("/zones/attribute", params={**corner(zone), "at": "2026-02-01T00:00:00.000Z"}))
    assert before["candidates"][0]["version"] == 1
    back = {"scope": SCOPE, "reason": "更正"}
    granted(supervisor.command("zone", id_of(zone), "move", back))
    assert drawn(office.admin, id_of(zone))["version"] == 3


def test_another_name_makes_no_version(office: Indoors, zone: dict[str, Any]) -> None:
    renamed = deepcopy(zone)
    renamed["properties"] |= {"name": "四余便利店", "road": "晋陵路"}
    imported(office.admin, renamed)
    shown, record = drawn(office.admin, id_of(zone)), office.admin.record("zone", id_of(zone))
    assert (shown["version"], shown["name"], shown["road"]) == (1, "四余便利店", "晋陵路")
    assert (record["version"], record["fields"]["zone_version"], record["fields"]["name"]) == (2, 1, "四余便利店")
    history = granted(office.admin.get(f"/records/zone/{id_of(zone)}/history"))["items"]
    assert set(history[-1]["changed"]) == {"name", "road"}
    imported(office.admin, renamed)
    assert office.admin.record("zone", id_of(zone))["version"] == 2


def test_a_zone_without_id_is_not_imported_twice(office: Indoors) -> None:
    nameless = frontage(119.4, 31.6, SCOPE, name="无号店")
    nameless["properties"]["zone_id"] = None
    imported(office.admin, nameless)
    imported(office.admin, nameless)
    found, = (one["properties"] for one in granted(office.admin.get("/zones.geojson"))["features"]
              if one["properties"]["name"] == "无号店")
    assert found["version"] == 1


def test_a_backdated_version_is_rejected_with_the_reason(office: Indoors, zone: dict[str, Any]) -> None:
    older = deepcopy(zone)
    older["properties"] |= {"party": {"name": "前店主"}, "valid_from": "2025-01-01"}
    answer = granted(office.admin.post("/zones/import", collection(older)))
    assert [row["code"] for row in answer["rejected"]] == ["invalid_property"]
    assert drawn(office.admin, id_of(zone))["party"]["name"] == "三余便利店"


def test_a_zone_of_today_may_be_chosen_where_a_slow_clock_found_none(office: Indoors, zone: dict[str, Any]) -> None:
    device, then = office.handheld(SCOPE), "2025-06-01T08:00:00.000Z"
    older = frontage(119.45, 31.6, SCOPE, valid_from="2025-01-01")
    imported(office.admin, older)
    lone, found = (device.report(SCOPE, position={**corner(place), "fixed_at": None}, observed_at=then)
                   for place in (zone, older))
    assert device.owner.record("finding", lone)["fields"]["zone"]["decision"] == "none"
    granted(device.owner.command("finding", lone, "choose_zone", {"zone_id": id_of(zone)}))
    assert device.owner.record("finding", lone)["fields"]["zone"]["zone_id"] == id_of(zone)
    refused(device.owner.command("finding", found, "choose_zone", {"zone_id": id_of(zone)}), 422, "zone_unknown")


def test_candidates_keep_the_partys_contact_to_the_map(office: Indoors, zone: dict[str, Any]) -> None:
    device: Handheld = office.handheld(ELSEWHERE)
    candidate = granted(device.get("/zones/attribute", params=corner(zone)))["candidates"][0]
    assert (candidate["zone_id"], candidate["party"]) == (id_of(zone), {"name": "三余便利店"})
    finding = device.report(ELSEWHERE, position={**corner(zone), "fixed_at": None})
    assert "10000000001" not in str(device.owner.record("finding", finding))


def test_what_was_checked_before_the_gate_is_checked_again_when_the_register_changed(office: Indoors) -> None:
    one, other = (frontage(119.3, 31.6, SCOPE, name=name) for name in ("甲店", "乙店"))
    with office.app.app_context():
        checked = zones.check_collection(db.session(), collection(one), None)
        with writing() as door:
            zones.import_features(door, collection(other), actor="console", scopes=None)
        with writing() as door:
            found = zones.import_features(door, collection(one), actor="console", scopes=None, checked=checked)
    assert [row["code"] for row in found["rejected"]] == ["overlapping"]
