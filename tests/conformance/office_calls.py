"""Section 4a: the office's way to the same door."""

from __future__ import annotations

from typing import Any

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import a_finding
from tests.conformance.office import Office, Person
from tests.conformance.wire import granted, moment, new_id, refused

holds = subject("office", "4a")


def listed(reader: Person, **query: Any) -> list[str]:
    """Ids of all pages of a list, two a page."""
    found, cursor = [], None
    while True:
        page = granted(reader.get("/records", type="finding", limit=2, cursor=cursor, **query))
        must_have(page, "items next", "a list")
        must(len(page["items"]) <= 2, "at most limit items", len(page["items"]))
        found += [record["id"] for record in page["items"]]
        cursor = page["next"]
        if not cursor:
            return found


@holds("| POST /records/{type} | {id?, scope, fields} | 201 record |")
def a_person_creates_through_the_same_door(office: Office) -> None:
    device, supervisor = office.device(), office.person("supervisor")
    device.catch_up()
    given = new_id()
    record = granted(supervisor.create("finding", a_finding(source="hotline"), id=given), 201)
    must_be((record["id"], record["version"], record["scope"]), (given, 1, office.scope), "id, version and scope")
    unnamed = supervisor.finding()
    device.catch_up()
    must(("finding", given) in device.rows and ("finding", unnamed) in device.rows, "both in the next pull", "missing")


@holds("A write that is not applied is answered as a problem")
def an_id_is_used_once(office: Office) -> None:
    supervisor, given = office.person("supervisor"), new_id()
    granted(supervisor.create("finding", a_finding(), id=given), 201)
    refused(supervisor.create("finding", a_finding("另一条"), id=given), 409)
    must_be(supervisor.record("finding", given)["version"], 1, "version")


@holds("nothing goes to quarantine here")
def what_is_not_applied_is_a_problem_and_not_quarantined(office: Office) -> None:
    supervisor, ids = office.person("supervisor"), [new_id() for _ in range(4)]
    refused(supervisor.create("finding", a_finding(class_code="9876"), id=ids[0]), 422, "class_unknown")
    refused(supervisor.create("finding", {"text": "nothing else"}, id=ids[1]), 422)
    refused(supervisor.create("finding", a_finding(), office.elsewhere, id=ids[2]), 403, "out_of_scope")
    refused(supervisor.create("spaceship", {}, id=ids[3]), (404, 422))
    kept = str(granted(supervisor.get("/quarantine"))["items"])
    must(not any(id in kept for id in ids), "nothing of it in the quarantine", kept[:500])


@holds("| POST /records/{type}/{id}/edits | {base, set?, add?, remove?} | 200 {outcome, record, conflicts} |")
def an_edit_answers_outcome_record_and_conflicts(office: Office) -> None:
    device, supervisor = office.device(), office.person("supervisor")
    finding = device.report(tags=["夜间"])
    change = {"set": {"text": "办公室"}, "add": {"tags": ["督办"]}, "remove": {"tags": ["夜间"]}}
    answer = granted(supervisor.edit("finding", finding, 1, **change))
    must_have(answer, "outcome record conflicts", "the answer of an edit")
    must_be((answer["outcome"], answer["conflicts"], answer["record"]["version"]), ("applied", [], 2), "answer")
    fields = answer["record"]["fields"]
    must_be((fields["text"], fields["tags"]), ("办公室", ["督办"]), "text and tags")


@holds("People with a login change records through the same door as devices, one mutation at a time, and see the same "
       "outcomes")
def a_person_and_a_device_conflict_like_two_devices(office: Office) -> None:
    device, supervisor = office.device(), office.person("supervisor")
    finding = device.report(text="原来")
    granted(supervisor.edit("finding", finding, 1, set={"text": "办公室"}))
    device.give(device.edit("finding", finding, 1, set={"text": "设备"}), "conflicted")
    answer = granted(supervisor.edit("finding", finding, 2, set={"text": "又是办公室"}))
    must(answer["outcome"] == "conflicted" and answer["conflicts"], "a conflict with the device's edit", answer)


@holds("(409 conflict with the conflict's id, 403, 422)")
def an_edit_of_a_deleted_record_is_a_conflict(office: Office) -> None:
    device, supervisor = office.device(), office.person("supervisor")
    finding = device.report()
    device.give(device.deletion("finding", finding, 1))
    problem = refused(supervisor.edit("finding", finding, 1, set={"text": "不能丢的话"}), 409, "conflict")
    device.catch_up()
    mine = [id for (type, id), row in device.rows.items()
            if type == "conflict" and row["fields"]["record_id"] == finding]
    must(len(mine) == 1 and mine[0] in str(problem), "the id of the conflict in the problem", problem)


@holds("409 state_moved when expect or the state machine forbids it")
def a_command_answers_outcome_and_record(office: Office) -> None:
    supervisor = office.person("supervisor")
    finding = supervisor.finding()
    answer = granted(supervisor.command("finding", finding, "cancel", {"reason": "重复"}, {"status": "reported"}))
    must_be((answer["outcome"], answer["record"]["fields"]["status"]), ("applied", "cancelled"), "outcome and status")
    refused(supervisor.command("finding", finding, "cancel", {"reason": "重复"}), 409, "state_moved")
    refused(supervisor.command("finding", finding, "reopen", {"reason": "x"}, {"status": "closed"}), 409, "state_moved")
    refused(supervisor.command("finding", finding, "explode"), 422)


