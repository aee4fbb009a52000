"""What the office does, and what befalls the server. Each act is a step of a script; `hand` says whom it concerns."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson

from tests.simulator.acts import CODES, SCHEME, making, new_fields, position
from tests.simulator.people import SCOPES

if TYPE_CHECKING:
    from tests.simulator.world import Hand, World

SCOPE_SETS = (SCOPES[:1], SCOPES[1:2], SCOPES[2:], SCOPES[:2], SCOPES[1:], ("320402",), SCOPES)


def _live(world: World, *types: str) -> list[Any]:
    """(id, type, version, scope, fields) of live records, in the order of their making."""
    rows = world.server.read("SELECT id, type, version, scope, fields FROM record WHERE NOT deleted ORDER BY"
                             " created_seq, id")
    return [row for row in rows if row[1] in types]


def move(world: World, hand: Hand) -> None:
    """A supervisor takes a record to another scope."""
    if found := _live(world, "finding", "inspection", "track"):
        record_id, kind, version, _, _ = world.dice.choice(found)
        command = {"name": "move", "args": {"scope": world.dice.choice(SCOPES), "reason": world.token("why")}}
        world.ask("chen", "POST", f"/records/{kind}/{record_id}/commands", command,
                  act={"type": kind, "record_id": record_id, "op": "command", "base": version, "command": command})


def office_edit(world: World, hand: Hand) -> None:
    """A reviewer corrects a record, now and then on an older version."""
    if not (found := _live(world, "finding", "inspection")):
        return
    record_id, kind, version, _, fields = world.dice.choice(found)
    base = world.dice.randrange(1, version + 1) if world.dice.random() < 0.5 else version
    tags = orjson.loads(fields).get("tags") or ["none"]
    parts = world.dice.choice((
        {"set": {"text": world.token()}}, {"set": {"severity": world.token("s")}},
        {"set": {"class_code": world.dice.choice(CODES), "class_scheme": SCHEME}}, {"set": {"text": world.equal_value}},
        {"add": {"tags": [world.token("t"), "shared"]}}, {"remove": {"tags": [world.dice.choice(tags)]}},
    ) if kind == "finding" else ({"set": {"answers": {"q1": {"value": world.token()}}}},
                                 {"set": {"position": position(world)}}))
    world.ask("chen" if kind == "inspection" else "gao", "POST", f"/records/{kind}/{record_id}/edits",
              {"base": base, **parts}, act={"type": kind, "record_id": record_id, "op": "put", "base": base, **parts})


def office_command(world: World, hand: Hand) -> None:
    """A supervisor cancels, refuses or reopens a finding."""
    if found := _live(world, "finding"):
        record_id, kind, version, _, fields = world.dice.choice(found)
        status = orjson.loads(fields)["status"]
        name = {"cancelled": "reopen", "not_filed": "reopen"}.get(status) or world.dice.choice(("cancel", "refuse"))
        expect = {"status": world.dice.choice((status, "reported"))}
        command = {"name": name, "args": {"reason": world.token("why")}, "expect": expect}
        world.ask("chen", "POST", f"/records/{kind}/{record_id}/commands", command,
                  act={"type": kind, "record_id": record_id, "op": "command", "base": version, "command": command})


def settle_parents(world: World, hand: Hand) -> None:
    """The office makes an inspection that somebody's findings wait for."""
    missing = [id for id in world.awaited if not world.server.read("SELECT 1 FROM record WHERE id = ?", id)]
    if missing:
        record_id, scope = world.dice.choice(missing), world.dice.choice(SCOPES)
        fields = new_fields(world, hand, "inspection")
        world.ask("chen", "POST", "/records/inspection", {"id": record_id, "scope": scope, "fields": fields},
                  act={"type": "inspection", "record_id": record_id, "op": "put", "base": 0, "scope": scope,
                       "set": fields})


def change_scopes(world: World, hand: Hand) -> None:
    """Work areas are redrawn: a person gets other scopes."""
    person, scopes = hand.person, list(world.dice.choice(SCOPE_SETS))
    person.ever = sorted({*person.ever, *person.scopes, *scopes})
    before, person.scopes = person.scopes, scopes
    status, _ = world.ask("root", "PATCH", f"/users/{person.id}", {"scopes": scopes})
    if status != 200:
        person.scopes = before


def revoke(world: World, hand: Hand) -> None:
    """A handheld was lost, or so it seemed."""
    world.ask("chen" if world.dice.random() < 0.5 else "root", "POST", f"/devices/{hand.device.id}/revoke",
              {"reason": world.token("why")})


