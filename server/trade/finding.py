"""Findings: the zone in which they lie, their duplicates, and the table of states and commands that rules them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from schemas.problems import Problem
from schemas.values import parse_time
from server import zones
from server.reference import class_known, settings
from server.rules.duplicates import cell_of, cells_near, same_thing
from server.rules.lifecycle import Refusal, decide, is_command
from server.trade.ahead import ask_of, attributions, neighbours, newcomers
from server.trade.base import ReviewedRule, must_act, utc
from server.trade.people import person_of
from server.trade.photos import compare_again
from sync.kept import Kept
from sync.records import Door
from sync.rules import Context

PLACE = ("position", "sticker_serial", "observed_at")


class FindingRule(ReviewedRule):
    """A finding's status changes by command only; its zone is the version in force when it was observed."""

    def check(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> None:
        super().check(before, after, context)
        scheme, code = after.get("class_scheme"), after.get("class_code")
        was = (before.fields.get("class_scheme"), before.fields.get("class_code")) if before else None
        if code is not None and was != (scheme, code) and not known_class(context.door, scheme, code):
            raise Problem("class_unknown", f"类别未知 no class {code!r} in {scheme!r}",
                          errors={"class_code": ["unknown"]})

    def derive(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> dict[str, Any]:
        derived = super().derive(before, after, context)
        placed = {**after, **derived}
        if before is None:
            derived |= {"status": "reported", "inspector_id": context.writer.user_id,
                        "zone": zone_of(context.door, placed), "duplicates": _twins(
                            context.door, context.writer.device_id, placed)}
        elif any(before.fields.get(name) != placed.get(name) for name in PLACE) and not _chosen(before.fields):
            derived["zone"] = zone_of(context.door, placed)
        return derived

    def promote(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().promote(fields), "class_code": fields.get("class_code"),
                "cell": cell_of(fields, settings("duplicates")),
                "observed_at": utc(fields.get("observed_at")), "zone_id": (fields.get("zone") or {}).get("zone_id")}

    def must_may(self, kept: Kept, name: str, context: Context) -> None:
        if not is_command(name):
            raise Problem("command_unknown", f"无此命令 a finding has no command {name[:40]!r}")
        must_act(context.writer)

    def command(self, kept: Kept, name: str, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        found = decide(kept.fields, name, args, person_of(context.writer, own=_own(kept, context)),
                       _circumstances(kept, context))
        if isinstance(found, Refusal):
            raise Problem(found.code, found.detail, **({"need": found.need} if found.need else {}))
        if found.choose_zone:
            return {**found.changes, "zone": _choose_zone(kept, args, context)}
        return dict(found.changes)

    def follow(self, before: Kept | None, after: Kept, context: Context) -> None:
        door = context.door
        super().follow(before, after, context)
        compare_again(before, after, context)
        if before is None:
            if after.marks["cell"]:
                newcomers(door).setdefault(after.marks["cell"], []).append(after)
            for twin_id in after.fields.get("duplicates") or ():
                twin = door.get(twin_id)
                if twin is not None:
                    listed = twin.fields.get("duplicates") or []
                    door.amend(twin_id, {"duplicates": [*listed, after.id]}, op="duplicate")


def zone_of(door: Door, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """`finding.zone` of protocol section 8, for the zone version in force at `observed_at`."""
    ask = ask_of(fields)
    return attributions(door).of(ask) if ask is not None else None


def known_class(door: Door, scheme: Any, code: Any) -> bool:
    """A class of the reference data, or a `class` record of the office."""
    if class_known(scheme, code):
        return True
    return any((kept.fields["scheme"], kept.fields["code"]) == (scheme, code) for kept in door.live("class"))


def _choose_zone(kept: Kept, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A person's choice: one of the candidates, any zone in force there and then, or none.

    Where there are no candidates then, a zone in force now will do: the recorded time is of a clock that may be off.
    """
    before = kept.fields.get("zone") or {}
    zone_id = args.get("zone_id")
    person = {"method": "person", "decision": "certain", "probability": None, "distance_m": None,
              "candidates": before.get("candidates") or [], "chosen_by": context.writer.user_id}
    if zone_id is None:
        return {**person, "zone_id": None, "version": None, "decision": "none"}
    at, candidates = parse_time(kept.fields["observed_at"]), before.get("candidates") or []
    zone = next(filter(None, (zones.in_force(context.door.session, zone_id, moment)
                              for moment in (at, *([] if candidates else [context.now])))), None)
    if zone is None:
        raise Problem("zone_unknown", f"责任区 {zone_id} 在发现时不存在 no such zone was in force at {at}",
                      errors={"args.zone_id": ["unknown"]})
    known = next((one for one in candidates if one["zone_id"] == zone_id), {})
    if not known and (candidates or not zone.scope.startswith(kept.scope[:len(zone.scope)])):
        raise Problem("choice_invalid", "须为候选责任区之一 the zone must be one of the candidates",
                      errors={"args.zone_id": ["no candidate"]})
    return {**person, "zone_id": zone_id, "version": zone.version, "probability": known.get("probability"),
            "distance_m": known.get("distance_m")}


def _chosen(fields: Mapping[str, Any]) -> bool:
    return (fields.get("zone") or {}).get("method") == "person"


def _own(kept: Kept, context: Context) -> bool:
    return context.writer.user_id in (kept.created_by, kept.fields.get("inspector_id"))


def _circumstances(kept: Kept, context: Context) -> dict[str, Any]:
    """What the table's needs ask beyond the finding itself. Since work was asked for again, only a photo that arrived
    after that counts."""
    round_from = (kept.fields.get("handling") or {}).get("round_from") or ""
    after_photos = [record for record in context.door.live("evidence", about_id=kept.id)
                    if record.fields["role"] == "after" and record.fields.get("received_at", "") > round_from
                    and (record.fields.get("media") or {}).get("state") not in ("damaged", "refused")]
    return {"now": context.now, "has_after_photo": bool(after_photos), "scope": kept.scope}


def _twins(door: Door, device_id: str | None, fields: Mapping[str, Any]) -> list[str]:
    """Findings by other devices of the same thing: class, place, time (protocol section 5)."""
    if device_id is None:
        return []
    limits, known, fresh = settings("duplicates"), neighbours(door), newcomers(door)
    near: dict[str, None] = {}
    for cell in cells_near(fields, limits):
        if stored := known.of((device_id, cell)):
            near |= dict.fromkeys(stored)
        if cell in fresh:
            near |= {kept.id: None for kept in fresh[cell] if kept.device_id not in (None, device_id)}
    if not near:
        return []
    door.load(near)
    same = (one for one in near if (kept := door.get(one)) and not kept.deleted
            and same_thing(fields, kept.fields, limits))
    return list(islice(same, limits["most"]))
