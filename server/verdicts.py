"""What becomes of a spot check's sample: where to look again, blind verdicts, and the report (protocol section 11).

Blind: before the verdict nothing of the first inspector's values is shown but the place; afterwards both stand side by
side. Serves the API and the pages; knows no request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.values import is_uuid
from server.models import SpotCheck, SpotSample
from server.reviews import captors
from server.rules.sampling import kappa, wilson
from server.spot_checks import found_check, touches_frame
from sync.kept import Kept, kept_from
from sync.models import Record
from sync.records import RECORD, Door
from sync.writers import Writer, covers

PLACE = ("position", "address", "sticker_serial")
COMPARED = ("class_scheme", "class_code", "severity", "condition", "text", "zone_id", "status")
TELLING = frozenset({"class_code", "status"})  # strata whose names are values of the first inspector
CONFIDENCE = 0.95

Drawn = tuple[SpotSample, Kept]


def samples(session: Session, check_id: str) -> list[Drawn]:
    """The drawn records as they stand now, by stratum and rank."""
    drawn = session.execute(select(SpotSample).where(SpotSample.check_id == check_id).order_by(
        SpotSample.stratum, SpotSample.rank)).scalars().all()
    rows = session.execute(select(RECORD).join(SpotSample, SpotSample.record_id == Record.id).where(
        SpotSample.check_id == check_id)).mappings()
    records = {row["id"]: kept_from(row) for row in rows}
    return [(sample, records[sample.record_id]) for sample in drawn]


def progress(session: Session) -> dict[str, dict[str, int]]:
    """By spot check how many were drawn and how many of them judged."""
    rows = session.execute(select(SpotSample.check_id, func.count(), func.count(SpotSample.verdict))
                           .group_by(SpotSample.check_id))
    return {check_id: {"drawn": drawn, "checked": judged} for check_id, drawn, judged in rows}


def shown(session: Session, check: SpotCheck, scopes: Sequence[str]) -> list[dict[str, Any]]:
    """The samples in these scopes: place and due time of each, and both sides where the verdict is given."""
    blind_strata = TELLING & set(check.asked["strata"])
    return [{"record_id": kept.id, "rank": sample.rank, "due_at": kept.marks.get("due_at"),
             "stratum": None if blind_strata and sample.verdict is None else sample.stratum,
             "place": {name: _place(kept.fields.get(name)) for name in PLACE}, "verdict": sample.verdict,
             **(judged(session, sample, kept) if sample.verdict else {})}
            for sample, kept in samples(session, check.id) if covers(scopes, kept.scope)]


def own_work(session: Session, check_id: str, user_id: str) -> set[str]:
    """The ids of the samples without a verdict that are this person's own work: somebody else judges them."""
    return {kept.id for sample, kept in samples(session, check_id)
            if sample.verdict is None and user_id in captors(session, kept)}


def _place(value: Any) -> Any:
    """A place without what else a position tells of the first visit."""
    if not isinstance(value, Mapping):
        return value
    return {name: value[name] for name in ("lon", "lat", "crs", "accuracy_m", "normalized") if name in value}


def judged(session: Session, sample: SpotSample, kept: Kept) -> dict[str, Any]:
    """A verdict with the comparison: for each value what the first and the second person said, and the old photos."""
    mine = sample.values or {}
    photos = session.execute(select(Record.id, Record.sha256, Record.fields).where(
        Record.type == "evidence", Record.about_id == kept.id).order_by(Record.created_seq))
    first = {**kept.marks, **kept.fields}
    return {"verdict": sample.verdict, "values": mine, "note": sample.note, "judged_by": sample.judged_by,
            "judged_at": sample.judged_at,
            "comparison": [{"field": name, "first": first.get(name), "second": mine.get(name),
                            "agree": first.get(name) == mine[name] if name in mine else None}
                           for name in dict.fromkeys([*COMPARED, *mine])],
            "photos": [{"evidence_id": evidence_id, "sha256": sha256, "role": orjson.loads(fields).get("role")}
                       for evidence_id, sha256, fields in photos]}


def judge(door: Door, judge_: Writer, check_id: str, record_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the verdict; gives it with the comparison. `given` is a loaded `VerdictGiven`.

    Raises `not_found`, `not_drawn`, `own_work`, `already_judged`.
    """
    check = found_check(door.session, check_id)
    if not touches_frame(judge_.scopes, check):
        raise Problem("not_found", hidden=True)
    if check.state == "frozen":
        raise Problem("not_drawn", "尚未抽样 a verdict wants a draw")
    kept = door.get(record_id) if is_uuid(record_id) else None
    sample = door.session.get(SpotSample, (check_id, record_id)) if kept else None
    if kept is None or sample is None or not judge_.covers(kept.scope):
        raise Problem("not_found", "不在样本中,或无权知晓 not in this sample, or no right to know of it",
                      hidden=sample is not None)
    if judge_.user_id in captors(door.session, kept):
        raise Problem("own_work", "采集人不得复核本人工作 who captured it does not check it again")
    if sample.verdict is not None:
        raise Problem("already_judged", f"已复核 judged at {sample.judged_at}")
    sample.verdict, sample.values, sample.note = given["verdict"], given["values"], given["note"]
    sample.judged_by, sample.judged_at = judge_.user_id, door.at
    door.record_entry("verdict", judge_.user_id, kept.id, {"check_id": check_id, "verdict": sample.verdict},
                      aside={"values": sample.values, "note": sample.note}, kept=False)
    return {"record_id": kept.id, "stratum": sample.stratum, "rank": sample.rank,
            **judged(door.session, sample, kept)}


def report(session: Session, check: SpotCheck) -> dict[str, Any]:
    """What the verdicts say so far; nothing is claimed of what was not checked. `kappa` is over the class."""
    drawn = samples(session, check.id)
    agreement = kappa([(kept.marks.get("class_code"), sample.values["class_code"]) for sample, kept in drawn
                       if sample.verdict and "class_code" in (sample.values or {})
                       and isinstance(sample.values["class_code"], str)])
    return {"id": check.id, "state": check.state, **rates(sample for sample, _ in drawn),
            **({} if agreement is None else {"kappa": agreement}),
            "by_stratum": [{"stratum": stratum, **rates(sample for sample, _ in part)}
                           for stratum, part in groupby(drawn, key=lambda pair: pair[0].stratum)]}


def rates(drawn: Iterable[SpotSample]) -> dict[str, Any]:
    """`{drawn, checked, disputed, not_found, rate, ci_low, ci_high}`: Wilson at 95 %, null when nothing is checked.

    What was not found counts as disputed (protocol section 11), and is told beside it.
    """
    verdicts = [sample.verdict for sample in drawn]
    checked = sum(verdict is not None for verdict in verdicts)
    disputed = sum(verdict in ("disputed", "not_found") for verdict in verdicts)
    low, high = wilson(disputed, checked, CONFIDENCE) if checked else (None, None)
    return {"drawn": len(verdicts), "checked": checked, "disputed": disputed,
            "not_found": verdicts.count("not_found"), "rate": disputed / checked if checked else None,
            "ci_low": low, "ci_high": high}
