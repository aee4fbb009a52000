"""What is compressed and what is not, and which answers say nothing about a body."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bureau import a_photo
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, granted, sha256


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("compression")) as office:
        yield office


def test_a_long_answer_is_compressed_when_the_client_allows(office: Indoors) -> None:
    allowed = office.admin.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert allowed.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("accepted", ["identity", "", "br", "gzip;q=0", "br;q=1, gzip;q=0", "*, gzip;q=0", "*;q=0",
                                      "identity, gzip;q=0.5"])
def test_what_the_client_does_not_allow_is_not_compressed(office: Indoors, accepted: str) -> None:
    answer = office.admin.get("/openapi.json", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert granted(answer)["openapi"]


def test_a_client_that_says_nothing_gets_plain_answers(office: Indoors) -> None:
    with office.app.test_client() as silent:
        answer = silent.get("/api/v1/openapi.json")
    assert "Content-Encoding" not in answer.headers


def test_a_file_in_pieces_is_compressed_by_the_same_rule(office: Indoors) -> None:
    with office.app.test_client() as browser:
        def coding(accepted: str) -> str | None:
            return browser.get("/static/menqian.css", headers={"Accept-Encoding": accepted}).headers.get(
                "Content-Encoding")

        assert [coding(one) for one in ("gzip", "deflate, gzip;q=0", "zstd, deflate")] == ["gzip", None, None]


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
