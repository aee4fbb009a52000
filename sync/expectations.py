"""Commands as they come, given in the state that a person looked at, which may have changed. Serves sync/mutations.py.

Whether he may give the command at all comes first, whether the state is still the one that he saw second, and only then
is it carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.problems import Problem
from schemas.push import Mutation
from sync.commands import carry_out, must_may
from sync.conflicts import COMMAND, FOLDED, open_conflict, resolve
from sync.equality import same
from sync.kept import Kept
from sync.merge import Overlap
from sync.outcomes import Outcome
from sync.records import Door
from sync.rules import Context
from sync.writers import Writer


def command(door: Door, writer: Writer, kept: Kept, mutation: Mutation) -> Outcome:
    """Carry out a command, or open a conflict where its `expect` no longer holds. Raises what forbids it."""
    given = mutation.command or {}
    name, args, expect = given["name"], given.get("args") or {}, given.get("expect") or {}
    if kept.deleted:
        raise Problem("record_deleted", f"记录已删除 record {kept.id} is deleted")
    context = Context(door, writer, door.now, name, kept.type, kept.id, kept.scope)
    if kept.type == "conflict" and name == "resolve":
        return _resolve(door, writer, kept, mutation, _broken(kept, expect), context)
    must_may(kept, context)
    if broken := _broken(kept, expect):
        overlap = Overlap(COMMAND, expect, broken, {"command": name, "args": args}, "theirs", "command")
        return Outcome("conflicted", kept, [open_conflict(door, kept, overlap, writer, mutation)])
    return Outcome("applied", carry_out(kept, args, context))


def _broken(kept: Kept, expect: Mapping[str, Any]) -> dict[str, Any]:
    """What stands of that which was expected otherwise; raises `field_invalid` for a field that there is not."""
    if unknown := sorted(name for name in expect if name not in kept.declared.fields and name not in kept.fields):
        raise Problem("field_invalid", f"a {kept.type} has no field {unknown[0]!r} to expect anything of",
                      errors={f"command.expect.{name}": ["unknown"] for name in unknown})
    return {name: kept.fields.get(name) for name, value in expect.items() if not same(kept.fields.get(name), value)}


def _resolve(door: Door, writer: Writer, kept: Kept, mutation: Mutation, broken: Mapping[str, Any],
             context: Context) -> Outcome:
    """Settle a conflict that is what its settler looked at; else `state_moved`: no conflict opens over another."""
    moved = mutation.base and kept.fields["mine_by"]["writer"] != writer.id \
        and any(FOLDED & past.changed.keys() for past in door.history_after(kept.id, mutation.base))
    if broken or moved:
        raise Problem("state_moved", "冲突已变化,请重新查看 the conflict is about another value by now, look again")
    resolution = resolve(kept, (mutation.command or {}).get("args") or {}, context)
    kept = door.get(kept.id) or kept  # it went along when its record moved
    return Outcome("applied", door.change(kept, {**kept.fields, **resolution}, writer, op=context.op))
