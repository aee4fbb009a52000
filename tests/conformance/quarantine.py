"""Section 2: the quarantine, its release and dismissal."""

from __future__ import annotations

from typing import Any

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import Device, a_finding
from tests.conformance.office import Office
from tests.conformance.wire import Parts, Wire, granted, new_id, refused

holds = subject("quarantine", "2")
CORRECTION = {"set": {"class_code": "0504"}}


def spoilt(device: Device, **fields: Any) -> Parts:
    """Push a finding of an unknown class; the mutation."""
    mutation = device.create("finding", a_finding(class_code="9876", **fields))
    device.give(mutation, "quarantined", "class_unknown")
    return mutation


def entries(reader: Wire, mutation: Parts) -> list[Parts]:
    """What the reader sees of this mutation in the quarantine, over all its pages."""
    found, cursor = [], None
    while True:
        page = granted(reader.get("/quarantine", cursor=cursor))
        found += [row for row in page["items"] if row["mutation"].get("id") == mutation["id"]]
        cursor = page.get("next")
        if not cursor:
            return found


def entry(reader: Wire, mutation: Parts) -> Parts:
    rows = entries(reader, mutation)
    must(len(rows) == 1, "one entry of the quarantine", rows)
    return rows[0]


@holds("{items: [{id, device_id, n, received_at, reason, problem, mutation}]}")
def the_raw_mutation_is_kept_whole(office: Office) -> None:
    device = office.device()
    mutation = spoilt(device, weather="雨", nested={"deep": [1, 2.5, None, "文"]})
    row = entry(office.person("supervisor"), mutation)
    must_have(row, "id device_id n received_at reason problem mutation", "an entry")
    must_be((row["device_id"], row["n"], row["mutation"]), (device.id, mutation["n"], mutation), "entry")
    must_be(row["problem"]["code"], "class_unknown", "code of its problem")


@holds("GET /quarantine (supervisor: own scope; device: its own)")
def everybody_sees_only_what_is_his(office: Office) -> None:
    device, other = office.pair()
    mutation = spoilt(device)
    entry(device, mutation)
    foreign = office.person("supervisor", scopes=(office.elsewhere,))
    for reader in (other, foreign):
        must_be(entries(reader, mutation), [], "what others see of it")


@holds("POST /quarantine/{id}/release {set?} (supervisor in scope) applies it after correction")
def release_applies_it_after_correction(office: Office) -> None:
    device, reader = office.pair()
    mutation = spoilt(device, text="要紧")
    supervisor = office.person("supervisor")
    reader.catch_up()
    granted(supervisor.post(f"/quarantine/{entry(supervisor, mutation)['id']}/release", CORRECTION))
    fields = supervisor.fields("finding", mutation["record_id"])
    must_be((fields["text"], fields["class_code"]), ("要紧", "0504"), "fields of the record")
    must_be(fields.get("inspector_id"), device.user["id"], "author of the released record")
    must(mutation["record_id"] in [change["id"] for change in reader.catch_up()], "it in the next pull", "not there")


@holds("released, dismissed) is added as settled: {outcome, version, problem} and comes in settled of the next pull")
def the_author_learns_of_the_release(office: Office) -> None:
    device, supervisor = office.device(), office.person("supervisor")
    mutation = spoilt(device)
    device.catch_up()
    granted(supervisor.post(f"/quarantine/{entry(supervisor, mutation)['id']}/release", CORRECTION))
    device.catch_up()
    must(mutation["id"] in [news["id"] for news in device.settled], "it in settled of the pull", device.settled)
    again = device.deliver(mutation)[0]
    must_be((again["outcome"], again["replayed"]), ("quarantined", True), "the first outcome")
    must_have(again.get("settled"), "outcome version problem", "settled")
    must_be((again["settled"]["outcome"], again["settled"]["version"]), ("applied", 1), "settled")


@holds("POST /quarantine/{id}/release {set?} (supervisor in scope) applies it after correction")
def release_without_correction_keeps_it(office: Office) -> None:
    device, supervisor = office.device(), office.person("supervisor")
    mutation = spoilt(device)
    row = entry(supervisor, mutation)
    refused(supervisor.post(f"/quarantine/{row['id']}/release", {}), (409, 422))
    must_be(entry(supervisor, mutation)["mutation"], mutation, "mutation, still there:")


@holds("POST /quarantine/{id}/dismiss {reason} closes it")
def dismissal_wants_a_reason_and_closes_it(office: Office) -> None:
    device, supervisor = office.device(), office.person("supervisor")
    mutation = spoilt(device)
    path = f"/quarantine/{entry(supervisor, mutation)['id']}"
    device.catch_up()
    refused(supervisor.post(f"{path}/dismiss", {}), 422)
    granted(supervisor.post(f"{path}/dismiss", {"reason": "重复上报"}))
    refused(supervisor.post(f"{path}/release", CORRECTION), 409)
    refused(supervisor.get(f"/records/finding/{mutation['record_id']}"), 404)
    device.catch_up()
    must(mutation["id"] in [news["id"] for news in device.settled], "it in settled of the pull", device.settled)
    again = device.deliver(mutation)[0]
    must_be((again["outcome"], again["replayed"]), ("quarantined", True), "the first outcome")
    must_be((again.get("settled") or {}).get("outcome"), "dismissed", "settled.outcome")


@holds("POST /quarantine/{id}/release {set?} (supervisor in scope) applies it after correction")
def only_a_supervisor_in_scope_decides(office: Office) -> None:
    device = office.device()
    mutation = spoilt(device)
    path = f"/quarantine/{entry(device, mutation)['id']}"
    for caller in (office.person("inspector"), office.person("supervisor", scopes=(office.elsewhere,)), device):
        refused(caller.post(f"{path}/release", CORRECTION), (403, 404))
        refused(caller.post(f"{path}/dismiss", {"reason": "x"}), (403, 404))
    entry(device, mutation)


@holds("GET /quarantine (supervisor: own scope; device: its own)")
def what_was_out_of_scope_is_there_too(office: Office) -> None:
    device = office.device()
    mutation = device.create("finding", a_finding(), scope=office.elsewhere)
    device.give(mutation, "quarantined", "out_of_scope")
    must_be(entry(device, mutation)["mutation"], mutation, "mutation")
    must_be(entry(office.person("supervisor"), mutation)["n"], mutation["n"], "number, for the own supervisor:")


@holds("POST /quarantine/{id}/dismiss {reason} closes it")
def an_unknown_entry_is_not_found(office: Office) -> None:
    refused(office.person("supervisor").post(f"/quarantine/{new_id()}/dismiss", {"reason": "x"}), 404)


@holds("what became of a held or quarantined one later (applied after its parent came, released, dismissed)")
def later_edits_of_a_released_creation_are_applied_with_it(office: Office) -> None:
    device, supervisor = office.device(), office.person("supervisor")
    mutation = spoilt(device, text="一")
    device.give(device.edit("finding", mutation["record_id"], 0, set={"text": "二"}), "held")
    granted(supervisor.post(f"/quarantine/{entry(supervisor, mutation)['id']}/release", CORRECTION))
    must_be(supervisor.fields("finding", mutation["record_id"])["text"], "二", "text")
