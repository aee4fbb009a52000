"""A spot check through its forms, from frame to report."""

from __future__ import annotations

from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import SCOPE, Visitor, said
from tests.wire import Person


def test_a_spot_check_from_frame_to_report(office: Indoors, visitor: Visitor, device: Handheld, reviewer: Person,
                                         supervisor: Person) -> None:
    for _ in range(3):
        device.report(SCOPE, observed_at="2025-05-06T16:30:00.000Z", text="不可先见")
    visitor.signed_in(supervisor).see("/spot-checks")
    form = {"title": "五月抽查", "from": "2025-05-07", "to": "2025-05-07", "scopes": SCOPE, "strata": "inspector_id",
            "sizing": "size", "size": "2"}
    said(visitor.send("/spot-checks", {**form, "from": "2025-05-08", "to": "2025-05-08"}), 422, "抽查名录为空")
    said(visitor.send("/spot-checks", {**form, "from": ""}), 422, "起止日期")
    where = visitor.send("/spot-checks", form).headers["Location"]
    assert "已冻结" in visitor.see(where)
    assert visitor.http.get(f"{where}/proof.json").status_code == 409
    assert visitor.send(f"{where}/draw").status_code == 303
    said(visitor.send(f"{where}/draw"), 409, "已抽取")
    proof = visitor.http.get(f"{where}/proof.json").json()
    assert len(proof["sample"]) == 2
    assert 'href="/static/verify_draw.py" download' in visitor.see(where)
    visitor.send("/sign-out")
    page = visitor.signed_in(reviewer).see(where)
    assert "给出结论" in page
    assert "不可先见" not in page
    assert visitor.http.get(f"{where}/proof.json").status_code == 403
    for row, verdict in zip(proof["sample"], ("confirmed", "disputed"), strict=True):
        answer = visitor.send(f"{where}/samples/{row['record_id']}/verdict",
                              {"verdict": verdict, "value.class_code": "0504", "note": "到场"})
        assert answer.status_code == 303, answer.text[:500]
    assert "不可先见" in visitor.see(where)
    visitor.send("/sign-out")
    assert "50.0%" in visitor.signed_in(supervisor).see(where)


def test_own_work_is_shown_without_a_form(office: Indoors, visitor: Visitor, device: Handheld,
                                          supervisor: Person) -> None:
    both = office.person("inspector", "reviewer", scopes=(SCOPE,))
    mine, other = (one.report(SCOPE, observed_at="2025-04-06T04:00:00.000Z")
                   for one in (office.handheld(owner=both), device))
    visitor.signed_in(supervisor).see("/spot-checks")
    form = {"title": "本人", "from": "2025-04-06", "to": "2025-04-06", "scopes": SCOPE, "sizing": "size", "size": "9"}
    where = visitor.send("/spot-checks", form).headers["Location"]
    visitor.see(where)
    visitor.send(f"{where}/draw")
    assert "本人工作" not in visitor.see(where)
    visitor.send("/sign-out")
    page = visitor.signed_in(both).see(where)
    assert page.count("本人工作") == 1
    assert f"{where}/samples/{other}/verdict" in page and f"{where}/samples/{mine}/verdict" not in page


def test_somebody_is_sent_to_the_drawn_places(office: Indoors, visitor: Visitor, device: Handheld,
                                              supervisor: Person) -> None:
    device.report(SCOPE, observed_at="2025-03-06T04:00:00.000Z")
    other = office.person("inspector", scopes=(SCOPE,), who="visits")
    visitor.signed_in(supervisor).see("/spot-checks")
    form = {"title": "派人", "from": "2025-03-06", "to": "2025-03-06", "scopes": SCOPE, "sizing": "size", "size": "1"}
    where = visitor.send("/spot-checks", form).headers["Location"]
    visitor.see(where)
    visitor.send(f"{where}/draw")
    assert "派人持手持端复核" in visitor.see(where)
    said(visitor.send(f"{where}/visits", {"assignee": "没有此人"}), 422, "没有此在职人员")
    visitor.send(f"{where}/visits", {"assignee": other.username})
    assert "已派 1 处" in visitor.see(where)


def test_a_sample_by_confidence_and_margin(visitor: Visitor, device: Handheld, supervisor: Person) -> None:
    for _ in range(2):
        device.report(SCOPE, observed_at="2025-06-06T04:00:00.000Z")
    visitor.signed_in(supervisor).see("/spot-checks")
    form = {"title": "按精度", "from": "2025-06-06", "to": "2025-06-06", "scopes": SCOPE, "sizing": "precision",
            "confidence": "95", "margin": "5"}
    assert visitor.send("/spot-checks", form).status_code == 303
    said(visitor.send("/spot-checks", {**form, "margin": "200"}), 422, "margin")
