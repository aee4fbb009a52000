"""What is sent is done or refused by name: no right is passed over, no member dropped, no value lost without a conflict
(protocol sections 1, 2, 4 and 5)."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import Person, granted, moment, new_id, position, refused

SCOPE, NEXT, THIRD = "320412104", "320412105", "320412106"
TOWNS = (SCOPE, NEXT, THIRD)


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture
def other(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE, who="other")


@pytest.fixture
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=TOWNS)


def outcome_of(device: Handheld, mutation: dict[str, Any]) -> tuple[str, str | None]:
    outcome, = device.deliver(mutation)
    return outcome["outcome"], (outcome["problem"] or {}).get("code")


def entry_of(reader: Person, mutation: dict[str, Any]) -> dict[str, Any]:
    query: str | None = "?limit=500"
    while query:
        page = granted(reader.get(f"/quarantine{query}"))
        for row in page["items"]:
            if row["mutation"].get("id") == mutation["id"]:
                return row
        query = page["next"] and f"?limit=500&cursor={page['next']}"
    raise AssertionError(f"{mutation['id']} is not in the quarantine")


def test_rights_come_before_the_state_that_was_expected(bureau: Bureau, device: Handheld, supervisor: Person) -> None:
    finding, party = device.report(SCOPE), new_id()
    granted(supervisor.post("/records/party", {"id": party, "scope": SCOPE, "fields": {"name": "小店"}}), 201)
    auditor = bureau.person("auditor", scopes=(SCOPE,))
    stale = {"expect": {"status": "closed"}}
    path = f"/records/finding/{finding}/commands"
    refused(auditor.post(path, {"name": "nonsense", **stale}), (403, 422), "command_unknown")
    refused(auditor.post(path, {"name": "cancel", "args": {"reason": "x"}, **stale}), 403, "role_forbidden")
    refused(auditor.post(path, {"name": "move", "args": {"scope": NEXT, "reason": "x"}, **stale}), 403)
    refused(auditor.post(f"/records/party/{party}/commands", {"name": "close", "expect": {"name": "x"}}),
            (403, 422), "command_unknown")
    tool = bureau.handheld(SCOPE, who="auditor", roles=("auditor",))
    assert outcome_of(tool, tool.command("finding", finding, 1, "cancel", {"reason": "x"}, {"status": "closed"})) \
        == ("quarantined", "role_forbidden")
    assert not granted(supervisor.get(f"/records?type=conflict&about_id={finding}"))["items"]


def test_a_deletion_of_what_is_deleted_wants_the_right_as_well(bureau: Bureau, device: Handheld) -> None:
    finding = device.report(SCOPE)
    assert outcome_of(device, device.remove("finding", finding, 1)) == ("applied", None)
    tool = bureau.handheld(SCOPE, who="auditor", roles=("auditor",))
    assert outcome_of(tool, tool.remove("finding", finding, 2)) == ("quarantined", "role_forbidden")


def test_move_and_resolve_heed_what_was_expected(device: Handheld, other: Handheld, supervisor: Person) -> None:
    finding = device.report(SCOPE)
    path = f"/records/finding/{finding}/commands"
    move = {"name": "move", "args": {"scope": NEXT, "reason": "重划"}, "expect": {"status": "closed"}}
    problem = refused(supervisor.post(path, move), 409)
    assert supervisor.record("finding", finding)["scope"] == SCOPE
    conflict = problem.get("conflict_id") or problem["conflicts"][0]
    granted(supervisor.post(f"/records/conflict/{conflict}/commands", {"name": "resolve", "args": {"choice": "mine"}}))
    assert supervisor.record("finding", finding)["scope"] == NEXT
    second = device.report(SCOPE)
    device.deliver(device.edit("finding", second, 1, set={"text": "one"}))
    apart, = other.deliver(other.edit("finding", second, 1, set={"text": "two"}))
    refused(supervisor.post(f"/records/conflict/{apart['conflicts'][0]}/commands", {
        "name": "resolve", "args": {"choice": "theirs"}, "expect": {"state": "resolved"}}), 409, "state_moved")


def test_settling_with_a_value_does_not_set_what_the_server_adds(
        device: Handheld, other: Handheld, supervisor: Person) -> None:
    finding = device.report(SCOPE)
    device.deliver(device.edit("finding", finding, 1, set={"position": position(119.951, 31.711)}))
    apart, = other.deliver(other.edit("finding", finding, 1, set={"position": position(119.952, 31.712)}))
    value = {**position(119.95, 31.71), "normalized": {"lon": 1, "lat": 2}}
    granted(supervisor.post(f"/records/conflict/{apart['conflicts'][0]}/commands", {
        "name": "resolve", "args": {"choice": "value", "value": value}}))
    found = supervisor.record("finding", finding)["fields"]["position"]["normalized"]
    assert found["lon"] == pytest.approx(119.95, abs=0.001)
    assert found["lat"] == pytest.approx(31.71, abs=0.001)


@pytest.mark.parametrize("members", [{"set": {"text": "lost?"}}, {"add": {"tags": ["q"]}}, {"remove": {"tags": ["q"]}},
                                     {"scope": NEXT}])
def test_members_that_belong_to_a_put_are_refused_elsewhere(device: Handheld, members: dict[str, Any]) -> None:
    finding = device.report(SCOPE)
    command = {**device.command("finding", finding, 1, "cancel", {"reason": "x"}), **members}
    deletion = device.remove("finding", finding, 1)
    deletion |= {"set": {**deletion["set"], **members["set"]}} if "set" in members else members
    assert outcome_of(device, command) == ("quarantined", "invalid_mutation")
    assert outcome_of(device, deletion) == ("quarantined", "invalid_mutation")


def test_what_is_corrected_of_a_command_are_its_arguments(bureau: Bureau, device: Handheld, supervisor: Person) -> None:
    finding = device.report(SCOPE)
    boss = bureau.handheld(SCOPE, who="boss", roles=("supervisor",))
    mutation = boss.command("finding", finding, 1, "cancel")
    assert outcome_of(boss, mutation) == ("quarantined", "need_missing")
    row = entry_of(supervisor, mutation)
    granted(supervisor.post(f"/quarantine/{row['id']}/release", {"set": {"reason": "重复"}}))
    assert supervisor.record("finding", finding)["fields"]["status"] == "cancelled"


def test_a_map_that_is_replaced_by_one_value_conflicts_with_its_keys(device: Handheld, other: Handheld) -> None:
    letter = new_id()
    created = device.create("letter", SCOPE, {"duties": {"a": 1, "b": 1}, "period": "2026"}, id=letter)
    assert outcome_of(device, created)[0] == "applied"
    device.deliver(device.edit("letter", letter, 1, set={"duties": {"a": 2}}))
    outcome, = other.deliver(other.edit("letter", letter, 1, set={"duties": "全部"}))
    assert outcome["outcome"] == "conflicted"
    conflict = other.owner.record("conflict", outcome["conflicts"][0])["fields"]
    assert (conflict["base"], conflict["theirs"], conflict["mine"]) == ({"a": 1, "b": 1}, {"a": 2, "b": 1}, "全部")


def test_a_sealed_document_that_two_people_move_apart_conflicts(bureau: Bureau, device: Handheld) -> None:
    one, two = (bureau.handheld(*TOWNS, who=who, roles=("supervisor",)) for who in ("one", "two"))
    finding, document = device.report(SCOPE), new_id()
    fields = {"kind": "order_now", "facts": "占道", "finding_id": finding, "document_no": new_id()[:8]}
    assert outcome_of(device, device.create("enforcement", SCOPE, fields, id=document))[0] == "applied"
    assert outcome_of(one, one.edit("enforcement", document, 1, scope=NEXT))[0] == "applied"
    assert outcome_of(two, two.edit("enforcement", document, 1, scope=THIRD))[0] == "conflicted"


def test_work_that_lies_in_no_division_is_seen_by_an_admin(bureau: Bureau) -> None:
    lost = bureau.handheld(owner=bureau.newcomer("inspector", scopes=()))
    mutation = lost.create("finding", "999999999", {"observed_at": moment(), "address": "劳动路"})
    assert outcome_of(lost, mutation)[0] == "quarantined"
    row = entry_of(bureau.admin, mutation)
    assert row["scope"] is None
    granted(bureau.admin.post(f"/quarantine/{row['id']}/dismiss", {"reason": "无此区划"}))


def test_points_are_united_by_their_ids_in_a_creation_too(device: Handheld) -> None:
    point = {"id": "p1", "at": moment(), "lon": 119.95, "lat": 31.71, "crs": "EPSG:4326", "accuracy_m": 5}
    track = device.create("track", SCOPE, {"points": [point]}, add={"points": [point, {**point, "id": "p2"}]})
    assert outcome_of(device, track)[0] == "applied"
    points = device.owner.record("track", track["record_id"])["fields"]["points"]
    assert [one["id"] for one in points] == ["p1", "p2"]
    apart = device.create("track", SCOPE, {"points": [point]}, add={"points": [{**point, "lon": 119.96}]})
    assert outcome_of(device, apart) == ("quarantined", "field_invalid")
    cleared = device.edit("track", track["record_id"], 1, set={"points": None})
    assert outcome_of(device, cleared) == ("quarantined", "field_invalid")


def test_a_group_that_is_split_ends_as_an_outcome(device: Handheld) -> None:
    group = new_id()
    fields = {"observed_at": moment(), "address": "劳动路"}
    one, two, three = (device.create("finding", SCOPE, fields, group=which) for which in (group, None, group))
    outcomes = device.deliver(one, two, three)
    assert [(each["outcome"], (each["problem"] or {}).get("code")) for each in outcomes] == [
        ("quarantined", "group_split"), ("applied", None), ("quarantined", "group_split")]


def test_what_a_person_may_not_see_is_not_told_by_its_refusal(bureau: Bureau, device: Handheld) -> None:
    stranger = bureau.handheld(NEXT, who="stranger")
    finding = device.report(SCOPE)
    for type_ in ("finding", "inspection"):
        outcome, = stranger.deliver(stranger.edit(type_, finding, 1, set={"text": "x"}))
        assert outcome["problem"]["code"] == "out_of_scope"
        assert SCOPE not in outcome["problem"]["detail"]


def test_a_persons_scopes_named_twice_are_named_once(bureau: Bureau) -> None:
    person = bureau.person("inspector", scopes=(SCOPE,))
    changed = granted(bureau.admin.patch(f"/users/{person.id}", {"scopes": [SCOPE, SCOPE],
                                                                 "roles": ["inspector", "inspector"]}))
    assert (changed["scopes"], changed["roles"]) == ([SCOPE], ["inspector"])


def test_a_cursor_with_a_boolean_is_none(supervisor: Person) -> None:
    for sort, cursor in (("seq", "WyJzZXEiLCB0cnVlLCAieCJd"), ("-seq", "WyItc2VxIiwgdHJ1ZSwgIngiXQ")):
        refused(supervisor.get(f"/records?sort={sort}&cursor={cursor}"), 400, "cursor_invalid")


@pytest.mark.parametrize("body", [b"ZZ\r\n", b"5\r\nabc", b"2\r\n{}\r\n"])
def test_a_body_in_chunks_that_are_none_is_refused(bureau: Bureau, body: bytes) -> None:
    assert status_of(bureau, b"Transfer-Encoding: chunked", body) == 400


def test_a_body_that_is_shorter_than_it_said_is_refused(bureau: Bureau) -> None:
    assert status_of(bureau, b"Content-Length: 100", b'{"username":"a"}') == 400


def status_of(bureau: Bureau, header: bytes, body: bytes) -> int:
    """The status of a log-in whose body is exactly this, after which nothing more comes."""
    place = urlsplit(bureau.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as line:
        line.sendall(b"POST /api/v1/sessions HTTP/1.1\r\nHost: menqian\r\nContent-Type: application/json\r\n"
                     + header + b"\r\n\r\n" + body)
        line.shutdown(socket.SHUT_WR)
        return int(line.recv(64).split()[1])
