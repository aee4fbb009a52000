"""People and devices (protocol section 1): logins, invitations, enrolment, roles and scopes, revocation."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.bureau import PASSWORD, Bureau
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, Wire, a_finding, granted, refused


def test_a_login_tells_who_the_user_is(bureau: Bureau) -> None:
    person = bureau.person("inspector", "reviewer", scopes=("320412100", "320412102"))
    assert person.user["username"] == person.username
    assert set(person.user["roles"]) == {"inspector", "reviewer"}
    assert set(person.user["scopes"]) == {"320412100", "320412102"}
    assert set(person.user) >= {"id", "username", "name", "roles", "scopes"}
    assert "password" not in str(person.user)


def test_a_wrong_password_and_an_unknown_name_look_the_same(bureau: Bureau) -> None:
    person = bureau.person("inspector")
    wrong = refused(Wire(bureau.url).post("/sessions", {"username": person.username, "password": "x" * 12}), 401,
                    "bad_credentials")
    unknown = refused(Wire(bureau.url).post("/sessions", {"username": "nobody-here", "password": "x" * 12}), 401,
                      "bad_credentials")
    assert wrong["detail"] == unknown["detail"]


def test_repeated_failures_are_slowed_down(bureau: Bureau) -> None:
    person = bureau.newcomer("inspector")
    for _ in range(60):
        answer = Wire(bureau.url).post("/sessions", {"username": person.username, "password": "not-the-password"})
        if answer.status_code == 429:
            break
        refused(answer, 401, "bad_credentials")
    refused(answer, 429, action="retry")
    assert int(answer.headers["Retry-After"]) > 0
    someone_else = bureau.newcomer("inspector")
    assert someone_else.hello()["user"]["username"] == someone_else.username


def test_a_closed_session_opens_nothing(bureau: Bureau) -> None:
    person = bureau.newcomer("inspector")
    assert person.delete("/sessions/current").status_code == 204
    refused(person.get("/hello"), 401)


def test_a_changed_password_closes_the_old_one(bureau: Bureau, admin: Person) -> None:
    person = bureau.newcomer("inspector")
    granted(admin.patch(f"/users/{person.id}", {"password": "Another-Horse-10-Battery"}))
    refused(Wire(bureau.url).post("/sessions", {"username": person.username, "password": PASSWORD}), 401)
    Person(bureau.url, person.username, "Another-Horse-10-Battery")


def test_an_inactive_user_is_shut_out_and_can_come_back(bureau: Bureau, admin: Person) -> None:
    device = bureau.handheld(owner=bureau.newcomer("inspector"))
    granted(admin.patch(f"/users/{device.owner.id}", {"active": False}))
    refused(Wire(bureau.url).post("/sessions", {"username": device.owner.username, "password": PASSWORD}), 401)
    refused(device.push(device.create("finding", "320412100", a_finding())), (401, 403))
    granted(admin.patch(f"/users/{device.owner.id}", {"active": True}))
    Person(bureau.url, device.owner.username, PASSWORD)


@pytest.mark.parametrize("path", ["/hello", "/sync/pull", "/quarantine", "/records?type=finding", "/users", "/devices",
                                  "/reviews", "/zones.geojson", "/zones/attribute?lon=1&lat=1&crs=EPSG:4326",
                                  "/journal/entries?from=0", "/media/" + "0" * 64])
def test_without_a_token_nothing_is_shown(bureau: Bureau, path: str) -> None:
    refused(Wire(bureau.url).get(path), 401)
    refused(Wire(bureau.url, "not-a-token").get(path), 401)


def test_what_needs_no_token(bureau: Bureau) -> None:
    anyone = Wire(bureau.url)
    assert granted(anyone.get("/openapi.json"))["openapi"].startswith("3.1")
    assert anyone.get("/journal/checkpoint").status_code == 200
    assert anyone.get("/journal/key").status_code == 200
    assert anyone.http.options(anyone.url("/uploads")).status_code in (200, 204)


def test_a_user_name_is_given_once(bureau: Bureau, admin: Person) -> None:
    person = bureau.person("inspector")
    body = {"username": person.username, "name": "二号", "roles": ["inspector"], "scopes": ["320412100"],
            "password": PASSWORD}
    refused(admin.post("/users", body), 409, "username_taken")


@pytest.mark.parametrize("role", ["inspector", "auxiliary", "reviewer", "supervisor", "auditor"])
def test_only_an_administrator_makes_users(bureau: Bureau, role: str) -> None:
    body = {"username": f"made-by-{role}", "name": "x", "roles": ["admin"], "scopes": ["32"], "password": PASSWORD}
    refused(bureau.person(role).post("/users", body), 403)


def test_a_supervisor_sees_the_users_of_the_own_scope(bureau: Bureau) -> None:
    near, far = bureau.person("inspector", scopes=("320412100",)), bureau.person("inspector", scopes=("320402001",))
    seen = granted(bureau.person("supervisor", scopes=("320412",)).get("/users"))["items"]
    names = {user["username"] for user in seen}
    assert near.username in names
    assert far.username not in names
    refused(near.get("/users"), 403)


def test_an_invitation_works_once(bureau: Bureau) -> None:
    person = bureau.person("inspector")
    code = bureau.invite(person.username)
    device = Handheld(bureau.url, code)
    assert device.enrolment["user"]["username"] == person.username
    assert device.enrolment["hello"]["device"] == {"id": device.id, "last_n": 0}
    body = {"code": code, "name": "x", "platform": "ios", "app_version": "1"}
    refused(Wire(bureau.url).post("/devices", body), 409, "invitation_used")


def test_an_enrolment_whose_answer_was_lost_is_asked_for_again(bureau: Bureau, server: Server) -> None:
    code = bureau.invite(bureau.person("inspector").username)
    device, stranger = Handheld(bureau.url, code), bureau.handheld()
    body = json.dumps({"code": code, "name": "再来", "platform": "web", "app_version": "2",
                       "public_key": device.public_key()}).encode()

    def again(signature: str | None) -> httpx.Response:
        signed = {"Menqian-Signature": signature} if signature else {}
        return httpx.post(f"{bureau.url}/api/v1/devices", content=body, headers={
            "Content-Type": "application/json", **signed})

    for signature in (None, stranger.sign(body), device.sign(body + b" ")):
        refused(again(signature), 409, "invitation_used")
    found = granted(again(device.sign(body)), 201)
    assert found["device_id"] == device.id and found["token"] != device.token
    refused(device.get("/hello"), 401)
    device.http.headers["Authorization"] = f"Bearer {found['token']}"
    assert granted(device.get("/hello"))["device"] == {"id": device.id, "last_n": 0}
    device.report("320412100")
    refused(again(device.sign(body)), 409, "invitation_used")
    assert device.id not in server.cli("verify", check=False).stdout


def test_an_invitation_of_somebody_else_is_refused_and_stays(bureau: Bureau) -> None:
    mine, other = bureau.person("inspector"), bureau.person("inspector", who="another")
    body = {"code": bureau.invite(other.username), "name": "x", "platform": "web", "app_version": "1"}
    refused(Wire(bureau.url).post("/devices", body | {"user_id": mine.id}), 409, "invitation_of_another")
    refused(Wire(bureau.url).post("/devices", body | {"user_id": "me"}), 422)
    assert granted(Wire(bureau.url).post("/devices", body | {"user_id": other.id}), 201)["user"]["id"] == other.id


def test_an_invitation_that_never_was_is_refused(bureau: Bureau) -> None:
    body = {"code": "NEVER-WAS-1234", "name": "x", "platform": "ios", "app_version": "1"}
    refused(Wire(bureau.url).post("/devices", body), (404, 410, 422))


def test_inspectors_do_not_invite(bureau: Bureau) -> None:
    inspector = bureau.person("inspector")
    refused(inspector.post("/devices/invitations", {"username": inspector.username}), 403)


def test_a_supervisor_does_not_invite_into_a_foreign_scope(bureau: Bureau) -> None:
    supervisor = bureau.person("supervisor", scopes=("320412100",))
    stranger = bureau.person("inspector", scopes=("320402001",))
    refused(supervisor.post("/devices/invitations", {"username": stranger.username}), (403, 404))


def test_the_command_line_invites_and_prints_only_the_code(bureau: Bureau, server: Server) -> None:
    person = bureau.person("inspector")
    code = server.cli("device", "invite", person.username).stdout
    assert len(code.split()) == 1
    assert Handheld(bureau.url, code.strip()).user["username"] == person.username


def test_the_command_line_adds_users_with_roles_and_scopes(bureau: Bureau, server: Server) -> None:
    server.cli("user", "add", "by-command-line", "--name", "命令行", "--role", "reviewer", "--role", "supervisor",
               "--scope", "320412100", "--scope", "320402", "--password-stdin", stdin=PASSWORD + "\n")
    person = Person(bureau.url, "by-command-line", PASSWORD)
    assert set(person.user["roles"]) == {"reviewer", "supervisor"}
    assert set(person.user["scopes"]) == {"320412100", "320402"}


def test_hello_states_the_limits_and_who_one_is(bureau: Bureau) -> None:
    device = bureau.handheld("320412100")
    hello = device.hello()
    assert hello["protocol"] == 1
    assert hello["limits"] == {"mutations_per_push": 500, "push_bytes": 8388608, "mutation_bytes": 65536,
                               "changes_per_pull": 1000, "upload_bytes": 67108864}
    assert hello["device"] == {"id": device.id, "last_n": 0}
    assert hello["scopes"]["codes"] == ["320412100"]
    assert hello["user"]["username"] == device.owner.username
    assert {"server_time", "epoch", "schema_version", "checkpoint"} <= set(hello)
    assert device.owner.hello().get("device") is None


def test_a_revoked_device_is_told_to_contact_someone(bureau: Bureau) -> None:
    device, neighbour = bureau.handheld("320412100"), bureau.handheld("320412100")
    supervisor = bureau.person("supervisor", scopes=("320412100",))
    granted(supervisor.post(f"/devices/{device.id}/revoke", {"reason": "遗失"}))
    refused(device.push(device.create("finding", "320412100", a_finding())), 401, "device_revoked", "contact")
    refused(device.pull(), 401, "device_revoked", "contact")
    assert neighbour.hello()["device"]["id"] == neighbour.id


def test_an_inspector_revokes_no_device(bureau: Bureau) -> None:
    device = bureau.handheld("320412100")
    refused(bureau.person("inspector").post(f"/devices/{device.id}/revoke", {"reason": "x"}), 403)
    assert device.hello()["device"]["id"] == device.id


def test_the_list_of_devices_shows_what_they_still_carry(bureau: Bureau) -> None:
    device = bureau.handheld("320412100")
    health = {"unsent": 12, "oldest_unsent_at": "2026-11-20T01:02:03.000Z", "unsent_bytes": 4096,
              "device_time": "2026-11-20T01:02:03.000Z"}
    granted(device.push(device.create("finding", "320412100", a_finding()), health=health))
    supervisor = bureau.person("supervisor", scopes=("320412100",))
    seen, = (row for row in granted(supervisor.get("/devices"))["items"] if row["id"] == device.id)
    assert seen["reported"]["unsent"] == 12
    assert seen["reported"]["unsent_bytes"] == 4096
    assert seen["last_n"] == 1
    assert seen["last_seen_at"]
    assert abs(seen["clock_offset_ms"]) > 3600_000
    assert "state" in seen


def test_a_changed_scope_raises_the_version_that_devices_see(bureau: Bureau, admin: Person) -> None:
    device = bureau.handheld(owner=bureau.newcomer("inspector"))
    before = device.hello()["scopes"]["version"]
    granted(admin.patch(f"/users/{device.owner.id}", {"scopes": ["320412100", "320412102"]}))
    after = device.hello()["scopes"]
    assert after["version"] > before
    assert set(after["codes"]) == {"320412100", "320412102"}


def test_an_auditor_reads_and_changes_nothing(bureau: Bureau) -> None:
    device = bureau.handheld("320412100")
    finding = device.report("320412100")
    auditor = bureau.person("auditor", scopes=("320412100",))
    assert auditor.record("finding", finding)["id"] == finding
    assert granted(auditor.get("/journal/entries?from=0&limit=1"))["entries"]
    refused(auditor.edit("finding", finding, 1, set={"text": "改"}), 403)
    refused(auditor.command("finding", finding, "cancel", {"reason": "x"}), 403)
    refused(auditor.create("finding", "320412100", a_finding()), 403)
