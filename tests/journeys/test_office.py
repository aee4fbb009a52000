"""The office's way to the same door (protocol section 4a): reading, creating, editing, commanding, moving."""

from __future__ import annotations

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import Person, a_finding, granted, moment, new_id, refused

SCOPE = "320412105"


@pytest.fixture
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=(SCOPE,))


def test_a_person_creates_through_the_same_door(bureau: Bureau, supervisor: Person) -> None:
    device = bureau.handheld(SCOPE)
    given = new_id()
    record = granted(supervisor.create("finding", SCOPE, a_finding(source="hotline"), id=given), 201)
    assert (record["id"], record["version"], record["scope"], record["type"]) == (given, 1, SCOPE, "finding")
    assert record["fields"]["status"] == "reported"
    assert record["created_by"]
    made = granted(supervisor.create("finding", SCOPE, a_finding()), 201)
    device.catch_up()
    assert device.rows["finding", given]["fields"]["source"] == "hotline"
    assert ("finding", made["id"]) in device.rows


def test_an_id_is_used_once(supervisor: Person) -> None:
    given = new_id()
    granted(supervisor.create("finding", SCOPE, a_finding(), id=given), 201)
    refused(supervisor.create("finding", SCOPE, a_finding("另一条"), id=given), 409)
    assert supervisor.record("finding", given)["version"] == 1


@pytest.mark.parametrize(("type", "scope", "fields", "status", "code"), [
    ("spaceship", SCOPE, {}, (404, 422), "type_unknown"),
    ("finding", "320402001", a_finding(), (403,), "out_of_scope"),
    ("finding", SCOPE, {"text": "nothing else"}, (422,), "field_missing"),
    ("finding", SCOPE, a_finding(class_code="9876"), (422,), "class_unknown"),
    ("finding", SCOPE, a_finding(position={"lon": 1, "lat": 1}), (422,), "crs_missing"),
    ("conflict", SCOPE, {"state": "open"}, (403, 422), None),
])
def test_what_is_not_applied_is_a_problem_and_not_quarantined(supervisor: Person, type: str, scope: str, fields: dict,
                                                              status: tuple[int, ...], code: str | None) -> None:
    refused(supervisor.create(type, scope, fields), status, code)


def test_an_edit_answers_outcome_record_and_conflicts(bureau: Bureau, supervisor: Person) -> None:
    device = bureau.handheld(SCOPE)
    finding = device.report(SCOPE, text="原来")
    answer = granted(supervisor.edit("finding", finding, 1, set={"text": "办公室"}, add={"tags": ["督办"]}))
    assert answer["outcome"] == "applied"
    assert answer["conflicts"] == []
    assert answer["record"]["version"] == 2
    assert answer["record"]["fields"]["text"] == "办公室"
    assert answer["record"]["fields"]["tags"] == ["督办"]
    outcome, = device.deliver(device.edit("finding", finding, 1, set={"text": "设备"}))
    assert outcome["outcome"] == "conflicted"
    stale = granted(supervisor.edit("finding", finding, 2, set={"text": "又是办公室"}))
    assert stale["outcome"] == "conflicted"
    assert stale["conflicts"]


def test_a_command_answers_outcome_and_record(supervisor: Person) -> None:
    finding = granted(supervisor.create("finding", SCOPE, a_finding()), 201)["id"]
    answer = granted(supervisor.command("finding", finding, "cancel", {"reason": "重复"}, {"status": "reported"}))
    assert answer["outcome"] == "applied"
    assert answer["record"]["fields"]["status"] == "cancelled"
    refused(supervisor.command("finding", finding, "cancel", {"reason": "重复"}), 409, "state_moved")
    refused(supervisor.command("finding", finding, "reopen", {"reason": "x"}, {"status": "closed"}), 409, "state_moved")
    refused(supervisor.command("finding", finding, "explode"), 422)


def test_reading_answers_404_where_one_has_no_right_to_know(bureau: Bureau, supervisor: Person) -> None:
    finding = granted(supervisor.create("finding", SCOPE, a_finding()), 201)["id"]
    stranger = bureau.person("supervisor", scopes=("320402001",))
    hidden = refused(stranger.get(f"/records/finding/{finding}"), 404, "not_found")
    absent = refused(stranger.get(f"/records/finding/{new_id()}"), 404, "not_found")
    assert hidden["detail"].replace(finding, "") == absent["detail"] or "detail" in absent
    refused(stranger.get(f"/records/finding/{finding}/history"), 404)
    refused(stranger.edit("finding", finding, 1, set={"text": "x"}), (403, 404))
    refused(stranger.command("finding", finding, "cancel", {"reason": "x"}), (403, 404))
    refused(supervisor.get(f"/records/inspection/{finding}"), 404)


def test_the_history_tells_who_changed_what(bureau: Bureau, supervisor: Person) -> None:
    finding = bureau.handheld(SCOPE).report(SCOPE, text="原来")
    granted(supervisor.edit("finding", finding, 1, set={"text": "后来"}))
    granted(supervisor.command("finding", finding, "cancel", {"reason": "重复"}))
    history = granted(supervisor.get(f"/records/finding/{finding}/history"))["items"]
    items = {entry["version"]: entry for entry in history}
    assert items[2]["changed"]["text"] == {"from": "原来", "to": "后来"}
    assert items[3]["changed"]["status"] == {"from": "reported", "to": "cancelled"}
    assert supervisor.id in str(items[2]["actor"])
    assert items[3]["op"] in ("command", "cancel")


