"""What is compressed and what is not, and which answers say nothing about a body."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bureau import a_photo
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, sha256


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("compression")) as office:
        yield office


def test_a_long_answer_is_compressed_when_the_client_allows(office: Indoors) -> None:
    allowed = office.admin.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert allowed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in office.admin.get("/openapi.json", headers={"Accept-Encoding": "identity"}).headers


def test_an_answer_to_head_is_not_compressed(office: Indoors) -> None:
    answer = office.admin.head("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Type"] == "application/json"


def test_an_answer_without_content_says_nothing_about_a_body(office: Indoors) -> None:
    answer = Person(office.url, "root", office.admin.password).delete("/sessions/current")
    assert answer.status_code == 204
    assert not {"content-encoding", "content-type", "content-length"} & set(answer.headers)


def test_empty_answers_to_uploads_claim_no_html(office: Indoors) -> None:
    device, content = office.handheld("320412100"), a_photo(size=(64, 64))
    made = device.create_upload(len(content), sha256(content))
    where = made.headers["Location"]
    for answer in (made, device.head_upload(where), device.patch_upload(where, 0, content)):
        assert answer.status_code in (200, 201, 204)
        assert not {"content-type", "content-encoding"} & set(answer.headers)
    assert device.head(f"/media/{sha256(content)}").headers["Content-Type"] == "image/jpeg"
