"""Section 4: what records hold, who sets it, what each type needs."""

from __future__ import annotations

from typing import Any

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import EVENT, a_finding, place
from tests.conformance.office import Office
from tests.conformance.wire import granted, moment, new_id, refused, sha256

holds = subject("records", "4")


@holds("A record is {type, id, version, scope, fields, created_at, created_by, updated_at}")
def a_record_has_its_members(office: Office) -> None:
    device = office.device()
    finding = device.report()
    record = device.owner.record("finding", finding)
    must_have(record, "type id version scope fields created_at created_by updated_at", "a record")
    must_be((record["type"], record["id"], record["version"], record["scope"]), ("finding", finding, 1, office.scope),
            "type, id, version, scope")


@holds("version grows by 1 a change")
def the_version_grows_by_one_a_change(office: Office) -> None:
    device = office.device()
    finding = device.report()
    for version in range(2, 5):
        edit = device.edit("finding", finding, version - 1, set={"text": f"第{version}版"})
        must_be(device.give(edit)["version"], version, "version")
    must_be(sorted(entry["version"] for entry in device.owner.history("finding", finding)), [1, 2, 3, 4], "history")


@holds("a client's value for them is ignored and noted")
def server_fields_of_a_client_are_ignored(office: Office) -> None:
    device = office.device()
    sent = {"status": "closed", "inspector_id": new_id(), "unit": "x", "due_at": moment(), "duplicates": [new_id()]}
    finding = device.report(**sent)
    fields = device.owner.fields("finding", finding)
    must_be((fields["status"], fields["inspector_id"]), ("reported", device.user["id"]), "status and inspector_id")
    device.deliver(device.edit("finding", finding, 1, set={"status": "closed", "text": "还是这条"}))
    fields = device.owner.fields("finding", finding)
    must_be((fields["status"], fields["text"]), ("reported", "还是这条"), "status and text")
    history = device.owner.history("finding", finding)
    must("status" in str(history), "the ignored field noted in the history", history)


@holds("A field the server does not know is kept and given back")
def unknown_fields_are_kept_and_given_back(office: Office) -> None:
    device, reader = office.pair()
    odd = {"weather": "阴", "nested": {"deep": [1, 2.5, None, "文"]}, "flag": False}
    finding = device.report(**odd)
    must_be({name: device.owner.fields("finding", finding).get(name) for name in odd}, odd, "unknown fields")
    reader.catch_up()
    pulled = reader.rows["finding", finding]["fields"]
    must_be({name: pulled.get(name) for name in odd}, odd, "unknown fields in a pull")
    device.give(device.edit("finding", finding, 1, set={"text": "改"}))
    must_be(device.owner.fields("finding", finding).get("weather"), "阴", "unknown field after an edit")


@holds("A finding needs observed_at and one of position, address, sticker_serial (its class may follow, but stands "
       "before file)")
def a_finding_needs_time_and_place(office: Office) -> None:
    device = office.device()
    wholly = {"observed_at": moment(-60)}
    for where in ({"address": "武宜路2号"}, {"position": place(119.9, 31.7)}, {"sticker_serial": "S-1"}):
        device.give(device.create("finding", {**wholly, **where}))
    device.give(device.create("finding", wholly), "quarantined")
    device.give(device.create("finding", {"address": "武宜路2号"}), "quarantined")


@holds("A finding needs observed_at and one of position, address, sticker_serial (its class may follow, but stands "
       "before file)")
def the_class_stands_before_filing(office: Office) -> None:
    device, reviewer = office.device(), office.person("reviewer")
    finding = device.create("finding", {"observed_at": moment(-60), "address": "武宜路2号"})
    device.give(finding)
    refused(reviewer.command("finding", finding["record_id"], "file", {"condition": "d1"}), 422)
    device.give(device.edit("finding", finding["record_id"], 1, set={"class_scheme": EVENT, "class_code": "0504"}))
    granted(reviewer.command("finding", finding["record_id"], "file", {"condition": "d1"}))


@holds("evidence needs sha256, bytes, media_type, role, about, captured_at; an inspection started_at; an enforcement "
       "record kind and facts")
