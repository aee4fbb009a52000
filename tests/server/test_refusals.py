"""Every refused access is an entry in the journal; what nobody was refused is none (protocol section 9)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.limits import limiter
from sync.journal import commitment
from tests.bureau import PASSWORD, a_photo
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, Wire, granted, new_id, refused, sha256

HERE, THERE = "320411101", "320402001"
NAME = "correct-horse-mistyped"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("refusals")) as office:
        yield office


@pytest.fixture(scope="module")
def device(office: Indoors) -> Handheld:
    return office.handheld(HERE)


@pytest.fixture(scope="module")
def stranger(office: Indoors) -> Person:
    return office.person("supervisor", scopes=(THERE,))


@pytest.fixture(autouse=True)
def _fresh_counts(office: Indoors) -> None:
    with office.app.app_context():
        limiter.reset()


def entries_of(office: Indoors, act: Callable[[], Any]) -> list[dict[str, Any]]:
    """What an act adds to the journal."""
    def read(start: int) -> list[dict[str, Any]]:
        return list(granted(office.admin.get(f"/journal/entries?from={start}&limit=1000"))["entries"])
    before = len(read(0))
    act()
    return read(before)


def refusal_of(office: Indoors, act: Callable[[], Any]) -> dict[str, Any]:
    """The one entry that an act adds: a refusal."""
    entry, = entries_of(office, act)
    assert (entry["kind"], entry["about"]) == ("refused", None)
    return entry


@pytest.mark.parametrize(("method", "path"), [
    ("get", ""), ("get", "/history"), ("post", "/edits"), ("post", "/commands")])
def test_a_record_that_is_hidden_from_the_asker_is_a_refusal(office: Indoors, device: Handheld, stranger: Person,
                                                             method: str, path: str) -> None:
    finding = device.report(HERE)
    body = {"/edits": {"base": 1, "set": {"text": "x"}}, "/commands": {"name": "accept"}}.get(path)
    where = f"/records/finding/{finding}{path}"
    entry = refusal_of(office, lambda: refused(
        getattr(stranger, method)(where, *([body] if body else [])), 404, "not_found"))
    assert entry["actor"] == stranger.id
    assert entry["body"] == {"method": method.upper(), "path": f"/api/v1{where}", "code": "not_found",
                             "device_id": None}


def test_what_is_not_there_is_no_refusal(office: Indoors, device: Handheld, stranger: Person) -> None:
    finding = device.report(HERE)
    assert entries_of(office, lambda: [
        refused(stranger.get(f"/records/finding/{new_id()}"), 404),
        refused(stranger.get(f"/records/task/{finding}"), 404), refused(stranger.get(f"/media/{'0' * 64}"), 404),
        refused(stranger.get(f"/quarantine/{new_id()}"), 404),
        refused(stranger.get(f"/spot-checks/{new_id()}"), 404)]) == []


def test_a_deleted_record_is_no_refusal_for_whom_it_concerns(office: Indoors, device: Handheld) -> None:
    finding = device.report(HERE)
    device.deliver(device.remove("finding", finding, 1))
    own = office.person("supervisor", scopes=(HERE,))
    assert entries_of(office, lambda: refused(own.get(f"/records/finding/{finding}"), 404)) == []


def test_a_photo_and_an_upload_of_others_are_refusals(office: Indoors, device: Handheld, stranger: Person) -> None:
    content = a_photo()
    device.deliver(device.capture(HERE, content, ("finding", device.report(HERE))))
    assert device.upload(content).status_code == 204
    for path in (f"/media/{sha256(content)}?reason=x", f"/media/{sha256(content)}/thumb"):
        entry = refusal_of(office, lambda path=path: refused(stranger.get(path), 404, "not_found"))
        assert entry["actor"] == stranger.id
        assert entry["body"]["path"] == f"/api/v1{path.partition('?')[0]}"


def test_entries_of_the_quarantine_and_people_out_of_sight_are_refusals(office: Indoors, device: Handheld,
                                                                       stranger: Person) -> None:
    outcome, = device.deliver(device.create("finding", HERE, {"class_code": "9999"}))
    assert outcome["outcome"] == "quarantined"
    entry, = granted(device.get("/quarantine"))["items"]
    for act in (lambda: stranger.get(f"/quarantine/{entry['id']}"),
                lambda: stranger.post(f"/quarantine/{entry['id']}/dismiss", {"reason": "x"}),
                lambda: stranger.post(f"/devices/{device.id}/revoke", {"reason": "x"}),
                lambda: stranger.post("/devices/invitations", {"username": device.owner.username})):
        assert refusal_of(office, lambda act=act: refused(act(), 404))["body"]["code"] == "not_found"


def test_a_right_that_the_role_lacks_is_a_refusal(office: Indoors, stranger: Person) -> None:
    entry = refusal_of(office, lambda: refused(stranger.get("/journal/entries"), 403, "role_forbidden"))
    assert entry["body"]["code"] == "role_forbidden"


def test_a_push_with_a_wrong_signature_is_a_refusal_of_the_device(office: Indoors, device: Handheld) -> None:
    entry = refusal_of(office, lambda: refused(
        device.send(b'{"mutations": []}', signature="A" * 86), 401, "signature_invalid"))
    assert (entry["actor"], entry["body"]["device_id"]) == (device.user["id"], device.id)


def test_calls_of_a_revoked_device_and_of_an_inactive_person_are_refusals(office: Indoors) -> None:
    person = office.newcomer("inspector", scopes=(HERE,))
    lost, kept = (office.handheld(HERE, owner=person) for _ in range(2))
    code = office.invite(person.username)
    granted(office.admin.post(f"/devices/{lost.id}/revoke", {"reason": "丢失"}))
    entry = refusal_of(office, lambda: refused(lost.get("/hello"), 401, "device_revoked"))
    assert (entry["actor"], entry["body"]["device_id"]) == (person.id, lost.id)
    granted(office.admin.patch(f"/users/{person.id}", {"active": False}))
    for asker, device_id in ((kept, kept.id), (person, None)):
        entry = refusal_of(office, lambda asker=asker: refused(asker.get("/hello"), 401, "user_inactive"))
        assert (entry["actor"], entry["body"]["device_id"]) == (person.id, device_id)
    enrolment = {"code": code, "name": "x", "platform": "ios", "app_version": "1"}
    assert refusal_of(office, lambda: refused(Wire(office.url).post("/devices", enrolment), 401))["actor"] == person.id


def test_a_failed_login_is_a_refusal_that_keeps_no_name(office: Indoors) -> None:
    anyone = Wire(office.url)
    entry = refusal_of(office, lambda: refused(
        anyone.post("/sessions", {"username": NAME, "password": "wrong-password"}), 401, "bad_credentials"))
    assert entry["actor"] == "nobody"
    assert NAME not in json.dumps(entry)
    assert entry["aside"]["values"] is None
    assert entry["body"]["aside"] == commitment(entry["aside"]["salt"], {"username": NAME})


def test_a_failed_login_on_the_page_is_a_refusal_too(office: Indoors) -> None:
    browser = office.app.test_client()
    page = browser.get("/sign-in").get_data(as_text=True)
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    entry = refusal_of(office, lambda: browser.post("/sign-in", data={
        "username": NAME, "password": "wrong-password", "csrf_token": token}))
    assert entry["body"]["code"] == "bad_credentials"


def test_the_limit_of_logins_bounds_their_entries(office: Indoors) -> None:
    anyone = Wire(office.url)
    wrong = {"username": NAME, "password": "wrong-password"}
    entries = entries_of(office, lambda: [anyone.post("/sessions", wrong) for _ in range(12)])
    assert [entry["kind"] for entry in entries] == ["refused"] * 5


def test_a_call_without_a_known_token_leaves_no_entry(office: Indoors) -> None:
    for token in (None, "unknown"):
        assert entries_of(office, lambda token=token: refused(Wire(office.url, token).get("/hello"), 401)) == []
    assert entries_of(office, lambda: Person(office.url, "root", PASSWORD))[0]["kind"] == "login"
