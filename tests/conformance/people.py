"""Section 1: people, logins, roles and scopes."""

from __future__ import annotations

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import a_finding
from tests.conformance.office import Office, Person
from tests.conformance.wire import Wire, granted, refused

holds = subject("people", "1")
CLOSED = ("/hello", "/sync/pull", "/quarantine", "/records?type=finding", "/users", "/devices", "/reviews",
          "/zones.geojson", "/journal/entries?from=0", "/media/" + "0" * 64)


@holds("201 {token, expires_at, user: {id, username, name, roles, scopes}}")
def a_login_tells_who_one_is(office: Office) -> None:
    person = office.person("inspector")
    must_have(person.user, "id username name roles scopes", "user")
    must_be((person.user["username"], person.user["roles"], person.user["scopes"]),
            (person.username, ["inspector"], [office.scope]), "user of the session")
    must("password" not in str(person.user), "no password in an answer", person.user)


@holds("401 bad_credentials")
def a_wrong_password_looks_like_an_unknown_name(office: Office) -> None:
    known, unknown = (refused(office.anyone.post("/sessions", {"username": name, "password": "not-the-password"}), 401,
                              "bad_credentials")
                      for name in (office.person("inspector").username, f"nobody-{office.run}"))
    must_be(known["detail"], unknown["detail"], "the same detail for both:")


@holds("| DELETE /sessions/current | | 204 |")
def a_closed_session_opens_nothing(office: Office) -> None:
    person = office.newcomer("inspector")
    must_be(person.call("DELETE", "/sessions/current").status_code, 204, "status of a log-out")
    refused(person.get("/hello"), 401)


@holds("Without a token work only: POST /sessions, POST /devices, the OpenAPI description and its page, tus OPTIONS, "
       "GET /journal/checkpoint, GET /journal/key (a witness may be anyone) and section 12")
def without_a_token_little_works(office: Office) -> None:
    for caller in (office.anyone, Wire(office.line, "not-a-token")):
        for path in CLOSED:
            refused(caller.get(path), 401)
        for path in ("/sync/push", "/sync/verify", "/users", "/devices/invitations", "/records/finding"):
            refused(caller.post(path, {}), 401)


@holds("Without a token work only: POST /sessions, POST /devices, the OpenAPI description and its page, tus OPTIONS, "
       "GET /journal/checkpoint, GET /journal/key (a witness may be anyone) and section 12")
def what_is_open_needs_no_token(office: Office) -> None:
    anyone = office.anyone
    must(granted(anyone.get("/openapi.json"))["openapi"].startswith("3.1"), "an OpenAPI 3.1 description", "another")
    for path in ("/journal/checkpoint", "/journal/key"):
        must_be(anyone.get(path).status_code, 200, f"status of {path}")
    must(anyone.call("OPTIONS", "/uploads").status_code in (200, 204), "tus OPTIONS without a token", "a refusal")


@holds("201 user; 409 username_taken")
def a_user_name_is_given_once(office: Office) -> None:
    person = office.person("inspector")
    refused(office.admin.post("/users", office.a_user(person.username, "inspector")), 409, "username_taken")


@holds("| POST /users (admin) |")
def only_an_administrator_makes_users(office: Office) -> None:
    for role in ("inspector", "supervisor", "auditor"):
        body = office.a_user(f"conformance-{office.run}-by-{role}", "admin")
        refused(office.person(role).post("/users", body), 403)


@holds("any of {name, roles, scopes, password, active}")
def a_changed_password_closes_the_old_one(office: Office) -> None:
    person = office.newcomer("inspector")
    granted(office.admin.patch(f"/users/{person.id}", {"password": office.password + "2", "name": "改名"}))
    old = {"username": person.username, "password": office.password}
    refused(office.anyone.post("/sessions", old), 401, "bad_credentials")
    must_be(Person(office.line, person.username, office.password + "2").user["name"], "改名", "name")


