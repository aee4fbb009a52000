"""The trade's rules as the engine takes them: one object a record type, fed by server/rules and server/reference."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from schemas.records import RECORD_TYPES, RecordType
from server.models import PersonScopes
from server.reference import known_scope
from server.trade.ahead import Foreseen, foresee, look_ahead
from server.trade.base import ReviewedRule, TypeRule, must_have_right
from server.trade.documents import EnforcementRule, InspectionRule, LetterRule
from server.trade.evidence import EvidenceRule
from server.trade.finding import FindingRule
from server.trade.incident import IncidentRule
from server.trade.office import ConflictRule, TaskRule, TemplateRule, ZoneRule
from server.trade.tracks import TrackRule
from sync.records import Door
from sync.rules import Rule, Rules
from sync.writers import Writer, covers

log = logging.getLogger(__name__)
OF_TYPE = {"finding": FindingRule, "evidence": EvidenceRule, "inspection": InspectionRule, "letter": LetterRule,
           "enforcement": EnforcementRule, "task": TaskRule, "conflict": ConflictRule, "template": TemplateRule,
           "track": TrackRule, "incident": IncidentRule, "zone": ZoneRule}
REVIEWED = tuple(name for name, rule in OF_TYPE.items() if issubclass(rule, ReviewedRule))
"""The types of which people judge the evidence."""


class TradeRules:
    """The rules of all types."""

    def __init__(self, by_type: Mapping[str, Rule]) -> None:
        self._by_type = by_type

    def of(self, record_type: RecordType) -> Rule:
        return self._by_type[record_type.name]

    def must_have_right(self, writer: Writer, record_type: str, what: str) -> None:
        must_have_right(writer, record_type, what)

    def foresee(self, session: Session, mutations: Sequence[Mapping[str, Any]]) -> Foreseen:
        try:
            return foresee(session, mutations)
        except Exception:  # a fault of ours in one mutation may not stop the others: it meets it again by itself
            log.exception("the needs of %s mutations were not foreseen", len(mutations))
            return foresee(session, ())

    def look_ahead(self, door: Door, writer: Writer, foreseen: Foreseen) -> None:
        look_ahead(door, writer, foreseen)

    def worked_in(self, session: Session, user_id: str, scope: str) -> bool:
        ever = session.execute(select(PersonScopes.codes).where(PersonScopes.user_id == user_id)).scalars()
        return any(covers(codes, scope) for codes in ever)

    def known_scope(self, scope: str) -> bool:
        return known_scope(scope)


def rules() -> Rules:
    """The rules of this installation."""
    return TradeRules({name: OF_TYPE.get(name, TypeRule)() for name in RECORD_TYPES})
