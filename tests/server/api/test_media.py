"""Originals and renditions over HTTP: who may open them, what the journal says of it, parts and caches."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from server.db import db
from sync.models import JournalEntry
from tests.bureau import a_photo
from tests.server.indoors import Indoors, indoors
from tests.wire import granted, refused, sha256

SCOPE = "320412113"
CONTENT = a_photo(1)
PATH = f"/media/{sha256(CONTENT)}"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory):
    with indoors(tmp_path_factory.mktemp("media")) as office:
        yield office


@pytest.fixture(scope="module")
def device(office: Indoors):
    """A device whose photo is stored, checked and named by evidence."""
    device = office.handheld(SCOPE)
    device.deliver(device.capture(SCOPE, CONTENT, ("finding", device.report(SCOPE))))
    assert device.upload(CONTENT).status_code == 204
    return device


@pytest.fixture(scope="module")
def reviewer(office: Indoors):
    return office.person("reviewer", scopes=(SCOPE,))


def openings(office: Indoors):
    with office.app.app_context():
        return db.session.execute(select(JournalEntry).where(JournalEntry.kind == "opened")
                                  .order_by(JournalEntry.index)).scalars().all()


def test_whether_it_is_stored_anyone_with_a_token_may_ask(office, device):
    stranger = office.person("reviewer", scopes=("320402001",))
    answer = stranger.head(PATH)
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert not answer.content
    assert stranger.head(f"/media/{'0' * 64}").status_code == 404


def test_each_opening_of_an_original_is_journalled(office, device, reviewer):
    before = len(openings(office))
    refused(reviewer.get(PATH), 422, "reason_required")
    refused(reviewer.get(PATH, params={"reason": "  "}), 422, "reason_required")
    assert reviewer.get(PATH, params={"reason": "复核"}).content == CONTENT
    assert device.get(PATH).content == CONTENT
    reviewer.head(PATH)
    reviewer.get(f"{PATH}/thumb")
    seen = openings(office)[before:]
    assert [entry.about for entry in seen] == [sha256(CONTENT)] * 2
    assert seen[0].actor == reviewer.id
    assert "复核" not in json.dumps(seen[0].body, ensure_ascii=False), "a person's words stand beside the tree"
    entry, = granted(office.admin.get(f"/journal/entries?from={seen[0].index}&limit=1"))["entries"]
    assert entry["aside"]["values"] == {"reason": "复核"}
    assert entry["body"]["aside"] == sha256(bytes.fromhex(entry["aside"]["salt"]) + '{"reason":"复核"}'.encode())
    assert "aside" not in seen[1].body, "a device gives no reason"
    assert seen[1].body["device_id"] == device.id


def test_an_original_is_never_shown_in_a_page_of_ours(device):
    headers = device.get(PATH).headers
    assert headers["Content-Disposition"] == f"attachment; filename={sha256(CONTENT)}.jpg"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert headers["Cache-Control"].startswith("private")
    assert headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(("asked", "start", "end"), [
    ("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=5-9999999", 5, None)])
def test_a_part_may_be_asked_for(device, asked, start, end):
    answer = device.get(PATH, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    first = start % len(CONTENT)
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=-9999999", "nonsense"])
def test_what_is_not_one_part_gets_all(device, asked):
    answer = device.get(PATH, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, CONTENT)


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=9999999-"])
def test_who_has_all_of_it_is_told_so(device, asked):
    answer = device.get(PATH, headers={"Range": asked})
    refused(answer, 416, "range_unsatisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(("validator", "status"), [
    (f'"{sha256(CONTENT)}"', 206), (f'W/"{sha256(CONTENT)}"', 200), (f'"{"0" * 64}"', 200), (sha256(CONTENT), 200),
    ("Sun, 22 Nov 2026 04:00:00 GMT", 200), ("*", 200)])
def test_a_part_is_given_only_of_what_the_caller_has_a_part_of(device, validator, status):
    answer = device.get(PATH, headers={"Range": "bytes=0-9", "If-Range": validator})
    assert (answer.status_code, answer.content) == (status, CONTENT[:10] if status == 206 else CONTENT)


@pytest.mark.parametrize("path", [PATH, f"{PATH}/thumb"])
def test_preconditions_hold_as_http_has_them(office, device, path):
    tag = device.get(path).headers["ETag"]
    assert path != PATH or tag == f'"{sha256(CONTENT)}"' == device.head(PATH).headers["ETag"]
    before = len(openings(office))
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = device.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    for other in ('"other"', f"W/{tag}"):
        refused(device.get(path, headers={"If-Match": other}), 412, "precondition_failed")
    assert len(openings(office)) == before, "nothing was opened"
    for wanted in ({"If-Match": tag}, {"If-Match": "*"}, {"If-None-Match": '"other"'}):
        assert device.get(path, headers=wanted).status_code == 200
    assert device.head(PATH, headers={"If-None-Match": device.head(PATH).headers["ETag"]}).status_code == 304


def test_a_stranger_is_not_told_whether_a_photo_is_there(office, device):
    stranger = office.person("reviewer", scopes=("320402001",))
    for more in ("", "/thumb", "/derivatives", "/reuse"):
        told = [refused(stranger.get(path + more, params={"reason": "好奇"}), 404, "not_found")
                for path in (PATH, f"/media/{'0' * 64}", "/media/nothing")]
        assert told[0]["detail"] == told[1]["detail"] == told[2]["detail"], more


def test_a_rendition_may_be_kept_by_the_browser_alone(reviewer, device):
    answer = reviewer.get(f"{PATH}/thumb")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"].startswith("private")
    again = reviewer.get(f"{PATH}/thumb", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_was_not_made_is_not_found(office, device):
    refused(device.get(f"{PATH}/poster"), 404, "not_found")
    damaged = CONTENT[:-3000]
    device.deliver(device.capture(SCOPE, damaged, ("finding", device.report(SCOPE))))
    device.upload(damaged)
    refused(device.get(f"/media/{sha256(damaged)}/screen"), 404, "not_found")


def test_a_photo_that_no_record_of_the_scope_names_is_not_found(office, device):
    content = a_photo(2)
    device.upload(content)
    refused(device.get(f"/media/{sha256(content)}"), 404, "not_found")
    stranger = office.person("reviewer", scopes=("320402001",))
    refused(stranger.get(PATH, params={"reason": "好奇"}), 404, "not_found")
    refused(stranger.get(f"{PATH}/thumb"), 404, "not_found")


def test_a_photo_that_the_store_lost_is_not_there_until_it_is_uploaded_again(office, device, reviewer):
    content = a_photo(2)
    path, store = f"/media/{sha256(content)}", office.app.extensions["menqian"].store
    evidence = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(evidence)
    device.upload(content)
    store.delete(sha256(content))
    before = len(openings(office))
    assert device.head(path).status_code == 404
    refused(device.get(path), 404, "not_found")
    assert len(openings(office)) == before, "nothing was opened"
    assert device.upload(content).status_code == 204
    assert device.head(path).status_code == 200
    assert device.get(path).content == content
    assert device.owner.record("evidence", evidence["record_id"])["fields"]["media"]["state"] == "verified"
    assert reviewer.get(f"{path}/thumb").status_code == 200


def test_a_rendition_that_the_store_lost_is_not_found(office, device, reviewer):
    content = a_photo(3)
    device.deliver(device.capture(SCOPE, content, ("finding", device.report(SCOPE))))
    device.upload(content)
    thumb = f"/media/{sha256(content)}/thumb"
    office.app.extensions["menqian"].store.delete(sha256(reviewer.get(thumb).content))
    refused(reviewer.get(thumb), 404, "not_found")
