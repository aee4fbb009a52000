"""Spot-check re-visits by handhelds: sent out by a supervisor, answered on the spot, the answer is the verdict."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import Person, granted, refused

SCOPE = "320411104"


@pytest.fixture(scope="module")
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=("320411",))


def drawn(bureau: Bureau, supervisor: Person, day: str, size: int = 2) -> tuple[Handheld, str]:
    """A device that reported, and the spot check that drew all of it."""
    first = bureau.handheld(SCOPE, who="first")
    for hour in range(size):
        first.report(SCOPE, observed_at=f"{day}T0{hour + 1}:00:00.000Z")
    frame = {"type": "finding", "from": f"{day}T00:00:00.000Z", "to": f"{day}T23:59:59.000Z", "scopes": [SCOPE]}
    check = granted(supervisor.post("/spot-checks", {"title": "乱堆放回头看", "frame": frame, "size": size}), 201)
    refused(supervisor.post(f"/spot-checks/{check['id']}/visits", {"assignee": first.user["id"]}), 409, "not_drawn")
    granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))
    return first, check["id"]


def sent(supervisor: Person, check: str, person: str) -> dict[str, Any]:
    return granted(supervisor.post(f"/spot-checks/{check}/visits", {"assignee": person}), 201)


def test_a_visit_tells_nothing_and_its_answer_is_the_verdict(bureau: Bureau, supervisor: Person) -> None:
    _, check = drawn(bureau, supervisor, "2025-05-03")
    second = bureau.handheld(SCOPE, who="second")
    one, other = sent(supervisor, check, second.user["id"])["tasks"]
    assert "乱堆放" not in str(one) and set(one["fields"]) <= {
        "title", "kind", "about", "assignee", "status", "spot_check_id", "due_at"}
    second.catch_up()
    assert ("task", one["id"]) in second.rows

    answer = {"verdict": "disputed", "values": {"class_code": "0102"}, "note": "已清理", "arrived": {"by": "position"}}
    outcome, = second.deliver(second.command("task", one["id"], 1, "finish", answer, {"status": "open"}))
    assert outcome["outcome"] == "applied"
    samples = granted(supervisor.get(f"/spot-checks/{check}"))["samples"]
    judged = next(each for each in samples if each["record_id"] == one["fields"]["about"]["id"])
    assert (judged["verdict"], judged["note"], judged["judged_by"]) == ("disputed", "已清理", second.user["id"])
    assert granted(supervisor.get(f"/spot-checks/{check}/report"))["checked"] == 1

    bad, = second.deliver(second.command("task", other["id"], 1, "finish", {"note": "看过了"}))
    assert (bad["outcome"], bad["problem"]["code"]) == ("quarantined", "need_missing")


def test_nobody_is_sent_to_his_own_work_nor_twice_to_one_place(bureau: Bureau, supervisor: Person) -> None:
    first, check = drawn(bureau, supervisor, "2025-05-04")
    assert sent(supervisor, check, first.user["id"])["tasks"] == []
    assert len(sent(supervisor, check, first.user["id"])["skipped"]) == 2
    second = bureau.handheld(SCOPE, who="second")
    assert len(sent(supervisor, check, second.user["id"])["tasks"]) == 2
    assert sent(supervisor, check, second.user["id"]) == {"tasks": [], "skipped": []}
    refused(supervisor.post(f"/spot-checks/{check}/visits", {"assignee": "nobody"}), 422, "assignee_unknown")
    refused(second.post(f"/spot-checks/{check}/visits", {"assignee": second.user["id"]}), 403)


def test_a_verdict_given_at_a_desk_stands(bureau: Bureau, supervisor: Person) -> None:
    _, check = drawn(bureau, supervisor, "2025-05-05", 1)
    second = bureau.handheld(SCOPE, who="second")
    task, = sent(supervisor, check, second.user["id"])["tasks"]
    record = task["fields"]["about"]["id"]
    granted(supervisor.post(f"/spot-checks/{check}/samples/{record}/verdict", {"verdict": "confirmed"}))
    outcome, = second.deliver(second.command("task", task["id"], 1, "finish", {"verdict": "not_found"}))
    assert outcome["outcome"] == "applied"
    assert granted(supervisor.get(f"/spot-checks/{check}"))["samples"][0]["verdict"] == "confirmed"
