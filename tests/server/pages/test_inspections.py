"""Inspections and their findings on pages: each leads to the other by name, and an item's photos show its finding."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.bureau import a_photo
from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import PLACE, SCOPE, Visitor, said
from tests.wire import Person, a_finding, moment, new_id, position, sha256

AWAY = "320411102"
ITEM, OF_ITEM = "zone-daily-03", "检查中这一项的照片"


class Round:
    """An inspection whose failed item opened a finding; its photo was taken before that, and is the inspection's."""

    def __init__(self, device: Handheld, *, ended: bool = True, delivered: bool = True, scope: str = SCOPE) -> None:
        self.content = a_photo()
        begun = device.create("inspection", scope, {
            "template_id": "zone-daily", "template_version": 1, "started_at": moment(-600)})
        self.id = begun["record_id"]
        photo = [device.capture(scope, self.content, ("inspection", self.id))] if delivered else []
        found = device.create("finding", SCOPE, a_finding(inspection_id=self.id, text="不合格:门前堆物"))
        self.photo, self.finding = photo[0]["record_id"] if photo else new_id(), found["record_id"]
        device.deliver(begun, *photo, found)
        if delivered:
            assert device.upload(self.content).status_code == 204
        if ended:
            device.deliver(device.edit("inspection", self.id, 1, set={"ended_at": moment(), "answers": {
                "zone-daily-01": {"value": "pass", "note": ""},
                ITEM: {"value": "fail", "note": "三箱饮料", "photos": [self.photo], "finding_id": self.finding}}}))


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.partition("<main")[2]))


def test_a_finding_shows_the_photos_of_its_item_as_the_inspection_s_and_leads_to_that(
        visitor: Visitor, device: Handheld, reviewer: Person) -> None:
    made = Round(device)
    page = visitor.signed_in(reviewer).see(f"/records/finding/{made.finding}")
    assert f"/photos/{sha256(made.content)}/screen" in page
    assert OF_ITEM in page and "没有照片" not in page
    link = re.search(rf'<a href="/records/inspection/{made.id}">(.*?)</a>', page)
    assert link and "<time>20" in link[1] and made.id not in link[1]
    assert f">{made.id}" not in page
    assert "sticker present" not in page and "三箱饮料" not in page
    assert f'name="photo.{made.photo}"' not in page, "no photo of the finding: a return cannot name it"


def test_own_photos_come_first_and_alone_are_returned_by_name(
        visitor: Visitor, device: Handheld, reviewer: Person) -> None:
    made, content = Round(device), a_photo()
    own = device.capture(SCOPE, content, ("finding", made.finding), role="after")
    device.deliver(own)
    assert device.upload(content).status_code == 204
    page = visitor.signed_in(reviewer).see(f"/records/finding/{made.finding}")
    assert page.index(f"/photos/{sha256(content)}/screen") < page.index(f"/photos/{sha256(made.content)}/screen")
    assert f'name="photo.{own["record_id"]}"' in page and f'name="photo.{made.photo}"' not in page


def test_the_queue_shows_a_finding_that_has_only_photos_of_its_item(
        visitor: Visitor, device: Handheld, reviewer: Person) -> None:
    made = Round(device)
    page = visitor.signed_in(reviewer).see("/reviews")
    row = next(row for row in page.split("<li ") if f"/records/finding/{made.finding}" in row)
    assert f"/photos/{sha256(made.content)}/thumb" in row
    assert "检查项的照片 1 张" in row


def test_who_took_the_item_s_photo_does_not_review_its_finding(office: Indoors, visitor: Visitor,
                                                              device: Handheld) -> None:
    both = office.person("inspector", "reviewer", scopes=(SCOPE,))
    made, second, content = Round(device, delivered=False), office.handheld(owner=both), a_photo()
    photo = second.capture(SCOPE, content, ("inspection", made.id))
    second.deliver(photo)
    answer = {"value": "fail", "note": "", "photos": [photo["record_id"]], "finding_id": made.finding}
    device.deliver(device.edit("inspection", made.id, 2, set={"answers": {ITEM: answer}}))
    assert "这是您本人的工作" in visitor.signed_in(both).see(f"/records/finding/{made.finding}")
    said(visitor.send(f"/reviews/{made.finding}/claim"), 403, "不得审核本人工作")


