"""What finally became of a mutation that was held or quarantined, written to its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select, update

from sync.models import Receipt
from sync.outcomes import Outcome
from sync.records import Door


def settle(door: Door, device_id: str, n: int, outcome: str, *, version: int | None = None,
           problem: Mapping[str, Any] | None = None, said: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Note the settlement, with what the person `said` who made it; the device learns it with its next pull."""
    settled = {"outcome": outcome, "version": version, "problem": dict(problem) if problem else None, **(said or {})}
    own = (Receipt.device_id == device_id) & (Receipt.n == n)
    same_id = (Receipt.id == select(Receipt.id).where(own).scalar_subquery()) \
        & (Receipt.digest == select(Receipt.digest).where(own).scalar_subquery())
    door.session.execute(update(Receipt).where(or_(own, same_id))
                         .values(settled=settled, settled_seq=door.gate.next())
                         .execution_options(synchronize_session=False))
    return settled


def settle_applied(door: Door, device_id: str, n: int, outcome: Outcome) -> dict[str, Any]:
    """Note that the mutation was applied after all."""
    return settle(door, device_id, n, outcome.outcome, version=outcome.record.version)
