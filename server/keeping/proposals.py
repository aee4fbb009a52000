"""What proposals to dispose and to erase have in common: four eyes, and that the journal tells of each step.

Serves `disposals`, `erasures` and the audit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.values import is_uuid
from server.keeping.models import Disposal, Erasure
from sync.audit import Audit, batches, holds, journalled, parsed, stream
from sync.bulk import Among
from sync.models import JournalEntry
from sync.records import Door
from sync.writers import Writer

T = TypeVar("T", Disposal, Erasure)
STEPS = ("disposal_proposed", "disposal_approved", "disposal_refused", "disposal_done", "erasure_proposed", "erased",
         "erasure_refused")
FIRST, LAST = ("disposal_proposed", "erasure_proposed"), "disposal_done"
STATE_AFTER = {"disposal_proposed": "proposed", "disposal_approved": "approved", "disposal_refused": "refused",
               "disposal_done": "done", "erasure_proposed": "proposed", "erased": "done", "erasure_refused": "refused"}
TOLD = {Disposal: ("asked", "records", "scopes"), Erasure: ("record_type", "record_id", "fields", "ground")}


def told(made: Disposal | Erasure) -> dict[str, Any]:
    """What the journal tells of a proposal; releases before told less of a disposal."""
    return {name: getattr(made, name) for name in TOLD[type(made)]}


def must_be_decidable(writer: Writer, made: Disposal | Erasure) -> None:
    """Raise `own_proposal` for the one who proposed it, `state_moved` for what was decided already."""
    if made.proposed_by == writer.user_id:
        raise Problem("own_proposal", "提出人不得审批 somebody else decides on what one proposed")
    if made.state != "proposed":
        raise Problem("state_moved", f"已处理 it is {made.state} already")


def must_be_as_told(door: Door, made: Disposal | Erasure) -> None:
    """Raise `proposal_altered` for one whose row is not what the journal says was proposed."""
    entries = door.session.execute(_steps([made.id])).all()
    if not entries or not _is_as_told(made, entries):
        raise Problem("proposal_altered", "提议与日志所载不符 the proposal is not what the journal says")


def decide(door: Door, writer: Writer, made: Disposal | Erasure, kind: str, note: str, body: Mapping[str, Any]) -> None:
    """Note who decided, with the journal's entry."""
    must_be_decidable(writer, made)
    made.decided_by, made.decided_at, made.note = writer.user_id, door.at, note
    door.record_entry(kind, writer.user_id, made.id, {**body, "proposed_by": made.proposed_by}, aside={"note": note},
                      kept=False)


def found(session: Session, model: type[T], proposal_id: str) -> T:
    """The proposal; raises `not_found`."""
    made = session.get(model, proposal_id) if is_uuid(proposal_id) else None
    if made is None:
        raise Problem("not_found", "没有此提议 no such proposal")
    return made


def newest(session: Session, model: type[T], states: Sequence[str], most: int) -> list[T]:
    """The newest proposals in these states."""
    return list(session.execute(select(model).where(model.state.in_(states)).order_by(
        model.proposed_at.desc(), model.id).limit(most)).scalars())


def check_proposals(audit: Audit, session: Session) -> None:
    """Every proposal is what the journal says of it, who proposed it, who decided; none of which it tells is gone."""
    for model in (Disposal, Erasure):
        for batch in batches(stream(session, select(model).order_by(model.id))):
            steps: dict[str | None, list[Any]] = {}
            for row in session.execute(_steps([row[0].id for row in batch])):
                steps.setdefault(row.about, []).append(row)
            for (made,) in batch:
                audit.checked["proposals"] += 1
                entries = steps.get(made.id, [])
                if not entries:
                    audit.wrong("proposal_unknown", made.id, "the journal tells nothing of this proposal")
                elif not _is_as_told(made, entries):
                    audit.wrong("proposal_altered", made.id, "the proposal is not what the journal says")
    for (about,) in stream(session, select(JournalEntry.about).where(
            JournalEntry.kind.in_(FIRST), ~select(Disposal.id).where(Disposal.id == JournalEntry.about).exists(),
            ~select(Erasure.id).where(Erasure.id == JournalEntry.about).exists())):
        audit.wrong("proposal_missing", about, "the proposal of which the journal tells is gone")


def _steps(ids: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return journalled().where(Among(JournalEntry.about, ids), JournalEntry.kind.in_(STEPS))


def _is_as_told(made: Disposal | Erasure, entries: Sequence[Any]) -> bool:
    first, last = entries[0], entries[-1]
    decided = next((one for one in entries if one.kind not in (*FIRST, LAST)), None)
    said = {**told(made), "proposed_by": made.proposed_by}
    same = (first.actor, first.at) == (made.proposed_by, made.proposed_at) and first.kind in FIRST \
        and holds(first, {"reason": made.reason}) and STATE_AFTER[last.kind] == made.state \
        and not any(name in said and said[name] != value for entry in entries
                    for name, value in (parsed(entry.body) or {}).items())
    if isinstance(made, Disposal):
        same = same and made.ended_at == (last.at if last.kind == LAST else None)
    if decided is None:
        return same and (made.decided_by, made.decided_at, made.note) == (None, None, None)
    return same and made.proposed_by != decided.actor and (decided.actor, decided.at) == (
        made.decided_by, made.decided_at) and holds(decided, {"note": made.note})
