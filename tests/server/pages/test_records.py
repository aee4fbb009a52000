"""The list of records and its filter; the history on a record's page."""

from __future__ import annotations

import re

import pytest

from schemas.records import RECORD_TYPES
from server.pages.history import SHOWN
from server.trade.statuses import statuses
from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import SCOPE, Visitor
from tests.wire import Person, granted


@pytest.mark.parametrize("type", RECORD_TYPES)
def test_the_statuses_to_choose_from_are_those_of_the_type_in_words(office: Indoors, visitor: Visitor,
                                                                    type: str) -> None:
    page = visitor.signed_in(office.person("supervisor", scopes=(SCOPE,))).see("/records", type=type)
    select = page[page.index('<select name="status"'):].partition("</select>")[0]
    offered = dict(re.findall(r'<option value="([^"]+)" *>([^<]+)<', select))
    assert set(offered) == statuses().get(type, set())
    assert all(re.search(r"[一-鿿].* [a-z]", words) for words in offered.values())
    assert ("disabled" in select) == (not offered)
    for status in offered:
        assert f'<option value="{status}" selected>' in visitor.see(f"/records?type={type}&status={status}")


def test_a_long_history_begins_with_the_newest_and_leads_back_to_the_creation(
        visitor: Visitor, device: Handheld, supervisor: Person) -> None:
    finding, last = device.report(SCOPE), 2 * SHOWN + 3
    device.deliver(*(device.edit("finding", finding, base, set={"text": f"第{base}次"}) for base in range(1, last)))
    seen, address = [], f"/records/finding/{finding}"
    visitor.signed_in(supervisor)
    while address:
        page = visitor.see(address)
        shown = re.findall(r'<span class="dim">v(\d+)</span>', page.partition('id="history"')[2])
        assert len(shown) <= SHOWN
        seen += shown
        earlier = re.search(r'href="([^"]+before=[^"]+)#history"', page)
        address = earlier[1].replace("&amp;", "&") if earlier else ""
    assert seen == [str(version) for version in range(last, 0, -1)]


def test_an_order_is_shown_as_it_was_served_to_its_last_word_and_line(
        visitor: Visitor, device: Handheld, supervisor: Person) -> None:
    text = "\n".join(["责令立即改正通知书", "店外摆放货架两只," * 60, "执法人员:林默"])
    served = {"how": "refused", "at": "2026-11-28T01:45:05Z", "text": text, "reason": "称不识字", "witness": "赵六"}
    made = device.create("enforcement", SCOPE, {"kind": "order_now", "facts": "店外摆放", "officers": ["林默", "李四"],
                                                "party_name": "永兴手机店", "served": served})
    device.deliver(made)
    page = visitor.signed_in(supervisor).see(f"/records/enforcement/{made['record_id']}")
    assert f'<span class="lines">{text}</span>' in page
    for words in ("责任人或当事人", "永兴手机店", "拒绝签名", "称不识字", "2026-11-28 09:45:05"):
        assert words in page
    assert ">party_name<" not in page


def test_a_party_is_called_by_its_name(visitor: Visitor, device: Handheld, supervisor: Person) -> None:
    party = granted(supervisor.create("party", SCOPE, {"name": "永兴手机店"}), 201)["id"]
    order = device.create("enforcement", SCOPE, {"kind": "persuade", "facts": "店外摆放", "party_id": party})
    device.deliver(order)
    page = visitor.signed_in(supervisor).see(f"/records/enforcement/{order['record_id']}")
    assert f'<a href="/records/party/{party}">永兴手机店</a>' in page
