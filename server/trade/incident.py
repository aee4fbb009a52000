"""Incidents: breaks of capture chains and work that was not delivered. The server opens them, people explain them.

The device's person explains, or a supervisor; only a supervisor closes, and never one of his own device. An explanation
that comes after the incident was closed (its photos arrived, or somebody was quicker) is kept all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.problems import Problem
from server.trade.base import TypeRule
from sync.kept import Kept
from sync.rules import Context
from sync.writers import Writer

COMMANDS = {"explain": ("open", "explained", "closed"), "close": ("open", "explained")}
"""The commands, and the states in which each may be given."""
STATUSES = ("open", "explained", "closed")


class IncidentRule(TypeRule):
    """See the module."""

    def promote(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().promote(fields), "about_id": (fields.get("about") or {}).get("id"),
                "class_code": fields["kind"]}

    def must_may(self, kept: Kept, name: str, context: Context) -> None:
        if name not in COMMANDS:
            raise Problem("command_unknown", f"无此命令 an incident has no command {name!r}")
        if problem := objection(kept, name, context.writer):
            raise problem

    def command(self, kept: Kept, name: str, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        status, reason = kept.fields["status"], args.get("reason")
        if status not in COMMANDS[name]:
            raise Problem("state_moved", f"已关闭 {name} is not possible from {status}")
        if not isinstance(reason, str) or not reason.strip():
            raise Problem("need_missing", f"须写明原因 {name} needs a reason", errors={"args.reason": ["required"]})
        said = {"at": context.door.at, "by": context.writer.user_id, "reason": reason}
        if name == "close":
            return {"status": "closed", "closed": said}
        return {"status": "explained" if status == "open" else status,
                "explanations": [*(kept.fields.get("explanations") or ()), said]}


def objection(kept: Kept, name: str, writer: Writer) -> Problem | None:
    """Why this writer may not give the command, in whatever state; None where he may."""
    own = kept.fields["inspector_id"] == writer.user_id
    if name == "explain" and own:
        return None
    if not writer.has_role("supervisor"):
        return Problem("role_forbidden", "由该设备的使用人说明,由主管关闭 the device's person or a supervisor "
                                         "explains, a supervisor closes")
    return Problem("own_work", "不得关闭本人设备的事件 nobody closes an incident of his own device") if own else None
