"""Hostile bodies everywhere: each refusal is a problem with a stable code and a known action, nothing answers 5xx."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
import pytest

from tests.bureau import Bureau, a_road, collection, frontage
from tests.enrolled import Handheld
from tests.wire import Person, a_finding, granted, new_id, position, refused

SCOPE = "320411105"
UNREADABLE = {
    "empty": b"", "text": b"hello", "half": b'{"mutations": [', "not utf-8": b'{"mutations": "\xff"}',
    "NaN": b'{"n": NaN}',
    "Infinity": b'{"n": Infinity}', "NUL": b"\x00\x00", "xml": b"<a/>", "two": b"{}{}", "comment": b"{} // x",
    "single quotes": b"{'a': 1}", "utf-16": '{"a": 1}'.encode("utf-16"), "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "lone surrogate key": b'{"\\ud800": 1}',
}
WRONG = [None, 7, 1.5, True, "text", [], [1], ["x"], [[]], [None], {}, {"a": 1}, {"": None}]
HUGE = [10**400, -(10**400), 1e308, 2**63, 2**64, -(2**63) - 1]


@pytest.fixture(scope="module")
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture(scope="module")
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=(SCOPE,))


@pytest.fixture
def fresh(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


def posts(supervisor: Person, admin: Person) -> list[tuple[Person, str]]:
    """Every call with a JSON body, and somebody who may make it."""
    ghost = new_id()
    return [
        (admin, "/sessions"), (admin, "/devices/invitations"), (admin, "/devices"), (admin, f"/devices/{ghost}/revoke"),
        (admin, "/users"), (admin, "/zones/import"), (admin, "/roads/import"), (supervisor, "/records/finding"),
        (supervisor, f"/records/finding/{ghost}/edits"), (supervisor, f"/records/finding/{ghost}/commands"),
        (supervisor, f"/quarantine/{ghost}/release"), (supervisor, f"/quarantine/{ghost}/dismiss"),
        (supervisor, "/sync/push"), (supervisor, "/sync/verify"), (supervisor, f"/reviews/{ghost}/claim"),
        (supervisor, f"/reviews/{ghost}/decisions"), (supervisor, "/spot-checks"),
        (supervisor, f"/spot-checks/{ghost}/draw"), (supervisor, f"/spot-checks/{ghost}/samples/{ghost}/verdict")]


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_body_is_a_problem_everywhere(supervisor: Person, admin: Person, name: str) -> None:
    for person, path in posts(supervisor, admin):
        answer = person.http.post(person.url(path), content=UNREADABLE[name],
                                  headers={"Content-Type": "application/json"})
        refused(answer, (400, 401, 403, 404, 413, 415, 422))


@pytest.mark.parametrize("body", WRONG, ids=repr)
def test_a_body_of_the_wrong_shape_is_a_problem_everywhere(supervisor: Person, admin: Person, body: Any) -> None:
    for person, path in posts(supervisor, admin):
        answer = person.http.post(person.url(path), content=json.dumps(body),
                                  headers={"Content-Type": "application/json"})
        if answer.status_code >= 300:
            refused(answer, (400, 401, 403, 404, 409, 422))
        else:
            assert path.endswith("/verify") or person is admin, f"{path} took {body!r}"


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_push_is_400_or_422_and_applies_nothing(fresh: Handheld, name: str) -> None:
    refused(fresh.send(UNREADABLE[name]), (400, 413, 422))
    assert fresh.hello()["device"]["last_n"] == 0


@pytest.mark.parametrize("mutations", WRONG + HUGE, ids=lambda value: repr(value)[:20])
def test_an_envelope_of_the_wrong_shape_is_a_problem(fresh: Handheld, mutations: Any) -> None:
    answer = fresh.send(json.dumps({"mutations": mutations}).encode())
    if mutations != []:
        refused(answer, (400, 422))
    assert fresh.hello()["device"]["last_n"] == 0


def test_an_unknown_member_of_the_envelope_is_named(fresh: Handheld) -> None:
    problem = refused(fresh.push(fresh.create("finding", SCOPE, a_finding()), colour="red"), 422, "unknown_field")
    assert "colour" in str(problem)


@pytest.mark.parametrize("n", [0, -1, 1.5, "1", None, True, [], 2**63, 2**64, 10**400], ids=lambda n: repr(n)[:12])
def test_a_number_that_is_none_is_a_problem(fresh: Handheld, n: Any) -> None:
    refused(fresh.push({**fresh.create("finding", SCOPE, a_finding()), "n": n}), (400, 409, 422))
    assert fresh.hello()["device"]["last_n"] == 0


MEMBERS = ("id", "type", "record_id", "op", "base", "scope", "set", "add", "remove", "group", "command", "made_at",
           "unheard_of")


@pytest.mark.parametrize("member", MEMBERS)
def test_any_member_of_any_shape_never_blocks_the_next_mutation(bureau: Bureau, member: str) -> None:
    device = bureau.handheld(SCOPE)
    for value in WRONG + HUGE[2:] + ["\x00", "a\x00b", "\u202e", "x" * 5000, "../..", "' OR 1=1 --", "😀" * 50]:
        bad = {**device.create("finding", SCOPE, a_finding()), member: value}
        good = device.create("finding", SCOPE, a_finding())
        answer = device.push(bad, good)
        if answer.status_code != 200:  # an id that is none cannot be answered by its id
            refused(answer, (400, 409, 422))
            device.numbers = itertools.count(bad["n"])
            continue
        outcomes = answer.json()["outcomes"]
        assert outcomes[1]["outcome"] == "applied", (member, value, outcomes)
        assert outcomes[0]["outcome"] in ("applied", "held", "quarantined", "merged"), (member, value)
        assert (outcomes[0]["problem"] or {}).get("code") != "not_processed", (member, value)


FIELDS = ("text", "class_code", "class_scheme", "severity", "address", "position", "observed_at", "sticker_serial",
          "party_id", "inspection_id", "source", "tags", "self_handled", "condition", "unheard_of")


@pytest.mark.parametrize("field", FIELDS)
def test_any_field_of_any_shape_never_blocks_the_next_mutation(bureau: Bureau, field: str) -> None:
    device = bureau.handheld(SCOPE)
    values = WRONG + HUGE[2:] + ["05\x00", "a\x00b", "\u202e", "😀" * 50, {"a\x00": "\x00"}, [{"deep": [[["\x00"]]]}]]
    bad = [device.create("finding", SCOPE, {**a_finding(), field: value}) for value in values]
    good = device.create("finding", SCOPE, a_finding())
    answer = granted(device.push(*bad, good))
    assert answer["outcomes"][-1]["outcome"] == "applied"
    for outcome, value in zip(answer["outcomes"], values, strict=False):
        assert outcome["outcome"] in ("applied", "held", "quarantined"), value
        if outcome["outcome"] == "quarantined":
            assert outcome["problem"]["code"] != "not_processed"
    granted(device.get("/quarantine"))
    device.catch_up()


@pytest.mark.parametrize("place", [
    position(float(10**300), 31.7), position(-181, 0), position(0, 91), {**position(119, 31), "lon": "119"},
    {**position(119, 31), "accuracy_m": -1}, {**position(119, 31), "accuracy_m": "near"},
    {**position(119, 31), "lat": None},
    {**position(119, 31), "fixed_at": "noon"}, {**position(119, 31), "crs": ["EPSG:4326"]}, [119, 31], "119,31", {}])
def test_a_position_that_cannot_be_is_quarantined(fresh: Handheld, place: Any) -> None:
    outcome, = fresh.deliver(fresh.create("finding", SCOPE, a_finding(position=place)))
    assert outcome["outcome"] == "quarantined"
    assert "position" in str(outcome["problem"])


PARTS = ("lon", "lat", "crs", "accuracy_m", "provider", "fixed_at", "mock", "normalized", "unheard_of")


@pytest.mark.parametrize("part", PARTS)
def test_any_part_of_a_position_of_any_shape_never_blocks_the_next_mutation(bureau: Bureau, part: str) -> None:
    device = bureau.handheld(SCOPE)
    values = WRONG + HUGE[2:] + ["", "\x00", {"a\x00": "\x00"}, -1, 1e7, 1e-300]
    bad = [device.create("finding", SCOPE, a_finding(position={**position(119.95, 31.7), part: value}))
           for value in values]
    outcomes = granted(device.push(*bad, device.create("finding", SCOPE, a_finding())))["outcomes"]
    assert outcomes[-1]["outcome"] == "applied"
    assert {outcome["outcome"] for outcome in outcomes} <= {"applied", "quarantined"}
    device.catch_up()


ODD = {  # JSON that many readers take and few databases or writers do
    "a number that no double holds": "1" + "0" * 400, "a lone surrogate": '"\\ud83d"', "NUL": '"a\\u0000b"',
    **{f"{depth} lists deep": "[" * depth + "]" * depth for depth in (100, 250, 260, 1000, 5000)},
    **{f"{depth} objects deep": '{"a":' * depth + "1" + "}" * depth for depth in (250, 260, 1000)},
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("member", ["field", "args", "expect", "health"])
def test_odd_json_in_a_push_is_refused_or_quarantined_or_kept(fresh: Handheld, name: str, member: str) -> None:
    mutation, health = fresh.create("finding", SCOPE, a_finding(odd="@" if member == "field" else 1)), {"unsent": 0}
    if member in ("args", "expect"):
        mutation = fresh.command("finding", mutation["record_id"], 1, "cancel", **{member: {"reason": "@"}}) | {"n": 1}
    body = json.dumps({"mutations": [mutation], "health": {"device_time": "@"} if member == "health" else health})
    answer = fresh.send(body.replace('"@"', ODD[name]).encode())
    if answer.status_code != 200:
        refused(answer, (400, 422))
    else:
        assert answer.json()["outcomes"][0]["outcome"] in ("applied", "quarantined", "held")
        granted(fresh.get("/quarantine"))
        fresh.catch_up()


@pytest.mark.parametrize("name", ODD)
def test_odd_json_from_the_office_is_refused_or_kept(fresh: Handheld, supervisor: Person, admin: Person,
                                                     name: str) -> None:
    finding = fresh.report(SCOPE)
    scope = {"scopes": [SCOPE], "roles": ["inspector"], "password": "Correct-Horse-9-Battery"}
    calls: list[tuple[Person, str, Any]] = [
        (supervisor, "/records/finding", {"scope": SCOPE, "fields": a_finding("@")}),
        (supervisor, "/records/finding", {"scope": SCOPE, "fields": a_finding(odd="@")}),
        (supervisor, f"/records/finding/{finding}/edits", {"base": 1, "set": {"odd": "@"}}),
        (supervisor, f"/records/finding/{finding}/edits", {"base": 1, "add": {"tags": ["@"]}}),
        (supervisor, f"/records/finding/{finding}/commands", {"name": "cancel", "args": {"reason": "@"}}),
        (supervisor, f"/records/finding/{finding}/commands", {"name": "@", "args": {}}),
        (supervisor, f"/devices/{new_id()}/revoke", {"reason": "@"}),
        (supervisor, "/spot-checks", {"title": "@", "frame": {"type": "finding"}, "strata": ["@"], "size": 1}),
        (supervisor, f"/reviews/{finding}/decisions", {"decision": "accept", "version": 1, "note": "@"}),
        (admin, "/users", {"username": "@", "name": "某人", **scope}),
        (admin, "/users", {"username": f"u-{new_id()[-8:]}", "name": "@", **scope}),
        (admin, "/devices/invitations", {"username": "@"}), (admin, "/sessions", {"username": "@", "password": "@"}),
        (admin, "/zones/import", collection(frontage(118.5, 31.2, SCOPE, name="@"))),
        (admin, "/zones/import", {"type": "FeatureCollection", "features": ["@"]}),
        (admin, "/roads/import", collection(a_road([[118.5, 31.2], [118.6, 31.2]], SCOPE, name="@"))),
        (admin, "/roads/import", collection(a_road([[118.5, 31.2], "@"], SCOPE, id="@")))]
    for person, path, body in calls:
        sent = json.dumps(body).replace('"@"', ODD[name]).encode()
        answer = person.http.post(person.url(path), content=sent, headers={"Content-Type": "application/json"})
        if answer.status_code >= 300:
            refused(answer, (400, 401, 403, 404, 409, 422, 429))
    fresh.catch_up()
    granted(supervisor.get(f"/records?type=finding&scope={SCOPE}&limit=5&sort=-updated_at"))


@pytest.mark.parametrize(("key", "longest"), [("name", 300), ("road", 200), ("section", 200), ("sticker_serial", 80)])
def test_a_text_too_long_for_the_register_of_zones_is_reported_and_the_longest_is_kept(admin: Person, key: str,
                                                                                       longest: int) -> None:
    bad, good = (frontage(118.6 + longest / 1e4 + len(key) / 1e3, 31.2 + n / 1e3, SCOPE,
                          **{key: new_id()[-8:].ljust(longest + 1 - n, "长")}) for n in range(2))
    answer = granted(admin.post("/zones/import", collection(bad, good)))
    assert (answer["imported"], [(row["index"], row["code"]) for row in answer["rejected"]]) == (
        1, [(0, "invalid_property")])


def test_a_doubled_member_is_never_a_crash(fresh: Handheld) -> None:
    answer = fresh.send(b'{"mutations": [], "mutations": [], "mutations": 7}')
    assert answer.status_code < 500


@pytest.mark.parametrize("body", [
    {"username": "x" * 100_000, "password": "y"}, {"username": "a\x00b", "password": "p"},
    {"username": "root", "password": 7},
    {"username": "root", "password": "z" * 1_000_000}, {"username": "root"},
    {"username": "root", "password": "x" * 12, "colour": "red"}])
def test_a_login_of_any_shape_is_refused(admin: Person, body: Any) -> None:
    answer = httpx.post(admin.url("/sessions"), content=json.dumps(body), headers={"Content-Type": "application/json"})
    refused(answer, (400, 401, 413, 422, 429))


@pytest.mark.parametrize("change", [
    {"username": ""}, {"username": "a b\x00"}, {"roles": ["wizard"]}, {"roles": "admin"}, {"roles": []},
    {"scopes": "3204"},
    {"scopes": ["x"]}, {"scopes": [7]}, {"scopes": ["999999"]}, {"password": ""}, {"password": "short"}, {"name": None},
    {"name": "x" * 100_000}, {"colour": "red"}])
def test_a_user_that_cannot_be_is_refused(admin: Person, change: dict[str, Any]) -> None:
    body = {"username": f"u-{new_id()[-6:]}", "name": "某人", "roles": ["inspector"], "scopes": [SCOPE],
            "password": "Correct-Horse-9-Battery"}
    refused(admin.post("/users", body | change), 422)


@pytest.mark.parametrize("key", [
    {}, "key", [], {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
    {"kty": "EC", "crv": "P-256", "x": 7, "y": None}, {"kty": "EC", "crv": "P-256"}])
def test_a_key_that_is_none_does_not_enrol(bureau: Bureau, key: Any) -> None:
    code = bureau.invite(bureau.person("inspector", scopes=(SCOPE,)).username)
    body = {"code": code, "name": "x", "platform": "android", "app_version": "1", "public_key": key}
    refused(httpx.post(f"{bureau.url}/api/v1/devices", json=body), 422)
    granted(httpx.post(f"{bureau.url}/api/v1/devices", json={**body, "public_key": None}), 201)