def _quarantined(world: World) -> list[Any]:
    return world.server.read("SELECT id, mutation, reason FROM quarantine WHERE state = 'open' ORDER BY id")


def release(world: World, hand: Hand) -> None:
    """A supervisor corrects what was quarantined, and applies it."""
    if not (entries := _quarantined(world)):
        return
    entry, text, reason = world.dice.choice(entries)
    raw = orjson.loads(text)
    correction: dict[str, Any] = {"set": {"class_code": CODES[0]} if reason == "class_unknown" else {}}
    if reason == "field_missing":
        correction["set"] = {"observed_at": "2026-11-22T00:00:00.000Z"}
    if reason == "crs_missing":
        correction["set"] = {"position": position(world)}
    if reason in ("out_of_scope", "scope_unknown") and raw.get("scope"):
        correction["scope"] = world.dice.choice(SCOPES)
    values = {**(raw.get("set") or {}), **correction["set"]}
    world.corrections[raw["id"]] = {**raw, "set": values, "scope": correction.get("scope") or raw.get("scope")}
    status, _ = world.ask("chen", "POST", f"/quarantine/{entry}/release", correction)
    world.count("release", str(status))
    if status != 200:
        del world.corrections[raw["id"]]


def dismiss(world: World, hand: Hand) -> None:
    if entries := _quarantined(world):
        world.ask("chen", "POST", f"/quarantine/{world.dice.choice(entries)[0]}/dismiss",
                  {"reason": world.token("why")})


def resolve(world: World, hand: Hand) -> None:
    """Somebody settles a conflict: a supervisor in the office, or an inspector on the handheld that shows it."""
    shown = [record for record in hand.device.records("conflict") if record.fields.get("state") == "open"]
    args = {"choice": world.dice.choice(("mine", "theirs", "value"))}
    if shown and world.dice.random() < 0.5:
        record = world.dice.choice(shown)
        if record.fields["kind"] != "value" or "." in record.fields["field"]:
            args["choice"] = "theirs"
        if args["choice"] == "value":
            args["value"] = _third(world, record.fields["field"])
        with making(world, hand):
            hand.device.command("conflict", record.id, "resolve", args)
        return
    conflicts = [row for row in _live(world, "conflict") if orjson.loads(row[4])["state"] == "open"]
    if conflicts:
        conflict_id, _, version, _, text = world.dice.choice(conflicts)
        fields = orjson.loads(text)
        if args["choice"] == "value" and (fields["kind"] != "value" or "." in fields["field"]):
            args["choice"] = "mine"
        if args["choice"] == "value":
            args["value"] = _third(world, fields["field"])
        command = {"name": "resolve", "args": args}
        status, _ = world.ask("chen", "POST", f"/records/conflict/{conflict_id}/commands", command,
                              act={"type": "conflict", "record_id": conflict_id, "op": "command", "base": version,
                                   "command": command})
        world.count("resolve", f"{fields['kind']} {args['choice']} {status}")


def _third(world: World, field: str) -> Any:
    """A value that neither had brought."""
    if field == "classification":
        return {"class_scheme": SCHEME, "class_code": CODES[2], "severity": world.token("s")}
    return position(world) if field == "position" else "2026-11-22T05:00:00.000Z" if field.endswith("_at") \
        else world.token()


# the server


def restart_server(world: World, hand: Hand) -> None:
    world.restart_server()


def back_up(world: World, hand: Hand) -> None:
    file = world.folder / f"backup-{len(world.backups)}.db"
    world.server.copy_to(file)
    scopes = {name: list(person.scopes) for name, person in world.people.items()}
    world.backups.append((file, world.oracle.save(), pickle.dumps((scopes, world.corrections))))


def restore(world: World, hand: Hand) -> None:
    """The server comes back from an older backup: what came since must come again from the devices."""
    if not world.backups:
        return
    file, ledger, others = world.dice.choice(world.backups)
    world.server.restore(file)
    world.oracle.go_back(ledger)
    scopes, world.corrections = pickle.loads(others)
    for name, codes in scopes.items():
        world.people[name].scopes = codes


def night(world: World, hand: Hand) -> None:
    """Days go by, and the background worker does its round: what was held too long is quarantined."""
    world.now += timedelta(days=6)
    world.tick()


def expire_cursors(world: World, hand: Hand) -> None:
    """The log is compacted up to now, by the operator's command, so that departures go; or else no cursor at all is
    young enough."""
    if world.dice.random() < 0.5:
        world.server.compact()
    else:
        world.server.write("UPDATE clock SET floor_seq = seq")