def each_type_needs_its_fields(office: Office) -> None:
    device = office.device()
    finding = device.report()
    whole: dict[str, dict[str, Any]] = {
        "evidence": {"sha256": sha256(b"x"), "bytes": 1, "media_type": "image/jpeg", "role": "scene",
                     "about": {"type": "finding", "id": finding}, "captured_at": moment(-30)},
        "inspection": {"started_at": moment(-600)},
        "enforcement": {"kind": "order_now", "facts": "店外经营"}}
    for type, fields in whole.items():
        for lacking in fields:
            rest = {name: value for name, value in fields.items() if name != lacking}
            device.give(device.create(type, rest), "quarantined")
    device.give(device.create("evidence", whole["evidence"]))
    device.give(device.create("inspection", whole["inspection"]))
    officers = [device.user["id"], office.person("inspector", who="another").id]
    device.give(device.create("enforcement", {**whole["enforcement"], "officers": officers}))


@holds("(patrol, spot_check, hotline, public, video, sensor, leader, third_party)")
def a_source_is_one_of_its_list(office: Office) -> None:
    device = office.device()
    for source in ("patrol", "spot_check", "hotline", "public", "video", "sensor", "leader", "third_party"):
        device.report(source=source)
    device.give(device.create("finding", a_finding(source="rumour")), "quarantined")


@holds("kind (persuade, courtesy_notice, order_now, order_dated, simple_penalty, record)")
def a_kind_and_a_role_are_of_their_lists(office: Office) -> None:
    device = office.device()
    officers = [device.user["id"], office.person("inspector", who="another").id]
    for kind in ("persuade", "courtesy_notice", "order_now", "record"):
        device.give(device.create("enforcement", {"kind": kind, "facts": "店外经营", "officers": officers}))
    device.give(device.create("enforcement", {"kind": "hang", "facts": "x", "officers": officers}), "quarantined")
    finding = device.report()
    for role in ("before", "scene", "close", "sign", "after", "document", "other"):
        device.give(device.capture(role.encode(), finding, role=role))
    device.give(device.capture(b"selfie", finding, role="selfie"), "quarantined")


@holds("(map), officer, position, note |")
def a_register_entry_keeps_its_duties_by_key(office: Office) -> None:
    left, right = office.pair()
    entry = left.create("register_entry", {"on": moment()[:10], "duties": {"卫生": "good"}, "officer": "张敏"})
    left.give(entry)
    right.give(right.edit("register_entry", entry["record_id"], 1, set={"duties": {"绿化": "fair"}}))
    left.give(left.edit("register_entry", entry["record_id"], 1, set={"duties": {"秩序": "poor"}}), "merged")
    must_be(left.owner.fields("register_entry", entry["record_id"])["duties"],
            {"卫生": "good", "绿化": "fair", "秩序": "poor"}, "duties")


@holds("A put that names another scope moves the record when the writer may write in both")
def a_put_with_another_scope_moves_the_record(office: Office) -> None:
    wide, narrow = office.device(scopes=office.both), office.device()
    finding = narrow.report()
    narrow.give(narrow.edit("finding", finding, 1, scope=office.elsewhere), "quarantined")
    wide.give(wide.edit("finding", finding, 1, scope=office.elsewhere, set={"text": "搬"}))
    record = wide.owner.record("finding", finding)
    must_be((record["scope"], record["fields"]["text"]), (office.elsewhere, "搬"), "scope and text")


@holds("status, zone, duplicates, due_at, unit, inspector_id, unsigned")
def a_new_finding_is_reported_by_its_inspector(office: Office) -> None:
    device = office.device()
    fields = device.owner.fields("finding", device.report())
    must_be((fields["status"], fields["inspector_id"]), ("reported", device.user["id"]), "status and inspector_id")


@holds("server: score, inspector_id")
def an_inspection_keeps_its_answers_by_item(office: Office) -> None:
    device = office.device()
    answers = {"a1": {"value": "pass", "note": ""}, "a2": {"value": "fail", "note": "未签"}}
    mutation = device.create("inspection", {"started_at": moment(-600), "answers": answers,
                                            "officers": [device.user["id"]]})
    device.give(mutation)
    fields = device.owner.fields("inspection", mutation["record_id"])
    must_be((fields["answers"], fields["inspector_id"]), (answers, device.user["id"]), "answers and inspector_id")


