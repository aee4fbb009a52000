"""Section 8: import, versions and attribution of zones. Every run draws its own, far out at sea."""

from __future__ import annotations

import copy
import math
import os
from typing import Any

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import place
from tests.conformance.office import Office
from tests.conformance.wire import Parts, Wire, granted, moment, new_id, refused

holds = subject("zones", "8")
METRES_A_DEGREE = 111_320.0


def somewhere() -> tuple[float, float]:
    """A corner where nobody has drawn: one of 10^8 squares of 20 m in the East China Sea."""
    east, north = (int.from_bytes(os.urandom(4), "big") % 10_000 for _ in range(2))
    return 124 + east * 0.0002, 28 + north * 0.0002


def beside(corner: tuple[float, float], east_m: float, north_m: float) -> tuple[float, float]:
    lon, lat = corner
    return lon + east_m / (METRES_A_DEGREE * math.cos(math.radians(lat))), lat + north_m / METRES_A_DEGREE


def frontage(office: Office, corner: tuple[float, float], *, width_m: float = 10, depth_m: float = 10,
             **properties: Any) -> Parts:
    """A rectangular zone with this south-west corner, in force from 2026-01-01 until the day after tomorrow."""
    ring = [list(beside(corner, east, north))
            for east, north in ((0, 0), (width_m, 0), (width_m, depth_m), (0, depth_m), (0, 0))]
    known = {"zone_id": new_id(), "name": "一致性检验", "road": "检验路", "section": "检验路(东段)",
             "scope": office.scope, "party": {"name": "检验店"}, "valid_from": "2026-01-01",
             "valid_to": moment(2 * 86_400)[:10]}
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": known | properties}


def load(office: Office, *features: Any) -> Parts:
    """Import features; the answer."""
    answer = granted(office.admin.post("/zones/import", {"type": "FeatureCollection", "features": list(features)}))
    must_have(answer, "imported rejected", "the answer of an import")
    for row in answer["rejected"]:
        must_have(row, "index name code detail", "a rejected feature")
    return answer


def drawn(office: Office, *features: Parts) -> None:
    must_be(load(office, *features), {"imported": len(features), "rejected": []}, "import")


def attributed(reader: Wire, spot: tuple[float, float], accuracy_m: float = 1, **more: Any) -> Parts:
    answer = granted(reader.get("/zones/attribute", lon=spot[0], lat=spot[1], crs="EPSG:4326",
                                accuracy_m=accuracy_m, **more))
    must(answer["decision"] in ("certain", "probable", "ambiguous", "none"), "a decision", answer)
    for candidate in answer["candidates"]:
        must_have(candidate, "zone_id version party probability distance_m inside method", "a candidate")
    total = sum(candidate["probability"] for candidate in answer["candidates"])
    must(total <= 1 + 1e-9, "probabilities that sum to at most 1", total)
    return answer


def id_of(feature: Parts) -> str:
    return feature["properties"]["zone_id"]


@holds("POST /zones/import (admin) a GeoJSON FeatureCollection")
def only_an_administrator_imports(office: Office) -> None:
    body = {"type": "FeatureCollection", "features": []}
    for role in ("inspector", "supervisor", "auditor"):
        refused(office.person(role).post("/zones/import", body), 403)


@holds("Invalid, self-crossing, overlapping or out-of-scope polygons are reported one by one and not imported; the "
       "rest is")
def bad_polygons_are_reported_and_the_rest_imported(office: Office) -> None:
    corner = somewhere()
    good, crossing, overlapping, foreign = (frontage(office, beside(corner, *at)) for at in
                                            ((0, 0), (100, 0), (5, 5), (200, 0)))
    ring = crossing["geometry"]["coordinates"][0]
    ring[1], ring[2] = ring[2], ring[1]
    foreign["properties"]["scope"] = "999999999"
    shapeless = {**frontage(office, beside(corner, 300, 0)), "geometry": None}
    answer = load(office, crossing, good, overlapping, foreign, shapeless)
    must_be(answer["imported"], 1, "imported")
    must_be(sorted(row["index"] for row in answer["rejected"]), [0, 2, 3, 4], "indexes of the rejected")
    inside = beside(corner, 5, 5)
    must_be([each["zone_id"] for each in attributed(office.admin, inside)["candidates"]], [id_of(good)], "zone there")


@holds("GeoJSON (RFC 7946) of zone versions valid at at, with zone_id, version, party, sticker_serial")
def the_map_shows_the_versions_in_force(office: Office) -> None:
    corner, serial = somewhere(), f"C-{new_id()[-8:]}"
    zone = frontage(office, corner, sticker_serial=serial)
    drawn(office, zone)
    west, south = corner
    box = f"{west - .00005},{south - .00005},{west + .00005},{south + .00005}"
    for at, versions in ((None, [1]), ("2025-06-01T00:00:00.000Z", [])):
        features = granted(office.admin.get("/zones.geojson", bbox=box, at=at))["features"]
        shown = [each["properties"] for each in features if each["properties"]["zone_id"] == id_of(zone)]
        must_be([each["version"] for each in shown], versions, f"versions shown at {at or 'now'}")
        for each in shown:
            must_be((each["sticker_serial"], each["party"]["name"]), (serial, "检验店"), "sticker and party")


@holds("A change of outline or party makes a new version; nothing is overwritten")
def a_change_makes_a_version_and_overwrites_nothing(office: Office) -> None:
    corner = somewhere()
    zone = frontage(office, corner)
    drawn(office, zone)
    load(office, zone)
    changed = copy.deepcopy(zone)
    changed["properties"] |= {"party": {"name": "后来的店"}, "valid_from": "2026-06-01"}
    drawn(office, changed)
    for at, version, party in (("2026-03-01T00:00:00.000Z", 1, "检验店"), ("2026-07-01T00:00:00.000Z", 2, "后来的店")):
        best = attributed(office.admin, beside(corner, 5, 5), at=at)["candidates"][0]
        must_be((best["version"], best["party"]["name"]), (version, party), f"version and party at {at}")


