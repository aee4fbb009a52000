"""Quarantine, devices; pages that are empty or cannot be."""

from __future__ import annotations

import re

import pytest

from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import SCOPE, Visitor, said
from tests.wire import Person, a_finding, granted, moment, new_id


def test_the_quarantine_is_read_released_and_dismissed(office: Indoors, visitor: Visitor, device: Handheld,
                                                     supervisor: Person) -> None:
    wrong = [device.create("finding", SCOPE, a_finding(class_code="9999", text=f"错类别 <b>{n}</b>")) for n in (1, 2)]
    device.deliver(*wrong)
    page = visitor.signed_in(supervisor).see("/quarantine")
    assert "未知类别" in page
    assert "错类别 &lt;b&gt;1&lt;/b&gt;" in page
    first, second = [row["id"] for row in granted(supervisor.get("/quarantine"))["items"]][-2:]
    said(visitor.send(f"/quarantine/{first}/release", {"text.class_code": "8888"}), 422, "未知类别")
    assert visitor.send(f"/quarantine/{first}/release", {"text.class_code": "0504"}).status_code == 303
    assert supervisor.record("finding", wrong[0]["record_id"])["fields"]["class_code"] == "0504"
    said(visitor.send(f"/quarantine/{second}/dismiss", {"reason": " "}), 422, "reason")
    assert visitor.send(f"/quarantine/{second}/dismiss", {"reason": "试填"}).status_code == 303
    assert "试填" in visitor.see("/quarantine", state="dismissed")


def test_an_entry_names_the_others_of_its_group(visitor: Visitor, device: Handheld, supervisor: Person) -> None:
    group = new_id()
    members = [device.create("finding", SCOPE, a_finding(**change), group=group)
               for change in ({}, {"class_code": "9999"}, {})]
    assert {outcome["outcome"] for outcome in device.deliver(*members)} == {"quarantined"}
    entries = {row["n"]: row["id"] for row in granted(supervisor.get("/quarantine"))["items"]}
    first, *others = (entries[member["n"]] for member in members)
    page = visitor.signed_in(supervisor).see("/quarantine")
    assert all(page.count(f'href="#entry-{one}"') == 2 for one in (first, *others))
    assert visitor.send(f"/quarantine/{first}/release").status_code == 303
    page = visitor.see("/quarantine")
    assert re.search(rf"n={members[0]['n']} \([^)]*已放行", page) and f'href="#entry-{first}"' not in page


def test_devices_tell_who_has_unsent_work_and_can_be_revoked(visitor: Visitor, device: Handheld,
                                                           supervisor: Person) -> None:
    granted(device.push(device.create("finding", SCOPE, a_finding()), health={
        "unsent": 12, "oldest_unsent_at": "2026-01-02T00:00:00.000Z", "unsent_bytes": 3 * 1024 * 1024,
        "device_time": "2026-01-02T00:00:00.000Z"}))
    page = visitor.signed_in(supervisor).see("/devices")
    assert '<b class="num">12</b>' in page
    assert "2026-01-02 08:00:00" in page
    assert "stale" in page
    assert visitor.send(f"/devices/{device.id}/revoke", {"reason": ""}).status_code == 422
    assert visitor.send(f"/devices/{device.id}/revoke", {"reason": "丢失"}).status_code == 303
    assert device.get("/hello").status_code == 401


@pytest.mark.parametrize(("health", "text"), [
    ({"unsent_bytes": 5_033_165}, '<span class="num">4.8 MiB</span> <span class="t"><span lang="zh-CN">未送出'),
    ({"oldest_unsent_at": "2026-01-02T00:00:00.000Z"}, "有内容未送出"), ({}, "无</span>")])
def test_a_device_whose_bytes_wait_has_not_sent_all(office: Indoors, visitor: Visitor, supervisor: Person,
                                                  health: dict[str, object], text: str) -> None:
    owner = office.newcomer("inspector", scopes=(SCOPE,))
    device = office.handheld(owner=owner)
    granted(device.push(device.create("finding", SCOPE, a_finding()), health={"unsent": 0, **health}))
    page = visitor.signed_in(supervisor).see("/devices")
    card = page.split(owner.username)[-1].split("<li class=\"card")[0]
    assert text in card
    assert ("无</span>" in card) is (not health)
    assert ("此设备报有未送出的工作" in card) is bool(health)


