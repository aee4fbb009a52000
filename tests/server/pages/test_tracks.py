"""The fourth column of the facts, for those who may see where somebody went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.values import stamp
from tests.bureau import east_north
from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import PLACE, SCOPE, Visitor
from tests.wire import Person, new_id, position

THEN = datetime(2026, 11, 20, 4, tzinfo=UTC)


def photographed(device: Handheld) -> str:
    finding = device.report(SCOPE)
    points = [{"id": new_id(), "at": stamp(THEN + timedelta(seconds=each)), "lon": PLACE[0], "lat": PLACE[1],
               "crs": "EPSG:4490", "accuracy_m": 5} for each in (-20, 20)]
    device.deliver(device.create("track", SCOPE, {"points": points}),
                   device.capture(SCOPE, new_id().encode(), ("finding", finding), captured_at=stamp(THEN),
                                  position=position(*east_north(*PLACE, 400, 0))))
    return finding


def test_the_facts_say_where_the_track_puts_the_maker(office: Indoors, visitor: Visitor, reviewer: Person) -> None:
    finding = photographed(office.handheld(owner=office.newcomer("inspector", scopes=(SCOPE,))))
    page = visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    assert "轨迹称" in page and f"{PLACE[0]:.6f}, {PLACE[1]:.6f} (±35 m)" in page and "400 m" in page
    assert "2026-11-20 11:59:40" in page and "2026-11-20 12:00:20" in page
    assert "设备与轨迹的位置相距超过各自精度 + 50 米" in page


def test_colleagues_and_administrators_see_no_track_and_everybody_his_own(office: Indoors, visitor: Visitor) -> None:
    owner = office.newcomer("inspector", scopes=(SCOPE,))
    finding = photographed(office.handheld(owner=owner))
    for person, sees in ((owner, True), (office.newcomer("inspector", scopes=(SCOPE,)), False),
                         (office.admin, False), (office.person("auditor", scopes=("3204",)), True)):
        visitor.http.cookies.clear()
        page = visitor.signed_in(person).see(f"/records/finding/{finding}")
        assert ("轨迹称" in page) is sees, person.username
        assert "设备称" in page


def test_where_the_track_says_nothing_the_column_says_so(office: Indoors, visitor: Visitor, device: Handheld,
                                                        reviewer: Person) -> None:
    finding = device.report(SCOPE)
    device.deliver(device.capture(SCOPE, new_id().encode(), ("finding", finding)))
    page = visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    assert page.split("轨迹称")[2].split("</td>")[0].count("无") == 1
