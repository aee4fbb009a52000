"""What people do on their handhelds, and what befalls handhelds. Each act is a step of a script.

An act draws from `world.dice`, which belongs to its step. Values are unique texts, so that each can be found again.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from schemas.values import stamp
from sync.device.client import Problem
from sync.device.view import Record
from tests.simulator import properties
from tests.simulator.people import NEVER, SCOPES

if TYPE_CHECKING:
    from tests.simulator.world import Hand, World

SCHEME = "GB/T 30428.2-2013:event"
CODES = ("0504", "0502", "0501")
TYPES = ("finding", "inspection", "track", "register_entry")
NEW_FIELD = "x_shade"


# making


def create(world: World, hand: Hand) -> None:
    """A new record, now and then under an id that somebody refers to already."""
    kind = world.dice.choices(TYPES, (6, 3, 1, 1))[0]
    awaited = [id for id in world.awaited if kind == "inspection"]
    record_id = world.dice.choice(awaited) if awaited and world.dice.random() < 0.7 else None
    scope = world.dice.choice(_scopes(world, hand))
    fields = new_fields(world, hand, kind)
    with making(world, hand, fields):
        hand.device.create(kind, fields, scope, id=record_id)


def new_fields(world: World, hand: Hand, kind: str) -> dict[str, Any]:
    """Fields of a complete record."""
    word = world.token
    if kind == "finding":
        return {"observed_at": stamp(world.now), "address": word(), "text": word(), "tags": [word("t")],
                "class_scheme": SCHEME, "class_code": world.dice.choice(CODES), "severity": word("s"),
                **({NEW_FIELD: word("x")} if hand.upgraded else {})}
    if kind == "inspection":
        return {"started_at": stamp(world.now), "answers": {"q1": {"value": word(), "note": word()}},
                "position": position(world), "officers": [word("o")]}
    if kind == "track":
        return {"points": [point(world) for _ in range(2)]}
    return {"on": "2026-11-22", "officer": word(), "duties": {"sweep": word()}, "note": word()}


def position(world: World) -> dict[str, Any]:
    return {"lon": 119.9 + world.dice.randrange(10**6) / 10**7, "lat": 31.7, "crs": "EPSG:4490",
            "accuracy_m": float(world.dice.randrange(5, 50)), "provider": world.token("g")}


def point(world: World) -> dict[str, Any]:
    return {"id": world.token("p"), "at": stamp(world.now), "lon": 119.95, "lat": 31.71, "crs": "EPSG:4326",
            "accuracy_m": 8.0}


def edit(world: World, hand: Hand) -> None:
    """Change one or two things of a record that this device shows."""
    if record := any_record(world, hand):
        change(world, hand, record)


def change(world: World, hand: Hand, record: Record) -> None:
    """Name some fields of a record with new values, sometimes on an older base, sometimes moving it."""
    parts = changes(world, hand, record)
    scope = world.dice.choice(_scopes(world, hand)) if world.dice.random() < 0.06 else None
    with making(world, hand, *parts.values()):
        hand.device.edit(record.type, record.id, **parts, scope=scope)


def changes(world: World, hand: Hand, record: Record) -> dict[str, dict[str, Any]]:
    """`set`, `add` and `remove` of an edit."""
    word, dice = world.token, world.dice
    if record.type == "track":
        known = record.fields.get("points") or []
        twice = [{**dice.choice(known), "accuracy_m": 99.0}] if known and dice.random() < 0.15 else []
        return {"add": {"points": [point(world), *twice]}}
    if record.type == "inspection":
        return dice.choice((
            {"set": {"answers": {dice.choice(("q1", "q2")): {"value": word(), "note": None}}}},
            {"set": {"position": position(world)}}, {"set": {"ended_at": stamp(world.now)}},
            {"add": {"officers": [word("o")]}}))
    if record.type == "register_entry":
        return {"set": {"duties": {dice.choice(("sweep", "snow")): word()}, "note": word()}}
    tags = record.fields.get("tags") or []
    options: list[dict[str, dict[str, Any]]] = [
        {"set": {"text": word()}}, {"set": {"text": word()}}, {"set": {"address": word(), "condition": word()}},
        {"set": {"severity": word("s")}}, {"set": {"class_code": dice.choice(CODES), "class_scheme": SCHEME}},
        {"add": {"tags": [word("t"), dice.choice(("shared", "common"))]}},
        {"remove": {"tags": [dice.choice(tags)]}} if tags else {"set": {"text": word()}},
        {"set": {"text": world.equal_value}}, {"set": {"status": "closed", "text": word()}}]
    if hand.upgraded:
        options += [{"set": {NEW_FIELD: word("x")}}] * 2
    return dice.choice(options)


def crossing(world: World, hand: Hand) -> None:
    """Several devices that show the same record change it without knowing of each other."""
    for other in world.hands:
        for record in _shown(other):
            if other is not hand and hand.device.get(record.type, record.id) and world.dice.random() < 0.5:
                change(world, other, record)
                change(world, hand, record)
                return
    edit(world, hand)


def group(world: World, hand: Hand) -> None:
    """Several mutations, all or nothing; now and then one of them is bad."""
    with hand.device.group():
        for act in world.dice.choices((create, edit, poison), (5, 5, 1), k=3):
            act(world, hand)


def delete(world: World, hand: Hand) -> None:
    if record := any_record(world, hand):
        with making(world, hand, ("reason",)):
            hand.device.delete(record.type, record.id, world.token("reason"))


def command(world: World, hand: Hand) -> None:
    """Settle the zone of a finding, expecting the state that is seen."""
    found = [record for record in _shown(hand) if record.type == "finding" and record.fields.get("status")]
    if found:
        record = world.dice.choice(found)
        expect = {"status": record.fields["status"]} if world.dice.random() < 0.7 else None
        with making(world, hand):
            hand.device.command("finding", record.id, "choose_zone", {"zone_id": None}, expect)


def refer(world: World, hand: Hand) -> None:
    """A finding of an inspection that has not arrived."""
    inspection_id = world.dice.choice(world.awaited) if world.awaited and world.dice.random() < 0.5 \
        else hand.device.outbox.new_id()
    if inspection_id not in world.awaited:
        world.awaited.append(inspection_id)
    fields = {**new_fields(world, hand, "finding"), "inspection_id": inspection_id}
    with making(world, hand, fields):
        hand.device.create("finding", fields, world.dice.choice(_scopes(world, hand)))


def poison(world: World, hand: Hand) -> None:
    """A mutation that cannot be applied, for one reason or another."""
    fields = new_fields(world, hand, "finding")
    kind = world.dice.choice(("class", "scope", "crs", "type", "missing", "large"))
    scope = NEVER if kind == "scope" else world.dice.choice(_scopes(world, hand))
    if kind == "class":
        fields["class_code"] = "9999"
    elif kind == "crs":
        fields["position"] = {"lon": 119.9, "lat": 31.7}
    elif kind == "missing":
        del fields["observed_at"]
    elif kind == "large":
        fields["text"] += "x" * 4000
    with making(world, hand, fields, poison=True):
        hand.device.create("nonsense" if kind == "type" else "finding", fields, scope)


@contextmanager
def making(world: World, hand: Hand, *named: Any, poison: bool = False) -> Iterator[None]:
    """Remember of the mutation that is made within what its maker named."""
    yield
    mutation_id = hand.device.store.one("SELECT id FROM mutation ORDER BY made DESC LIMIT 1")
    world.named[mutation_id] = {name for values in named for name in values}
    at = stamp(hand.clock())
    for values in named:
        if isinstance(values, dict):
            world.made_at.update((str(value), at) for value in values.values())
    if poison:
        world.poison.add(mutation_id)


def any_record(world: World, hand: Hand) -> Record | None:
    found = _shown(hand)
    return world.dice.choice(found) if found else None


def _shown(hand: Hand) -> list[Record]:
    return [record for kind in TYPES for record in hand.device.records(kind)]


def _scopes(world: World, hand: Hand) -> list[str]:
    """The scopes that this device's person may write in, as the device knows them."""
    codes = hand.device.store.get("scopes") or ()
    return [scope for scope in SCOPES if any(scope.startswith(code) for code in codes)] or list(SCOPES[:1])


