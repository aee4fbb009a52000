"""What became of one mutation that was taken, and that one must wait. Serves all who carry out mutations."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.kept import Kept


class Waits(Exception):
    """The mutation refers to a record that has not arrived."""

    def __init__(self, record_id: str) -> None:
        super().__init__(record_id)
        self.record_id = record_id


@dataclass(slots=True)
class Outcome:
    """What became of one mutation that was taken (protocol section 2)."""

    outcome: str
    record: Kept
    conflicts: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