def test_a_long_history_comes_in_pages(bureau: Bureau, supervisor: Person) -> None:
    device = bureau.handheld(SCOPE)
    finding = device.report(SCOPE, text="0")
    device.deliver(*(device.edit("finding", finding, base, set={"text": str(base)}) for base in range(1, 7)))
    address = f"/records/finding/{finding}/history"
    whole = granted(supervisor.get(address))
    assert [entry["version"] for entry in whole["items"]] == [1, 2, 3, 4, 5, 6, 7] and whole["next"] is None
    items, query = [], "?limit=3"
    while query:
        page = granted(supervisor.get(address + query))
        assert len(page["items"]) <= 3
        items += page["items"]
        query = page["next"] and f"?limit=3&cursor={page['next']}"
    assert items == whole["items"]
    refused(supervisor.get(f"{address}?cursor=x"), 422)


def test_lists_filter_sort_and_page(bureau: Bureau) -> None:
    scope = "320412001"
    supervisor, device = bureau.person("supervisor", scopes=(scope,)), bureau.handheld(scope)
    ids = [device.report(scope, observed_at=moment(-1000 + 10 * i), class_code="0504" if i % 2 else "0507")
           for i in range(7)]
    granted(supervisor.command("finding", ids[0], "cancel", {"reason": "重复"}))

    def listed(query: str) -> list[str]:
        found, cursor = [], ""
        while True:
            page = granted(supervisor.get(f"/records?type=finding&scope={scope}&limit=2{query}{cursor}"))
            assert len(page["items"]) <= 2
            found += [record["id"] for record in page["items"]]
            if not page["next"]:
                return found
            cursor = f"&cursor={page['next']}"

    assert sorted(listed("")) == sorted(ids)
    assert sorted(listed("&class_code=0504")) == sorted(ids[1::2])
    assert listed("&status=cancelled") == [ids[0]]
    assert sorted(listed(f"&inspector_id={device.user['id']}")) == sorted(ids)
    assert listed(f"&inspector_id={new_id()}") == []
    assert listed("&sort=observed_at") == ids
    assert listed("&sort=-observed_at") == ids[::-1]
    assert listed(f"&updated_since={moment(3600)}") == []
    assert sorted(listed(f"&updated_since={moment(-3600)}")) == sorted(ids)


def test_lists_keep_to_the_readers_scope(bureau: Bureau, supervisor: Person) -> None:
    finding = granted(supervisor.create("finding", SCOPE, a_finding()), 201)["id"]
    stranger = bureau.person("supervisor", scopes=("320402001",))
    seen = granted(stranger.get("/records?type=finding&limit=100"))["items"]
    assert finding not in [record["id"] for record in seen]
    answer = stranger.get(f"/records?type=finding&scope={SCOPE}")
    assert answer.status_code in (403, 200)
    assert finding not in answer.text


@pytest.mark.parametrize("query", ["type=finding&sort=password", "type=finding&sort=fields", "type=spaceship",
                                   "type=finding&limit=many", "type=finding&cursor=rubbish", "type=finding&limit=-3",
                                   "type=finding&updated_since=yesterday", "type=finding&colour=red"])
def test_a_list_that_cannot_be_is_a_problem(supervisor: Person, query: str) -> None:
    refused(supervisor.get(f"/records?{query}"), (400, 404, 422))


def test_moving_wants_a_supervisor_of_both_scopes_and_a_reason(bureau: Bureau, supervisor: Person) -> None:
    finding = granted(supervisor.create("finding", SCOPE, a_finding()), 201)["id"]
    target = {"scope": "320412003", "reason": "辖区调整"}
    refused(supervisor.command("finding", finding, "move", target), (403, 422))
    refused(bureau.person("inspector", scopes=("320412",)).command("finding", finding, "move", target), 403)
    wide = bureau.person("supervisor", scopes=("320412",))
    refused(wide.command("finding", finding, "move", {"scope": "320412003"}), 422)
    moved = granted(wide.command("finding", finding, "move", target))["record"]
    assert moved["scope"] == "320412003"
    refused(supervisor.get(f"/records/finding/{finding}"), 404)


def test_a_task_reaches_its_assignee_and_comes_back_done(bureau: Bureau, supervisor: Person) -> None:
    device = bureau.handheld(SCOPE)
    fields = {"title": "复查武宜路2号", "kind": "verify", "due_at": moment(86400), "assignee": device.user["id"]}
    task = granted(supervisor.create("task", SCOPE, fields), 201)
    device.catch_up()
    assert device.rows["task", task["id"]]["fields"]["title"] == "复查武宜路2号"
    outcomes = device.deliver(device.command("task", task["id"], task["version"], "accept"),
                              device.command("task", task["id"], task["version"], "finish"))
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "applied"]
    assert supervisor.record("task", task["id"])["version"] == task["version"] + 2


def test_a_task_is_handed_back_by_its_assignee_only(bureau: Bureau, supervisor: Person) -> None:
    device, other = bureau.handheld(SCOPE), bureau.handheld(SCOPE, who="other")
    fields = {"title": "复查", "kind": "verify", "due_at": moment(86400), "assignee": device.user["id"]}
    task = granted(supervisor.create("task", SCOPE, fields), 201)
    assert other.deliver(other.command("task", task["id"], task["version"], "accept"))[0]["outcome"] == "quarantined"
    outcome, = device.deliver(device.command("task", task["id"], task["version"], "hand_back", {"reason": "不在辖区"}))
    assert outcome["outcome"] == "applied"


def test_handhelds_may_not_make_what_comes_from_the_office(bureau: Bureau) -> None:
    device: Handheld = bureau.handheld(SCOPE)
    for type, fields in (("zone", {"name": "自画"}), ("party", {"name": "自造"}), ("decision", {"text": "罚款"})):
        assert device.deliver(device.create(type, SCOPE, fields))[0]["outcome"] == "quarantined"
