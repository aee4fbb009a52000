"""tus over HTTP in one process: what the journeys do not reach, above all a store that is away."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from urllib.parse import urljoin

import pytest

from server import jobs
from tests.bureau import a_photo
from tests.server.indoors import Indoors, indoors
from tests.wire import granted, refused, sha256

SCOPE = "320412110"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory):
    with indoors(tmp_path_factory.mktemp("uploads")) as office:
        yield office


@pytest.fixture(scope="module")
def device(office: Indoors):
    return office.handheld(SCOPE)


@pytest.fixture
def spool(office: Indoors) -> Path:
    return office.app.extensions["menqian"].settings.spool


@pytest.fixture
def store_away(office: Indoors):
    """A media directory that is not there, until `back` is called."""
    media = office.app.extensions["menqian"].settings.data / "media"
    kept = media.with_name("kept")
    media.rename(kept)
    media.touch()

    class Away:
        def back(self):
            if kept.exists():
                media.unlink()
                kept.rename(media)

    away = Away()
    yield away
    away.back()


def begun(device, content, **headers):
    return device.create_upload(len(content), sha256(content), **headers).headers["Location"]


def tick(office: Indoors) -> None:
    with office.app.app_context():
        jobs._tick()


def test_who_only_reads_uploads_nothing(office):
    content = a_photo(901)
    auditor = office.person("auditor", scopes=(SCOPE,))
    refused(auditor.create_upload(len(content), sha256(content)), 403, "role_forbidden")
    both = office.person("auditor", "inspector", scopes=(SCOPE,))
    assert both.create_upload(len(content), sha256(content)).status_code == 201


def test_every_answer_names_the_version(device):
    for answer in (device.create_upload(10, "no digest"), device.head_upload("/api/v1/uploads/x"),
                   device.http.patch(device.url("/uploads/x")), device.http.options(device.url("/uploads")),
                   device.http.delete(device.url("/uploads/x"))):
        assert answer.headers["Tus-Resumable"] == "1.0.0", answer.status_code


@pytest.mark.parametrize("filetype", ["image/jpeg\0", "a\nb", "", "x" * 101, "\u202egpj"])
def test_a_file_type_that_is_no_text_is_refused(device, filetype):
    answer = device.create_upload(10, sha256(b"x"), filetype)
    assert "filetype" in refused(answer, 422, "invalid_request")["detail"]


def test_an_upload_whose_first_bytes_were_spoilt_says_where_it_stands(device):
    content = a_photo(902)
    checksum = "sha1 " + base64.b64encode(hashlib.sha1(b"other").digest()).decode()
    answer = device.create_upload(len(content), sha256(content), content=content[:500],
                                  **{"Upload-Checksum": checksum})
    assert refused(answer, 460, "checksum_mismatch")
    again = device.head_upload(answer.headers["Location"])
    assert (again.status_code, again.headers["Upload-Offset"]) == (200, "0")
    assert device.patch_upload(answer.headers["Location"], 0, content).status_code == 204


def test_another_version_is_told_which_one_is_spoken(device):
    answer = device.create_upload(10, sha256(b""), **{"Tus-Resumable": "0.2.2"})
    assert refused(answer, 412, "tus_version")["action"] == "upgrade"
    assert answer.headers["Tus-Version"] == "1.0.0"


def test_a_stored_photo_is_whole_from_the_beginning_and_takes_no_more(device):
    content = a_photo()
    assert device.upload(content).status_code == 204
    created = device.create_upload(len(content), sha256(content))
    assert created.headers["Upload-Offset"] == str(len(content))
    location = created.headers["Location"]
    assert device.head_upload(location).headers["Upload-Offset"] == str(len(content))
    assert device.patch_upload(location, 0, content).headers["Upload-Offset"] == str(len(content))
    with_bytes = device.create_upload(len(content), sha256(content), content=content)
    assert (with_bytes.status_code, with_bytes.headers["Upload-Offset"]) == (201, str(len(content)))
    assert device.http.delete(device.absolute(location), headers={"Tus-Resumable": "1.0.0"}).status_code == 204
    assert device.head(f"/media/{sha256(content)}").status_code == 200


def test_a_finished_upload_tells_so_to_one_who_lost_the_answer(device, spool):
    content = a_photo()
    location = begun(device, content)
    assert device.patch_upload(location, 0, content).status_code == 204
    assert device.head_upload(location).headers["Upload-Offset"] == str(len(content))
    assert device.patch_upload(location, len(content), b"").status_code == 204
    assert refused(device.patch_upload(location, 0, content), 409, "offset_mismatch")["offset"] == len(content)
    assert not (spool / location.rsplit("/", 1)[-1]).exists()


def test_bytes_of_another_digest_are_thrown_away_with_their_upload(device, spool):
    content = a_photo()
    location = device.create_upload(len(content), sha256(b"other")).headers["Location"]
    refused(device.patch_upload(location, 0, content), 422, "digest_mismatch", "retry")
    refused(device.patch_upload(location, 0, content), 410, "upload_gone")
    assert not (spool / location.rsplit("/", 1)[-1]).exists()


def test_while_the_store_is_away_the_bytes_wait_for_the_next_request(device, spool, store_away):
    content = a_photo()
    location = begun(device, content)
    answer = device.patch_upload(location, 0, content)
    refused(answer, 503, "unavailable", "retry")
    assert int(answer.headers["Retry-After"]) > 0
    assert (spool / location.rsplit("/", 1)[-1]).read_bytes() == content
    assert device.head_upload(location).status_code == 503, "offset equal to length would say that it is stored"
    store_away.back()
    answer = device.patch_upload(location, len(content), b"")
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(content)))
    assert device.head(f"/media/{sha256(content)}").status_code == 200


def test_while_the_store_is_away_the_bytes_wait_for_the_tick(office, device, spool, store_away):
    content = a_photo()
    finding = device.report(SCOPE)
    evidence = device.capture(SCOPE, content, ("finding", finding))
    device.deliver(evidence)
    refused(device.create_upload(len(content), sha256(content), content=content), 503, "unavailable")
    store_away.back()
    office.clock.put_on(seconds=20)
    tick(office)
    fields = device.owner.record("evidence", evidence["record_id"])["fields"]
    assert fields["media"]["state"] == "verified"


def test_whole_bytes_that_turn_out_wrong_in_the_tick_are_refused(office, device, store_away):
    content = b"GIF89a" + bytes(100)
    location = begun(device, content)
    device.patch_upload(location, 0, content[:50])
    upload_id = location.rsplit("/", 1)[-1]
    (office.app.extensions["menqian"].settings.spool / upload_id).write_bytes(content)
    store_away.back()
    office.clock.put_on(seconds=20)
    tick(office)
    refused(device.patch_upload(location, len(content), b""), 410, "upload_gone")


def test_an_expired_upload_is_gone(office, device):
    content = a_photo()
    owner = office.handheld(SCOPE)
    location = begun(owner, content)
    owner.patch_upload(location, 0, content[:100])
    office.clock.put_on(hours=169)
    refused(owner.patch_upload(location, 100, content[100:]), 410, "upload_gone")
    tick(office)
    refused(owner.patch_upload(location, 100, content[100:]), 410, "upload_gone")


@pytest.mark.parametrize("method", ["PATCH", "HEAD", "DELETE"])
def test_the_method_may_stand_in_a_header(device, method):
    content = a_photo()
    location = begun(device, content)
    headers = {"Tus-Resumable": "1.0.0", "X-HTTP-Method-Override": method, "Upload-Offset": "0",
               "Content-Type": "application/offset+octet-stream"}
    answer = device.http.post(device.absolute(location), headers=headers,
                              content=content[:10] if method == "PATCH" else b"")
    assert answer.status_code == (200 if method == "HEAD" else 204), answer.text
    assert answer.headers.get("Upload-Offset") == {"PATCH": "10", "HEAD": "0", "DELETE": None}[method]


def test_another_method_in_the_header_is_none_of_ours(device):
    answer = device.http.post(urljoin(device.url("/uploads") + "/", "x"),
                              headers={"Tus-Resumable": "1.0.0", "X-HTTP-Method-Override": "PUT"})
    refused(answer, 405, "method_not_allowed")


def test_a_body_larger_than_what_is_missing_is_refused_before_it_is_read(device, spool):
    content = a_photo()
    location = begun(device, content)
    refused(device.patch_upload(location, 0, content + b"x"), 413, "too_large")
    assert (spool / location.rsplit("/", 1)[-1]).stat().st_size == 0


@pytest.mark.parametrize("joined", ["partial", "final;/api/v1/uploads/a /api/v1/uploads/b"])
def test_uploads_in_parts_that_are_joined_are_refused(device, joined):
    answer = device.http.post(device.url("/uploads"), headers={
        "Tus-Resumable": "1.0.0", "Upload-Length": "1", "Upload-Concat": joined})
    assert "Upload-Concat" in refused(answer, 422, "invalid_request")["errors"]


def test_other_bytes_than_those_of_an_upload_are_refused_with_its_creation(device):
    answer = device.http.post(device.url("/uploads"), content=b"x", headers={
        "Tus-Resumable": "1.0.0", "Upload-Length": "1", "Content-Type": "image/jpeg",
        "Upload-Metadata": f"sha256 {base64.b64encode(sha256(b'x').encode()).decode()},filetype aW1hZ2UvanBlZw=="})
    refused(answer, 415, "unsupported_media_type")


def test_a_larger_upload_than_a_push_may_be_is_taken(device):
    content = a_photo() + bytes(9_000_000)
    assert device.upload(content).status_code == 204
    assert granted(device.get("/hello"))["limits"]["push_bytes"] < len(content)
