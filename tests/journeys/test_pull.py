"""Pull (protocol section 3): every change once, in commit order, in scope, and never one missed."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import Person, a_finding, granted, refused, sha256

SCOPE = "320404116"
OTHER = "320404001"


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    device = bureau.handheld(SCOPE)
    device.catch_up()
    return device


def test_a_first_pull_brings_what_is_in_scope_and_nothing_else(bureau: Bureau) -> None:
    near, far = bureau.handheld(SCOPE), bureau.handheld(OTHER)
    mine, theirs = near.report(SCOPE), far.report(OTHER)
    reader = bureau.handheld(SCOPE)
    changes = reader.catch_up()
    assert ("finding", mine) in reader.rows
    assert ("finding", theirs) not in reader.rows
    assert all(change.get("scope", SCOPE).startswith(SCOPE) or change["type"] not in ("finding", "evidence", "conflict")
               for change in changes)


def test_a_change_carries_the_whole_newest_state(bureau: Bureau, device: Handheld) -> None:
    writer = bureau.handheld(SCOPE)
    finding = writer.report(SCOPE, text="一", tags=["夜间"])
    writer.deliver(writer.edit("finding", finding, 1, set={"text": "二"}))
    change, = (change for change in device.catch_up() if change["id"] == finding)
    assert (change["op"], change["version"], change["scope"], change["type"]) == ("put", 2, SCOPE, "finding")
    assert change["fields"]["text"] == "二"
    assert change["fields"]["tags"] == ["夜间"]
    assert change["updated_at"].endswith("Z")


def test_after_catching_up_there_is_nothing_more(device: Handheld) -> None:
    device.report(SCOPE)
    device.catch_up()
    page = granted(device.pull(device.cursor))
    assert page["changes"] == []
    assert page["more"] is False
    assert page["last_n"] == 1
    assert page["scopes"]["codes"] == [SCOPE]
    assert {"cursor", "media_wanted", "settled", "epoch", "server_time", "checkpoint"} <= set(page)


def test_pages_of_a_pass_name_each_record_once_in_commit_order(bureau: Bureau, device: Handheld) -> None:
    writer = bureau.handheld(SCOPE)
    ids = [writer.report(SCOPE) for _ in range(7)]
    writer.deliver(writer.edit("finding", ids[0], 1, set={"text": "最后改的"}))
    seen = [change["id"] for change in device.catch_up(limit=3) if change["id"] in ids]
    assert seen == [*ids[1:], ids[0]]


def test_a_limit_above_the_highest_counts_as_the_highest(device: Handheld) -> None:
    granted(device.pull(limit=10**9))


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5", "9" * 40, ""])
def test_a_limit_that_is_no_number_is_a_problem(device: Handheld, limit: str) -> None:
    answer = device.get("/sync/pull", params={"limit": limit})
    if answer.status_code != 200:
        refused(answer, (400, 422))


def test_deleting_is_told_as_delete(bureau: Bureau, device: Handheld) -> None:
    finding = device.report(SCOPE)
    device.catch_up()
    device.deliver(device.remove("finding", finding, 1))
    change, = (change for change in device.catch_up() if change["id"] == finding)
    assert (change["op"], change["version"]) == ("delete", 2)


def test_a_record_that_moved_away_is_forgotten_here_and_arrives_there(bureau: Bureau, device: Handheld) -> None:
    finding = device.report(SCOPE)
    there = bureau.handheld(OTHER)
    device.catch_up()
    there.catch_up()
    supervisor = bureau.person("supervisor", scopes=("320404",))
    granted(supervisor.command("finding", finding, "move", {"scope": OTHER, "reason": "辖区调整"}))
    gone, = (change for change in device.catch_up() if change["id"] == finding)
    assert gone == {"type": "finding", "id": finding, "op": "forget"}
    there.catch_up()
    assert there.rows["finding", finding]["scope"] == OTHER


def test_a_scope_granted_later_brings_its_records_and_nothing_again(bureau: Bureau, admin: Person) -> None:
    device = bureau.handheld(owner=bureau.newcomer("inspector", scopes=(SCOPE,)))
    known = device.report(SCOPE)
    far = bureau.handheld("320404002")
    added = {far.report("320404002") for _ in range(3)}
    device.catch_up()
    granted(admin.patch(f"/users/{device.owner.id}", {"scopes": [SCOPE, "320404002"]}))
    seen = [change["id"] for change in device.catch_up(limit=2) if change["type"] == "finding"]
    assert added <= set(seen)
    assert known not in seen
    assert len(seen) == len(set(seen))


def test_a_scope_withdrawn_is_forgotten(bureau: Bureau, admin: Person) -> None:
    device = bureau.handheld(owner=bureau.newcomer("inspector", scopes=(SCOPE, "320404003")))
    kept, lost = device.report(SCOPE), device.report("320404003")
    device.catch_up()
    granted(admin.patch(f"/users/{device.owner.id}", {"scopes": [SCOPE]}))
    ops = {change["id"]: change["op"] for change in device.catch_up()}
    assert ops.get(lost) == "forget"
    assert kept not in ops
    outcome, = device.deliver(device.edit("finding", lost, 1, set={"text": "不在辖区"}))
    assert outcome["outcome"] == "quarantined"


def test_a_cursor_of_somebody_else_is_refused(bureau: Bureau, device: Handheld) -> None:
    other = bureau.handheld(SCOPE, who="another")
    other.catch_up()
    refused(device.pull(other.cursor), 400, "cursor_invalid", "resnapshot")


@pytest.mark.parametrize("spoil", [lambda cursor: cursor + "A", lambda cursor: cursor[:-2], lambda cursor: "0",
                                   lambda cursor: "签名", lambda cursor: cursor.swapcase(), lambda cursor: "A" * 3000])
def test_a_tampered_cursor_is_refused(device: Handheld, spoil) -> None:  # type: ignore[no-untyped-def]  # a lambda
    refused(device.pull(spoil(device.cursor)), 400, "cursor_invalid", "resnapshot")


def test_media_that_own_records_name_and_the_server_lacks_is_wanted(bureau: Bureau, device: Handheld) -> None:
    finding = device.report(SCOPE)
    content = bureau.url.encode() + finding.encode()
    device.deliver(device.capture(SCOPE, content, ("finding", finding)))
    assert sha256(content) in granted(device.pull(device.cursor))["media_wanted"]
    other = bureau.handheld(SCOPE, who="another")
    assert sha256(content) not in granted(other.pull())["media_wanted"]


def test_a_mutation_that_waited_is_settled_when_its_parent_arrives(bureau: Bureau, device: Handheld) -> None:
    parent = bureau.handheld(SCOPE)
    creation = parent.create("finding", SCOPE, a_finding())
    child = device.capture(SCOPE, b"before its finding", ("finding", creation["record_id"]))
    held, = device.deliver(child)
    assert held["outcome"] == "held"
    refused(device.owner.get(f"/records/evidence/{child['record_id']}"), 404)
    parent.deliver(creation)
    device.catch_up()
    news, = (each for each in device.settled if each["id"] == child["id"])
    assert news["n"] == child["n"]
    assert news["settled"]["outcome"] == "applied" if "settled" in news else news["outcome"] == "applied"
    assert ("evidence", child["record_id"]) in device.rows
    again, = device.deliver(child)
    assert (again["outcome"], again["replayed"]) == ("held", True)
    assert again["settled"]["outcome"] == "applied"


def test_verify_gives_the_digests_that_a_client_computes(device: Handheld) -> None:
    device.report(SCOPE)
    device.catch_up()
    fresh = granted(device.post("/sync/verify"))
    lines = defaultdict(list)
    for (type, id), row in device.rows.items():
        lines[row["scope"], type].append(f"{id} {row['version']}\n")
    own = {key: (len(rows), hashlib.sha256("".join(sorted(rows)).encode()).hexdigest()) for key, rows in lines.items()}
    said = {(row["scope"], row["type"]): (row["count"], row["digest"]) for row in fresh["scopes"] if row["count"]}
    assert said[SCOPE, "finding"] == own[SCOPE, "finding"]
    assert said == own


def test_nothing_is_missed_while_many_write(bureau: Bureau, device: Handheld) -> None:
    writers = [bureau.handheld(SCOPE) for _ in range(4)]
    written: list[str] = []

    def write(writer: Handheld) -> None:
        for _ in range(8):
            batch = [writer.create("finding", SCOPE, a_finding("并发")) for _ in range(3)]
            written.extend(outcome["record_id"] for outcome in writer.deliver(*batch))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        device.catch_up(limit=5)
    device.catch_up(limit=5)
    assert len(written) == 4 * 8 * 3
    assert set(written) <= {id for type, id in device.rows if type == "finding"}
