"""Push (protocol section 2): numbering, signatures, outcomes, replays, groups, limits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import EVENT, a_finding, granted, moment, new_id, position, refused

SCOPE = "320412102"


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


def test_a_finding_is_applied_as_version_one(device: Handheld) -> None:
    fields = a_finding(position=position(119.93, 31.66), severity="minor", tags=["夜间"], weather="阴")
    mutation = device.create("finding", SCOPE, fields)
    outcome, = device.deliver(mutation)
    assert (outcome["outcome"], outcome["version"], outcome["conflicts"]) == ("applied", 1, [])
    assert outcome["problem"] is None
    assert outcome["replayed"] is False
    record = device.owner.record("finding", mutation["record_id"])
    assert record["version"] == 1
    assert record["scope"] == SCOPE
    assert record["fields"]["text"] == fields["text"]
    assert record["fields"]["weather"] == "阴", "a field that the server does not know is kept and given back"
    assert record["fields"]["status"] == "reported"
    assert record["fields"]["inspector_id"] == device.user["id"]
    sent = fields["position"]
    assert {name: record["fields"]["position"][name] for name in sent} == sent, "what was sent is kept"
    assert record["fields"]["position"]["normalized"]["lon"] == pytest.approx(119.93, abs=1e-9)
    assert record["created_at"].endswith("Z")


def test_the_answer_tells_last_n_epoch_time_and_checkpoint(device: Handheld) -> None:
    answer = granted(device.push(device.create("finding", SCOPE, a_finding())))
    assert answer["last_n"] == 1
    assert answer["epoch"] == device.hello()["epoch"]
    assert answer["server_time"].endswith("Z")
    assert len(answer["server_time"]) == len("2026-11-22T01:02:03.456Z")
    assert "checkpoint" in answer


def test_pushing_twice_returns_the_first_outcome(device: Handheld) -> None:
    mutation = device.create("finding", SCOPE, a_finding())
    first, = device.deliver(mutation)
    other = device.edit("finding", mutation["record_id"], 1, set={"text": "后来的"})
    device.deliver(other)
    again, = device.deliver(mutation)
    assert again == {**first, "replayed": True}
    assert device.owner.record("finding", mutation["record_id"])["version"] == 2


def test_a_push_may_begin_with_what_is_known_and_go_on_with_the_new(device: Handheld) -> None:
    first, second = (device.create("finding", SCOPE, a_finding()) for _ in range(2))
    device.deliver(first)
    replayed, fresh = device.deliver(first, second)
    assert (replayed["replayed"], fresh["replayed"]) == (True, False)
    assert device.hello()["device"]["last_n"] == 2


def test_a_gap_in_the_numbers_is_refused_with_what_is_expected(device: Handheld) -> None:
    skipped = device.create("finding", SCOPE, a_finding())
    later = device.create("finding", SCOPE, a_finding())
    assert refused(device.push(later), 409, "sequence_gap")["expect"] == 1
    device.deliver(skipped, later)


def test_numbers_inside_a_push_are_consecutive(device: Handheld) -> None:
    one, _, three = (device.create("finding", SCOPE, a_finding()) for _ in range(3))
    refused(device.push(one, three), 422, "batch_not_consecutive")
    refused(device.push(three, one), 422, "batch_not_consecutive")
    assert device.hello()["device"]["last_n"] == 0


def test_the_same_number_with_other_content_is_a_fork(device: Handheld) -> None:
    mutation = device.create("finding", SCOPE, a_finding())
    device.deliver(mutation)
    changed = {**mutation, "set": {**mutation["set"], "text": "别的内容"}}
    refused(device.push(changed), 409, "device_forked", "new_device")
    renamed = {**mutation, "id": new_id()}
    refused(device.push(renamed), 409, "device_forked", "new_device")
    assert device.owner.record("finding", mutation["record_id"])["fields"]["text"] == mutation["set"]["text"]


def test_the_same_id_under_another_number_is_a_fork(device: Handheld) -> None:
    mutation = device.create("finding", SCOPE, a_finding())
    device.deliver(mutation)
    refused(device.push({**mutation, "n": 2}), 409, "device_forked", "new_device")
    assert device.hello()["device"]["last_n"] == 1


def test_after_a_fork_the_user_enrols_anew_and_nothing_is_lost(bureau: Bureau, device: Handheld) -> None:
    mutation = device.create("finding", SCOPE, a_finding())
    device.deliver(mutation)
    again = bureau.handheld(owner=device.owner)
    undelivered = again.create("finding", SCOPE, a_finding("未送达"))
    replayed, fresh = again.deliver({**mutation, "n": 1}, {**undelivered, "n": 2})
    assert (replayed["replayed"], replayed["version"]) == (True, 1)
    assert fresh["outcome"] == "applied"


@pytest.mark.parametrize("signature", [None, "", "AAAA", "A" * 86, "not base64 !!", "签名"])
def test_a_missing_or_wrong_signature_applies_nothing(device: Handheld, signature: str | None) -> None:
    body = json.dumps({"mutations": [device.create("finding", SCOPE, a_finding())]}).encode()
    if signature == "签名":
        answer = device.http.post(device.url("/sync/push"), content=body,
                                  headers=[(b"Menqian-Signature", "签名".encode())])
    else:
        answer = device.send(body, signature=signature)
    refused(answer, 401, "signature_invalid")
    assert device.hello()["device"]["last_n"] == 0


def test_a_signature_of_another_body_is_refused(device: Handheld) -> None:
    bodies = [json.dumps({"mutations": [{**device.create("finding", SCOPE, a_finding()), "n": 1}]}).encode()
              for _ in range(2)]
    refused(device.send(bodies[0], signature=device.sign(bodies[1])), 401, "signature_invalid")


def test_a_body_may_be_compressed_and_is_signed_before(device: Handheld) -> None:
    body = json.dumps({"mutations": [device.create("finding", SCOPE, a_finding())]}).encode()
    assert granted(device.send(body, compressed=True))["outcomes"][0]["outcome"] == "applied"


def test_answers_are_compressed_when_asked_for(device: Handheld) -> None:
    for _ in range(2):
        granted(device.push(*(device.create("finding", SCOPE, a_finding("长" * 500)) for _ in range(10))))
    answer = device.get("/sync/pull", headers={"Accept-Encoding": "gzip"})
    assert answer.headers.get("Content-Encoding") == "gzip"
    assert granted(answer)["changes"]


def test_a_device_without_a_key_may_push_and_is_marked(bureau: Bureau) -> None:
    device = bureau.handheld(SCOPE, signs=False)
    finding = device.report(SCOPE)
    assert device.owner.record("finding", finding)["fields"]["unsigned"] is True
    signed = bureau.handheld(SCOPE)
    assert not signed.owner.record("finding", signed.report(SCOPE))["fields"].get("unsigned")


def test_own_later_edits_with_the_same_base_never_conflict(device: Handheld) -> None:
    created = device.create("finding", SCOPE, a_finding())
    edits = [device.edit("finding", created["record_id"], 0, set={"text": text}) for text in ("二", "三", "四")]
    outcomes = device.deliver(created, *edits)
    assert [outcome["version"] for outcome in outcomes] == [1, 2, 3, 4]
    assert all(not outcome["conflicts"] for outcome in outcomes)
    assert all(outcome["outcome"] in ("applied", "merged") for outcome in outcomes)
    assert device.owner.record("finding", created["record_id"])["fields"]["text"] == "四"


def test_a_group_is_applied_whole(device: Handheld) -> None:
    group = new_id()
    outcomes = device.deliver(*(device.create("finding", SCOPE, a_finding(), group=group) for _ in range(3)))
    assert [outcome["outcome"] for outcome in outcomes] == ["applied"] * 3


def test_a_group_with_one_bad_mutation_is_quarantined_whole(device: Handheld) -> None:
    group = new_id()
    before = device.create("finding", SCOPE, a_finding())
    good = device.create("finding", SCOPE, a_finding(), group=group)
    bad = device.create("finding", SCOPE, {"text": "no place, no time"}, group=group)
    good_too = device.create("finding", SCOPE, a_finding(), group=group)
    after = device.create("finding", SCOPE, a_finding())
    outcomes = device.deliver(before, good, bad, good_too, after)
    kinds = [outcome["outcome"] for outcome in outcomes]
    assert kinds == ["applied", "quarantined", "quarantined", "quarantined", "applied"]
    assert [outcomes[i]["problem"]["code"] for i in (1, 3)] == ["group_failed", "group_failed"]
    assert outcomes[2]["problem"]["code"] != "group_failed"
    refused(device.owner.get(f"/records/finding/{good['record_id']}"), 404)


def test_delete_leaves_a_tombstone_with_a_reason(device: Handheld) -> None:
    finding = device.report(SCOPE)
    outcome, = device.deliver(device.remove("finding", finding, 1))
    assert (outcome["outcome"], outcome["version"]) == ("applied", 2)
    kept = device.owner.get(f"/records/finding/{finding}")
    assert kept.status_code in (404, 410) or kept.json()["deleted"] is True
    listed = granted(device.owner.get(f"/records?type=finding&scope={SCOPE}&sort=-updated_at&limit=20"))["items"]
    assert finding not in [record["id"] for record in listed]
    assert "误报" in device.owner.get(f"/records/finding/{finding}/history").text, "the reason is kept"


def test_five_hundred_mutations_go_and_five_hundred_and_one_do_not(device: Handheld) -> None:
    mutations = [device.create("finding", SCOPE, a_finding()) for _ in range(501)]
    refused(device.push(*mutations), 413, "batch_too_large")
    assert device.hello()["device"]["last_n"] == 0
    assert {outcome["outcome"] for outcome in device.deliver(*mutations[:500])} == {"applied"}


def test_a_mutation_that_is_too_large_is_quarantined_and_its_neighbours_apply(device: Handheld) -> None:
    notes = ("", "文" * 30_000, "")
    outcomes = device.deliver(*(device.create("finding", SCOPE, a_finding(note=note)) for note in notes))
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "quarantined", "applied"]
    assert outcomes[1]["problem"]["code"] == "mutation_too_large"


QUARANTINED: dict[str, tuple[dict[str, Any], str | None]] = {
    "unknown type": ({"type": "spaceship"}, "type_unknown"),
    "no scope": ({"scope": None}, "scope_required"),
    "unknown scope": ({"scope": "999999999"}, "scope_unknown"),
    "scope of somebody else": ({"scope": "320402001"}, "out_of_scope"),
    "no coordinate system": ({"set": a_finding(position={"lon": 119.9, "lat": 31.7})}, "crs_missing"),
    "unknown coordinate system": ({"set": a_finding(position=position(119.9, 31.7, "EPSG:3857"))}, "crs_unknown"),
    "unknown class": ({"set": a_finding(class_code="9876")}, "class_unknown"),
    "unknown class scheme": ({"set": a_finding(class_scheme="ISO 9999:event")}, "class_unknown"),
    "no time": ({"set": {**a_finding(), "observed_at": None}}, "field_missing"),
    "no place": ({"set": {"observed_at": moment(), "class_scheme": EVENT, "class_code": "0504"}}, "field_missing"),
    "a time that is none": ({"set": a_finding(observed_at="yesterday")}, None),
    "a text that is a list": ({"set": a_finding(text=["x"])}, None),
    "a position off the earth": ({"set": a_finding(position=position(500, 91))}, None),
    "unknown op": ({"op": "explode"}, None),
    "unknown command": ({"op": "command", "set": None, "command": {"name": "explode", "args": {}}}, None),
    "base above the version": ({"base": 7}, None),
    "set is no object": ({"set": "everything"}, None),
    "an id that is no UUID": ({"record_id": "../../etc/passwd"}, None),
    "a server's type": ({"type": "conflict", "set": {"state": "resolved"}}, None),
}


@pytest.mark.parametrize("case", QUARANTINED)
def test_a_malformed_mutation_is_quarantined_and_its_neighbours_apply(device: Handheld, case: str) -> None:
    change, code = QUARANTINED[case]
    bad = {**device.create("finding", SCOPE, a_finding()), **change}
    outcomes = device.deliver({**device.create("finding", SCOPE, a_finding()), "n": 1}, {**bad, "n": 2},
                              device.create("finding", SCOPE, a_finding()))
    kinds = [outcome["outcome"] for outcome in outcomes]
    expected = ("quarantined", "held") if case in ("unknown command", "base above the version") else ("quarantined",)
    assert kinds[0] == kinds[2] == "applied"
    assert kinds[1] in expected, outcomes[1]
    if code:
        assert outcomes[1]["problem"]["code"] == code
    elif kinds[1] == "quarantined":
        assert outcomes[1]["problem"]["code"]


def test_an_unknown_template_is_named_as_such(device: Handheld) -> None:
    fields = {"template_id": "no-such-list", "template_version": 1, "started_at": moment(-600)}
    outcome, = device.deliver(device.create("inspection", SCOPE, fields))
    assert (outcome["outcome"], outcome["problem"]["code"]) == ("quarantined", "template_unknown")


def test_an_auxiliary_reports_and_signs_no_enforcement(bureau: Bureau) -> None:
    device = bureau.handheld(SCOPE, roles=("auxiliary",))
    assert device.report(SCOPE)
    fields = {"kind": "order_now", "facts": "店外经营", "officers": [device.user["id"]]}
    outcome, = device.deliver(device.create("enforcement", SCOPE, fields))
    assert outcome["outcome"] == "quarantined"


def test_server_fields_from_a_client_are_ignored(device: Handheld) -> None:
    mutation = device.create("finding", SCOPE, a_finding(status="closed", inspector_id=new_id(), unit="320412102"))
    assert device.deliver(mutation)[0]["outcome"] == "applied"
    fields = device.owner.record("finding", mutation["record_id"])["fields"]
    assert fields["status"] == "reported"
    assert fields["inspector_id"] == device.user["id"]
    assert fields.get("unit") is None


def test_a_person_cannot_push_as_a_device(bureau: Bureau) -> None:
    refused(bureau.person("inspector", scopes=(SCOPE,)).post("/sync/push", {"mutations": []}), (401, 403))


def test_nothing_to_push_is_a_heartbeat(device: Handheld) -> None:
    answer = granted(device.push(health={"unsent": 0}))
    assert answer["outcomes"] == []
    assert answer["last_n"] == 0


def test_an_inspection_and_its_answers_are_kept_per_item(device: Handheld) -> None:
    fields = {"template_id": "zone-daily", "template_version": 1, "started_at": moment(-600),
              "officers": [device.user["id"]],
              "answers": {"zone-daily-01": {"value": "pass", "note": ""},
                          "zone-daily-02": {"value": "fail", "note": "未签"}}}
    mutation = device.create("inspection", SCOPE, fields)
    assert device.deliver(mutation)[0]["outcome"] == "applied"
    kept = device.owner.record("inspection", mutation["record_id"])["fields"]
    assert kept["answers"] == fields["answers"]
    assert kept["inspector_id"] == device.user["id"]
    assert kept["score"] is not None
