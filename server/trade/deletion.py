"""Which records may be deleted, in which states and by whom: the rows of `server/reference/deletions.csv`.

A type without a row is deleted by whoever may edit it; sealed and immutable records never are (`sync/mutations.py`).
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import select

from schemas.problems import Problem
from server.models import SpotSample
from server.reference import table
from sync.kept import Kept
from sync.records import Door
from sync.writers import Writer


@cache
def _terms() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """By type the states in which a record may be deleted (none: in any), and the roles that delete only their own."""
    return {row["type"]: (frozenset(row["states"].split()), frozenset(row["own_only"].split()))
            for row in table("deletions")}


def must_be_deletable(door: Door, record: Kept, writer: Writer) -> None:
    """Raise `state_moved` for a case that is under way, that a reviewer decided on or a spot check drew,
    `role_forbidden` for somebody else's record."""
    if record.marks.get("review_state") not in (None, "open"):
        raise Problem("state_moved", f"已有审核结论 a reviewer decided on this {record.type}")
    if door.session.execute(select(SpotSample.check_id).where(SpotSample.record_id == record.id).limit(1)).first():
        raise Problem("state_moved", f"已被抽查抽中 a spot check drew this {record.type}")
    states, own_only = _terms().get(record.type, (frozenset(), frozenset()))
    status = record.fields.get("status")
    if states and status not in states:
        raise Problem("state_moved", f"已进入流程,应作废而非删除 {record.type} is {status}: cancel it instead")
    own = writer.user_id in (record.created_by, record.fields.get("inspector_id"))
    if not own and set(writer.roles) <= own_only:
        raise Problem("role_forbidden", f"只能删除本人记录 {', '.join(writer.roles)} may delete only what is their own")
