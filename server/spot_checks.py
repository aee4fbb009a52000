"""Spot checks: a frame frozen behind the gate, and a draw that anybody can re-run (protocol section 11).

The arithmetic is `server/rules/sampling.py`; here stand what is frozen and journalled when, and whose frame it is. What
becomes of the sample is `server/verdicts.py`. Serves the API and the pages; knows no request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, defer

from schemas.problems import Problem
from schemas.records import record_type
from schemas.values import is_uuid, parse_time, stamp
from server.models import SpotCheck, SpotSample
from server.reference import known_scope
from server.rules import sampling
from server.trade.statuses import must_be_statuses
from sync import journal
from sync.models import Record
from sync.records import Door
from sync.writers import Writer, covers

ALL = "all"     # the stratum of a draw without strata
ABSENT_OR_HIDDEN = "没有此抽查,或无权知晓 no such spot check, or no right to know of it"
ABSENT = "-"    # a stratum's part for a record that lacks the value


def freeze(door: Door, supervisor: Writer, asked: Mapping[str, Any]) -> SpotCheck:
    """Freeze the frame and commit to a secret, in the journal; `asked` is a loaded `SpotCheckAsked`.

    Raises `type_unknown`, `field_invalid`, `scope_unknown`, `out_of_scope`, `status_unknown`, `frame_empty`. A size
    above the frame counts as the frame.
    """
    frame = asked["frame"]
    if record_type(frame["type"]).name != "finding":
        raise Problem("field_invalid", "a frame is of findings", errors={"frame.type": ["must be finding"]})
    for place, scope in enumerate(frame["scopes"]):
        if not known_scope(scope):
            raise Problem("scope_unknown", f"没有此区划代码 no division has the code {scope}",
                          errors={f"frame.scopes.{place}": ["unknown"]})
        supervisor.must_cover(scope)
    status = frame.get("status")
    must_be_statuses([status] if isinstance(status, str) else status or (), frame["type"], "frame.status")
    strata = list(dict.fromkeys(asked["strata"]))
    drawable = _frame(door.session, frame, strata)
    if not drawable:
        raise Problem("frame_empty", "没有符合时间、范围和状态的问题 no finding of that time, scope and status")
    size = asked.get("size") or sampling.sample_size(len(drawable), asked["confidence"], asked["margin"])
    secret = door.random_bytes(32).hex()
    check = SpotCheck(
        id=door.new_id(), title=asked["title"], made_by=supervisor.user_id, made_at=door.at, state="frozen",
        asked={"type": frame["type"], "from": frame["from_"], "to": frame["to"], "scopes": frame["scopes"],
               "status": frame.get("status"), "strata": strata,
               **{name: asked[name] for name in ("size", "confidence", "margin") if name in asked}},
        scopes=frame["scopes"], size=min(size, len(drawable)), frame=drawable, secret=secret,
        frame_digest=sampling.frame_digest(drawable), commitment=sampling.commitment(secret))
    door.record_entry("spot_check_frozen", supervisor.user_id, check.id, {
        **check.asked, "size": check.size, "frame_size": len(drawable), "frame_digest": check.frame_digest,
        "commitment": check.commitment}, aside={"title": check.title}, kept=False)
    door.flush()
    check.frozen_index = door.gate.frontier.size - 1
    door.session.add(check)
    return check


def _frame(session: Session, frame: Mapping[str, Any], strata: Sequence[str]) -> list[tuple[str, str]]:
    """(record id, stratum) of every finding that may be drawn, sorted."""
    columns = [getattr(Record, name) for name in strata]
    query = select(Record.id, *columns).where(
        Record.type == frame["type"], Record.deleted.is_(False),
        Record.observed_at >= stamp(parse_time(frame["from_"])), Record.observed_at < stamp(parse_time(frame["to"])),
        or_(*(Record.scope.startswith(scope, autoescape=True) for scope in frame["scopes"])))
    if frame.get("status"):
        wanted = frame["status"]
        query = query.where(Record.status.in_([wanted] if isinstance(wanted, str) else wanted))
    return sorted((record_id, _stratum(values)) for record_id, *values in session.execute(query))


def _stratum(values: Sequence[str | None]) -> str:
    """The name of a stratum: its values on one line."""
    return "/".join(" ".join((value or ABSENT).split()) for value in values) or ALL


def draw(door: Door, supervisor: Writer, check_id: str, signer: journal.Signer) -> dict[str, Any]:
    """Draw the sample; gives the proof. Raises `not_found`, `already_drawn`.

    The beacon is the root of the first checkpoint after the freezing, made now when there is none yet. The caller signs
    another checkpoint with the commit, so that the draw itself is witnessed at once.
    """
    check = found_check(door.session, check_id)
    if not covers_frame(supervisor.scopes, check):
        raise Problem("not_found", ABSENT_OR_HIDDEN, hidden=True)
    if check.state != "frozen":
        raise Problem("already_drawn", f"已抽样 drawn at {check.drawn_at}")
    beacon = journal.first_checkpoint_after(door.session, check.frozen_index) \
        or journal.issue_checkpoint(door.session, door.gate.frontier, signer, door.now)
    found = sampling.prove([(record_id, stratum) for record_id, stratum in check.frame], check.size, beacon.root,
                           check.secret)
    check.state, check.drawn_at = "drawn", door.at
    check.beacon, check.seed, check.allocation = found["beacon"], found["seed"], found["allocation"]
    door.session.add_all(SpotSample(check_id=check.id, **row) for row in found["sample"])
    door.record_entry("draw", supervisor.user_id, check.id, {
        name: found[name] for name in ("algorithm", "frame_digest", "commitment", "secret", "beacon", "seed",
                                       "allocation")})
    return found


def proof(check: SpotCheck) -> dict[str, Any]:
    """All that is needed to re-run the draw; raises `not_drawn`."""
    if check.state == "frozen" or check.beacon is None:
        raise Problem("not_drawn", "抽样后才公布密值 the secret is shown with the draw")
    return sampling.prove([(record_id, stratum) for record_id, stratum in check.frame], check.size, check.beacon,
                          check.secret)


def found_check(session: Session, check_id: str) -> SpotCheck:
    """The spot check of that id; raises `not_found`."""
    check = session.get(SpotCheck, check_id) if is_uuid(check_id) else None
    if check is None:
        raise Problem("not_found", ABSENT_OR_HIDDEN)
    return check


def covers_frame(scopes: Sequence[str], check: SpotCheck) -> bool:
    """Do these scopes cover the whole frame?"""
    return all(covers(scopes, scope) for scope in check.scopes)


def touches_frame(scopes: Sequence[str], check: SpotCheck) -> bool:
    """Do these scopes and the frame have anything in common?"""
    return any(covers(scopes, scope) or covers([scope], code) for scope in check.scopes for code in scopes)


def checks(session: Session) -> list[SpotCheck]:
    """All spot checks, newest first; their frames are left in the database until asked for."""
    return list(session.execute(select(SpotCheck).options(defer(SpotCheck.frame)).order_by(
        SpotCheck.made_at.desc(), SpotCheck.id)).scalars())
