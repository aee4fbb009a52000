"""Section 3: what a device is sent when records move and scopes change."""

from __future__ import annotations

from tests.conformance.checks import must, must_be, subject
from tests.conformance.device import Device
from tests.conformance.office import Office
from tests.conformance.wire import Parts, granted

holds = subject("scopes", "3")


def move(office: Office, finding: str, scope: str) -> None:
    supervisor = office.person("supervisor", scopes=office.both)
    granted(supervisor.command("finding", finding, "move", {"scope": scope, "reason": "辖区调整"}))


def of(record_id: str, changes: list[Parts]) -> list[Parts]:
    return [change for change in changes if change["id"] == record_id]


def newcomer(office: Office, *scopes: str) -> Device:
    return office.device(owner=office.newcomer("inspector", scopes=scopes))


@holds("forget: the record left this device's scope (moved, reassigned, scope withdrawn)")
def what_moved_away_is_forgotten_here_and_arrives_there(office: Office) -> None:
    here, there = office.device(), office.device(scopes=(office.elsewhere,))
    finding = here.report(text="要搬走")
    here.catch_up()
    there.catch_up()
    move(office, finding, office.elsewhere)
    must_be(of(finding, here.catch_up()), [{"type": "finding", "id": finding, "op": "forget"}], "change")
    arrived = of(finding, there.catch_up())
    must(len(arrived) == 1 and arrived[0]["op"] == "put", "one put where it arrives", arrived)
    must_be((arrived[0]["scope"], arrived[0]["fields"]["text"]), (office.elsewhere, "要搬走"), "scope and text")


@holds("forget: the record left this device's scope (moved, reassigned, scope withdrawn)")
def what_comes_back_comes_whole(office: Office) -> None:
    device = office.device()
    finding = device.report(text="去而复返", tags=["夜间"])
    device.catch_up()
    move(office, finding, office.elsewhere)
    device.catch_up()
    must(("finding", finding) not in device.rows, "no row of what left", "still there")
    move(office, finding, office.scope)
    device.catch_up()
    row = device.rows.get(("finding", finding))
    must(row is not None, "the row again", row)
    assert row is not None
    must_be((row["fields"]["text"], row["fields"]["tags"], row["version"]), ("去而复返", ["夜间"], 3), "the whole row")


@holds("forget: the record left this device's scope (moved, reassigned, scope withdrawn)")
def away_and_back_between_two_pulls_is_no_forgetting(office: Office) -> None:
    device = office.device()
    finding = device.report()
    device.catch_up()
    move(office, finding, office.elsewhere)
    move(office, finding, office.scope)
    device.catch_up()
    must_be(device.rows.get(("finding", finding), {}).get("version"), 3, "version of the row that stayed")


@holds("A scope granted later brings its records; nothing else is sent again")
def a_scope_granted_later_brings_its_records_and_nothing_again(office: Office) -> None:
    far = office.device(scopes=(office.elsewhere,))
    device = newcomer(office, office.scope)
    known, added = device.report(), {far.report() for _ in range(3)}
    device.catch_up()
    granted(office.admin.patch(f"/users/{device.owner.id}", {"scopes": list(office.both)}))
    seen = [change["id"] for change in device.catch_up(limit=2)]
    must(added <= set(seen), "the records of the granted scope", f"{len(added - set(seen))} missing")
    must(known not in seen, "nothing that was sent before", known)
    must(len(seen) == len(set(seen)), "each record once", "twice")


@holds("forget: the record left this device's scope (moved, reassigned, scope withdrawn)")
def a_scope_withdrawn_is_forgotten(office: Office) -> None:
    device = newcomer(office, *office.both)
    kept = device.report()
    far = office.device(scopes=(office.elsewhere,))
    lost = far.report()
    device.catch_up()
    must(("finding", lost) in device.rows, "records of both scopes", "one missing")
    granted(office.admin.patch(f"/users/{device.owner.id}", {"scopes": [office.scope]}))
    ops = {change["id"]: change["op"] for change in device.catch_up(limit=3)}
    must_be(ops.get(lost), "forget", "op of what is out of scope now")
    must(kept not in ops, "nothing of what stays", ops.get(kept))
    device.catch_up()  # the next request shows that the device knows: what it makes now was not made in scope
    device.give(device.edit("finding", lost, 1, set={"text": "不在辖区"}), "quarantined")


@holds("A scope granted later brings its records; nothing else is sent again")
def a_scope_given_back_brings_its_records_again(office: Office) -> None:
    device = newcomer(office, *office.both)
    finding = office.device(scopes=(office.elsewhere,)).report()
    device.catch_up()
    for scopes in ([office.scope], list(office.both)):
        granted(office.admin.patch(f"/users/{device.owner.id}", {"scopes": scopes}))
        device.catch_up(limit=2)
    must_be(device.rows.get(("finding", finding), {}).get("version"), 1, "version of the row that came back")


@holds("The client removes its copy once it has no undelivered edit on it")
def an_edit_of_what_left_is_kept_whole(office: Office) -> None:
    device = office.device()
    finding = device.report()
    device.catch_up()
    move(office, finding, office.elsewhere)
    edit = device.edit("finding", finding, 1, set={"text": "离开时还没送到"})
    came = device.deliver(edit)[0]
    must(came["outcome"] in ("applied", "merged", "conflicted", "held", "quarantined"), "an outcome", came)
    if came["outcome"] == "quarantined":
        rows = [row for row in granted(device.get("/quarantine"))["items"] if row["mutation"]["id"] == edit["id"]]
        must(len(rows) == 1 and rows[0]["mutation"] == edit, "the edit whole in the quarantine", rows)
    else:
        there = office.person("supervisor", scopes=office.both)
        must("离开时还没送到" in str(there.history("finding", finding)), "the edit in the history", came)
