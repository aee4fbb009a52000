"""People and devices on the real app: what a supervisor may do for whom, and what a device's token may not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Wire, a_finding, granted, new_id, refused

SCOPE, OTHER = "320412100", "320402001"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("people")) as office:
        yield office


@pytest.mark.parametrize("role", ["admin", "auditor", "supervisor"])
def test_a_supervisor_makes_and_ends_no_device_of_somebody_with_office_rights(office: Indoors, role: str) -> None:
    supervisor = office.person("supervisor", scopes=(SCOPE,))
    boss = office.person("inspector", role, scopes=(SCOPE,), who="boss")
    refused(supervisor.post("/devices/invitations", {"username": boss.username}), 403, "role_forbidden")
    device = office.handheld(owner=boss)
    refused(supervisor.post(f"/devices/{device.id}/revoke", {"reason": "x"}), 403, "role_forbidden")
    assert device.hello()["device"]["id"] == device.id


def test_a_supervisor_needs_all_the_scopes_of_whom_he_invites(office: Indoors) -> None:
    supervisor = office.person("supervisor", scopes=(SCOPE,))
    wider = office.person("inspector", scopes=(SCOPE, OTHER))
    refused(supervisor.post("/devices/invitations", {"username": wider.username}), 403, "out_of_scope")
    device = office.handheld(owner=wider)
    refused(supervisor.post(f"/devices/{device.id}/revoke", {"reason": "x"}), 403, "out_of_scope")
    both = office.person("supervisor", scopes=(SCOPE, OTHER))
    granted(both.post("/devices/invitations", {"username": wider.username}), 201)


def test_a_supervisor_invites_himself_and_his_own_people(office: Indoors) -> None:
    supervisor = office.person("supervisor", scopes=(SCOPE,))
    for person in (supervisor, office.person("inspector", scopes=(SCOPE,))):
        granted(supervisor.post("/devices/invitations", {"username": person.username}), 201)


def test_a_token_of_a_device_opens_no_call_of_people(office: Indoors) -> None:
    everybody = office.person("inspector", "reviewer", "supervisor", "auditor", "admin", scopes=("32",))
    device = office.handheld(owner=everybody)
    some = new_id()
    calls = [
        ("POST", "/users", {"username": "x", "name": "x", "roles": ["admin"], "scopes": ["32"], "password": "x" * 9}),
        ("PATCH", f"/users/{everybody.id}", {"roles": ["admin"]}), ("GET", "/users", None), ("GET", "/devices", None),
        ("POST", "/devices/invitations", {"username": everybody.username}),
        ("POST", f"/devices/{device.id}/revoke", {"reason": "x"}), ("DELETE", "/sessions/current", None),
        ("POST", "/records/finding", {"scope": SCOPE, "fields": a_finding()}),
        ("POST", f"/records/finding/{some}/edits", {"base": 1}),
        ("POST", f"/records/finding/{some}/commands", {"name": "file"}),
        ("POST", f"/quarantine/{some}/release", {}), ("POST", f"/quarantine/{some}/dismiss", {"reason": "x"}),
        ("POST", "/zones/import", {"type": "FeatureCollection", "features": []}),
        ("POST", "/roads/import", {"type": "FeatureCollection", "features": []}), ("GET", "/journal/entries", None),
        ("GET", "/reviews", None), ("POST", f"/reviews/{some}/claim", {}),
        ("POST", f"/reviews/{some}/decisions", {"decision": "accept", "version": 1}), ("GET", "/spot-checks", None),
        ("POST", "/spot-checks", {}), ("POST", f"/spot-checks/{some}/draw", {}), ("GET", f"/spot-checks/{some}", None),
        ("GET", f"/spot-checks/{some}/proof", None), ("GET", f"/spot-checks/{some}/report", None),
        ("POST", f"/spot-checks/{some}/samples/{some}/verdict", {"verdict": "confirmed"}),
    ]
    for method, path, body in calls:
        refused(device.http.request(method, device.url(path), json=body), 403, "person_required")


def test_a_device_still_reads_what_it_needs(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    finding = device.report(SCOPE)
    record = f"/records/finding/{finding}"
    for path in ("/hello", "/records?type=finding", record, f"{record}/history", "/quarantine",
                 "/zones.geojson", "/roads", "/zones/attribute?lon=119.9&lat=31.7&crs=EPSG:4326",
                 "/journal/inclusion?index=0", "/journal/consistency?from=1"):
        granted(device.get(path))


def test_a_revocation_names_the_owner(office: Indoors) -> None:
    device = office.handheld(SCOPE)
    supervisor = office.person("supervisor", scopes=(SCOPE,))
    row = granted(supervisor.post(f"/devices/{device.id}/revoke", {"reason": "遗失"}))
    assert row["user"]["username"] == device.owner.username
    assert row["state"] == "revoked"


def test_an_inactive_person_is_not_invited(office: Indoors) -> None:
    person = office.newcomer("inspector")
    granted(office.admin.patch(f"/users/{person.id}", {"active": False}))
    problem = refused(office.admin.post("/devices/invitations", {"username": person.username}), 422)
    assert "username" in problem["errors"]


def test_a_code_of_an_inactive_person_waits_until_he_is_back(office: Indoors) -> None:
    person = office.newcomer("inspector")
    code = office.invite(person.username)
    granted(office.admin.patch(f"/users/{person.id}", {"active": False}))
    body = {"code": code, "name": "x", "platform": "ios", "app_version": "1"}
    refused(Wire(office.url).post("/devices", body), 401, "user_inactive")
    granted(office.admin.patch(f"/users/{person.id}", {"active": True}))
    assert Handheld(office.url, code).user["username"] == person.username
