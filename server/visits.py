"""Spot-check re-visits by handhelds: a supervisor sends somebody to the drawn places, and his answer is the verdict.

The task names the place's record and tells nothing of it; the handheld keeps the first report out of sight until the
answer is given (`server/reference/visits.json`). Serves the API, the page and the rules of tasks; knows no request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select

from schemas.problems import Problem
from schemas.records import record_type
from schemas.spot_checks import VerdictGiven
from server import verdicts
from server.models import SpotSample, User
from server.reviews import captors
from server.spot_checks import ABSENT_OR_HIDDEN, covers_frame, found_check
from sync.kept import Kept
from sync.models import Record
from sync.records import Door
from sync.writers import Writer, covers

KIND = "spot_check"


def send_out(door: Door, supervisor: Writer, check_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a task for each drawn place that nobody judged yet or is sent to: `{tasks, skipped}`.

    Skipped are places that are the assignee's own work, or lie outside his scopes. Raises `not_found`, `not_drawn`,
    `assignee_unknown`.
    """
    check = found_check(door.session, check_id)
    if not covers_frame(supervisor.scopes, check):
        raise Problem("not_found", ABSENT_OR_HIDDEN, hidden=True)
    if check.state == "frozen":
        raise Problem("not_drawn", "尚未抽样 a visit wants a draw")
    named = or_(User.id == given["assignee"], User.username == given["assignee"])
    person = door.session.execute(select(User).where(named, User.active.is_(True))).scalars().first()
    if person is None:
        raise Problem("assignee_unknown", "没有此在职人员 no such active person", errors={"assignee": ["unknown"]})
    underway = _underway(door, check_id)
    tasks, skipped = [], []
    for sample, kept in verdicts.samples(door.session, check_id):
        if sample.verdict is not None or kept.id in underway:
            continue
        if person.id in captors(door.session, kept) or not covers(person.scopes, kept.scope):
            skipped.append(kept.id)
            continue
        place = len(tasks) + 1
        task = door.create(record_type("task"), door.new_id(), kept.scope, {
            "title": f"抽查复核 第 {place} 处 Re-visit {place}", "kind": KIND,
            "about": {"type": kept.type, "id": kept.id}, "assignee": person.id,
            "due_at": given.get("due_at"), "spot_check_id": check.id}, supervisor)
        tasks.append(task.to_wire())
    return {"tasks": tasks, "skipped": skipped}


def must_be_verdict(door: Door, task: Kept, args: Mapping[str, Any], writer: Writer) -> None:
    """Raise `need_missing` for an answer that is no verdict, `own_work` for one by whose work it is."""
    if errors := VerdictGiven().validate(_given(args)):
        raise Problem("need_missing", "须给出复核结论 a re-visit ends with a verdict",
                      errors={f"args.{name}": ["not a verdict"] for name in errors})
    record = door.get((task.fields.get("about") or {}).get("id", ""))
    if record is not None and writer.user_id in captors(door.session, record):
        raise Problem("own_work", "采集人不得复核本人工作 who captured it does not check it again")


def take_over(door: Door, task: Kept, writer: Writer) -> None:
    """Make the answer of a finished visit the verdict of its sample; one that is given already stands."""
    check_id, record_id = task.fields.get("spot_check_id"), (task.fields.get("about") or {}).get("id")
    sample = door.session.get(SpotSample, (check_id, record_id)) if check_id and record_id else None
    if sample is not None and sample.verdict is None:
        verdicts.judge(door, writer, check_id, record_id, VerdictGiven().load(_given(task.fields["outcome"])))


def _given(args: Mapping[str, Any]) -> dict[str, Any]:
    return {name: args[name] for name in ("verdict", "values", "note") if name in args}


def _underway(door: Door, check_id: str) -> set[str]:
    """The records to which somebody is sent for this spot check and has not answered."""
    found = door.session.execute(select(Record.id).join(SpotSample, SpotSample.record_id == Record.about_id).where(
        Record.type == "task", Record.status.in_(("open", "accepted")), Record.deleted.is_(False),
        SpotSample.check_id == check_id)).scalars()
    tasks = [kept for kept in map(door.get, list(found)) if kept is not None]
    return {kept.fields["about"]["id"] for kept in tasks if kept.fields.get("spot_check_id") == check_id}
