"""Erasure of personal values (个人信息删除, 个人信息保护法 art. 47): somebody proposes, naming record, fields and
ground; somebody else approves or refuses. With the approval the values are gone; `sync/erasure.py` does it.

Which fields may be erased says `erasable.csv`, besides those that the type does not know; `@reasons` are the reasons
that people gave for openings and exports, which stand beside the journal. What a ground needs stands in
`erasure_grounds.csv`: while the law wants the record kept, only what it should never have held is erased (art. 47(2)).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import select

from schemas.problems import Problem
from server.keeping import orders, periods
from server.keeping.models import Erasure
from server.keeping.proposals import decide, must_be_as_told, must_be_decidable, told
from server.models import SpotSample
from server.reference import table
from sync import erasure
from sync.audit import ERASED
from sync.kept import Kept
from sync.records import Door
from sync.writers import Writer

PROPOSED, REFUSED = "erasure_proposed", "erasure_refused"
REASONS = "@reasons"
SHOWN = ("id", "state", "record_type", "record_id", "fields", "ground", "reason", "proposed_by", "proposed_at",
         "decided_by", "decided_at", "note")


@cache
def grounds() -> dict[str, Mapping[str, str]]:
    """The grounds by code."""
    return {row["ground"]: row for row in table("erasure_grounds")}


@cache
def erasable() -> frozenset[tuple[str, str]]:
    """The (type, field) that may be erased."""
    return frozenset((row["type"], row["field"]) for row in table("erasable"))


def fields_of(kept: Kept) -> list[str]:
    """The fields of the record that have a value which may be erased."""
    return [*(name for name in kept.fields if may_be_erased(kept, name)), REASONS]


def may_be_erased(kept: Kept, name: str) -> bool:
    """One that the table names, or that the type does not know; of a field that it knows no part by itself."""
    is_part = name.partition(".")[0] in kept.declared.fields and name not in kept.fields
    unknown = kept.declared.origin != "server" and name not in kept.declared.fields and not is_part
    return name == REASONS or (kept.type, name) in erasable() or unknown


def propose(door: Door, writer: Writer, kept: Kept, given: Mapping[str, Any]) -> Erasure:
    """Propose it; `given`: fields, ground, reason. Raises `not_erasable`, `held_by_order`, `not_due`, `state_moved`."""
    names = sorted(set(given["fields"]))
    _must_be_erasable(door, kept, names, given["ground"])
    made = Erasure(id=door.new_id(), state="proposed", record_type=kept.type, record_id=kept.id, fields=names,
                   ground=given["ground"], reason=given["reason"], proposed_by=writer.user_id, proposed_at=door.at)
    door.session.add(made)
    door.record_entry(PROPOSED, writer.user_id, made.id, told(made), aside={"reason": made.reason}, kept=False)
    return made


def approve(door: Door, writer: Writer, made: Erasure, note: str) -> Erasure:
    """Approve it, and erase. Raises `own_proposal`, what `propose` raises, and `proposal_altered` for one of which the
    journal says else."""
    must_be_decidable(writer, made)
    must_be_as_told(door, made)
    kept = door.get(made.record_id)
    assert kept is not None, "records are never removed"
    _must_be_erasable(door, kept, made.fields, made.ground)
    names = [name for name in made.fields if name != REASONS]
    found = erasure.erase(door, kept, names, writer, made.id)
    verdicts = _scrub_verdicts(door, kept, names, found)
    evidence = [kept] if kept.type == "evidence" else door.live("evidence", about_id=kept.id)
    abouts = {kept.id, *(one.id for one in evidence), *(one.fields["sha256"] for one in evidence)}
    erasure.scrub_asides(door, sorted(abouts), found, whole=REASONS in made.fields)
    decide(door, writer, made, ERASED, note, {**told(made), **found.told(), "verdicts": verdicts})
    made.state = "done"
    return made


def refuse(door: Door, writer: Writer, made: Erasure, note: str) -> Erasure:
    """Refuse it. Raises `own_proposal`, `state_moved`."""
    decide(door, writer, made, REFUSED, note, {})
    made.state = "refused"
    return made


def shown(made: Erasure) -> dict[str, Any]:
    """An erasure as the wire has it."""
    return {name: getattr(made, name) for name in SHOWN}


def _must_be_erasable(door: Door, kept: Kept, names: list[str], ground: str) -> None:
    if ground not in grounds():
        raise Problem("not_erasable", f"无此依据 no ground {ground[:40]!r}", errors={"ground": ["unknown"]})
    if refused := [name for name in names if not may_be_erased(kept, name)]:
        raise Problem("not_erasable", f"此项不可删除 {refused[0][:80]} of a {kept.type} is not erased",
                      errors={"fields": refused})
    if absent := [name for name in names if name != REASONS and name not in kept.declared.fields
                  and not erasure.ever_had(door.session, kept, name)]:
        raise Problem("not_erasable", f"该记录从无此项 the record never had {absent[0][:80]}",
                      errors={"fields": absent})
    orders.must_not_be_held(door.session, kept.id)
    if erasure.waits_for(door.session, kept.id):
        raise Problem("state_moved", "有变更在等待 a change of it waits for another record, for five days at most")
    over = periods.retentions(door.session, [kept], door.now)[kept.id]
    if grounds()[ground]["needs_period_over"] == "1" and over.why != "unlisted" and not over.is_over(door.at):
        raise Problem("not_due", f"保管期限未满 the record is to be kept until {over.until or over.why}")


def _scrub_verdicts(door: Door, kept: Kept, names: list[str], found: erasure.Erased) -> list[str]:
    """What second inspectors said of these fields; gives the spot checks."""
    scrubbed = []
    for sample in door.session.execute(select(SpotSample).where(SpotSample.record_id == kept.id)).scalars():
        values = erasure.without(sample.values, names)
        note = None if sample.note and erasure.says(sample.note, found.texts) else sample.note
        if values != sample.values or note != sample.note:
            sample.values, sample.note = values, note
            scrubbed.append(sample.check_id)
    return sorted(scrubbed)