def test_an_inspection_leads_to_its_findings_and_tells_its_answers_in_words(
        visitor: Visitor, device: Handheld, reviewer: Person) -> None:
    made = Round(device)
    page = visitor.signed_in(reviewer).see(f"/records/inspection/{made.id}")
    for part in ("findings", "answers"):
        section = page.partition(f'id="{part}"')[2].partition("</section>")[0]
        link = re.search(rf'<a href="/records/finding/{made.finding}">(.*?)</a>', section)
        assert link and "<time>20" in link[1] and made.finding not in link[1], part
    told = text_of(f"<main{section}")
    for words in ("责任区贴花在位", "合格 pass", "不合格 fail", "三箱饮料", "照片 1 张"):
        assert words in told
    assert ITEM not in told and made.photo not in told and made.finding not in told


def test_an_inspection_under_way_leads_to_its_findings_already(
        visitor: Visitor, device: Handheld, reviewer: Person) -> None:
    made = Round(device, ended=False)
    page = visitor.signed_in(reviewer).see(f"/records/inspection/{made.id}")
    assert f'<a href="/records/finding/{made.finding}">' in page.partition('id="findings"')[2]


@pytest.mark.parametrize(("state", "promise"), [
    ({"ended": True, "delivered": False}, "检查中这一项的照片在手持机同步后出现"),
    ({"ended": False, "delivered": False}, "检查还没有结束")])
def test_photos_are_promised_where_they_are_to_come(visitor: Visitor, device: Handheld, reviewer: Person,
                                                    state: dict[str, Any], promise: str) -> None:
    made = Round(device, **state)
    assert promise in visitor.signed_in(reviewer).see(f"/records/finding/{made.finding}")


def test_no_photo_is_promised_to_a_finding_that_was_written_at_a_desk(
        office: Indoors, visitor: Visitor, device: Handheld, reviewer: Person) -> None:
    clerk, finding = office.person("supervisor", scopes=(SCOPE,)), new_id()
    assert clerk.create("finding", SCOPE, a_finding(), id=finding).status_code == 201
    page = visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    assert "没有照片" in page and "同步后" not in page
    page = visitor.see(f"/records/finding/{device.report(SCOPE)}")
    assert "手持机上若还有,同步后出现在这里" in page and "还没有照片" not in page


def test_an_inspection_that_one_may_not_see_is_no_bare_id_and_shows_no_photo(
        office: Indoors, visitor: Visitor, reviewer: Person) -> None:
    made = Round(office.handheld(owner=office.person("inspector", scopes=(SCOPE, AWAY))), scope=AWAY)
    page = visitor.signed_in(reviewer).see(f"/records/finding/{made.finding}")
    assert made.id not in page and "范围外" in page
    assert sha256(made.content) not in page


def test_likely_duplicates_are_named_by_class_and_address(office: Indoors, visitor: Visitor, device: Handheld,
                                                         reviewer: Person) -> None:
    where: dict[str, Any] = {"class_scheme": "menqian-example-1:event", "class_code": "2101", "address": "广电路 8 号",
                             "position": position(*PLACE)}
    first = device.report(SCOPE, **where)
    second = office.handheld(SCOPE).report(SCOPE, **where)
    page = visitor.signed_in(reviewer).see(f"/records/finding/{second}")
    link = re.search(rf'<a href="/records/finding/{first}">(.*?)</a>', page)
    assert link and "广电路 8 号" in link[1] and "<time>20" in link[1]
    assert first[-6:] not in re.sub(r'href="[^"]*"', "", page)
