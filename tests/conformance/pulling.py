"""Section 3: pages, cursors, limits, deletions, digests."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import Device, a_finding
from tests.conformance.office import Office
from tests.conformance.wire import Parts, granted, refused, sha256

holds = subject("pull", "3")
verifies = subject("verify", "3")


def caught_up(office: Office) -> tuple[Device, Device]:
    """(writer, reader): the reader knows all that was there."""
    writer, reader = office.pair()
    reader.catch_up()
    return writer, reader


def pages(device: Device, cursor: str | None, limit: int) -> list[list[Parts]]:
    """All pages from this cursor on, at most `limit` changes each; the device's own state stays as it is."""
    found: list[list[Parts]] = []
    more, seen = True, {cursor}
    while more:
        page = device.page(cursor, limit)
        must(len(page["changes"]) <= limit, f"at most {limit} changes a page", len(page["changes"]))
        found.append(page["changes"])
        cursor, more = page["cursor"], page["more"]
        must(not more or cursor not in seen, "a cursor that moves on while there is more", cursor)
        seen.add(cursor)
    return found


@holds("(no cursor: from the beginning, which is also the first synchronisation)")
def without_a_cursor_all_of_the_scope_comes(office: Office) -> None:
    near, far = office.device(), office.device(scopes=(office.elsewhere,))
    mine, theirs = near.report(), far.report()
    reader = office.device(who="another")
    reader.catch_up()
    must(("finding", mine) in reader.rows, "the finding of the scope", "not there")
    must(("finding", theirs) not in reader.rows, "no finding of another scope", theirs)


@holds("The newest state of each record in the device's scopes that changed after the cursor")
def no_row_of_another_scope_is_ever_sent(office: Office) -> None:
    _, reader = caught_up(office)
    field_types = {"finding", "inspection", "evidence", "enforcement", "letter", "register_entry", "track", "conflict"}
    foreign = [(row["type"], row["id"], row["scope"]) for row in reader.rows.values()
               if row["type"] in field_types and not row["scope"].startswith(office.scope)]
    must_be(foreign, [], "rows of other scopes")


@holds("The newest state of each record in the device's scopes that changed after the cursor, each record at most once "
       "a pass, in commit order")
def a_change_carries_the_whole_newest_state(office: Office) -> None:
    writer, reader = caught_up(office)
    finding = writer.report(text="一", tags=["夜间"])
    writer.give(writer.edit("finding", finding, 1, set={"text": "二"}))
    mine = [change for change in reader.catch_up() if change["id"] == finding]
    must(len(mine) == 1, "one change of the record", mine)
    must_have(mine[0], "type id op version scope fields updated_at", "a change")
    must_be((mine[0]["op"], mine[0]["version"], mine[0]["scope"]), ("put", 2, office.scope), "op, version, scope")
    must_be((mine[0]["fields"]["text"], mine[0]["fields"]["tags"]), ("二", ["夜间"]), "fields")


@holds("The newest state of each record in the device's scopes that changed after the cursor, each record at most once "
       "a pass, in commit order")
def changes_come_once_and_in_commit_order(office: Office) -> None:
    writer, reader = caught_up(office)
    ids = [writer.report() for _ in range(5)]
    writer.give(writer.edit("finding", ids[0], 1, set={"text": "最后改的"}))
    for limit in (1, 2, 1000):
        seen = [change["id"] for page in pages(reader, reader.cursor, limit) for change in page]
        must_be([id for id in seen if id in ids], [*ids[1:], ids[0]], f"order with pages of {limit}")


@holds("Rows, last_n and cursor come from one database snapshot")
def any_page_size_gives_the_same_rows(office: Office) -> None:
    writer, reader = caught_up(office)
    ids = [writer.report() for _ in range(4)]
    writer.give(writer.deletion("finding", ids[1], 1))
    kept = []
    for limit in (1, 3, 1000):
        own = office.device()
        own.keep([change for page in pages(reader, reader.cursor, limit) for change in page])
        kept.append(own.rows)
    must(kept[0] == kept[1] == kept[2], "the same rows whatever the page size", [sorted(rows) for rows in kept])
    must({id for _, id in kept[0]} >= {ids[0], ids[2], ids[3]} and ("finding", ids[1]) not in kept[0],
         "what was made and not deleted", sorted(kept[0]))


@holds("once a cursor was given out, nothing at or before it can appear later, whatever writers were in flight")
def nothing_is_missed_while_many_write(office: Office) -> None:
    _, reader = caught_up(office)
    writers = [office.device() for _ in range(4)]

    def write(writer: Device) -> list[str]:
        batches = [[writer.create("finding", a_finding("并发")) for _ in range(3)] for _ in range(6)]
        return [outcome["record_id"] for batch in batches for outcome in writer.deliver(*batch)]

    with ThreadPoolExecutor(len(writers)) as crew:
        jobs = [crew.submit(write, writer) for writer in writers]
        while not all(job.done() for job in jobs):
            reader.catch_up(limit=7)
    written = {id for job in jobs for id in job.result()}
    reader.catch_up(limit=7)
    missed = written - {id for _, id in reader.rows}
    must(not missed, "every finding that was acknowledged", f"{len(missed)} of {len(written)} missing")


@holds("once a cursor was given out, nothing at or before it can appear later")
def after_catching_up_there_is_nothing(office: Office) -> None:
    writer, reader = caught_up(office)
    writer.report()
    reader.catch_up()
    page = reader.page(reader.cursor)
    must_be((page["changes"], page["more"]), ([], False), "changes and more")