# talking


def push(world: World, hand: Hand) -> None:
    hand.device.push(world.dice.choice((None, None, 1, 2, 5)))


def pull(world: World, hand: Hand) -> None:
    waiting = _ids(hand)
    try:
        hand.device.pull(world.dice.choice((None, None, 1, 2, 3, 7)))
    finally:
        known = [row[0] for row in world.server.read("SELECT id FROM receipt")]  # a twin may have delivered it
        properties.an_expired_device_keeps_its_outbox(waiting, [*_ids(hand), *known])
        check_undelivered(hand)


def sync(world: World, hand: Hand) -> None:
    waiting = _ids(hand, everything=True)
    hand.device.sync()
    properties.an_expired_device_keeps_its_outbox(waiting, _ids(hand, everything=True))


def verify(world: World, hand: Hand) -> None:
    """Ask the server for digests; what differs must be explained by the next pull, which `quiet` sees to."""
    hand.device.verify()


def flood(world: World, hand: Hand) -> None:
    """A body that should cost the server more than it costs the sender."""
    what, body, encoding = world.dice.choice((
        ("bomb", gzip.compress(b"[" + b"0," * 500_000 + b"0]", mtime=0), "gzip"),
        ("members", gzip.compress(b" " * 9_000, mtime=0) * 40, "gzip"), ("deep", b"[" * 20_000, ""),
        ("many", orjson.dumps({"mutations": [{"n": n} for n in range(1, 500)]}), ""),
        ("long", b'{"mutations":["' + b"x" * 60_000 + b'"]}', "")))
    headers = {"Content-Type": "application/json", **({"Content-Encoding": encoding} if encoding else {})}
    before = world.oracle.clock()
    try:
        hand.device.client.post_bytes("/sync/push", body, headers)
        status = 200
    except Problem as problem:
        status = problem.status
    properties.any_input_is_bounded(what, status, world.oracle.clock() != before)


def _ids(hand: Hand, *, everything: bool = False) -> list[str]:
    which = "" if everything else " WHERE state = 'waiting'"
    return [row[0] for row in hand.device.store.run(f"SELECT id FROM mutation{which}")]


def check_undelivered(hand: Hand) -> None:
    """A row on which something waits may only leave the device by a deletion."""
    lost = hand.device.store.run(
        "SELECT record_id, id FROM mutation WHERE state = 'waiting' AND json_extract(body, '$.base') > 0"
        " AND record_id IN (SELECT id FROM row) AND record_id NOT IN (SELECT id FROM row WHERE snapshot = ?)",
        (hand.device.store.get("shown", 0),)).fetchall()
    properties.forget_destroys_no_undelivered_edit([tuple(each) for each in lost])
