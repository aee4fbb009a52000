"""Photos that appear in more than one case, as those who look after the cases may read of it: by photo, in groups, in
pairs. Of records out of a reader's scopes nothing is told but that there are some. Serves API and pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from media.models import Reuse
from schemas.problems import Problem
from schemas.values import is_uuid
from server.listing import sees
from sync.bulk import Among
from sync.kept import Kept, kept_from
from sync.models import Record
from sync.records import RECORD
from sync.scope import view_of

UNKNOWN_PHOTO = "照片不存在,或无权知晓 No such photo, or no right to know of it"
LARGEST_GROUP = 2_000  # evidence records that are followed from one; beyond that a group may show in parts
SHOWN = 24
SEEDS = 100
MOST_ITEMS = 200


@dataclass(frozen=True, slots=True)
class Tie:
    """One picture in two evidence records; no distance for the same bytes. Turned by `orientation` (EXIF), that of the
    first looks like the other."""

    other_id: str
    distance: int | None
    orientation: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """Evidence that one picture connects, newest first: the first SHOWN, each with its closest tie to another that the
    reader may see. `count` is how many he may see in all, `hidden` whether there are others."""

    members: tuple[tuple[Kept, Tie | None], ...]
    count: int
    hidden: bool


def reuse_of(session: Session, scopes: Sequence[str], sha256: str) -> dict[str, Any]:
    """`{items, out_of_scope}`: the ties of the evidence that names the photo, within the scopes. Raises `not_found`
    where no such evidence is, or none in the scopes."""
    own = {kept.id: kept for kept in _kept(session, Record.sha256 == sha256)}
    seen = {kept.id for kept in own.values() if _may_see(scopes, kept)}
    if not seen:
        raise Problem("not_found", UNKNOWN_PHOTO, hidden=bool(own))
    ties = _ties(session, seen)
    others = _by_id(session, {tie.other_id for tied in ties.values() for tie in tied})
    shown = [{"evidence_id": one, "distance": tie.distance, "orientation": tie.orientation,
              "other": _shown(others[tie.other_id])}
             for one, tie in sorted(((one, tie) for one, tied in ties.items() for tie in tied),
                                    key=lambda pair: (_closest(pair[1]), pair[0]))
             if tie.other_id in others and _may_see(scopes, others[tie.other_id])]
    return {"sha256": sha256, "items": shown[:MOST_ITEMS],
            "out_of_scope": any(not _may_see(scopes, kept) for kept in others.values())}


def groups(session: Session, scopes: Sequence[str], limit: int, before: int | None) -> tuple[list[Group], int | None]:
    """Groups by their newest member within the scopes, newest first, and the number before which the next page
    begins."""
    found: list[Group] = []
    last: int | None = None
    for seq, evidence_id in _seeds(session, scopes, before):
        if len(found) == limit:
            return found, last
        group = _group(session, scopes, evidence_id)
        if group.members[0][0].id == evidence_id and group.count + group.hidden > 1:
            found.append(group)
            last = seq
    return found, None


def pair(session: Session, scopes: Sequence[str], evidence_id: str, other_id: str) -> tuple[Kept, Kept, Tie]:
    """Two evidence records that are tied; raises `not_found` unless both are within the scopes."""
    both = _by_id(session, {one for one in (evidence_id, other_id) if is_uuid(one)})
    tie = next((tie for tie in _ties(session, {evidence_id} & set(both)).get(evidence_id, ())
                if tie.other_id == other_id), None)
    if tie is None or len(both) < 2 or not all(_may_see(scopes, kept) for kept in both.values()):
        raise Problem("not_found", "没有这一对照片,或无权知晓 no such pair, or no right to know of it",
                      hidden=tie is not None)
    return both[evidence_id], both[other_id], tie


def _seeds(session: Session, scopes: Sequence[str], before: int | None) -> Iterator[tuple[int, str]]:
    """Tied evidence within the scopes, newest first: (number, id)."""
    view = view_of(session, scopes).condition()
    while True:
        query = select(Reuse.seq, Reuse.evidence_id).distinct().join(Record, Record.id == Reuse.evidence_id) \
            .where(view, Record.deleted.is_(False)).order_by(Reuse.seq.desc()).limit(SEEDS)
        rows = session.execute(query if before is None else query.where(Reuse.seq < before)).all()
        yield from ((row.seq, row.evidence_id) for row in rows)
        if len(rows) < SEEDS:
            return
        before = rows[-1].seq


def _group(session: Session, scopes: Sequence[str], evidence_id: str) -> Group:
    """All that is connected with the evidence, tie by tie."""
    ties: dict[str, list[Tie]] = {}
    edge = {evidence_id}
    while edge and len(ties) < LARGEST_GROUP:
        ties |= {one: [] for one in edge} | _ties(session, edge)
        edge = {tie.other_id for one in edge for tie in ties[one]} - set(ties)
    everybody = _by_id(session, set(ties))
    seen = sorted((kept for kept in everybody.values() if _may_see(scopes, kept)),
                  key=lambda kept: -kept.created_seq)
    names = {kept.id for kept in seen}
    members = tuple((kept, min((tie for tie in ties[kept.id] if tie.other_id in names), key=_closest, default=None))
                    for kept in seen[:SHOWN])
    return Group(members, len(seen), len(seen) < len(everybody))


def _ties(session: Session, ids: Iterable[str]) -> dict[str, list[Tie]]:
    found: dict[str, list[Tie]] = {}
    for row in session.execute(select(Reuse.evidence_id, Reuse.other_id, Reuse.distance, Reuse.orientation)
                               .where(Among(Reuse.evidence_id, list(ids)))):
        found.setdefault(row.evidence_id, []).append(Tie(row.other_id, row.distance, row.orientation))
    return found


def _closest(tie: Tie) -> tuple[int, str]:
    return -1 if tie.distance is None else tie.distance, tie.other_id


def _by_id(session: Session, ids: set[str]) -> Mapping[str, Kept]:
    return {kept.id: kept for kept in _kept(session, Among(Record.id, list(ids)))}


def _kept(session: Session, condition: Any) -> list[Kept]:
    rows = session.execute(select(RECORD).where(condition, Record.type == "evidence", Record.deleted.is_(False)))
    return [kept_from(row) for row in rows.mappings()]


def _may_see(scopes: Sequence[str], kept: Kept) -> bool:
    return sees(scopes, kept.type, kept.scope)


def _shown(kept: Kept) -> dict[str, Any]:
    return {"evidence_id": kept.id, "sha256": kept.fields["sha256"], "about": kept.fields["about"],
            "scope": kept.scope, "captured_at": kept.fields["captured_at"], "created_by": kept.created_by}
