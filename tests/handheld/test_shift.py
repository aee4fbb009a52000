"""A whole shift without a network: twenty findings, forty photographs, an inspection, a letter; the browser is killed
in the middle; then a bad line. All arrives, once, and the app says so only when the server has signed for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect

from tests.bad_network import BadNetwork, Odds
from tests.bureau import Bureau
from tests.fieldwork import EVERYTHING, Pocket, deliver_everything, inspect, sign_letter
from tests.patrols import SCOPE, SHOPS, a_street, begin, classify, photograph, save
from tests.wire import Person, granted, sha256

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FINDINGS, KILLED_AT = 20, 11
CUTS = Odds(cut=0.08, lose=0.06, delay=0.1, again_after=0.04, late=0.04)


@pytest.fixture
def inspector(office: Bureau) -> Person:
    return office.newcomer("inspector", scopes=(SCOPE,))


@pytest.fixture
def line(office: Bureau) -> Iterator[BadNetwork]:
    """The way to the server, a good one to begin with."""
    with BadNetwork(int(office.url.rsplit(":", 1)[1]), seed=7, odds=Odds()) as line:
        yield line


@pytest.fixture
def phone(play: Playwright, line: BadNetwork, office: Bureau, inspector: Person, tmp_path: Path) -> Iterator[Pocket]:
    a_street(office)
    phone = Pocket(play, line.url, tmp_path / "profile")
    phone.enrol(office.invite(inspector.username))
    phone.see("/map")
    expect(phone.page.get_by_text(f"{len(SHOPS)} 个责任区")).to_be_visible(timeout=30_000)
    yield phone
    phone.context.close()
    assert phone.complaints == []


def of_type(person: Person, type: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = granted(person.get("/records", params={"type": type, "limit": "500"}))["items"]
    return [each for each in found if each["created_by"] == person.id]


def test_a_shift_without_a_network_arrives_whole_and_once(phone: Pocket, line: BadNetwork, inspector: Person) -> None:
    phone.context.set_offline(True)
    taken: list[bytes] = []
    made: list[str] = []
    for number in range(FINDINGS):
        page = begin(phone)
        taken += [photograph(page, "全景"), photograph(page, "近景")]
        if number == KILLED_AT:
            at = page.url
            phone.kill()
            page = phone.start(offline=True)
            page.goto(at)
            expect(page.locator(".thumbs li")).to_have_count(2, timeout=20_000)
        classify(page, "dwjy", "店外经营")
        page.get_by_role("button", name=SHOPS[2 + number % 2]).click()
        page.get_by_label("看到了什么").fill(f"第 {number} 处占道")
        made.append(save(page))
    inspect(phone, SHOPS[2], "CZ-0002")
    sign_letter(phone, SHOPS[3])
    expect(phone.see("/sync").get_by_role("heading", name="待送")).to_be_visible()

    line.odds = CUTS
    phone.context.set_offline(False)
    deliver_everything(phone, within_s=240, told=lambda: str(line.faults))
    assert {name for name, _ in line.faults} >= {"cut", "lose"}, "the line was bad"

    findings = of_type(inspector, "finding")
    assert sorted(each["id"] for each in findings) == sorted(made)
    assert sorted(each["fields"]["text"] for each in findings) == sorted(f"第 {n} 处占道" for n in range(FINDINGS))
    assert all(each["fields"]["zone"]["method"] == "person" for each in findings)
    evidence = of_type(inspector, "evidence")
    photos = {each["fields"]["sha256"]: each["fields"] for each in evidence if each["fields"]["role"] != "document"}
    assert photos.keys() == {sha256(content) for content in taken}
    assert len(evidence) == len(taken) + 1, "and the signature"
    assert {each["fields"]["media"]["state"] for each in evidence} == {"verified"}
    assert sorted(each["fields"]["capture"]["seq"] for each in evidence) == list(range(1, len(evidence) + 1))
    flags = {flag["code"] for each in evidence for flag in each["fields"].get("flags") or ()}
    assert flags.isdisjoint({"chain_gap", "chain_fork", "signature_invalid", "unsigned", "reused_exact"})
    assert [each["fields"]["score"]["unanswered"] for each in of_type(inspector, "inspection")] == [[]]
    assert [each["fields"]["status"] for each in of_type(inspector, "letter")] == ["signed"]

    phone.kill()
    page = phone.start()
    expect(page.get_by_text(EVERYTHING)).to_be_visible()
