"""Inspections, enforcement records and letters: scores, checks, sealing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.problems import Problem
from server.reference import checklists, enforcement_steps, offences, template_known
from server.rules.scoring import score
from server.trade.base import ReviewedRule, TypeRule, utc
from sync.kept import Kept
from sync.records import Door
from sync.rules import Context
from sync.writers import Writer


class InspectionRule(TypeRule):
    """An inspection is scored from its template's items."""

    def check(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> None:
        super().check(before, after, context)
        asked = (after.get("template_id"), after.get("template_version"))
        changed = before is None or asked != (before.fields.get("template_id"), before.fields.get("template_version"))
        if asked[0] is not None and changed and template_of(context.door, *asked) is None:
            raise Problem("template_unknown", f"没有此模板 no template {asked[0]!r} version {asked[1]!r}",
                          errors={"template_id": ["unknown"]})

    def derive(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> dict[str, Any]:
        derived = super().derive(before, after, context)
        if before is None:
            derived["inspector_id"] = context.writer.user_id
        template = template_of(context.door, after.get("template_id"), after.get("template_version")) \
            if after.get("template_id") is not None else None
        if template is not None:
            found = score(template, after.get("answers") or {})
            derived["score"] = {"points": None if found.points is None else float(found.points),
                                "full_points": float(found.full_points), "fatal": list(found.fatal),
                                "unanswered": list(found.unanswered), "passed": found.passed}
        return derived

    def promote(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().promote(fields), "observed_at": utc(fields.get("started_at"))}


def template_of(door: Door, template_id: Any, version: Any) -> Mapping[str, Any] | None:
    """A starter checklist, or a template record of the office, with its items; without a version the newest."""
    if isinstance(template_id, str) and version is None:
        known = [number for (name, number) in checklists() if name == template_id]
        version = max(known, default=None)
    if template_known(template_id, version):
        return checklists()[template_id, version]
    for kept in door.live("template"):
        if (kept.fields["template_id"], kept.fields["template_version"]) == (template_id, version):
            items = [{"answer": "pass_fail", **item} for item in kept.fields.get("items") or ()]
            worth = sum(item.get("points") or 0 for item in items)
            return {"full_points": worth, **kept.fields, "items": items}
    return None


class EnforcementRule(ReviewedRule):
    """Enforcement records: soft steps here; sealed once served, numbered or concluded (结案归档). How one is concluded,
    and taken up again, stands in `server/reference/enforcement_states.csv`; `conclusion` tells the last of it."""

    def check(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> None:
        super().check(before, after, context)
        writer = context.writer
        if writer.roles == ("auxiliary",) and after.get("kind") != "persuade":
            raise Problem("role_forbidden",
                          "协管人员可劝导,不得签发文书 an auxiliary may persuade, and sign nothing (城市管理执法办法)")
        code = after.get("offence_code")
        if code is not None and (before is None or before.fields.get("offence_code") != code) \
                and code not in offences() and not _offence_record(context.door, code):
            raise Problem("offence_unknown", f"没有此案由 no offence {code!r}", errors={"offence_code": ["unknown"]})

    def derive(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> dict[str, Any]:
        derived = super().derive(before, after, context)
        if before is None:
            derived["inspector_id"] = context.writer.user_id
        officers = len(after.get("officers") or ())
        derived["checks"] = [] if officers >= 2 or after.get("kind") in ("persuade", "courtesy_notice") else [
            {"code": "two_officers", "law": "行政处罚法 art. 42", "detail": {"officers": officers}}]
        derived["status"] = (after.get("conclusion") or {}).get("state") or ("issued" if _issued(after) else "draft")
        return derived

    def must_may(self, kept: Kept, name: str, context: Context) -> None:
        steps = [step for (_, command), step in enforcement_steps().items() if command == name]
        if not steps:
            raise Problem("command_unknown", f"无此命令 an enforcement record has no command {name!r}")
        if problem := objection(kept, steps[0], context.writer):
            raise problem

    def command(self, kept: Kept, name: str, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        step = enforcement_steps().get((kept.fields["status"], name))
        if step is None:
            raise Problem("state_moved", f"当前状态不允许此操作 {name} is not possible from {kept.fields['status']}")
        reason = args.get("reason")
        if not isinstance(reason, str) or not reason.strip():
            raise Problem("need_missing", f"须写明情况 {name} needs a reason", errors={"args.reason": ["required"]})
        return {"conclusion": {"state": step["next_state"], "at": context.door.at, "by": context.writer.user_id,
                               "reason": reason}}

    def seals(self, kept: Kept) -> bool:
        return _issued(kept.fields) or kept.fields.get("status") == "concluded"


def objection(kept: Kept, step: Mapping[str, str], writer: Writer) -> Problem | None:
    """Why this writer may not take the step; None where he may."""
    if not writer.has_role(*step["roles"].split()):
        return Problem("role_forbidden", f"当前角色无权执行 {step['command']} is for {step['roles']}")
    if "not_own" in step["needs"].split() and writer.user_id in (kept.created_by, kept.fields.get("inspector_id")):
        return Problem("own_work", "办案人不得自行结案归档 nobody concludes his own case")
    return None


def _issued(fields: Mapping[str, Any]) -> bool:
    return bool(fields.get("served")) or bool(fields.get("document_no"))


def _offence_record(door: Door, code: str) -> bool:
    return any(kept.fields["code"] == code for kept in door.live("offence"))


class LetterRule(TypeRule):
    """A responsibility letter (责任书) is sealed once signed, or refused before a witness."""

    def derive(self, before: Kept | None, after: Mapping[str, Any], context: Context) -> dict[str, Any]:
        state = "signed" if after.get("signed_at") else "refused" if after.get("refused") else "draft"
        return {**super().derive(before, after, context), "status": state}

    def seals(self, kept: Kept) -> bool:
        fields = kept.fields
        return bool(fields.get("signed_at")) or bool(fields.get("refused") and fields.get("witness"))
