"""Review (protocol section 10): the queue, claims, decisions on the evidence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.bureau import Bureau, a_photo, eventually
from tests.enrolled import Handheld
from tests.wire import Person, granted, refused

SCOPE = "320411101"


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture
def reviewer(bureau: Bureau) -> Person:
    return bureau.person("reviewer", scopes=(SCOPE,))


def photographed(device: Handheld, scope: str = SCOPE) -> tuple[str, str, bytes]:
    """(finding, evidence, content) of a finding with one verified photo."""
    finding, content = device.report(scope), a_photo()
    mutation = device.capture(scope, content, ("finding", finding))
    device.deliver(mutation)
    assert device.upload(content).status_code == 204

    def verified() -> bool:
        return device.owner.record("evidence", mutation["record_id"])["fields"]["media"]["state"] == "verified"

    assert eventually(verified, within_s=30)
    return finding, mutation["record_id"], content


def queued(reader: Person, state: str, record: str, scope: str = SCOPE) -> dict[str, Any] | None:
    cursor = ""
    while True:
        page = granted(reader.get(f"/reviews?state={state}&scope={scope}&limit=50{cursor}"))
        for row in page["items"]:
            if row["record_id"] == record:
                return row
        if not page["next"]:
            return None
        cursor = f"&cursor={page['next']}"


def decided(reviewer: Person, record: str, decision: str, version: int, **more: Any) -> Any:
    body = {"decision": decision, "version": version, "reasons": [], "note": "", "photos": [], **more}
    return reviewer.post(f"/reviews/{record}/decisions", body)


def in_queue(reviewer: Person, record: str, state: str = "open") -> dict[str, Any]:
    row = eventually(lambda: queued(reviewer, state, record), within_s=10)
    assert row, f"{record} is not among the {state}"
    return row


def test_a_finding_with_evidence_enters_the_queue(device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    row = in_queue(reviewer, finding)
    assert row["record_type"] == "finding"
    assert row["state"] == "open"
    assert {"version", "risk", "flags", "due_at", "claimed_by"} <= set(row)


def test_the_queue_is_for_reviewers_in_scope(bureau: Bureau, device: Handheld) -> None:
    finding, _, _ = photographed(device)
    refused(device.owner.get("/reviews?state=open"), 403)
    stranger = bureau.person("reviewer", scopes=("320402001",))
    assert finding not in stranger.get("/reviews?state=open").text
    refused(decided(stranger, finding, "accept", 1), (403, 404))
    refused(stranger.get(f"/reviews/{finding}/bundle?profile=court"), (403, 404))


@pytest.mark.parametrize("query", ["state=asleep", "limit=many", "cursor=rubbish", "limit=-1"])
def test_a_queue_that_cannot_be_is_a_problem(reviewer: Person, query: str) -> None:
    refused(reviewer.get(f"/reviews?{query}"), (400, 422))


def test_a_claim_is_a_lease_of_one(bureau: Bureau, device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    other = bureau.person("reviewer", scopes=(SCOPE,), who="other")
    in_queue(reviewer, finding)
    granted(reviewer.post(f"/reviews/{finding}/claim"))
    granted(reviewer.post(f"/reviews/{finding}/claim"))
    refused(other.post(f"/reviews/{finding}/claim"), 409, "claimed")
    assert reviewer.id in str(in_queue(other, finding)["claimed_by"])


def test_an_accepted_one_leaves_the_open(device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    row = in_queue(reviewer, finding)
    granted(decided(reviewer, finding, "accept", row["version"], note="清楚"), 201)
    in_queue(reviewer, finding, "accepted")
    assert queued(reviewer, "open", finding) is None


def test_a_decision_on_an_older_version_is_refused(device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    row = in_queue(reviewer, finding)
    device.deliver(device.edit("finding", finding, row["version"], set={"text": "补充说明"}))
    refused(decided(reviewer, finding, "accept", row["version"]), 409, "version_changed")


def test_of_two_decisions_at_once_one_stands(bureau: Bureau, device: Handheld, reviewer: Person) -> None:
    other = bureau.person("reviewer", scopes=(SCOPE,), who="other")
    for _ in range(4):
        finding = device.report(SCOPE)
        device.deliver(device.capture(SCOPE, a_photo(), ("finding", finding)))
        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(decided, (reviewer, other), [finding] * 2, ["accept"] * 2, [1] * 2))
        assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_own_work_is_not_reviewed(bureau: Bureau) -> None:
    both = bureau.person("inspector", "reviewer", scopes=(SCOPE,))
    device = bureau.handheld(owner=both)
    finding, _, _ = photographed(device)
    row = in_queue(both, finding)
    refused(decided(both, finding, "accept", row["version"]), 403, "own_work")


def test_a_returned_one_makes_a_task_and_opens_again_with_new_evidence(device: Handheld, reviewer: Person) -> None:
    finding, evidence, _ = photographed(device)
    row = in_queue(reviewer, finding)
    granted(decided(reviewer, finding, "return", row["version"], reasons=["店招不清"], note="请重拍",
                    photos=[{"evidence_id": evidence, "reason": "店招未入镜"}]), 201)
    in_queue(reviewer, finding, "returned")

    def task() -> list[dict[str, Any]]:
        device.catch_up()
        return [row for (type, _), row in device.rows.items() if type == "task" and finding in str(row["fields"])]

    found = eventually(task, within_s=10)
    assert found, "a return makes a task for the inspector"
    assert evidence in str(found[0]["fields"]), "the task names the photos to take again"
    content = a_photo()
    device.deliver(device.capture(SCOPE, content, ("finding", finding)))
    device.upload(content)
    in_queue(reviewer, finding, "open")
    assert device.owner.record("evidence", evidence), "nothing is replaced"


@pytest.mark.parametrize(("decision", "state"), [("exclude", "excluded"), ("escalate", "escalated")])
def test_the_other_decisions_have_their_states(device: Handheld, reviewer: Person, decision: str, state: str) -> None:
    finding, evidence, _ = photographed(device)
    row = in_queue(reviewer, finding)
    granted(decided(reviewer, finding, decision, row["version"], reasons=["来源不明"], note="存疑",
                    photos=[{"evidence_id": evidence, "reason": "来源不明"}]), 201)
    in_queue(reviewer, finding, state)
