"""Section 0: encodings, ids, times, positions, problems."""

from __future__ import annotations

import gzip
from typing import Any

from tests.conformance.checks import must, must_be, subject
from tests.conformance.device import a_finding, place
from tests.conformance.office import Office
from tests.conformance.wire import MOMENT, dumped, granted, new_id, refused

holds = subject("conventions", "0")
GZIP = {"Content-Encoding": "gzip"}
BOMB_BYTES = 64 * 1024 * 1024


@holds("Requests may be Content-Encoding: gzip")
def gzip_is_taken(office: Office) -> None:
    device = office.device()
    body = dumped({"mutations": [device.create("finding", a_finding())]})
    must_be(granted(device.send(body, **GZIP))["outcomes"][0]["outcome"], "applied", "outcome of a compressed push")


@holds("(bounded while inflating, multi-member included)")
def gzip_of_several_members_is_one_body(office: Office) -> None:
    device = office.device()
    body = dumped({"mutations": [device.create("finding", a_finding())]})
    members = gzip.compress(body[:30]) + gzip.compress(body[30:])
    headers = {"Content-Type": "application/json", "Menqian-Signature": device.sign(body), **GZIP}
    answer = granted(device.call("POST", "/sync/push", content=members, headers=headers))
    must_be(answer["outcomes"][0]["outcome"], "applied", "outcome of a push in two gzip members")


@holds("(bounded while inflating, multi-member included)")
def inflating_is_bounded(office: Office) -> None:
    device = office.device(signs=False)
    for bomb in (gzip.compress(b" " * BOMB_BYTES), gzip.compress(b" " * (BOMB_BYTES // 16)) * 16):
        headers = {"Content-Type": "application/json", **GZIP}
        refused(device.call("POST", "/sync/push", content=bomb, headers=headers), 413)


@holds("answers are compressed when Accept-Encoding allows")
def answers_are_compressed_when_allowed(office: Office) -> None:
    device = office.device()
    granted(device.push(*(device.create("finding", a_finding("长" * 400)) for _ in range(10))))
    answer = device.call("GET", "/sync/pull", headers={"Accept-Encoding": "gzip"})
    must_be(answer.headers.get("Content-Encoding"), "gzip", "Content-Encoding of a long page")
    plain = device.call("GET", "/sync/pull", headers={"Accept-Encoding": "identity"})
    must_be(plain.headers.get("Content-Encoding", "identity"), "identity", "Content-Encoding where none is accepted")


@holds("Times are RFC 3339 in UTC with milliseconds, 2026-11-22T01:02:03.456Z")
def times_are_utc_with_milliseconds(office: Office) -> None:
    device = office.device()
    record = device.owner.record("finding", device.report())
    times = {"server_time": device.hello()["server_time"], "created_at": record["created_at"],
             "updated_at": record["updated_at"]}
    for name, value in times.items():
        must(isinstance(value, str) and MOMENT.fullmatch(value) is not None, f"{name} like 2026-11-22T01:02:03.456Z",
             value)


@holds("crs is one of EPSG:4326, EPSG:4490, GCJ-02, BD-09 and is required: a position without it is refused "
       "(crs_missing), never guessed")
def a_position_without_crs_is_refused(office: Office) -> None:
    device = office.device()
    device.give(device.create("finding", a_finding(position={"lon": 119.9, "lat": 31.7})), "quarantined", "crs_missing")
    answer = office.person("supervisor").create("finding", a_finding(position={"lon": 119.9, "lat": 31.7}))
    refused(answer, 422, "crs_missing")


@holds("crs is one of EPSG:4326, EPSG:4490, GCJ-02, BD-09")
def another_crs_is_not_taken(office: Office) -> None:
    device = office.device()
    device.give(device.create("finding", a_finding(position=place(119.9, 31.7, "EPSG:3857"))), "quarantined")


@holds("The server keeps what was sent and adds normalized: {lon, lat} in EPSG:4490")
def a_position_is_kept_and_normalized(office: Office) -> None:
    device = office.device()
    shifted_by_deg = {"EPSG:4326": 0.0, "EPSG:4490": 0.0, "GCJ-02": 0.002, "BD-09": 0.006}
    for crs, least in shifted_by_deg.items():
        sent = place(119.95, 31.71, crs)
        kept = device.owner.fields("finding", device.report(position=sent))["position"]
        must_be({name: kept.get(name) for name in sent}, sent, f"position in {crs} as sent")
        normal = kept.get("normalized") or {}
        must({"lon", "lat"} <= set(normal), "normalized: {lon, lat}", kept)
        apart = abs(normal["lon"] - 119.95) + abs(normal["lat"] - 31.71)
        must(least <= apart < 0.03 if least else apart < 1e-6, f"normalized of {crs} in EPSG:4490", kept)


@holds('A failure is application/problem+json (RFC 9457): {"type", "title", "status", "code", "detail", "action", '
       '"errors"?}')
def failures_are_problems(office: Office) -> None:
    person = office.person("inspector")
    refused(office.anyone.get("/hello"), 401)
    refused(person.post("/users", {}), 403)
    refused(person.get(f"/records/finding/{new_id()}"), 404)
    refused(person.get("/no-such-call"), 404)
    refused(person.call("DELETE", "/hello"), 405)


@holds('A failure is application/problem+json (RFC 9457): {"type", "title", "status", "code", "detail", "action", '
       '"errors"?}')
def an_unreadable_body_is_a_problem(office: Office) -> None:
    device = office.device()
    for body in (b"", b"{", b"hello", b'{"mutations": "\xff"}', b'{"mutations": NaN}', b"[" * 50_000):
        refused(device.send(body), (400, 413, 422))
    must_be(device.hello()["device"]["last_n"], 0, "last_n after unreadable pushes")


@holds("Unknown members in a request envelope are refused with 422 unknown_field")
def an_unknown_member_of_an_envelope_is_refused(office: Office) -> None:
    device = office.device()
    refused(device.push(device.create("finding", a_finding()), colour="red"), 422, "unknown_field")
    must_be(device.hello()["device"]["last_n"], 0, "last_n after a refused envelope")
    calls: list[tuple[Any, str, dict[str, Any]]] = [
        (office.anyone, "/sessions", {"username": "x", "password": "y"}),
        (office.admin, "/devices/invitations", {"username": "x"}),
        (office.person("supervisor"), "/records/finding", {"scope": office.scope, "fields": a_finding()})]
    for caller, path, body in calls:
        refused(caller.post(path, {**body, "colour": "red"}), 422, "unknown_field")


@holds("401 and 403 never mean that a client may drop what it has not yet delivered")
def a_refused_push_can_be_sent_again(office: Office) -> None:
    device = office.device(owner=office.newcomer("inspector"))
    mutation = device.create("finding", a_finding())
    granted(office.admin.patch(f"/users/{device.owner.id}", {"active": False}))
    refused(device.push(mutation), (401, 403))
    granted(office.admin.patch(f"/users/{device.owner.id}", {"active": True}))
    device.give(mutation)
