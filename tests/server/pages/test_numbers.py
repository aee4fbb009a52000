"""Identity and phone numbers of parties are masked on all pages; who opens one says why, which is journalled."""

from __future__ import annotations

import logging

import pytest
import structlog

from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import SCOPE, Visitor
from tests.wire import granted

IDENTITY, PHONE = "11010519491231002X", "13812345678"
MASKED, HIDDEN = "110105********002X", "138****5678"
SAID = f"店主证号{IDENTITY},电话{PHONE}"


@pytest.fixture
def finding(device: Handheld) -> str:
    return device.report(SCOPE, text=SAID, address=f"武宜路2号,{PHONE}")


def signed_in(office: Indoors, role: str) -> Visitor:
    return Visitor(office.url).signed_in(office.person(role, scopes=(SCOPE,)))


def hides(page: str) -> bool:
    return IDENTITY not in page and PHONE not in page and HIDDEN in page


def test_numbers_are_masked_on_every_page(office: Indoors, device: Handheld, finding: str) -> None:
    supervisor = signed_in(office, "supervisor")
    base = office.person("supervisor", scopes=(SCOPE,)).record("finding", finding)["version"]
    granted(office.person("supervisor", scopes=(SCOPE,)).edit("finding", finding, base, set={"text": f"{SAID}。"}))
    assert device.deliver(device.edit("finding", finding, base, set={"text": f"{SAID}!"}))[0]["outcome"] == "conflicted"
    assert device.deliver(device.edit("finding", finding, base, set={"text": SAID, "source": "x"}))[0][
        "outcome"] == "quarantined"
    for path in (f"/records/finding/{finding}", "/records?type=finding", "/reviews", "/conflicts", "/quarantine"):
        page = supervisor.see(path)
        assert hides(page), path
    assert MASKED in supervisor.see(f"/records/finding/{finding}")
    assert SAID in granted(office.person("reviewer", scopes=(SCOPE,)).get(f"/records/finding/{finding}/history"))[
        "items"][0]["changed"]["text"]["to"], "the wire has full values"


def test_a_masked_draft_that_is_left_alone_is_what_was_sent(office: Indoors, device: Handheld) -> None:
    fields = {"text": SAID, "address": "武宜路2号", "observed_at": "2026-11-27T01:00:00.000Z", "source": "nonsense"}
    bad = device.create("finding", SCOPE, fields)
    assert device.deliver(bad)[0]["outcome"] == "quarantined"
    supervisor, person = signed_in(office, "supervisor"), office.person("supervisor", scopes=(SCOPE,))
    entry = next(one for one in granted(person.get("/quarantine"))["items"]
                 if one["mutation"]["record_id"] == bad["record_id"])
    supervisor.see("/quarantine")
    where, shown = f"/quarantine/{entry['id']}/release", f"店主证号{MASKED},电话{HIDDEN}"
    assert supervisor.send(where, {"text.text": f"{shown}。", "text.source": "patrol"}).status_code == 422
    assert supervisor.send(where, {"text.text": shown, "text.source": "patrol"}).status_code == 303
    assert person.record("finding", bad["record_id"])["fields"]["text"] == SAID


def test_who_opens_a_number_says_why_and_it_is_journalled(office: Indoors, finding: str) -> None:
    reviewer, where = signed_in(office, "reviewer"), f"/records/finding/{finding}/numbers"
    assert "显示完整号码" in reviewer.see(f"/records/finding/{finding}")
    assert reviewer.send(where, {"reason": " "}).status_code == 422
    opened = reviewer.send(where, {"reason": "核对当事人身份"})
    assert opened.status_code == 200 and IDENTITY in opened.text and PHONE in opened.text
    assert hides(reviewer.see(f"/records/finding/{finding}")), "it is open for once"
    inspector = signed_in(office, "inspector")
    assert "显示完整号码" not in inspector.see(f"/records/finding/{finding}")
    assert inspector.send(where, {"reason": "好奇"}).status_code == 403
    size = int(office.admin.get("/journal/checkpoint").text.splitlines()[1])
    entries = granted(office.admin.get(f"/journal/entries?from={max(0, size - 50)}&limit=100"))["entries"]
    told = [one for one in entries if one["kind"] == "numbers_opened" and one["about"] == finding]
    assert [one["aside"]["values"] for one in told] == [{"reason": "核对当事人身份"}]
    assert told[0]["body"]["fields"] == ["address", "text"]


def test_no_log_line_has_a_number(office: Indoors, caplog: pytest.LogCaptureFixture,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.ERROR):
        try:
            raise ValueError(SAID)
        except ValueError:
            structlog.get_logger().exception("failed", said=SAID)
    printed = capsys.readouterr().out + caplog.text
    assert "failed" in printed and IDENTITY not in printed and PHONE not in printed
