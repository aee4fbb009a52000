"""Lists in stable pages: how records are sorted, and the quarantine page by page."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import a_finding, granted, new_id, refused

SCOPE, OTHER = "320412100", "320412102"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("listing")) as office:
        yield office


@pytest.fixture(scope="module")
def device(office: Indoors) -> Handheld:
    """It reported five findings in two scopes, and five that could not be applied."""
    device = office.handheld(SCOPE, OTHER)
    for number in range(5):
        device.report((SCOPE, OTHER)[number % 2])
    device.deliver(*(device.create("finding", SCOPE, a_finding(class_code="9876")) for _ in range(5)))
    return device


@pytest.mark.parametrize("sort", ["version", "scope", "type", "created_at", "-version", "-scope", "-created_at", "seq"])
def test_records_are_sorted_by_promoted_fields_over_all_pages(device: Handheld, sort: str) -> None:
    name, seen, cursor = sort.removeprefix("-"), [], ""
    while cursor is not None:
        page = granted(device.get(f"/records?type=finding&sort={sort}&limit=2{cursor and f'&cursor={cursor}'}"))
        seen += page["items"]
        cursor = page["next"]
    assert len({record["id"] for record in seen}) == len(seen) == 5
    if name != "seq":
        values = [record[name] for record in seen]
        assert values == sorted(values, reverse=sort.startswith("-"))


@pytest.mark.parametrize("sort", ["--version", "-", "", "fields", "-id"])
def test_an_unknown_sort_is_refused(device: Handheld, sort: str) -> None:
    assert "sort" in refused(device.get(f"/records?sort={sort}"), 422, "invalid_request")["errors"]


@pytest.mark.parametrize("place", [["version", "x", new_id()], ["version", 2**63, new_id()], ["version", 1],
                                   ["-version", 1, new_id()], ["version", 1, "\0"], {}, 1, []])
def test_a_made_up_cursor_is_refused(device: Handheld, place: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
    refused(device.get("/records", params={"sort": "version", "cursor": cursor}), 400, "cursor_invalid")


def test_the_quarantine_comes_page_by_page(office: Indoors, device: Handheld) -> None:
    for reader in (device, office.person("supervisor", scopes=("3204",)), office.person("auditor", scopes=(SCOPE,))):
        numbers, cursor = [], None
        while True:
            asked = {"limit": "2", **({"cursor": cursor} if cursor else {})}
            page = granted(reader.get("/quarantine", params=asked))
            assert len(page["items"]) <= 2
            numbers += [row["n"] for row in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert numbers == [6, 7, 8, 9, 10]


def test_an_auditor_reads_the_quarantine_of_his_scope_only(office: Indoors, device: Handheld) -> None:
    auditor = office.person("auditor", scopes=(SCOPE,))
    row = granted(auditor.get("/quarantine"))["items"][0]
    assert granted(auditor.get(f"/quarantine/{row['id']}"))["state"] == "open"
    stranger = office.person("auditor", scopes=("320402001",))
    assert granted(stranger.get("/quarantine")) == {"items": [], "next": None}
    refused(stranger.get(f"/quarantine/{row['id']}"), 404)
    refused(office.person("reviewer", scopes=(SCOPE,)).get("/quarantine"), 403, "role_forbidden")
    refused(auditor.post(f"/quarantine/{row['id']}/dismiss", {"reason": "x"}), 403, "role_forbidden")


def test_an_edit_names_the_fields_that_were_ignored(office: Indoors, device: Handheld) -> None:
    finding = device.report(SCOPE)
    supervisor = office.person("supervisor", scopes=("3204",))
    answer = granted(supervisor.edit("finding", finding, 1, set={"text": "改", "status": "closed"}))
    assert answer["ignored"] == ["status"]
    again = granted(supervisor.edit("finding", finding, answer["record"]["version"], set={"text": "再改"}))
    assert "ignored" not in again