@holds("(section 7); immutable but for note; server: media, flags, received_at, bracket")
def evidence_is_immutable_but_for_its_note(office: Office) -> None:
    device = office.device()
    shot = device.capture(b"first", device.report())
    device.give(shot)
    fields = device.owner.fields("evidence", shot["record_id"])
    must_have(fields, "media received_at", "evidence")
    must_be(fields["media"].get("state"), "expected", "media.state")
    for change in ({"role": "after"}, {"captured_at": moment()}, {"bytes": 99}):
        device.deliver(device.edit("evidence", shot["record_id"], 1, set=change))
    device.deliver(device.edit("evidence", shot["record_id"], 1, set={"note": "补充"}))
    now = device.owner.fields("evidence", shot["record_id"])
    sent = shot["set"]
    must_be({name: now[name] for name in ("role", "captured_at", "bytes", "sha256")},
            {name: sent[name] for name in ("role", "captured_at", "bytes", "sha256")}, "fields")
    must_be(now.get("note"), "补充", "note")


@holds("sealed once signed")
def a_signed_letter_is_sealed_and_a_later_edit_is_kept(office: Office) -> None:
    device, other = office.pair()
    letter = device.create("letter", {"period": "2026", "signed_at": moment(-60), "duties": {"卫生": "责任人"}})
    device.give(letter)
    came = other.deliver(other.edit("letter", letter["record_id"], 1, set={"period": "2027"}))[0]
    supervisor = office.person("supervisor")
    record = supervisor.record("letter", letter["record_id"])
    must_be(record["fields"]["period"], "2026", "period of the sealed letter")
    seen = [record, granted(supervisor.get("/quarantine")), supervisor.history("letter", letter["record_id"])]
    must("2027" in str(seen), "the later value in an amendment or the quarantine", came)


@holds("append-only patrol points while on duty: points (append: add: {points: [{id, at, lon, lat, crs, accuracy_m}]})")
def a_track_takes_points_by_add(office: Office) -> None:
    device = office.device()
    points = [{"id": new_id(), "at": moment(-60), "lon": 119.9, "lat": 31.7, "crs": "EPSG:4326", "accuracy_m": 5}
              for _ in range(3)]
    track = device.create("track", {}, add={"points": points[:1]})
    device.give(track)
    device.give(device.edit("track", track["record_id"], 1, add={"points": points[1:]}))
    kept = device.owner.fields("track", track["record_id"])["points"]
    must_be(sorted(point["id"] for point in kept), sorted(point["id"] for point in points), "points")


@holds("commands accept, finish, hand_back")
def a_task_reaches_its_assignee_and_comes_back(office: Office) -> None:
    device, other, supervisor = office.device(), office.device(who="another"), office.person("supervisor")
    fields = {"title": "复查", "kind": "verify", "due_at": moment(86_400), "assignee": device.user["id"]}
    first, second = (granted(supervisor.create("task", fields), 201)["id"] for _ in range(2))
    device.catch_up()
    must_be(device.rows.get(("task", first), {}).get("version"), 1, "version of the task on the device")
    other.give(other.command("task", first, 1, "accept"), "quarantined")
    device.give(device.command("task", first, 1, "accept"))
    device.give(device.command("task", first, 1, "finish"))
    device.give(device.command("task", second, 1, "hand_back", {"reason": "不在辖区"}))


@holds("Types that come from the office: zone, party, sticker, template, class, offence, calendar, notice, decision")
def handhelds_do_not_make_what_comes_from_the_office(office: Office) -> None:
    device = office.device()
    for type in ("zone", "party", "sticker", "template", "class", "offence", "calendar", "notice", "decision"):
        device.give(device.create(type, {"name": "自造", "title": "自造"}), "quarantined")


@holds("| conflict | server, one per overlap:")
def nobody_makes_a_conflict_by_hand(office: Office) -> None:
    device = office.device()
    device.give(device.create("conflict", {"state": "resolved"}), "quarantined")
    refused(office.person("supervisor").create("conflict", {"state": "resolved"}), (403, 422))