@holds("certain from 0.98 on, or by a sticker that is not implausibly far")
def deep_inside_is_certain_and_far_away_is_none(office: Office) -> None:
    corner = somewhere()
    zone = frontage(office, corner, width_m=14, depth_m=14)
    drawn(office, zone)
    answer = attributed(office.admin, beside(corner, 7, 7))
    best = answer["candidates"][0]
    must_be((answer["decision"], best["zone_id"], best["inside"]), ("certain", id_of(zone), True), "answer inside")
    must(best["probability"] >= 0.98, "a probability of 0.98 or more", best)
    must_be(attributed(office.admin, beside(corner, 0, 3000))["decision"], "none", "decision far away")


@holds("certain from 0.98 on, or by a sticker that is not implausibly far")
def a_sticker_decides_unless_it_is_far(office: Office) -> None:
    corner, serial = somewhere(), f"C-{new_id()[-8:]}"
    left, right = frontage(office, corner, sticker_serial=serial), frontage(office, beside(corner, 10.05, 0))
    drawn(office, left, right)
    between = beside(corner, 10.02, 5)
    answer = attributed(office.admin, between, 5, sticker_serial=serial)
    best = answer["candidates"][0]
    must_be((answer["decision"], best["zone_id"], best["method"]), ("certain", id_of(left), "sticker"), "by sticker")
    far = attributed(office.admin, beside(corner, 8000, 0), sticker_serial=serial)
    must(far["decision"] != "certain", "no certainty by a sticker 8 km away", far)


@holds("Probabilities sum to at most 1; the rest is \"none of these\"")
def between_two_the_chances_are_even(office: Office) -> None:
    corner = somewhere()
    left, right = frontage(office, corner), frontage(office, beside(corner, 10.05, 0))
    drawn(office, left, right)
    answer = attributed(office.admin, beside(corner, 10.025, 5), 5)
    must_be(answer["decision"], "ambiguous", "decision")
    chances = {candidate["zone_id"]: candidate["probability"] for candidate in answer["candidates"]}
    pair = chances.get(id_of(left), 0), chances.get(id_of(right), 0)
    must(abs(pair[0] - pair[1]) < 0.08 and min(pair) > 0.05, "even chances for both", pair)


@holds("crs is one of EPSG:4326, EPSG:4490, GCJ-02, BD-09 and is required")
def a_place_without_crs_is_refused(office: Office) -> None:
    refused(office.admin.get("/zones/attribute", lon=119.9, lat=31.7), (400, 422), "crs_missing")


@holds("for the zone version in force at observed_at. A later change of zone or party never moves it")
def a_finding_keeps_the_zone_in_force_at_observed_at(office: Office) -> None:
    corner, device = somewhere(), office.device()
    zone = frontage(office, corner, width_m=14, depth_m=14)
    drawn(office, zone)
    spot = place(*beside(corner, 7, 7), accuracy_m=1)
    finding = device.report(position=spot)
    before = device.owner.fields("finding", finding)["zone"]
    must_have(before, "zone_id version method decision probability distance_m candidates", "finding.zone")
    must_be((before["zone_id"], before["version"], before["decision"]), (id_of(zone), 1, "certain"), "zone")
    zone["properties"] |= {"party": {"name": "后来的店"}, "valid_from": moment(-86_400)[:10]}
    drawn(office, zone)
    device.give(device.edit("finding", finding, 1, set={"text": "后来补充"}))
    must_be(device.owner.fields("finding", finding)["zone"], before, "zone after a change of the party")
    late = device.owner.fields("finding", device.report(position=spot, observed_at=moment(-4 * 86_400)))["zone"]
    new = device.owner.fields("finding", device.report(position=spot))["zone"]
    must_be((late["version"], new["version"]), (1, 2), "versions in force four days ago and now")


@holds('finding.zone = {zone_id, version, method: "sticker" | "position" | "person", decision, probability, '
       "distance_m, candidates}")
def a_finding_with_a_sticker_is_tied_by_it(office: Office) -> None:
    corner, serial, device = somewhere(), f"C-{new_id()[-8:]}", office.device()
    zone = frontage(office, corner, sticker_serial=serial)
    drawn(office, zone)
    tied = device.owner.fields("finding", device.report(sticker_serial=serial))["zone"]
    must_be((tied["zone_id"], tied["method"], tied["version"]), (id_of(zone), "sticker", 1), "zone")


@holds("an ambiguous one waits for a person (command choose_zone {zone_id}, null for none)")
def an_ambiguous_zone_waits_for_a_person(office: Office) -> None:
    corner, device, reviewer = somewhere(), office.device(), office.person("reviewer")
    left, right = frontage(office, corner), frontage(office, beside(corner, 10.05, 0))
    drawn(office, left, right)
    finding = device.report(position=place(*beside(corner, 10.025, 5), accuracy_m=5))
    must_be(device.owner.fields("finding", finding)["zone"]["decision"], "ambiguous", "decision")
    refused(reviewer.command("finding", finding, "file", {"condition": "d1"}), 422)
    granted(reviewer.command("finding", finding, "choose_zone", {"zone_id": id_of(right)}))
    chosen = reviewer.fields("finding", finding)["zone"]
    must_be((chosen["zone_id"], chosen["method"], chosen["version"]), (id_of(right), "person", 1), "zone")
    granted(reviewer.command("finding", finding, "file", {"condition": "d1"}))