@holds("the record; 404 also where the reader has no right to know that it exists")
def reading_is_404_where_one_has_no_right_to_know(office: Office) -> None:
    finding = office.person("supervisor").finding()
    stranger = office.person("supervisor", scopes=(office.elsewhere,))
    hidden, absent = (refused(stranger.get(f"/records/finding/{id}"), 404) for id in (finding, new_id()))
    must_be(hidden["code"], absent["code"], "one code for hidden and absent:")
    refused(stranger.get(f"/records/finding/{finding}/history"), 404)
    refused(stranger.edit("finding", finding, 1, set={"text": "x"}), (403, 404))
    refused(stranger.command("finding", finding, "cancel", {"reason": "x"}), (403, 404))
    refused(office.person("supervisor").get(f"/records/inspection/{finding}"), 404)


@holds("{items: [{version, at, actor, device_id?, op, changed: {field: {from, to}}}]}")
def the_history_tells_who_changed_what(office: Office) -> None:
    device, supervisor = office.device(), office.person("supervisor")
    finding = device.report(text="原来")
    granted(supervisor.edit("finding", finding, 1, set={"text": "后来"}))
    granted(supervisor.command("finding", finding, "cancel", {"reason": "重复"}))
    entries = {entry["version"]: entry for entry in supervisor.history("finding", finding)}
    for entry in entries.values():
        must_have(entry, "version at actor op changed", "an entry of the history")
    must_be(entries[1].get("device_id"), device.id, "device_id of version 1")
    must_be(entries[2]["changed"].get("text"), {"from": "原来", "to": "后来"}, "changed.text of version 2")
    must_be(entries[3]["changed"].get("status"), {"from": "reported", "to": "cancelled"}, "changed.status of version 3")
    must(supervisor.id in str(entries[2]["actor"]), "the supervisor as actor of version 2", entries[2]["actor"])


@holds("| GET /records?type=&scope=&status=&class_code=&zone_id=&inspector_id=&updated_since=&sort=&limit=&cursor= |")
def lists_filter(office: Office) -> None:
    device = office.device(owner=office.newcomer("inspector"))
    supervisor, mine = office.person("supervisor"), {"inspector_id": device.user["id"]}
    ids = [device.report(class_code="0504" if i % 2 else "0507") for i in range(5)]
    granted(supervisor.command("finding", ids[0], "cancel", {"reason": "重复"}))
    must_be(sorted(listed(supervisor, **mine)), sorted(ids), "findings of the inspector")
    must_be(sorted(listed(supervisor, class_code="0504", **mine)), sorted(ids[1::2]), "findings of the class")
    must_be(listed(supervisor, status="cancelled", **mine), ids[:1], "findings of the status")
    must_be(sorted(listed(supervisor, scope=office.scope, **mine)), sorted(ids), "findings of the scope")
    must_be(listed(supervisor, updated_since=moment(3600), **mine), [], "findings changed in the future")
    must_be(sorted(listed(supervisor, updated_since=moment(-3600), **mine)), sorted(ids), "findings of the last hour")


@holds("sort one of the promoted fields, - for descending")
def lists_sort(office: Office) -> None:
    device = office.device(owner=office.newcomer("inspector"))
    ids = [device.report(observed_at=moment(-1000 + 10 * i)) for i in (2, 0, 1)]
    in_time = [ids[1], ids[2], ids[0]]
    supervisor, mine = office.person("supervisor"), {"inspector_id": device.user["id"]}
    must_be(listed(supervisor, sort="observed_at", **mine), in_time, "order of observed_at")
    must_be(listed(supervisor, sort="-observed_at", **mine), in_time[::-1], "order of -observed_at")
    refused(supervisor.get("/records", type="finding", sort="password"), (400, 422))


@holds("| GET /records?type=&scope=&status=&class_code=&zone_id=&inspector_id=&updated_since=&sort=&limit=&cursor= |")
def lists_keep_to_the_readers_scope(office: Office) -> None:
    device = office.device(owner=office.newcomer("inspector"))
    device.report()
    stranger = office.person("supervisor", scopes=(office.elsewhere,))
    must_be(listed(stranger, inspector_id=device.user["id"]), [], "what a stranger is shown")


@holds("move {scope, reason} (supervisor, admin) is a command of every type: it changes a record's scope")
def moving_is_for_supervisors_of_both_scopes(office: Office) -> None:
    supervisor, wide = office.person("supervisor"), office.person("supervisor", scopes=office.both)
    finding, target = supervisor.finding(), {"scope": office.elsewhere, "reason": "辖区调整"}
    refused(supervisor.command("finding", finding, "move", target), (403, 422))
    refused(office.person("inspector", scopes=office.both).command("finding", finding, "move", target), 403)
    refused(wide.command("finding", finding, "move", {"scope": office.elsewhere}), 422)
    must_be(granted(wide.command("finding", finding, "move", target))["record"]["scope"], office.elsewhere, "scope")
    refused(supervisor.get(f"/records/finding/{finding}"), 404)


@holds("move {scope, reason} (supervisor, admin) is a command of every type: it changes a record's scope")
def other_types_move_too(office: Office) -> None:
    device, wide = office.device(), office.person("supervisor", scopes=office.both)
    made = {"inspection": {"started_at": moment(-600)}, "register_entry": {"note": "日常"}, "track": {}}
    for type, fields in made.items():
        mutation = device.create(type, fields)
        device.give(mutation)
        answer = granted(wide.command(type, mutation["record_id"], "move", {"scope": office.elsewhere, "reason": "x"}))
        must_be(answer["record"]["scope"], office.elsewhere, f"scope of the {type}")


@holds("A task is made by POST /records/task with assignee (a user id)")
def a_task_is_made_with_an_assignee(office: Office) -> None:
    supervisor = office.person("supervisor")
    assignee = office.person("inspector")
    task = granted(supervisor.create("task", {"title": "复查", "kind": "verify", "assignee": assignee.id}), 201)
    must_be(task["fields"]["assignee"], assignee.id, "assignee")
    refused(supervisor.create("task", {"title": "无人", "kind": "verify"}), 422)
