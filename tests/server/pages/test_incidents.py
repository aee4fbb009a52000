"""The page of incidents: what is to be explained, by whom, and what becomes of it."""

from __future__ import annotations

from server import jobs
from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import SCOPE, Visitor, said
from tests.wire import Person, granted, new_id


def broken(office: Indoors, device: Handheld) -> None:
    """A chain with a fork at 1 and a gap at 2, all of it delivered."""
    finding = device.report(SCOPE)
    first = device.capture(SCOPE, new_id().encode(), ("finding", finding))
    device.seq, device.prev = 0, "0" * 64
    twin = device.capture(SCOPE, new_id().encode(), ("finding", finding))
    device.seq += 1
    above = device.capture(SCOPE, new_id().encode(), ("finding", finding))
    device.deliver(first, twin, above)
    granted(device.push(health={"unsent": 0}))
    with office.app.app_context():
        jobs._tick()


def test_incidents_are_listed_explained_and_closed(office: Indoors, visitor: Visitor, device: Handheld,
                                                   supervisor: Person) -> None:
    broken(office, device)
    visitor.signed_in(supervisor)
    page = visitor.see("/incidents")
    assert page.index("拍摄链分叉") < page.index("缺号</span>"), "forks come first"
    assert device.user["name"] in page and "收回设备查看" in page and 'href="/incidents"' in page
    gap, = granted(supervisor.get("/records?type=incident&class_code=chain_gap"))["items"]
    where, open_ = f"/incidents/{gap['id']}", {"expect_status": "open"}
    said(visitor.send(where, {"name": "close", "reason": " ", **open_}), 422, "须写明原因")
    assert visitor.send(where, {"name": "explain", "reason": "<b>卡满</b>", **open_}).status_code == 303
    assert "&lt;b&gt;卡满" in visitor.see("/incidents", kind="chain_gap", scope="3204")
    said(visitor.send(where, {"name": "close", "reason": "属实", **open_}), 409, "已先作更改")
    assert visitor.send(where, {"name": "close", "reason": "属实", "expect_status": "explained"}).status_code == 303
    assert gap["id"] not in visitor.see("/incidents")
    closed = visitor.see("/incidents", state="settled")
    assert gap["id"] in closed and "属实" in closed
    record = visitor.see(f"/records/incident/{gap['id']}")
    assert "缺号" in record and device.user["name"] in record
    visitor.see("/records", type="incident")


def test_an_inspector_sees_and_explains_his_own_on_its_record(office: Indoors, visitor: Visitor, device: Handheld,
                                                              supervisor: Person) -> None:
    broken(office, device)
    mine = [one for one in granted(supervisor.get("/records?type=incident&status=open"))["items"]
            if one["fields"]["device"] == device.id]
    assert len(mine) == 2
    visitor.signed_in(device.owner)
    visitor.see("/incidents", status=403)
    page = visitor.see(f"/records/incident/{mine[0]['id']}")
    assert "说明原因" in page and "查明关闭" not in page
    answer = visitor.send(f"/records/incident/{mine[0]['id']}/commands", {"name": "explain", "reason": "误删"})
    assert answer.status_code == 303


def test_auditors_read_incidents_and_change_none(office: Indoors, visitor: Visitor, device: Handheld) -> None:
    broken(office, device)
    visitor.signed_in(office.person("auditor", scopes=("3204",)))
    page = visitor.see("/incidents")
    assert "拍摄链分叉" in page and "查明关闭" not in page
