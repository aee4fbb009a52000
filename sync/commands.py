"""Carrying out a command on a record as it stands. Serves who gives it and who settles a conflict over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from schemas.problems import Problem
from sync.late import must_write_in
from sync.merge import SCOPE
from sync.rules import Context

if TYPE_CHECKING:
    from sync.kept import Kept

MOVE = "move"
"""The one command of every type; all others are the trade's."""


def must_may(kept: Kept, context: Context) -> None:
    """Raise a Problem when there is no such command, or the writer gives none whatever: what state it is in, and who
    may give it then, is asked when it is carried out."""
    if context.op != MOVE:
        context.door.rules.of(kept.declared).must_may(kept, context.op, context)
    elif not context.writer.has_role("supervisor", "admin"):
        raise Problem("role_forbidden", "仅主管和管理员可移交 move is for supervisors and admins")


def carry_out(kept: Kept, args: Mapping[str, Any], context: Context) -> Kept:
    """Do what the command says; raises what forbids it now."""
    if context.op == MOVE:
        return _move(kept, args, context)
    changes = context.door.rules.of(kept.declared).command(kept, context.op, args, context)
    return context.door.change(kept, {**kept.fields, **changes}, context.writer, op=context.op,
                               note={"args": args} if args else None)


def _move(kept: Kept, args: Mapping[str, Any], context: Context) -> Kept:
    """`move {scope, reason}`: a supervisor or admin takes a record to another scope."""
    scope, reason = args.get("scope"), args.get("reason")
    if not isinstance(scope, str) or not isinstance(reason, str) or not reason.strip():
        raise Problem("need_missing", "移交须有目标区划和理由 move needs scope and reason",
                      errors={"args": ["scope and reason required"]})
    must_write_in(context.door, context.writer, scope)
    changed = {SCOPE: (kept.scope, scope)} if scope != kept.scope else {}  # to where it lies is no move
    return context.door.change(kept, kept.fields, context.writer, op=MOVE, changed=changed, scope=scope,
                               note={"reason": reason})
