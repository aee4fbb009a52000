"""The entrance of the API: who is let in where, what a wrong address or verb is told, who was seen when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas.values import parse_time
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Wire, granted, refused

SCOPE = "320412100"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("api")) as office:
        yield office


@pytest.mark.parametrize("path", ["/nowhere", "", "/", "/records/finding/x/y/z"])
def test_an_unknown_address_is_told_only_to_whoever_says_who_he_is(office: Indoors, path: str) -> None:
    refused(Wire(office.url).get(path), 401, "login_required")
    refused(Wire(office.url, "no-such-token").get(path), 401, "login_required")
    refused(office.admin.get(path), 404, "not_found")


@pytest.mark.parametrize(("verb", "path", "allowed"), [
    ("PUT", "/hello", {"GET", "HEAD", "OPTIONS"}), ("GET", "/sync/push", {"POST", "OPTIONS"}),
    ("PUT", "/sessions", {"POST", "OPTIONS"})])
def test_a_wrong_verb_is_told_the_right_ones(office: Indoors, verb: str, path: str, allowed: set[str]) -> None:
    answer = office.admin.http.request(verb, office.admin.url(path))
    refused(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_options_needs_no_token_on_uploads_only(office: Indoors) -> None:
    anyone = Wire(office.url)
    assert anyone.http.options(anyone.url("/uploads")).headers["Tus-Version"] == "1.0.0"
    for path in ("/hello", "/records", "/sync/push", "/nowhere"):
        refused(anyone.http.options(anyone.url(path)), 401, "login_required")
    assert "GET" in office.admin.http.options(office.admin.url("/hello")).headers["Allow"]


def test_verify_takes_an_empty_body_and_no_unknown_member(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    url = device.url("/sync/verify")
    for content in (b"", b"{}"):
        assert "scopes" in granted(device.http.post(url, content=content))
    refused(device.http.post(url, content=b'{"x": 1}'), 422, "unknown_field")
    refused(device.http.post(url, content=b"[]"), 422)
    refused(device.http.post(url, content=b"{"), 400, "invalid_json")


def last_seen_at(office: Indoors, device: Handheld) -> str:
    seen: str = next(row["last_seen_at"] for row in granted(office.admin.get("/devices"))["items"]
                     if row["id"] == device.id)
    return seen


@pytest.mark.parametrize("path", ["/hello", "/sync/pull"])
def test_a_device_is_seen_when_it_asks_at_most_once_a_minute(office: Indoors, path: str) -> None:
    device = office.handheld(SCOPE)
    enrolled = last_seen_at(office, device)
    office.clock.put_on(seconds=30)
    granted(device.get(path))
    assert last_seen_at(office, device) == enrolled
    office.clock.put_on(seconds=31)
    granted(device.get(path))
    assert (parse_time(last_seen_at(office, device)) - parse_time(enrolled)).total_seconds() > 60
