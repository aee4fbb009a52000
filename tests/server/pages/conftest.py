"""An installation in this process, and visitors who walk through its pages as a browser does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.bureau import PASSWORD, a_photo
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, position

SCOPE = "320411101"
PLACE = (119.9512, 31.8123)
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """A browser without scripts: keeps cookies, sends forms with the token of the page that it saw last."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"Accept": "text/html"})
        self.token = ""

    def see(self, path: str, status: int = 200, **query: Any) -> str:
        answer = self.http.get(path, params=query or None)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:500]}"
        if found := CSRF.search(answer.text):
            self.token = found[1]
        return answer.text

    def send(self, path: str, values: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return self.http.post(path, data={"csrf_token": self.token, **(values or {})}, headers=headers)

    def signed_in(self, person: Person) -> Visitor:
        self.see("/sign-in")
        answer = self.send("/sign-in", {"username": person.username, "password": PASSWORD})
        assert answer.status_code == 303, answer.text[:500]
        return self


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture
def visitor(office: Indoors) -> Visitor:
    return Visitor(office.url)


@pytest.fixture
def device(office: Indoors) -> Handheld:
    return office.handheld(SCOPE)


@pytest.fixture
def reviewer(office: Indoors) -> Person:
    return office.person("reviewer", scopes=(SCOPE,))


@pytest.fixture
def supervisor(office: Indoors) -> Person:
    return office.person("supervisor", scopes=(SCOPE,))


def photographed(device: Handheld, **fields: Any) -> tuple[str, str, bytes]:
    """(finding, evidence, content) of a finding with one photo, checked at once by the immediate queue."""
    finding, content = device.report(SCOPE, **fields), a_photo()
    capture = device.capture(SCOPE, content, ("finding", finding), position=position(*PLACE))
    device.deliver(capture)
    assert device.upload(content).status_code == 204
    return finding, capture["record_id"], content


def said(answer: httpx.Response, status: int, text: str) -> None:
    assert answer.status_code == status, answer.text[:800]
    assert text in answer.text
