"""Checkpoints that were kept outside of the database, held against the journal: was it put back, or rewritten?

A database that somebody replaced by an older copy is whole in itself; only what was kept elsewhere tells. After a
lawful restore the journal says which epochs it left, and at which size; what was signed beyond that is excused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from sync import merkle, notes
from sync.audit import BODY, Audit, parsed
from sync.journal import subtree_of
from sync.models import RESTORED, Clock, JournalEntry


class Witness(NamedTuple):
    """A checkpoint as it was kept: the epoch it was signed in, its size and root (hex), and where it lies."""

    epoch: str
    size: int
    root: str
    where: str


class Standing(NamedTuple):
    """What the journal is now. `left` maps the epochs that restores left to the size from which each went on."""

    epoch: str
    size: int
    left: Mapping[str, int]
    root_at: Callable[[int], str | None]


def standing(session: Session, root_at: Callable[[int], str | None] | None = None) -> Standing:
    """The journal of this snapshot; roots are computed from O(log n) rows, unless `root_at` knows them (None: not)."""
    clock = session.execute(select(Clock.epoch, Clock.journal_size).where(Clock.id == 1)).one()
    left: dict[str, int] = {}
    for told in session.execute(select(BODY).where(text(RESTORED)).order_by(JournalEntry.index)).scalars():
        body = parsed(told) or {}
        for epoch in (body.get("from_epoch"), *body.get("left", ())):
            left.setdefault(epoch, body.get("journal_size", 0))

    def computed(size: int) -> str:
        try:
            return merkle.root_at(size, subtree_of(session)).hex()
        except ValueError:  # a stored hash is no hex any more: there is no such tree
            return ""

    return Standing(clock.epoch, clock.journal_size, left, root_at or computed)


def judge(witness: Witness, now: Standing) -> tuple[str, str] | None:
    """Code and words of what this checkpoint says against the journal, None if nothing."""
    if witness.epoch != now.epoch:
        if witness.epoch not in now.left:
            return "journal_shrunk", (f"a checkpoint over {witness.size} entries of epoch {witness.epoch}, of which "
                                      "the journal tells nothing: the database was restored from an older copy")
        if witness.size > now.left[witness.epoch]:
            return None
    if witness.size > now.size:
        return "journal_shrunk", (f"the journal has shrunk from {witness.size} to {now.size} entries: the database was "
                                  "restored from an older copy")
    if now.root_at(witness.size) not in (witness.root, None):
        return "journal_forked", (f"the first {witness.size} entries are not those that were signed: the database was "
                                  "restored from an older copy and has gone on, or was rewritten")
    return None


def check_witnesses(audit: Audit, now: Standing, witnesses: Iterable[Witness],
                    note_of: Callable[[Witness], str | None], key_line: str) -> None:
    """Every kept checkpoint against the journal. One that was not signed here does not speak against it; its note is
    read then, and believed to be signed where it cannot be read."""
    for witness in witnesses:
        audit.checked["kept_checkpoints"] += 1
        if wrong := judge(witness, now):
            note = note_of(witness)
            if note is None or _is_signed(witness, note, key_line):
                audit.wrong(wrong[0], witness.where, wrong[1])
            else:
                audit.wrong("witness_unsigned", witness.where, "a kept checkpoint that was not signed here")


def _is_signed(witness: Witness, note: str, key_line: str) -> bool:
    try:
        signed = notes.verify_note(note, key_line)
    except notes.NoteInvalid:
        return False
    return (signed.size, signed.root.hex()) == (witness.size, witness.root)
