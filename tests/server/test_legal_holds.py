"""A legal hold covers the whole file of its record, up and down, whatever is edited later; on SQLite with files, on
PostgreSQL with a real S3 store that locks."""

from __future__ import annotations

from typing import Any

import pytest

from server.keeping.models import LegalHold
from tests.bureau import a_photo
from tests.conftest import Places
from tests.enrolled import Handheld
from tests.server.disposing import ENGINES, SCOPE, altered, over, people, problems, settings_on, states, tick
from tests.server.indoors import Indoors, store_of
from tests.wire import Person, granted, moment, refused, sha256

ORDER = {"reason": "复议", "ordered_by": "区政府"}


@pytest.fixture(params=ENGINES)
def settings(request: pytest.FixtureRequest, places: Places) -> dict[str, str]:
    return settings_on(request.param, places)


@pytest.fixture
def device(office: Indoors) -> Handheld:
    return office.handheld(SCOPE)


@pytest.fixture
def one(office: Indoors) -> Person:
    return office.person("supervisor", scopes=(SCOPE,), who="one")


def held(person: Person, record_type: str, record_id: str) -> dict[str, Any]:
    hold: dict[str, Any] = granted(person.post(f"/records/{record_type}/{record_id}/legal-holds", ORDER), 201)
    return hold


def erasing(person: Person, record_type: str, record_id: str, field: str) -> Any:
    return person.post("/erasures", {"record_type": record_type, "record_id": record_id, "fields": [field],
                                     "ground": "unlawful", "reason": "本人申请"})


def enforced(device: Handheld, finding: str, **fields: Any) -> str:
    made = device.create("enforcement", SCOPE, {"kind": "record", "facts": "事实", "finding_id": finding, **fields})
    assert device.deliver(made)[0]["outcome"] == "applied"
    enforcement: str = made["record_id"]
    return enforcement


def photographed(device: Handheld, record_type: str, record_id: str) -> tuple[str, bytes]:
    content = a_photo()
    mutation = device.capture(SCOPE, content, (record_type, record_id), note="照片说明")
    device.deliver(mutation)
    assert device.upload(content).status_code == 204
    return mutation["record_id"], content


def test_what_was_of_the_file_stays_covered_when_it_is_tied_elsewhere(office: Indoors, device: Handheld,
                                                                      one: Person) -> None:
    finding, other = device.report(SCOPE, text="被保全"), device.report(SCOPE, text="另一件")
    before = enforced(device, finding)
    evidence, content = photographed(device, "enforcement", before)
    hold = held(one, "finding", finding)
    assert hold["covers"][0] == finding and {before, evidence} <= set(hold["covers"])
    after = enforced(device, finding)
    for enforcement in (before, after):
        refused(erasing(one, "enforcement", enforcement, "facts"), 409, "held_by_order")
    base = one.record("enforcement", before)["version"]
    granted(one.edit("enforcement", before, base, set={"finding_id": other}))
    refused(erasing(one, "enforcement", before, "facts"), 409, "held_by_order")
    later, _ = photographed(device, "enforcement", before)
    for each in (evidence, later):
        refused(erasing(one, "evidence", each, "note"), 409, "held_by_order")
    granted(erasing(one, "finding", other, "text"), 201)
    tick(office)
    assert store_of(office).on_hold(sha256(content)) in (None, True) and problems(office) == {}
    for released in (False, True):
        with altered(office, LegalHold, seq=1):
            assert problems(office)["legal_hold_altered"] == 1
        if not released:
            granted(one.post(f"/legal-holds/{hold['id']}/release", {"reason": "终结"}))
    granted(erasing(one, "enforcement", before, "facts"), 201)


