"""A push and its mutations (protocol section 2), and the office's one-mutation calls (4a)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.problems import Problem
from schemas.values import SCOPE, is_time, is_uuid

ENVELOPE = frozenset({"mutations", "health"})
HEALTH = frozenset({"unsent", "oldest_unsent_at", "unsent_bytes", "unsent_photos", "device_time", "round_trip_ms"})
MUTATION = frozenset({"n", "id", "type", "record_id", "op", "base", "scope", "set", "add", "remove", "group",
                      "command", "made_at"})
COMMAND = frozenset({"name", "args", "expect"})
MAPPINGS = ("set", "add", "remove")
OF_PUT = {"command": (*MAPPINGS, "scope"), "delete": ("add", "remove", "scope")}
"""Members that would be passed over with another `op`: what is sent is done or refused, never dropped in silence."""
LARGEST_N = 2**53


class Mutation(NamedTuple):
    """One change as its maker sent it. `set`, `add`, `remove` name only what was changed."""

    id: str
    type: str
    record_id: str
    op: str
    base: int = 0
    scope: str | None = None
    set: Mapping[str, Any] = MappingProxyType({})
    add: Mapping[str, Any] = MappingProxyType({})
    remove: Mapping[str, Any] = MappingProxyType({})
    command: Mapping[str, Any] | None = None
    made_at: str | None = None
    n: int | None = None


class Unreadable(dict[str, Any]):
    """A raw mutation of which something cannot be kept as JSON: its readable members, and as `unreadable` its `source`
    text and the `members` (fields, where it is of `set`) that could not be read. `digest` is of all of it."""

    def __init__(self, members: Mapping[str, Any], digest: str) -> None:
        super().__init__(members)
        self.digest = digest


def unreadable_members(raw: Mapping[str, Any]) -> list[str] | None:
    """The names of what could not be read in a mutation; None where all of it was."""
    found = raw.get("unreadable")
    names = found.get("members") if isinstance(found, dict) else None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def load_envelope(body: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """(mutations, health) of a push body; the mutations themselves are only checked for their numbers.

    Raises `invalid_request`, `unknown_field`, `batch_not_consecutive`.
    """
    if not isinstance(body, dict):
        raise Problem("invalid_request", "the body must be an object")
    if unknown := sorted(set(body) - ENVELOPE):
        raise Problem("unknown_field", f"unknown member {unknown[0]!r}", errors={name: ["unknown"] for name in unknown})
    mutations = body.get("mutations")
    if not isinstance(mutations, list):
        raise Problem("invalid_request", "mutations must be a list", errors={"mutations": ["not a list"]})
    numbers = []
    for place, mutation in enumerate(mutations):
        n = mutation.get("n") if isinstance(mutation, dict) else None
        if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= LARGEST_N:
            raise Problem("invalid_request", f"mutations.{place}.n must be a number from 1",
                          errors={f"mutations.{place}.n": ["not a number from 1"]})
        numbers.append(n)
    if any(later != earlier + 1 for earlier, later in pairwise(numbers)):
        raise Problem("batch_not_consecutive", "numbers inside a push must be consecutive")
    return mutations, load_health(body.get("health"))


def load_health(health: Any) -> dict[str, Any]:
    """What the device says of its outbox and clock; what is of the wrong type is refused by name."""
    if health is None:
        return {}
    if not isinstance(health, dict):
        raise Problem("invalid_request", "health must be an object", errors={"health": ["not an object"]})
    if unknown := sorted(set(health) - HEALTH):
        raise Problem("unknown_field", f"unknown member health.{unknown[0]}",
                      errors={f"health.{name}": ["unknown"] for name in unknown})
    for name, value in health.items():
        is_moment = name in ("oldest_unsent_at", "device_time")
        sound = value is None or (is_time(value) if is_moment else _is_count(value))
        if not sound:
            raise Problem("invalid_request", f"health.{name} is not a {'time' if is_moment else 'number'}",
                          errors={f"health.{name}": ["invalid"]})
    return health


def load_mutation(raw: Mapping[str, Any]) -> Mutation:
    """One mutation, checked for shape; raises `invalid_mutation`, `unknown_field`, `unreadable_value`."""
    if not raw.keys() <= MUTATION:
        if (members := unreadable_members(raw)) is not None:
            raise Problem("unreadable_value", "原文已保留 it cannot be kept as JSON; its source text is kept",
                          errors={name: ["cannot be read"] for name in members})
        unknown = sorted(set(raw) - MUTATION)
        raise Problem("unknown_field", f"unknown member {unknown[0]!r}", errors={name: ["unknown"] for name in unknown})
    whole = {**BLANK, **raw}
    op = whole["op"]
    errors = {name: [what] for name, (sound, what) in SHAPE.items()
              if not ((whole[name] is None and name in MAY_BE_NULL) or sound(whole[name]))}
    if op == "command" and not _is_command(whole["command"]):
        errors["command"] = ["not {name, args?, expect?}"]
    elif op != "command" and whole["command"] is not None:
        errors["command"] = ["only with op command"]
    for name in OF_PUT.get(op, ()) if "op" not in errors else ():
        if whole[name]:
            errors.setdefault(name, [f"not with op {op}"])
    if op == "delete" and isinstance(whole["set"], dict) and whole["set"].keys() - {"reason"}:
        errors["set"] = ["a deletion takes only reason"]
    if errors:
        raise Problem("invalid_mutation", "; ".join(f"{name}: {texts[0]}" for name, texts in errors.items()),
                      errors=errors)
    return Mutation(whole["id"], whole["type"], whole["record_id"], op, whole["base"], whole["scope"],
                    whole["set"] or {}, whole["add"] or {}, whole["remove"] or {}, whole["command"], whole["made_at"],
                    whole["n"])


def _is_command(command: Any) -> bool:
    return isinstance(command, dict) and isinstance(command.get("name"), str) and not set(command) - COMMAND \
        and all(command.get(name) is None or isinstance(command[name], dict) for name in ("args", "expect"))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_N


def _is_scope(value: Any) -> bool:
    return isinstance(value, str) and SCOPE.fullmatch(value) is not None


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


BLANK: Mapping[str, Any] = {**dict.fromkeys(MUTATION), "base": 0}
SHAPE: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "id": (is_uuid, "not a UUID in lower case"),
    "record_id": (is_uuid, "not a UUID in lower case"),
    "type": (lambda value: isinstance(value, str), "not a text"),
    "op": (lambda value: value in ("put", "delete", "command"), "one of put, delete, command"),
    "base": (_is_count, "not a number from 0"),
    "scope": (_is_scope, "not a scope code"),
    **dict.fromkeys(MAPPINGS, (_is_object, "not an object")),
    "made_at": (is_time, "not an RFC 3339 time"),
    "group": (is_uuid, "not a UUID in lower case")}
"""What each member of a mutation must be; `command` depends on `op`."""
MAY_BE_NULL = frozenset({"scope", *MAPPINGS, "made_at", "group"})
