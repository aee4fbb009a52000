"""The queue and a record's page: photos, facts, map, decisions, commands, originals, proofs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.bureau import a_road, collection, frontage
from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import PLACE, SCOPE, Visitor, photographed, said
from tests.wire import Person, granted, position, sha256


def decision(finding: str, version: int, **values: Any) -> tuple[str, dict[str, Any]]:
    return f"/reviews/{finding}/decisions", {"version": version, **values}


def test_the_queue_shows_what_waits_and_claims_it(visitor: Visitor, device: Handheld, reviewer: Person) -> None:
    finding, _, content = photographed(device, text="纸箱堆放")
    page = visitor.signed_in(reviewer).see("/reviews")
    assert f"/records/finding/{finding}" in page
    assert f"/photos/{sha256(content)}/thumb" in page
    assert "纸箱堆放" in page
    answer = visitor.send(f"/reviews/{finding}/claim")
    assert answer.headers["Location"] == f"/records/finding/{finding}"
    assert f"claimed</small></span>: {reviewer.user['name']}" in visitor.see("/reviews")


def test_a_record_s_page_sets_the_three_witnesses_side_by_side(office: Indoors, visitor: Visitor, device: Handheld,
                                                              reviewer: Person) -> None:
    finding, evidence, content = photographed(device, position=position(*PLACE))
    office.clock.put_on(seconds=10)  # the next checkpoint is due
    page = visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    for text in ("设备称", "文件称", "服务器知", "119.951200, 31.812300", sha256(content)[:16], "640 × 480",
                 "已校验", "店外经营", f"/photos/{sha256(content)}/screen", "map.geojson"):
        assert text in page
    layers = re.findall(r'<details class="layer (\w+)">.*?<span lang="zh-CN">(.*?)</span>', page, re.S)
    assert {name: state for state, name in layers} == {
        "摘要": "ok", "签名": "ok", "拍摄链": "ok", "时间区间": "warn", "日志": "ok"}
    assert evidence in visitor.see(f"/records/evidence/{evidence}")


def test_disagreement_is_shown_with_the_rule_that_fired(visitor: Visitor, device: Handheld,
                                                       reviewer: Person) -> None:
    first, _, content = photographed(device)
    second = device.report(SCOPE)
    device.deliver(device.capture(SCOPE, content, ("finding", second)))
    page = visitor.signed_in(reviewer).see(f"/records/finding/{second}")
    assert "同一照片重复使用" in page
    assert "same digest about another record" in page
    assert f"/records/finding/{first}" in page
    assert 'class="in-doubt"' in page


def test_the_map_shows_roads_zones_and_points(office: Indoors, visitor: Visitor, device: Handheld,
                                        reviewer: Person) -> None:
    zone = frontage(*PLACE, SCOPE, name="地图便利店")
    granted(office.admin.post("/zones/import", {"type": "FeatureCollection", "features": [zone]}))
    near, far = (a_road([[PLACE[0] + away, PLACE[1] - 1e-3], [PLACE[0] + away, PLACE[1] + 1e-3]], SCOPE, name=name)
                 for name, away in (("门前路", 1e-4), ("远处路", 0.2)))
    granted(office.admin.post("/roads/import", collection(near, far)))
    finding, _, _ = photographed(device, position=position(PLACE[0] + 4e-5, PLACE[1] + 3e-5))
    visitor.signed_in(reviewer)
    features = visitor.http.get(f"/records/finding/{finding}/map.geojson").json()["features"]
    found = {feature["properties"]["what"] for feature in features}
    assert found == {"road", "zone", "record", "device"}
    assert [one["properties"]["name"] for one in features if one["properties"]["what"] == "road"] == ["门前路"]
    chosen = [feature["properties"]["name"] for feature in features if feature["properties"].get("chosen")]
    assert chosen == ["地图便利店"]
    assert "地图便利店" in visitor.see(f"/records/finding/{finding}")
    assert "地图便利店" in visitor.see("/zones")
    shown = visitor.http.get("/zones.geojson").json()["features"]
    assert {one["properties"]["name"] for one in shown} == {"门前路", "远处路", "地图便利店"}


def test_a_decision_is_made_once_and_told_in_the_history(visitor: Visitor, device: Handheld,
                                                       reviewer: Person) -> None:
    finding, evidence, _ = photographed(device)
    visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    path, values = decision(finding, 1, decision="return", reasons="模糊不清", note="请重拍全景",
                            **{f"photo.{evidence}": "缺全景"})
    assert visitor.send(path, values).status_code == 303
    page = visitor.see(f"/records/finding/{finding}")
    assert all(text in page for text in ("已退回", "模糊不清", "请重拍全景", "缺全景"))
    tasks = granted(device.owner.get(f"/records?type=task&inspector_id={device.owner.id}"))["items"]
    assert [task["fields"]["photos"][0]["evidence_id"] for task in tasks
            if task["fields"]["about"]["id"] == finding] == [evidence]


@pytest.mark.parametrize(("values", "status", "text"), [
    ({"version": 7, "decision": "accept"}, 409, "记录已更新"), ({"version": 1, "decision": "return"}, 422, "reasons"),
    ({"version": 1}, 422, "decision"), ({"version": "x", "decision": "accept"}, 422, "version")])
def test_a_decision_that_cannot_be_says_why(visitor: Visitor, device: Handheld, reviewer: Person,
                                          values: dict[str, Any], status: int, text: str) -> None:
    finding, _, _ = photographed(device)
    visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    said(visitor.send(f"/reviews/{finding}/decisions", values), status, text)


def test_a_refusal_comes_to_htmx_as_a_fragment_and_success_as_a_redirect(visitor: Visitor, device: Handheld,
                                                                       reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    path, values = decision(finding, 9, decision="accept")
    refused = visitor.send(path, values, **{"HX-Request": "true", "Accept": "*/*"})
    said(refused, 409, "记录已更新")
    assert "<html" not in refused.text
    path, values = decision(finding, 1, decision="accept")
    assert visitor.send(path, values, **{"HX-Request": "true"}).headers["HX-Redirect"] == "/reviews"


def test_own_work_is_shown_as_not_decidable(office: Indoors, visitor: Visitor) -> None:
    both = office.person("inspector", "reviewer", scopes=(SCOPE,))
    finding, _, _ = photographed(office.handheld(owner=both))
    page = visitor.signed_in(both).see(f"/records/finding/{finding}")
    assert "这是您本人的工作" in page
    assert 'name="decision"' not in page
    path, values = decision(finding, 1, decision="accept")
    said(visitor.send(path, values), 403, "不得审核本人工作")


def test_a_record_out_of_scope_is_not_there(office: Indoors, visitor: Visitor, device: Handheld) -> None:
    finding, _, content = photographed(device)
    visitor.signed_in(office.person("reviewer", scopes=("320402001",)))
    for path in (f"/records/finding/{finding}", f"/records/finding/{finding}/map.geojson",
                 f"/records/finding/{finding}/proof.json", f"/photos/{sha256(content)}/thumb",
                 f"/photos/{sha256(content)}/original?reason=x", "/records/finding/x"):
        assert visitor.http.get(path).status_code == 404, path


def test_an_original_wants_a_reason_and_leaves_an_entry(office: Indoors, visitor: Visitor, device: Handheld,
                                                      reviewer: Person) -> None:
    _, _, content = photographed(device)
    visitor.signed_in(reviewer)
    path = f"/photos/{sha256(content)}/original"
    assert "须填写调阅理由" in visitor.see(path, 422)
    answer = visitor.http.get(path, params={"reason": "复核店招"})
    assert answer.content == content
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    auditor = office.person("auditor", scopes=("32",))
    entries = granted(auditor.get("/journal/entries?limit=1000"))["entries"]
    assert any(entry["kind"] == "opened" and entry["aside"]["values"] == {"reason": "复核店招"} for entry in entries)


def test_a_proof_can_be_taken_away(visitor: Visitor, device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    proof = visitor.signed_in(reviewer).http.get(f"/records/finding/{finding}/proof.json").json()
    assert proof["entry"]["about"] == finding
    assert proof["entry"]["index"] < proof["size"]
    assert proof["checkpoint"].splitlines()[1] == str(proof["size"])


def test_commands_are_offered_by_role_and_carried_out(visitor: Visitor, device: Handheld, reviewer: Person,
                                                    supervisor: Person) -> None:
    finding = device.report(SCOPE)
    page = visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    assert 'name="name" value="refuse"' in page
    assert 'name="name" value="cancel"' not in page
    path = f"/records/finding/{finding}/commands"
    said(visitor.send(path, {"name": "refuse", "expect_status": "reported"}), 422, "缺少理由")
    assert visitor.send(path, {"name": "refuse", "expect_status": "reported", "reason": "重复上报"}).status_code == 303
    page = visitor.see(f"/records/finding/{finding}")
    assert "不予立案" in page
    said(visitor.send(path, {"name": "refuse", "expect_status": "reported", "reason": "x"}), 409, "状态已变化")
    visitor.send("/sign-out")
    assert 'value="reopen"' in visitor.signed_in(supervisor).see(f"/records/finding/{finding}")