def test_tasks_decisions_and_conflicts_of_the_file_are_covered(office: Indoors, device: Handheld, one: Person) -> None:
    finding = device.report(SCOPE, text="被保全")
    evidence, _ = photographed(device, "finding", finding)
    tick(office)
    reviewer = office.person("reviewer", scopes=(SCOPE,))
    granted(reviewer.post(f"/reviews/{finding}/claim"))
    made = granted(reviewer.post(f"/reviews/{finding}/decisions", {
        "decision": "return", "version": reviewer.record("finding", finding)["version"], "reasons": ["blurred"],
        "note": "重拍", "photos": [{"evidence_id": evidence, "reason": "糊"}]}), 201)
    held(one, "finding", finding)
    refused(erasing(one, "decision", made["decision"]["id"], "note"), 409, "held_by_order")
    refused(erasing(one, "task", made["task"]["id"], "title"), 409, "held_by_order")
    refused(erasing(one, "evidence", evidence, "note"), 409, "held_by_order")


def test_a_hold_reaches_up_and_down_but_not_to_the_next_case(office: Indoors, device: Handheld, one: Person) -> None:
    made = device.create("inspection", SCOPE, {"started_at": moment(-100), "answers": {"a1": {"note": "记"}}})
    device.deliver(made)
    inspection = made["record_id"]
    first, second = (device.report(SCOPE, text=each, inspection_id=inspection) for each in ("甲", "乙"))
    evidence, _ = photographed(device, "finding", first)
    hold = held(one, "evidence", evidence)
    assert hold["covers"][:3] == [evidence, first, inspection] and second not in hold["covers"]
    for each in (("finding", first, "text"), ("inspection", inspection, "answers")):
        refused(erasing(one, *each), 409, "held_by_order")
    granted(erasing(one, "finding", second, "text"), 201)
    granted(one.post(f"/legal-holds/{hold['id']}/release", {"reason": "终结"}))
    granted(erasing(one, "finding", first, "text"), 201)

    hold = held(one, "inspection", inspection)
    third, free = (device.report(SCOPE, text=each, **tied) for each, tied in (
        ("丙", {"inspection_id": inspection}), ("丁", {})))
    for each in (first, second, third):
        refused(erasing(one, "finding", each, "text"), 409, "held_by_order")
    base = one.record("finding", first)["version"]
    other = device.create("inspection", SCOPE, {"started_at": moment(-100)})
    device.deliver(other)
    granted(one.edit("finding", first, base, set={"inspection_id": other["record_id"]}))
    refused(erasing(one, "finding", first, "text"), 409, "held_by_order")
    granted(one.edit("finding", free, one.record("finding", free)["version"], set={"inspection_id": inspection}))
    refused(erasing(one, "enforcement", enforced(device, free), "facts"), 409, "held_by_order")
    tick(office)
    assert problems(office) == {}


def test_the_photos_of_the_whole_file_stay(office: Indoors, device: Handheld) -> None:
    made = device.create("inspection", SCOPE, {"started_at": moment(-100), "answers": {}})
    device.deliver(made)
    finding = device.report(SCOPE)
    evidence, content = photographed(device, "finding", finding)
    _, sibling = photographed(device, "finding", finding)
    tick(office)
    granted(people(office)[0].command("finding", finding, "cancel", {"reason": "重复"}))
    one, two = over(office)
    proposal = granted(one.post("/disposals", {"records": [finding], "reason": "期满"}), 201)
    granted(two.post(f"/disposals/{proposal['id']}/approval", {"note": "同意"}))
    hold = held(one, "evidence", evidence)
    refused(one.post("/disposals", {"records": [finding], "reason": "期满"}), 409, "held_by_order")
    tick(office)
    assert states(two) == [("kept", "needed")] * 2
    store = store_of(office)
    for each in (content, sibling):
        assert store.has(sha256(each)) and store.on_hold(sha256(each)) in (None, True)
    assert problems(office) == {}
    granted(one.post(f"/legal-holds/{hold['id']}/release", {"reason": "终结"}))
    tick(office)
    assert not any(store.on_hold(sha256(each)) for each in (content, sibling)) and problems(office) == {}
    held(one, "inspection", made["record_id"])
    base = one.record("finding", finding)["version"]
    granted(one.edit("finding", finding, base, set={"inspection_id": made["record_id"]}))
    tick(office)
    assert {store.on_hold(sha256(each)) for each in (content, sibling)} <= {None, True}
    assert (store.on_hold(sha256(content)) is None) == (not store.holding) and problems(office) == {}
