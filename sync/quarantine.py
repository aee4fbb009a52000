"""Mutations that could not be applied: kept whole, shown to a supervisor, released or dismissed, readable for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from schemas.problems import Problem
from schemas.push import load_mutation, unreadable_members
from schemas.values import SCOPE, is_uuid
from sync.audit import ERASED
from sync.models import Quarantined
from sync.mutations import apply
from sync.outcomes import Waits
from sync.receipts import settle, settle_applied
from sync.records import Door
from sync.writers import Writer


def keep(door: Door, writer: Writer, unit: Sequence[Mapping[str, Any]], failed: int,
         problem: Problem) -> dict[int, dict[str, Any]]:
    """Quarantine a unit: the mutation that failed with its problem, the others with `group_failed`."""
    other = Problem("group_failed", f"mutation {failed} of the group failed: {problem.code}")
    outcomes = {}
    for raw in unit:
        why = problem if raw["n"] == failed else other
        shown = why.to_dict()
        record_id = raw.get("record_id")
        quarantine_id = door.new_id()
        door.add_row(Quarantined, {
            "id": quarantine_id, "device_id": writer.id, "user_id": writer.user_id, "n": raw["n"],
            "received_at": door.at, "scope": _scope_of(door, writer, raw), "reason": why.code, "problem": shown,
            "record_id": record_id if is_uuid(record_id) else None,
            "mutation": dict(raw), "state": "open", "settlement": None})
        door.record_entry("quarantine", writer.user_id, quarantine_id, {
            "device_id": writer.id, "n": raw["n"], "code": why.code})
        outcomes[raw["n"]] = {"n": raw["n"], "id": raw.get("id"), "record_id": record_id, "outcome": "quarantined",
                              "version": None, "conflicts": [], "problem": shown, "replayed": False}
    return outcomes


def release(door: Door, row: Quarantined, author: Writer, supervisor: Writer,
            correction: Mapping[str, Any]) -> dict[str, Any]:
    """Apply a quarantined mutation after correction (`{set?, scope?}`). It stays its author's work; the supervisor's
    scopes vouch, so that they must cover the record. The record is shown where they still do afterwards."""
    _must_be_open(row, supervisor)
    kept = door.get(row.record_id) if row.record_id else None
    if kept is not None:
        supervisor.must_cover(kept.scope)
    raw = {name: value for name, value in row.mutation.items() if name != ERASED}
    corrected = correction.get("set") or {}
    if corrected and raw.get("op") == "command":  # what a command says is in its arguments
        command = raw.get("command") or {}
        raw["command"] = {**command, "args": {**(command.get("args") or {}), **corrected}}
    elif corrected:
        raw["set"] = {**(raw.get("set") or {}), **corrected}
    missing = unreadable_members(raw)
    if missing is not None and set(missing) <= set(corrected):
        del raw["unreadable"]
    if correction.get("scope"):
        raw["scope"] = correction["scope"]
    writer = replace(author, scopes=tuple(dict.fromkeys([*author.scopes, *supervisor.scopes])))
    try:
        outcome = apply(door, writer, load_mutation(raw), waited=True)
    except Waits as waits:
        raise Problem("record_missing", f"所需记录尚未到达 record {waits.record_id} has not arrived") from None
    row.state = "released"
    row.settlement = {"at": door.at, "by": supervisor.user_id, **correction}
    door.record_entry("release", supervisor.user_id, row.id, {
        "n": row.n, "device_id": row.device_id, "corrected": sorted(corrected)}, aside=dict(correction), kept=False)
    settled = settle_applied(door, row.device_id, row.n, outcome)
    shown = {"record": outcome.record.to_wire()} if supervisor.covers(outcome.record.scope) else {}
    return {**settled, "conflicts": outcome.conflicts, **shown}


def dismiss(door: Door, row: Quarantined, supervisor: Writer, reason: str) -> dict[str, Any]:
    """Close an entry without applying it; the raw mutation stays readable."""
    _must_be_open(row, supervisor)
    if not reason.strip():
        raise Problem("field_missing", "驳回须填写理由 a dismissal needs a reason", errors={"reason": ["required"]})
    row.state = "dismissed"
    row.settlement = {"at": door.at, "by": supervisor.user_id, "reason": reason}
    door.record_entry("dismiss", supervisor.user_id, row.id, {"n": row.n, "device_id": row.device_id},
                      aside={"reason": reason}, kept=False)
    return settle(door, row.device_id, row.n, "dismissed", problem=row.problem,
                  said={"reason": reason, "at": door.at})


def _must_be_open(row: Quarantined, supervisor: Writer) -> None:
    if row.scope:
        supervisor.must_cover(row.scope)
    if row.state != "open":
        raise Problem("quarantine_settled", f"已处理 it was {row.state} already")


def _scope_of(door: Door, writer: Writer, raw: Mapping[str, Any]) -> str | None:
    """Whose supervisor sees it: that of the record, where it exists; else of the scope that is named, if the writer
    works there, or once did; else the writer's own. None, which is for admins, where that is no division."""
    kept = door.get(raw["record_id"]) if is_uuid(raw.get("record_id")) else None
    if kept is not None:
        return kept.scope
    scope = raw.get("scope")
    if isinstance(scope, str) and SCOPE.fullmatch(scope) \
            and (writer.covers(scope) or door.rules.worked_in(door.session, writer.user_id, scope)):
        return scope
    if writer.scopes:
        return writer.scopes[0]
    return scope if isinstance(scope, str) and SCOPE.fullmatch(scope) and door.rules.known_scope(scope) else None
