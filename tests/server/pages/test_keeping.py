"""保管与处置: what is due, what waits for a decision, holds and erasures, with the forms for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server import jobs
from tests.bureau import a_photo
from tests.server.indoors import Indoors, indoors
from tests.server.pages.conftest import SCOPE, Visitor
from tests.wire import Person, granted, sha256

YEARS = 6 * 366


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("keeping")) as made:
        yield made


def tick(office: Indoors) -> None:
    with office.app.app_context():
        jobs._tick()


def supervisors(office: Indoors) -> tuple[Person, Person]:
    one, two = (office.person("supervisor", scopes=(SCOPE,), who=who) for who in ("one", "two"))
    return one, two


def test_what_is_due_is_proposed_and_decided_on_the_page(office: Indoors, tmp_path: Path) -> None:
    device, content = office.handheld(SCOPE), a_photo()
    finding = device.report(SCOPE, text="期满的一件")
    device.deliver(device.capture(SCOPE, content, ("finding", finding)))
    device.upload(content)
    granted(supervisors(office)[0].command("finding", finding, "cancel", {"reason": "重复"}))
    office.clock.put_on(days=YEARS)
    tick(office)
    office.known.clear()
    office.admin = Person(office.url, "root", office.admin.password)
    one, two = (Visitor(office.url).signed_in(person) for person in supervisors(office))
    page = one.see("/keeping")
    assert "未立案问题" in page and finding in page and "没有待审批的提议" in page
    assert "没有期满的记录" in one.see("/keeping", due_before="2020-01-01")
    assert one.http.get("/keeping", params={"due_before": "昨天"}).status_code == 422
    one.see("/keeping")
    assert one.send("/keeping/disposals", {"record": [], "reason": "期满"}).status_code == 422
    assert one.send("/keeping/disposals", {"record": [finding], "reason": "保管期满"}).status_code == 303
    assert "由他人审批" in one.see("/keeping")
    page = two.see("/keeping")
    action = next(part.split('"')[0] for part in page.split('action="')[1:] if part.startswith("/keeping/disposals/"))
    assert one.send(action, {"decision": "approve", "note": "同意"}).status_code == 403
    assert two.send(action, {"decision": "approve", "note": "同意"}).status_code == 303
    tick(office)
    page = two.see("/keeping")
    assert "已销毁照片" in page and "已完成" in page
    assert "已按批准销毁" in two.see(f"/records/finding/{finding}")
    assert two.http.get(f"/photos/{sha256(content)}", params={"reason": "x"}).status_code in (404, 410)


def test_a_record_is_held_and_its_values_erased_on_the_pages(office: Indoors) -> None:
    device = office.handheld(SCOPE, who="later")
    finding = device.report(SCOPE, text="王小明的住址")
    one, two = (Visitor(office.url).signed_in(person) for person in supervisors(office))
    where = f"/records/finding/{finding}"
    page = one.see(where)
    assert "保管期限" in page and "未结案" in page and "下达保全" in page
    order = {"ordered_by": "区政府", "document_no": "复议1号", "reason": "复议", "until": "2099-01-01"}
    assert one.send(f"{where}/legal-holds", {**order, "reason": ""}).status_code == 422
    assert one.send(f"{where}/legal-holds", order).status_code == 303
    assert "已保全" in two.see(where) and "复议1号" in two.see("/keeping")
    given = {"field": ["text"], "ground": "unlawful", "reason": "误录"}
    assert one.send(f"{where}/erasures", given).status_code == 409
    page = two.see("/keeping")
    action = next(part.split('"')[0] for part in page.split('action="')[1:] if part.endswith("/release") or
                  "/legal-holds/" in part.split('"')[0])
    assert two.send(action, {"reason": "复议终结"}).status_code == 303
    one.see(where)
    assert one.send(f"{where}/erasures", given).status_code == 303
    page = two.see("/keeping")
    action = next(part.split('"')[0] for part in page.split('action="')[1:] if part.startswith("/keeping/erasures/"))
    assert two.send(action, {"decision": "approve", "note": "属实"}).status_code == 303
    page = two.see(where)
    assert "王小明" not in page and "依法删除" in page


def test_who_only_reads_sees_no_forms_and_others_no_page(office: Indoors) -> None:
    finding = office.handheld(SCOPE, who="third").report(SCOPE)
    auditor = Visitor(office.url).signed_in(office.person("auditor", scopes=(SCOPE,)))
    page = auditor.see("/keeping")
    assert "保管与处置" in page and "提出销毁" not in page
    assert auditor.send("/keeping/disposals", {"record": [finding], "reason": "x"}).status_code == 403
    page = auditor.see(f"/records/finding/{finding}")
    assert "保管期限" in page and "下达保全" not in page and "提出删除" not in page
    reviewer = Visitor(office.url).signed_in(office.person("reviewer", scopes=(SCOPE,)))
    reviewer.see("/keeping", status=403)
    assert "保管与处置" not in reviewer.see("/records")
