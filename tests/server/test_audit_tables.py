"""The audit of the tables beside the records: zones, quarantine, receipts, spot checks, people (design section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bureau import collection, frontage
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited
from tests.wire import granted

SCOPE = "320411101"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    """An installation that used every one of these tables."""
    with indoors(tmp_path_factory.mktemp("tables")) as office:
        office.zone = _zoned(office)
        yield office


def _zoned(office: Indoors) -> str:
    """A zone that got another party, another name and another scope."""
    zone = frontage(119.9, 31.7, SCOPE)
    zone_id = zone["properties"]["zone_id"]
    for more in ({}, {"party": {"name": "四余便利店"}}, {"name": "四余便利店"}, {"scope": "320411102"}):
        zone["properties"] |= more
        granted(office.admin.post("/zones/import", collection(zone)))
    supervisor = office.person("supervisor", scopes=("3204",))
    granted(supervisor.command("zone", zone_id, "move", {"scope": SCOPE, "reason": "划界"}))
    return zone_id


def test_tables_that_nobody_tampered_with_are_sound(office: Indoors) -> None:
    found = audited(office)
    assert found["problems"] == []
    assert found["checked"]["zone_versions"] == 4


@pytest.mark.parametrize(("statement", "expected", "said"), [
    ("UPDATE zone_version SET outline = replace(outline, '119.9', '119.8')", "zone_altered", "outline, digest"),
    ("UPDATE zone_version SET party = '{}'", "zone_altered", "party, digest"),
    ("UPDATE zone_version SET party = 'x'", "zone_altered", "party, digest"),
    ("UPDATE zone_version SET sticker_serial = 'x'", "zone_altered", "sticker_serial, digest"),
    ("UPDATE zone_version SET valid_from = '2020-01-01T00:00:00.000Z'", "zone_altered", "valid_from, digest"),
    ("UPDATE zone_version SET valid_to = '2020-01-01T00:00:00.000Z'", "zone_altered", "valid_to, digest"),
    ("UPDATE zone_version SET scope = '320411103'", "zone_altered", "scope, digest"),
    ("UPDATE zone_version SET name = 'x'", "zone_altered", "name"),
    ("UPDATE zone_version SET number = 1", "zone_altered", "number"),
    ("UPDATE zone_version SET digest = 'x'", "zone_altered", "digest"),
    ("DELETE FROM zone_version", "zone_missing", "version 2"),
    ("UPDATE zone_version SET version = 9", "zone_missing", "version 2"),
])
def test_a_zone_version_that_its_record_never_had_is_found(office: Indoors, tampered: Any, statement: str,
                                                           expected: str, said: str) -> None:
    found = tampered(f"{statement} WHERE zone_id = :zone AND version = 2", zone=office.zone)
    assert {problem["about"] for problem in found["problems"]} == {office.zone}
    assert said in next(problem["detail"] for problem in found["problems"] if problem["code"] == expected)