def test_an_invitation_works_once(office: Indoors, visitor: Visitor, supervisor: Person) -> None:
    inspector = office.person("inspector", scopes=(SCOPE,))
    visitor.signed_in(supervisor).see("/devices")
    page = visitor.send("/devices/invitations", {"username": inspector.username}, **{"HX-Request": "true"}).text
    assert "<html" not in page
    code = re.search(r'class="code">([A-Z0-9-]+)<', page)
    assert code is not None
    assert f'href="{office.url}/handheld/#/enrol/{code[1]}"' in page
    assert "<svg" in page
    assert Handheld(office.url, code[1]).user["id"] == inspector.id
    said(visitor.send("/devices/invitations", {"username": "nobody"}), 404, "不存在")


@pytest.mark.parametrize("path", ["/reviews", "/records", "/records?type=conflict", "/spot-checks", "/devices",
                                  "/conflicts", "/quarantine", "/quarantine?state=released", "/zones", "/incidents"])
def test_an_empty_page_says_what_to_do(office: Indoors, visitor: Visitor, path: str) -> None:
    visitor.signed_in(office.person("supervisor", scopes=("320585102",)))
    page = visitor.see(path)
    assert 'class="empty"' in page or 'name="title"' in page


@pytest.mark.parametrize("path", [
    "/records?type=nonsense", "/records?sort=password", "/records?cursor=x", "/reviews?cursor=x", "/spot-checks/x",
    "/spot-checks/00000000-0000-7000-8000-000000000000", "/records/user/x", "/conflicts?cursor=x"])
def test_a_page_that_cannot_be_is_a_problem_in_words(office: Indoors, visitor: Visitor, path: str) -> None:
    visitor.signed_in(office.person("supervisor", scopes=("32",)))
    answer = visitor.http.get(path)
    assert answer.status_code in (400, 404, 422), answer.text[:300]
    assert "<h1>" in answer.text


NASTY = {"text": 5, "note": [1], "position": {"normalized": {"lon": "a"}}, "zone": "x", "duplicates": "x", "about": "x",
         "finding_id": {"a": 1}, "inspector_id": {"b": 2}, "class_code": [3], "due_at": 7, "title": None, "name": 9,
         "address": {"c": 4}, "<script>": "<script>", "command": {"command": {}}, "status": {"d": []},
         "officers": 5, "kind": {}, "media": 3, "flags": 4, "capture": [1], "bracket": "x", "handling": 1,
         "assignee": []}


@pytest.mark.parametrize("type", ["finding", "inspection", "enforcement", "letter", "register_entry", "track",
                                  "evidence"])
def test_fields_that_hold_anything_break_no_page(visitor: Visitor, device: Handheld, reviewer: Person,
                                               type: str) -> None:
    finding = device.report(SCOPE)
    sound = {"finding": a_finding(), "inspection": {"started_at": moment()}, "track": {}, "letter": {},
             "enforcement": {"kind": "persuade", "facts": "劝导"}, "register_entry": {"on": "2026-11-22"},
             "evidence": {"sha256": "0" * 64, "bytes": 1, "media_type": "image/jpeg", "role": "scene",
                          "about": {"type": "finding", "id": finding}, "captured_at": moment()}}[type]
    odd = [device.create(type, SCOPE, {**sound, name: value, "x": NASTY}) for name, value in NASTY.items()]
    outcomes = device.deliver(*odd)
    visitor.signed_in(reviewer)
    for mutation, outcome in zip(odd, outcomes, strict=True):
        if outcome["outcome"] == "applied":
            page = visitor.see(f"/records/{type}/{mutation['record_id']}")
            assert "<script>alert" not in page
            assert visitor.http.get(f"/records/{type}/{mutation['record_id']}/map.geojson").status_code == 200
    visitor.see("/records", type=type)
    visitor.see("/reviews")


def test_mutations_that_hold_anything_can_be_read(visitor: Visitor, device: Handheld, supervisor: Person) -> None:
    base = {"scope": SCOPE, "set": {**a_finding(), "class_code": "9999"}}
    odd = [device.mutation("finding", new_id(), "put", **base) | change for change in (
        {"set": [1]}, {"set": "x"}, {"set": {**base["set"], **NASTY, "zone": {"decision": 1, "zone_id": {}}}},
        {"set": {"position": {"lon": "a", "lat": None, "crs": "EPSG:4326", "accuracy_m": "x"}}}, {"base": "x"},
        {"op": {"a": 1}}, {"type": ["x"]}, {"type": None}, {"record_id": 5}, {"command": "x"}, {"scope": 7})]
    device.deliver(*odd)
    page = visitor.signed_in(supervisor).see("/quarantine")
    assert page.count('class="card"') >= len(odd)
