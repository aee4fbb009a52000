"""Review on the real app: the queue, leases, decisions and what they leave behind (protocol section 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from server.reference import settings
from tests.bureau import a_photo
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, granted, new_id, refused

SCOPE = "320411101"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("reviews")) as office:
        yield office


@pytest.fixture(scope="module")
def device(office: Indoors) -> Handheld:
    return office.handheld(SCOPE)


@pytest.fixture(scope="module")
def reviewer(office: Indoors) -> Person:
    return office.person("reviewer", scopes=("3204",))


def with_evidence(device: Handheld, scope: str = SCOPE) -> tuple[str, str]:
    """(finding, evidence): the photo itself may come later."""
    finding = device.report(scope)
    mutation = device.capture(scope, a_photo(size=(64, 64)), ("finding", finding))
    device.deliver(mutation)
    return finding, mutation["record_id"]


def rows(reader: Person, query: str = "state=open") -> list[dict[str, Any]]:
    return granted(reader.get(f"/reviews?{query}"))["items"]


def row_of(reader: Person, record: str, state: str = "open") -> dict[str, Any]:
    row, = (row for row in rows(reader, f"state={state}&limit=200") if row["record_id"] == record)
    return row


def decided(reader: Person, record: str, decision: str, version: int = 1, **more: Any) -> Any:
    return reader.post(f"/reviews/{record}/decisions", {"decision": decision, "version": version, **more})


def entries(office: Indoors, kind: str, about: str) -> list[dict[str, Any]]:
    found = granted(office.admin.get("/journal/entries?limit=1000"))["entries"]
    return [entry for entry in found if (entry["kind"], entry["about"]) == (kind, about)]


def test_the_riskiest_comes_first_and_then_the_oldest(office: Indoors, reviewer: Person) -> None:
    scope = "320411102"
    signing, unsigned = office.handheld(scope), office.handheld(scope, signs=False)
    plain = [with_evidence(signing, scope)[0] for _ in range(2)]
    risky, _ = with_evidence(unsigned, scope)
    found = rows(reviewer, f"scope={scope}")
    assert [row["record_id"] for row in found] == [risky, *plain]
    assert [flag["code"] for flag in found[0]["flags"]] == ["unsigned"]
    assert found[0]["risk"] >= settings("risk")["flags"]["unsigned"] > found[1]["risk"]


def test_pages_follow_each_other_and_counts_tell_how_many_wait(office: Indoors, reviewer: Person) -> None:
    scope = "320411103"
    device = office.handheld(scope)
    ids = [with_evidence(device, scope)[0] for _ in range(5)]
    granted(decided(reviewer, ids[0], "accept"), 201)
    seen, cursor = [], ""
    while True:
        page = granted(reviewer.get(f"/reviews?scope={scope}&limit=2{cursor}"))
        seen += [row["record_id"] for row in page["items"]]
        assert page["counts"] == {"open": 4, "accepted": 1}
        if not page["next"]:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ids[1:]


def test_a_supervisor_and_an_auditor_may_look_but_not_decide(office: Indoors, device: Handheld) -> None:
    finding, _ = with_evidence(device)
    for role in ("supervisor", "auditor"):
        person = office.person(role, scopes=(SCOPE,))
        assert row_of(person, finding)
        refused(person.post(f"/reviews/{finding}/claim"), 403, "role_forbidden")
        refused(decided(person, finding, "accept"), 403, "role_forbidden")
    refused(device.owner.get("/reviews"), 403, "role_forbidden")


def test_what_is_out_of_scope_is_not_found(office: Indoors, device: Handheld) -> None:
    finding, _ = with_evidence(device)
    stranger = office.person("reviewer", scopes=("320402",))
    assert rows(stranger) == []
    refused(stranger.post(f"/reviews/{finding}/claim"), 404)
    refused(decided(stranger, finding, "accept"), 404)
    refused(decided(stranger, new_id(), "accept"), 404)


def test_a_claim_holds_others_off_for_15_minutes(office: Indoors, device: Handheld, reviewer: Person) -> None:
    finding, _ = with_evidence(device)
    other = office.person("reviewer", scopes=(SCOPE,))
    lease = granted(reviewer.post(f"/reviews/{finding}/claim"))
    assert row_of(other, finding)["claimed_by"] == reviewer.id == lease["claimed_by"]
    assert refused(other.post(f"/reviews/{finding}/claim"), 409, "claimed")["claimed_by"] == reviewer.id
    refused(decided(other, finding, "accept"), 409, "claimed")
    office.clock.put_on(minutes=14)
    granted(reviewer.post(f"/reviews/{finding}/claim"))
    office.clock.put_on(minutes=14)
    refused(other.post(f"/reviews/{finding}/claim"), 409, "claimed")
    office.clock.put_on(minutes=2)
    assert row_of(other, finding)["claimed_by"] is None
    granted(other.post(f"/reviews/{finding}/claim"))
    assert len(entries(office, "claim", finding)) == 3


def test_a_decision_is_a_record_and_an_entry_and_leaves_the_finding_as_it_was(
        office: Indoors, device: Handheld, reviewer: Person) -> None:
    finding, evidence = with_evidence(device)
    granted(reviewer.post(f"/reviews/{finding}/claim"))
    before = reviewer.record("finding", finding)
    made = granted(decided(reviewer, finding, "accept", note="清楚", photos=[{"evidence_id": evidence}]), 201)
    assert made["state"] == "accepted"
    assert "task" not in made
    stored = reviewer.record("decision", made["decision"]["id"])
    assert stored["fields"]["about"] == {"type": "finding", "id": finding}
    assert (stored["fields"]["about_version"], stored["fields"]["reviewer_id"]) == (1, reviewer.id)
    assert reviewer.record("finding", finding) == before
    assert row_of(reviewer, finding, "accepted")["claimed_by"] is None, "the lease ends with the decision"
    told, = entries(office, "decision", finding)
    assert told["body"]["decision_id"] == stored["id"]
    assert "清楚" not in str(told), "what a person wrote stands in no entry"


def test_a_return_makes_a_task_that_reaches_the_inspector(device: Handheld, reviewer: Person) -> None:
    finding, evidence = with_evidence(device)
    made = granted(decided(reviewer, finding, "return", reasons=["店招不清"], note="请重拍",
                           photos=[{"evidence_id": evidence, "reason": "店招未入镜"}],
                           due_at="2030-01-02T08:00:00.000Z"), 201)
    device.catch_up()
    task = device.rows["task", made["task"]["id"]]["fields"]
    assert (task["assignee"], task["kind"]) == (device.user["id"], "retake")
    assert task["about"] == {"type": "finding", "id": finding}
    assert task["photos"] == [{"evidence_id": evidence, "reason": "店招未入镜", "role": "scene"}]
    assert "店招不清" in task["note"]
    assert task["due_at"] == "2030-01-02T08:00:00.000Z"


def test_new_evidence_opens_a_returned_one_again_and_nothing_is_replaced(device: Handheld, reviewer: Person) -> None:
    finding, evidence = with_evidence(device)
    granted(decided(reviewer, finding, "return", note="请重拍"), 201)
    assert row_of(reviewer, finding, "returned")
    device.deliver(device.capture(SCOPE, a_photo(size=(64, 64)), ("finding", finding)))
    assert row_of(reviewer, finding, "open")
    assert reviewer.record("evidence", evidence)


@pytest.mark.parametrize(("decision", "state"), [("exclude", "excluded"), ("escalate", "escalated")])
def test_what_is_excluded_or_escalated_stays_stored(device: Handheld, reviewer: Person, decision: str,
                                                    state: str) -> None:
    finding, evidence = with_evidence(device)
    granted(decided(reviewer, finding, decision, note="存疑"), 201)
    assert row_of(reviewer, finding, state)
    assert reviewer.record("evidence", evidence)


@pytest.mark.parametrize("whose", ["finding", "evidence"])
def test_nobody_reviews_what_he_captured(office: Indoors, whose: str) -> None:
    both = office.person("inspector", "reviewer", scopes=(SCOPE,))
    mine, other = office.handheld(owner=both), office.handheld(SCOPE)
    first, second = (mine, other) if whose == "finding" else (other, mine)
    finding = first.report(SCOPE)
    second.deliver(second.capture(SCOPE, a_photo(size=(64, 64)), ("finding", finding)))
    refused(both.post(f"/reviews/{finding}/claim"), 403, "own_work")
    refused(decided(both, finding, "accept"), 403, "own_work")


@pytest.mark.parametrize("decision", ["accept", "return", "exclude"])
def test_what_is_decided_is_neither_claimed_nor_decided_again(office: Indoors, device: Handheld, reviewer: Person,
                                                              decision: str) -> None:
    finding, _ = with_evidence(device)
    other = office.person("reviewer", scopes=(SCOPE,))
    granted(decided(reviewer, finding, decision, note="存疑"), 201)
    for person in (reviewer, other):
        refused(decided(person, finding, "accept"), 409, "version_changed")
        refused(person.post(f"/reviews/{finding}/claim"), 409, "version_changed")
    assert len(entries(office, "decision", finding)) == 1


def test_what_was_escalated_waits_for_another_decision(office: Indoors, device: Handheld, reviewer: Person) -> None:
    finding, _ = with_evidence(device)
    granted(decided(reviewer, finding, "escalate", note="请复核"), 201)
    other = office.person("reviewer", scopes=(SCOPE,))
    granted(other.post(f"/reviews/{finding}/claim"))
    granted(decided(other, finding, "accept"), 201)
    refused(decided(reviewer, finding, "exclude"), 409, "version_changed")


def test_a_decision_on_another_version_is_refused_with_the_current_one(device: Handheld, reviewer: Person) -> None:
    finding, _ = with_evidence(device)
    device.deliver(device.edit("finding", finding, 1, set={"text": "补充说明"}))
    assert refused(decided(reviewer, finding, "accept", 1), 409, "version_changed")["version"] == 2
    granted(decided(reviewer, finding, "accept", 2), 201)


@pytest.mark.parametrize("given", [
    {"decision": "return"}, {"decision": "return", "note": "  "}, {"decision": "burn"}, {"version": None},
    {"version": True}, {"reasons": "x"}, {"photos": [{}]}, {"photos": [{"evidence_id": new_id()}]}, {"colour": "red"},
    {"due_at": "2030-01-02T08:00:00Z"}])
def test_a_decision_that_cannot_be_is_refused(device: Handheld, reviewer: Person, given: dict[str, Any]) -> None:
    finding, _ = with_evidence(device)
    refused(reviewer.post(f"/reviews/{finding}/decisions", {"decision": "accept", "version": 1, **given}), 422)
    assert row_of(reviewer, finding)["state"] == "open"


def test_a_photo_of_something_else_is_no_reason(device: Handheld, reviewer: Person) -> None:
    finding, _ = with_evidence(device)
    _, elsewhere = with_evidence(device)
    refused(decided(reviewer, finding, "exclude", photos=[{"evidence_id": elsewhere}]), 422, "field_invalid")


@pytest.mark.parametrize("query", ["state=asleep", "limit=0", "limit=x", "cursor=rubbish", "cursor=1", "scope=x",
                                   "colour=red", "cursor=9999999999-1", "cursor=١-١"])
def test_a_queue_that_cannot_be_asked_for_is_refused(reviewer: Person, query: str) -> None:
    refused(reviewer.get(f"/reviews?{query}"), (400, 422))


def test_an_edit_after_the_decision_puts_the_record_before_the_reviewers_again(
        device: Handheld, reviewer: Person) -> None:
    finding, _ = with_evidence(device)
    granted(decided(reviewer, finding, "accept"), 201)
    device.deliver(device.edit("finding", finding, 1, set={"text": "改过"}))
    assert row_of(reviewer, finding)["version"] == 2
    granted(decided(reviewer, finding, "accept", 2), 201)
    assert row_of(reviewer, finding, "accepted")["version"] == 2
