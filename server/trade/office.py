"""Tasks, conflicts, templates: what the office makes and people settle."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from sqlalchemy import or_, select

from schemas.problems import Problem
from server import zones
from server.models import User
from server.trade.base import TypeRule, must_act
from sync.kept import Kept
from sync.rules import Context
from sync.writers import SERVER, covers

STEPS = {("open", "accept"): "accepted", ("open", "hand_back"): "handed_back", ("accepted", "finish"): "finished",
         ("accepted", "hand_back"): "handed_back", ("open", "finish"): "finished"}


class TaskRule(TypeRule):
    """A task belongs to its assignee: he accepts, finishes or hands it back; a supervisor may in his scope."""

    def check(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> None:
        super().check(before, after, context)
        if before is not None:
            return
        assignee = _person(context, after.get("assignee"))
        if assignee is None:
            raise Problem("assignee_unknown", f"没有此在职人员 no active person {after.get('assignee')!r}",
                          errors={"assignee": ["unknown"]})
        if context.op == "create" and not covers(assignee.scopes, context.scope):
            raise Problem("assignee_out_of_scope",
                          f"此人不在该范围工作 {assignee.username} does not work in {context.scope}",
                          errors={"assignee": ["out of scope"]})

    def derive(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> dict[str, Any]:
        derived = super().derive(before, after, context)
        if before is None:
            assignee = _person(context, after.get("assignee"))
            derived |= {"status": "open", "assignee": assignee.id if assignee else None}
        return derived

    def promote(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        about = fields.get("about") or {}
        return {**super().promote(fields), "inspector_id": fields.get("assignee"), "about_id": about.get("id")}

    def must_may(self, kept: Kept, name: str, context: Context) -> None:
        if name not in ("accept", "finish", "hand_back"):
            raise Problem("command_unknown", f"无此命令 a task has no command {name!r}")
        must_act(context.writer)

    def command(self, kept: Kept, name: str, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        writer = context.writer
        if kept.fields.get("assignee") != writer.user_id and not writer.has_role("supervisor"):
            raise Problem("assignee_required", "此任务属于他人 this task is somebody else's")
        status = STEPS.get((kept.fields["status"], name))
        if status is None:
            raise Problem("state_moved", f"当前状态不允许 {name} is not possible from {kept.fields['status']}")
        if name == "hand_back" and not str(args.get("reason") or "").strip():
            raise Problem("need_missing", "退回须填写理由 hand_back needs a reason",
                          errors={"args.reason": ["required"]})
        if _is_verdict(kept.fields, status):
            visits().must_be_verdict(context.door, kept, args, writer)
        return {"status": status, **({"outcome": dict(args)} if args else {})}

    def follow(self, before: Kept | None, after: Kept, context: Context) -> None:
        ended = before is not None and before.fields["status"] != after.fields["status"]
        if ended and _is_verdict(after.fields, after.fields["status"]):
            visits().take_over(context.door, after, context.writer)


def visits() -> ModuleType:
    """Re-visits of spot checks, loaded when a task ends: a verdict stands on these rules."""
    from server import visits

    return visits


def _is_verdict(fields: Mapping[str, Any], status: str) -> bool:
    return fields.get("kind") == "spot_check" and fields.get("spot_check_id") is not None and status == "finished"


def _person(context: Context, assignee: Any) -> User | None:
    """The active person who is meant by an id or a user name."""
    return context.door.session.execute(select(User).where(
        or_(User.id == assignee, User.username == assignee), User.active.is_(True))).scalars().first()


class ConflictRule(TypeRule):
    """Conflicts are listed by their record, their state and who brought the later value; the engine settles them."""

    def promote(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {"status": fields["state"], "about_id": fields["record_id"],
                "inspector_id": fields["mine_by"]["user_id"]}


class TemplateRule(TypeRule):
    """A city's own checklist: a used version is never edited, a new version is a new record."""

    def check(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> None:
        super().check(before, after, context)
        items = after.get("items") or []
        sound = isinstance(items, list) and all(isinstance(one, dict) and isinstance(one.get("id"), str)
                                                and _is_number(one.get("points", 0)) for one in items)
        if not sound or not _is_number(after.get("full_points", 0)):
            raise Problem("field_invalid", "items must be a list of {id, text, points, answer}, points are numbers",
                          errors={"items": ["not a list of items with ids and points"]})


class ZoneRule(TypeRule):
    """The register of zones knows every version, so that only the import changes a zone (protocol section 8). A move
    is a command of every type; it makes a version in the register, too."""

    def check(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> None:
        if context.writer is not SERVER and context.op != "move":
            raise Problem("not_creatable", "责任区只能通过导入变更 zones are made and changed by POST /zones/import")

    def derive(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> dict[str, Any]:
        derived = super().derive(before, after, context)
        if before is not None and context.op == "move" and context.scope != before.scope:
            derived |= zones.moved(context.door, before, context.scope)
        return derived


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
