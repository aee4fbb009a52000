"""Inspections on pages: where a finding was made, what was answered, and the findings that came of it.

Serves the record's page and the review queue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from server.auth import me
from server.db import db
from server.inspected import Inspected, answers_of, findings_of, inspected, photos_in
from server.listing import sees
from server.pages.lookups import seen
from server.reference import checklists
from sync.kept import RECORD, Kept, kept_from
from sync.models import Record


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of an inspection as the page shows it; `value` is None where it is a photo."""

    question: tuple[str, str]
    value: Any
    note: str
    serial: str
    photos: int
    finding: Kept | None


def made_in(findings: Iterable[Kept]) -> dict[str, Inspected]:
    """By finding the inspection in which it was made, where the person may see that, and the photos of its item."""
    found = inspected(db.session(), findings)
    return {finding: made for finding, made in found.items()
            if sees(me().scopes, made.inspection.type, made.inspection.scope)}


def inspection_of(kept: Kept) -> dict[str, Any]:
    """For the page of an inspection: its `answers`, and the `findings` that were made in it."""
    if kept.type != "inspection":
        return {"answers": [], "findings": []}
    given, asked = answers_of(kept), questions(kept)
    opened = seen((answer.get("finding_id") for answer in given.values()), me().scopes)
    made = {one.id: one for one in findings_of(db.session(), kept) if sees(me().scopes, one.type, one.scope)}
    order = {item: place for place, item in enumerate(asked)}
    return {"findings": list(({one.id: one for one in opened.values() if one.type == "finding"} | made).values()),
            "answers": [Answer(asked.get(item, (item, "")), None if answer.get("value") in photos_in(answer) else
                               answer.get("value"), str(answer.get("note") or ""), str(answer.get("serial") or ""),
                               len(photos_in(answer)), opened.get(str(answer.get("finding_id"))))
                        for item, answer in sorted(given.items(), key=lambda one: order.get(one[0], len(order)))]}


def questions(inspection: Kept) -> dict[str, tuple[str, str]]:
    """By item of its checklist what it asks, in Chinese and English; empty where the checklist is not known."""
    wanted = inspection.fields.get("template_id"), inspection.fields.get("template_version")
    known = [one for key, one in checklists().items() if key == wanted or (key[0], None) == wanted]
    listed = known[-1] if known else None
    if listed is None:
        rows = db.session.execute(select(RECORD).where(
            Record.type == "template", Record.deleted.is_(False))).mappings()
        listed = next((fields for fields in (kept_from(row).fields for row in rows)
                       if (fields.get("template_id"), fields.get("template_version")) == wanted), {})
    return {item["id"]: (str(item.get("text") or item["id"]), str(item.get("text_en") or ""))
            for item in listed.get("items") or ()}
