"""The list of records and its filter."""

from __future__ import annotations

import re

import pytest

from schemas.records import RECORD_TYPES
from server.trade.statuses import statuses
from tests.server.indoors import Indoors
from tests.server.pages.conftest import SCOPE, Visitor


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