@holds("any of {name, roles, scopes, password, active}")
def an_inactive_user_is_shut_out_and_can_come_back(office: Office) -> None:
    device = office.device(owner=office.newcomer("inspector"))
    granted(office.admin.patch(f"/users/{device.owner.id}", {"active": False}))
    login = {"username": device.owner.username, "password": office.password}
    refused(office.anyone.post("/sessions", login), 401)
    refused(device.get("/sync/pull"), (401, 403))
    granted(office.admin.patch(f"/users/{device.owner.id}", {"active": True}))
    granted(office.anyone.post("/sessions", login), 201)


@holds("a changed scope raises scopes.version of that person's devices")
def a_changed_scope_raises_its_version(office: Office) -> None:
    device = office.device(owner=office.newcomer("inspector"))
    before = device.hello()["scopes"]["version"]
    granted(office.admin.patch(f"/users/{device.owner.id}", {"scopes": list(office.both)}))
    after = device.hello()["scopes"]
    must(after["version"] > before, f"scopes.version above {before}", after)
    must_be(sorted(after["codes"]), sorted(office.both), "scopes.codes")
    must_be(device.page(None, 1)["scopes"], after, "scopes in a pull")


@holds("a person's scope covers the codes that start with it, so 3204 is the whole city")
def a_scope_covers_the_codes_that_start_with_it(office: Office) -> None:
    finding = office.device().report()
    wide = office.person("supervisor", scopes=(office.scope[:6],))
    must_be(wide.record("finding", finding)["id"], finding, "record read with the county's scope:")
    device = office.device(owner=wide)
    device.give(device.create("finding", a_finding(), scope=office.elsewhere))


@holds("| GET /users (supervisor: own scope; admin) |")
def a_supervisor_sees_the_users_of_the_own_scope(office: Office) -> None:
    near, far = office.person("inspector"), office.person("inspector", scopes=(office.elsewhere,))
    seen = {user["username"] for user in granted(office.person("supervisor").get("/users"))["items"]}
    must(near.username in seen and far.username not in seen, f"{near.username} and not {far.username}",
         [name for name in seen if office.run in name])
    refused(near.get("/users"), 403)


@holds("auditor (reads records, journal and proofs in scope, changes nothing)")
def an_auditor_reads_and_changes_nothing(office: Office) -> None:
    finding = office.device().report()
    auditor = office.person("auditor")
    auditor.record("finding", finding)
    granted(auditor.get("/journal/entries", **{"from": 0, "limit": 1}))
    refused(auditor.create("finding", a_finding()), 403)
    refused(auditor.edit("finding", finding, 1, set={"text": "改"}), 403)
    refused(auditor.command("finding", finding, "cancel", {"reason": "x"}), 403)
    must_be(auditor.record("finding", finding)["version"], 1, "version afterwards")


@holds("limits: {mutations_per_push: 500, push_bytes: 8388608, mutation_bytes: 65536, changes_per_pull: 1000, "
       "upload_bytes: 67108864}")
def hello_states_the_limits(office: Office) -> None:
    device = office.device()
    hello = device.hello()
    must_have(hello, "protocol server_time epoch schema_version limits device user scopes checkpoint", "hello")
    must_be(hello["limits"], {"mutations_per_push": 500, "push_bytes": 8388608, "mutation_bytes": 65536,
                              "changes_per_pull": 1000, "upload_bytes": 67108864}, "limits")
    must_be((hello["protocol"], hello["device"], hello["scopes"]["codes"]),
            (1, {"id": device.id, "last_n": 0}, [office.scope]), "protocol, device and scopes")
    must_be(device.owner.hello().get("device"), None, "device, for a person,")


@holds("{id, last_n}, user, scopes: {version, codes},")
def hello_counts_with_the_device(office: Office) -> None:
    device = office.device()
    device.report()
    device.report()
    must_be(device.hello()["device"], {"id": device.id, "last_n": 2}, "device in hello")
    must_be(device.hello()["epoch"], device.page(None, 1)["epoch"], "one epoch everywhere:")