@holds("The newest state of each record in the device's scopes that changed after the cursor")
def the_same_cursor_gives_the_same_again(office: Office) -> None:
    writer, reader = caught_up(office)
    ids = [writer.report() for _ in range(3)]
    first, second = (reader.page(reader.cursor, 2) for _ in range(2))
    must_be(first["changes"], second["changes"], "changes after an interruption")
    rest = [change["id"] for page in pages(reader, first["cursor"], 2) for change in page]
    must_be([id for id in [*(change["id"] for change in first["changes"]), *rest] if id in ids], ids, "all of them")


@holds("A limit above changes_per_pull counts as that")
def a_limit_above_the_highest_counts_as_the_highest(office: Office) -> None:
    device = office.device()
    for limit in (1001, 10**9):
        page = device.page(None, limit)
        must(len(page["changes"]) <= 1000, "at most changes_per_pull changes", len(page["changes"]))


@holds("delete is a real deletion")
def a_deletion_is_told_as_delete(office: Office) -> None:
    writer, reader = office.pair()
    finding = writer.report()
    reader.catch_up()
    writer.give(writer.deletion("finding", finding, 1))
    mine = [change for change in reader.catch_up() if change["id"] == finding]
    must_be([(each["op"], each["version"]) for each in mine], [("delete", 2)], "change of the deleted record")


@holds('"last_n": 42, "scopes": {"version": 3, "codes": []}, "media_wanted": ["sha256"]')
def a_page_tells_last_n_and_scopes(office: Office) -> None:
    device = office.device()
    device.report()
    device.report()
    page = device.page(None, 1)
    must_be((page["last_n"], page["scopes"]), (2, device.hello()["scopes"]), "last_n and scopes")


@holds("media_wanted lists digests that records of this device name and the server lacks")
def lacking_media_is_wanted_of_its_device_only(office: Office) -> None:
    device, other = office.pair()
    content = f"never uploaded {office.run}".encode()
    device.give(device.capture(content, device.report()))
    must(sha256(content) in device.page(None, 1)["media_wanted"], "the digest in media_wanted", "not there")
    must(sha256(content) not in other.page(None, 1)["media_wanted"], "no digest of another device", sha256(content))


@holds("400 cursor_invalid (tampered, foreign)")
def a_tampered_cursor_is_refused(office: Office) -> None:
    device = office.device()
    cursor = device.page(None, 1)["cursor"]
    swapped = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for spoilt in (swapped + "AA", cursor[:-3], "0", "rubbish", cursor.swapcase(), "A" * 2000):
        refused(device.get("/sync/pull", cursor=spoilt), 400, "cursor_invalid", "resnapshot")


@holds("400 cursor_invalid (tampered, foreign)")
def the_cursor_of_somebody_else_is_refused(office: Office) -> None:
    device, other = office.pair()
    refused(device.get("/sync/pull", cursor=other.page(None, 1)["cursor"]), 400, "cursor_invalid", "resnapshot")


@holds("the client keeps its outbox and its numbering and pulls from the beginning")
def numbering_survives_a_pull_from_the_beginning(office: Office) -> None:
    device = office.device()
    device.report()
    refused(device.get("/sync/pull", cursor="rubbish"), 400, "cursor_invalid")
    must_be(device.page(None, 1)["last_n"], 1, "last_n")
    device.report()


def own_digests(device: Device) -> dict[tuple[str, str], tuple[int, str]]:
    """{(scope, type): (count, digest)} of the rows a device holds."""
    lines = defaultdict(list)
    for (type, id), row in device.rows.items():
        lines[row["scope"], type].append(f"{id} {row['version']}\n")
    return {key: (len(rows), hashlib.sha256("".join(sorted(rows)).encode()).hexdigest()) for key, rows in lines.items()}


def said_digests(device: Device) -> dict[tuple[str, str], tuple[int, str]]:
    answer = granted(device.post("/sync/verify", {}))
    must_have(answer, "cursor scopes", "the answer of verify")
    return {(row["scope"], row["type"]): (row["count"], row["digest"]) for row in answer["scopes"] if row["count"]}


@verifies("digest is the hex SHA-256 of the lines \"{id} {version}\\n\" of the live records of that scope and type, "
          "sorted by id. A client compares it with its own")
def digests_are_those_that_a_client_computes(office: Office) -> None:
    device = office.device()
    finding = device.report()
    device.give(device.deletion("finding", device.report(), 1))
    for _ in range(5):  # others may write in the same scope between the pull and the question
        device.catch_up()
        own, said = own_digests(device), said_digests(device)
        if own == said:
            break
    apart = {key: (own.get(key), said.get(key)) for key in {*own, *said} if own.get(key) != said.get(key)}
    must_be(apart, {}, f"differences (own, said) with finding {finding}")


@verifies("digest is the hex SHA-256 of the lines \"{id} {version}\\n\" of the live records of that scope and type")
def a_digest_changes_with_a_version(office: Office) -> None:
    device = office.device()
    finding = device.report()
    before = said_digests(device)[office.scope, "finding"]
    device.give(device.edit("finding", finding, 1, set={"text": "改了"}))
    after = said_digests(device)[office.scope, "finding"]
    must(before[1] != after[1], "another digest after an edit", after)


@verifies("POST /sync/verify {} → {cursor, scopes: [{scope, type, count, digest}]}")
def its_cursor_can_be_pulled_from(office: Office) -> None:
    device = office.device()
    cursor = granted(device.post("/sync/verify", {}))["cursor"]
    finding = device.report()
    must(finding in [change["id"] for page in pages(device, cursor, 1000) for change in page],
         "what came after verify", "not there")
