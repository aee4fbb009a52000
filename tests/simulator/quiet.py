"""Heal and quiet: faults end, everybody synchronises until nothing moves, and then everything must agree."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from sync.device.client import API, Problem
from tests.simulator import properties
from tests.simulator.expectations import covers, loses_in
from tests.simulator.model import plain
from tests.simulator.remembered import Overlap
from tests.simulator.seam import Sent

if TYPE_CHECKING:
    from tests.simulator.world import Hand, World

ROUNDS = 12
REACHING = ("template", "class", "offence", "calendar", "notice")


def heal(world: World) -> None:
    """Let all devices deliver and fetch until nothing changes; raises Broken for what does not agree then."""
    world.deliver_due(10**9)
    for _ in range(ROUNDS):
        before = (world.oracle.clock(), [hand.device.id for hand in world.hands])
        for hand in world.hands:
            exchange(world, hand)
        still = all(not hand.device.unsent() for hand in world.hands)
        if still and before == (world.oracle.clock(), [hand.device.id for hand in world.hands]):
            break
    else:
        properties.nothing_made_is_lost([(hand.index, hand.device.unsent()[:2], hand.device.state)
                                         for hand in world.hands])
        raise properties.Broken("each_device_equals_its_scope", f"not quiet after {ROUNDS} rounds")
    check(world)


def exchange(world: World, hand: Hand) -> None:
    """One device delivers and fetches; one that the server knows no more enrols anew."""
    try:
        hand.device.push()
        hand.device.pull(world.dice.choice((None, 3)))
    except Problem as problem:
        if problem.status != 401 and problem.action != "new_device":
            waiting = hand.device.unsent()
            properties.a_poison_mutation_delays_nobody(waiting, (), {"outcome": str(problem)})
        hand.device.enrol_anew(world.invite(hand.person))
        with suppress(Problem):
            hand.device.push()


def check(world: World) -> None:
    """All that must hold once everything is quiet."""
    _check_rows(world)
    epoch = world.server.read("SELECT epoch FROM clock")[0][0]
    for hand in world.hands:
        check_device(world, hand, epoch)
    check_texts(world, world.oracle.ledger.bodies)
    _check_losers(world)
    check_held(world)
    _check_pages(world, world.dice.choice(world.hands))


def check_held(world: World) -> None:
    properties.what_was_held_is_settled(world.server.read(
        "SELECT device_id, n, waits_for FROM held WHERE waits_for IN (SELECT id FROM record)"))


def _check_rows(world: World) -> None:
    for record in world.oracle.ledger.records.values():
        rows = world.server.read("SELECT version FROM record WHERE id = ?", record.id)
        properties.effect_and_receipt_both_or_neither(
            bool(rows) and rows[0][0] == record.version,
            f"{record.type} {record.id} should be version {record.version}, is {rows}")
    check_histories(world)


def check_histories(world: World) -> None:
    """Each record's versions are numbered without gaps."""
    numbers = world.server.read("SELECT record_id, count(*), max(version) FROM history GROUP BY record_id"
                                " HAVING count(*) <> max(version)")
    properties.versions_and_cursors_never_go_back(f"histories with gaps {numbers}", 0, -len(numbers))


def check_device(world: World, hand: Hand, epoch: str) -> None:
    store = hand.device.store
    properties.a_restored_server_or_clone_is_noticed(
        f"device {hand.index} believes in epoch {store.get('epoch')}, the server is in {epoch}",
        store.get("epoch") == epoch)
    made = {row[0]: row[1] for row in store.run("SELECT id, n FROM mutation")}
    known = {row[0] for row in world.server.read("SELECT id FROM receipt")}
    properties.nothing_made_is_lost([(hand.index, id, n) for id, n in made.items() if id not in known])
    rows = {(row[0], row[1]): (row[2], row[3], bytes(row[4])) for row in store.run(
        "SELECT type, id, version, scope, fields FROM row WHERE snapshot = ? AND NOT forgotten",
        (store.get("shown", 0),))}
    properties.each_device_equals_its_scope(rows, _in_scope(world, hand))
    properties.each_device_equals_its_scope({"verify": hand.device.verify()}, {"verify": []})


def _in_scope(world: World, hand: Hand) -> dict[tuple[str, str], tuple[int, str, bytes]]:
    return {(row[0], row[1]): (row[2], row[3], row[4].encode()) for row in world.server.read(
        "SELECT type, id, version, scope, fields FROM record WHERE NOT deleted")
        if covers(hand.person.scopes, row[3])
        or (row[0] in REACHING and any(code.startswith(row[3]) for code in hand.person.scopes))}


def check_texts(world: World, bodies: Mapping[str, Any]) -> None:
    """Every unique text of these mutations stands somewhere on the server."""
    store = " ".join(str(row[0]) for query in (
        "SELECT fields FROM record", "SELECT changed FROM history", "SELECT note FROM history WHERE note IS NOT NULL",
        "SELECT mutation FROM quarantine", "SELECT mutations FROM held") for row in world.server.read(query))
    values = {text: mutation_id for mutation_id, body in bodies.items()
              for where in ("set", "add", "remove") for text in _texts(body.get(where))}
    properties.every_value_is_kept(values, store)


def _texts(value: Any) -> list[str]:
    """The unique texts within a value."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) and value.endswith("~") else []


def _check_losers(world: World) -> None:
    """Each value that lost stands as the loser of exactly one conflict."""
    found = [orjson.loads(row[0]) for row in world.server.read("SELECT fields FROM record WHERE type = 'conflict'")]
    wanted = Counter((record_id, unit, orjson.dumps(plain(loser), option=orjson.OPT_SORT_KEYS))
                     for record_id, unit, loser in world.oracle.ledger.lost if unit not in ("deleted", "status"))
    for (record_id, unit, text), times in wanted.items():
        overlap = Overlap(unit, orjson.loads(text), None)
        hits = [each for each in found if each["record_id"] == record_id and each["field"] == unit
                and loses_in(overlap, each)]
        properties.one_winner_and_one_conflict((record_id, unit, text, times), hits[:max(1, len(hits) - times + 1)])


def _check_pages(world: World, hand: Hand) -> None:
    """The whole scope by pages of any size gives what one page gives."""
    token = hand.device.client.token
    results = []
    for limit in (world.dice.randrange(1, 5), 1000):
        rows: dict[tuple[str, str], Any] = {}
        cursor, more = "", True
        while more:
            target = f"{API}/sync/pull?limit={limit}" + (f"&cursor={quote(cursor)}" if cursor else "")
            sent = Sent("GET", target, [("authorization", f"Bearer {token}")], b"", hand.device.id)
            answer = world.deliver(sent)
            page = orjson.loads(gzip.decompress(answer.body) if answer.body[:2] == b"\x1f\x8b" else answer.body)
            for change in page["changes"]:
                rows.pop((change["type"], change["id"]), None)
                if change["op"] == "put":
                    rows[change["type"], change["id"]] = (change["version"], change["fields"])
            cursor, more = page["cursor"], page["more"]
        results.append(rows)
    properties.any_page_size_gives_the_same(*results)
