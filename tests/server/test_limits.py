"""Limits against guessing, on the real app: what counts, for whom, and what the body has to do with it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from server.limits import limiter
from tests.bureau import PASSWORD
from tests.server.indoors import Indoors, indoors
from tests.wire import Wire, granted, refused


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("limits")) as office:
        yield office


@pytest.fixture(autouse=True)
def _fresh_counts(office: Indoors) -> None:
    with office.app.app_context():
        limiter.reset()


def enrolled(office: Indoors, code: str) -> httpx.Response:
    return Wire(office.url).post("/devices", {"code": code, "name": "x", "platform": "ios", "app_version": "1"})


def test_used_and_expired_codes_lock_nobody_out(office: Indoors) -> None:
    person = office.person("inspector")
    used, late = office.invite(person.username), office.invite(person.username)
    granted(enrolled(office, used), 201)
    office.clock.put_on(hours=73)
    for _ in range(20):
        refused(enrolled(office, used), 409, "invitation_used")
        refused(enrolled(office, late), 410, "invitation_expired")


def test_only_many_unknown_codes_are_slowed_down_and_say_so(office: Indoors) -> None:
    for _ in range(30):
        refused(enrolled(office, "NEVER-WAS-A-CODE"), 404, "invitation_invalid")
    problem = refused(enrolled(office, "NEVER-WAS-A-CODE"), 429, "too_many_requests")
    assert "invitation" in problem["detail"]


def test_a_slowed_login_speaks_of_logins(office: Indoors) -> None:
    wrong = {"username": "nobody", "password": "wrong-password"}
    for _ in range(5):
        refused(Wire(office.url).post("/sessions", wrong), 401, "bad_credentials")
    assert "logins" in refused(Wire(office.url).post("/sessions", wrong), 429, "too_many_requests")["detail"]


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                          "text/plain", ""])
def test_a_login_is_json_whatever_its_content_type_says(office: Indoors, content_type: str) -> None:
    anyone = Wire(office.url)
    body = b'{"username": "root", "password": "%s"}' % PASSWORD.encode()
    answer = anyone.http.post(anyone.url("/sessions"), content=body, headers={"Content-Type": content_type})
    assert granted(answer, 201)["user"]["username"] == "root"
