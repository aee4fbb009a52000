"""Section 1: invitations, enrolment, revocation, the list of devices, signed pushes."""

from __future__ import annotations

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import Device, a_finding
from tests.conformance.office import Office
from tests.conformance.wire import base64url, dumped, granted, new_id, refused

holds = subject("devices", "1")


@holds("201 {device_id, token, user, scopes, hello}; 410 invitation_expired, 409 invitation_used")
def an_invitation_works_once(office: Office) -> None:
    person = office.person("inspector")
    code = office.invite(person.username)
    device = Device(office.line, code)
    must_be(device.user["username"], person.username, "user of the enrolment")
    must_be(device.enrolment["hello"]["device"], {"id": device.id, "last_n": 0}, "device in hello")
    again = {"code": code, "name": "x", "platform": "test", "app_version": "1"}
    refused(office.anyone.post("/devices", again), 409, "invitation_used")


@holds("| POST /devices/invitations (supervisor, admin) | {username} | 201 {code, expires_at} |")
def supervisors_and_administrators_invite(office: Office) -> None:
    inspector = office.person("inspector")
    body = {"username": inspector.username}
    for inviter in (office.admin, office.person("supervisor")):
        must_have(granted(inviter.post("/devices/invitations", body), 201), "code expires_at", "an invitation")
    refused(inspector.post("/devices/invitations", body), 403)


@holds("from then on that token gets 401 device_revoked (action contact)")
def a_revoked_device_is_told_to_contact_someone(office: Office) -> None:
    device, neighbour = office.pair()
    granted(office.person("supervisor").post(f"/devices/{device.id}/revoke", {"reason": "遗失"}))
    refused(device.push(device.create("finding", a_finding())), 401, "device_revoked", "contact")
    refused(device.get("/sync/pull"), 401, "device_revoked", "contact")
    refused(device.get("/hello"), 401, "device_revoked", "contact")
    granted(neighbour.get("/hello"))


@holds("| POST /devices/{id}/revoke (supervisor, admin) |")
def an_inspector_revokes_no_device(office: Office) -> None:
    device = office.device()
    refused(office.person("inspector").post(f"/devices/{device.id}/revoke", {"reason": "x"}), 403)
    granted(device.get("/hello"))


@holds("reported: {unsent, oldest_unsent_at, unsent_bytes}, clock_offset_ms, state}]}")
def the_list_shows_what_devices_still_carry(office: Office) -> None:
    device = office.device()
    at = "2020-01-02T03:04:05.000Z"
    health = {"unsent": 12, "oldest_unsent_at": at, "unsent_bytes": 4096, "device_time": at}
    granted(device.push(device.create("finding", a_finding()), health=health))
    listed = granted(office.person("supervisor").get("/devices"))["items"]
    row = next((each for each in listed if each["id"] == device.id), None)
    must_have(row, "id user name last_seen_at last_n reported clock_offset_ms state", "the device's row")
    assert row is not None
    must_be((row["last_n"], row["reported"].get("unsent"), row["reported"].get("oldest_unsent_at"),
             row["reported"].get("unsent_bytes")), (1, 12, at, 4096), "last_n and reported")
    must(row["clock_offset_ms"] < -365 * 86_400_000, "clock_offset_ms of years", row["clock_offset_ms"])


@holds("| GET /devices (supervisor, admin) |")
def an_inspector_lists_no_devices(office: Office) -> None:
    refused(office.person("inspector").get("/devices"), 403)


@holds("Missing or wrong: 401 signature_invalid, nothing applied")
def a_missing_or_wrong_signature_applies_nothing(office: Office) -> None:
    device = office.device()
    body = dumped({"mutations": [device.create("finding", a_finding())]})
    for signature in (None, "", "AAAA", base64url(bytes(64)), "not base64 !!", device.sign(b"another body")):
        refused(device.send(body, signature=signature), 401, "signature_invalid")
    must_be(device.hello()["device"]["last_n"], 0, "last_n")
    must_be(granted(device.send(body))["last_n"], 1, "last_n once it was signed")


@holds("over the request body before any content encoding")
def the_signature_is_over_the_body_before_encoding(office: Office) -> None:
    device = office.device()
    body = dumped({"mutations": [device.create("finding", a_finding())]})
    must_be(granted(device.send(body, **{"Content-Encoding": "gzip"}))["last_n"], 1, "last_n")


@holds("A device that gave one signs each push")
def an_empty_push_is_signed_too(office: Office) -> None:
    device = office.device()
    refused(device.send(dumped({"mutations": []}), signature=None), 401, "signature_invalid")


@holds("A device without a key may push; what it brings is marked unsigned")
def what_comes_without_a_key_is_marked(office: Office) -> None:
    plain, signed = office.device(signs=False), office.device()
    must_be(plain.owner.fields("finding", plain.report()).get("unsigned"), True, "unsigned")
    must(not signed.owner.fields("finding", signed.report()).get("unsigned"), "no mark on a signed one", "unsigned")


@holds("All other calls carry Authorization: Bearer TOKEN, else 401")
def only_a_device_pushes_and_pulls(office: Office) -> None:
    person = office.person("inspector")
    refused(person.post("/sync/push", {"mutations": []}), (401, 403))
    refused(person.get("/sync/pull"), (401, 403))


@holds("| POST /devices (no login) | {code, name, platform, app_version, public_key?} |")
def an_unknown_code_enrols_nobody(office: Office) -> None:
    body = {"code": f"NEVER-{new_id()}", "name": "x", "platform": "test", "app_version": "1"}
    refused(office.anyone.post("/devices", body), (404, 410, 422))
