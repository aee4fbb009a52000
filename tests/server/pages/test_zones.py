"""The list of the zones in force: in pages, along the roads, searched."""

from __future__ import annotations

import re

import pytest

from tests.bureau import collection, frontage
from tests.server.indoors import Indoors
from tests.server.pages.conftest import Visitor
from tests.wire import granted

STREET = "320402001"


def listed(page: str) -> list[str]:
    return re.findall(r'<a href="/records/zone/[^"]+">([^<]+)</a>', page)


@pytest.fixture(scope="module")
def doors(office: Indoors) -> list[str]:
    """The names of a street's zones by house number, imported in another order."""
    names = [f"青果巷{number}号" for number in range(1, 41)]
    granted(office.admin.post("/zones/import", collection(*(
        frontage(119.5 + place * 1e-3, 31.6, STREET, name=name, road="青果巷", section="",
                 party={"name": f"{'面馆' if place == 8 else '杂货店'}"}, sticker_serial=f"CZ-{place:04d}")
        for place, name in reversed(list(enumerate(names)))))))
    return names


def test_zones_come_in_pages_by_house_number(office: Indoors, visitor: Visitor, doors: list[str]) -> None:
    page = visitor.signed_in(office.person("reviewer", scopes=(STREET,))).see("/zones")
    assert listed(page) == doors[:30]
    assert "1–30 / 40" in page
    following = re.search(r'href="(/zones\?cursor=\d+)"', page)
    assert following is not None
    rest = visitor.see(following[1])
    assert listed(rest) == doors[30:]
    assert "31–40 / 40" in rest and 'class="more"' not in rest


@pytest.mark.parametrize(("text", "found"), [("面馆", 1), ("cz-0008", 1), ("青果巷4号", 1), ("青果巷", 30),
                                             ("天津路", 0)])
def test_zones_are_found_by_name_road_party_and_sticker(office: Indoors, visitor: Visitor, doors: list[str], text: str,
                                                        found: int) -> None:
    page = visitor.signed_in(office.person("reviewer", scopes=(STREET,))).see("/zones", q=text)
    assert len(listed(page)) == found
    assert ("没有符合条件的责任区" in page) == (found == 0)


def test_a_page_beyond_the_last_is_empty_and_one_that_is_no_number_is_refused(office: Indoors, visitor: Visitor,
                                                                             doors: list[str]) -> None:
    visitor.signed_in(office.person("reviewer", scopes=(STREET,)))
    assert listed(visitor.see("/zones", cursor="99999999999999999999")) == []
    visitor.see("/zones", 422, cursor="x")
