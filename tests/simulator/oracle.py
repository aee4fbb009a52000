"""The oracle follows every request that reached the server and holds what it finds there against the model.

It knows more than a device: it reads receipts, history and rows from the database after each request, so that a lost
answer or a crash leaves no doubt about what was committed. What the server said or did must be what the model says.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import orjson

from tests.simulator import expectations, properties
from tests.simulator.installation import Answer
from tests.simulator.model import created, effect_of, same, take
from tests.simulator.remembered import TAKEN, Effect, Remembered
from tests.simulator.rows import check_row
from tests.simulator.seam import Sent

if TYPE_CHECKING:
    from tests.simulator.world import World


@dataclass(slots=True)
class Ledger:
    """All that the server must know; saved with a backup of the server and brought back with it."""

    records: dict[str, Remembered] = field(default_factory=dict)
    first: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)
    writers: dict[str, str] = field(default_factory=dict)
    lost: list[tuple[str, str, Any]] = field(default_factory=list)
    seq: int = 0
    settled: set[tuple[str, int]] = field(default_factory=set)

    def held_creations(self, device_id: str) -> set[str]:
        """The records whose creation by this device is held."""
        held = (self.bodies[mutation_id] for mutation_id, outcome in self.outcomes.items()
                if outcome["outcome"] == "held" and self.writers[mutation_id] == device_id
                and (device_id, outcome["n"]) not in self.settled)
        return {raw["record_id"] for raw in held if raw["op"] == "put" and raw.get("scope") and not raw.get("base")}


class Oracle:
    """See the module."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ledger = Ledger()
        self.crashed = False

    def begin(self, made: Sequence[dict[str, Any]], device_id: str) -> None:
        """Take in what every schedule starts with."""
        for raw in made:
            self.ledger.bodies[raw["id"]] = {name: value for name, value in raw.items() if name != "n"}
            self.ledger.writers[raw["id"]] = device_id
            [[text]] = self.world.server.read("SELECT outcome FROM receipt WHERE id = ?", raw["id"])
            self.ledger.first[device_id, raw["n"]] = self.ledger.outcomes[raw["id"]] = orjson.loads(text)
            self.apply(raw, device_id, {"conflicts": [], "version": None}, raw["n"])
        self.ledger.seq = self.clock()[0]

    def save(self) -> bytes:
        return pickle.dumps(self.ledger)

    def go_back(self, saved: bytes) -> None:
        """The server was restored: it knows again what it knew then."""
        self.ledger = pickle.loads(saved)

    def clock(self) -> tuple[int, int]:
        """(number of the newest change, journal entries but those of refused access and housekeeping, which change
        nothing that anybody made)."""
        [row] = self.world.server.read(
            "SELECT seq, (SELECT count(*) FROM journal_entry WHERE kind NOT IN ('refused', 'compacted')) FROM clock")
        return row[0], row[1]

    def follow(self, sent: Sent, answer: Answer | None, before: tuple[int, int],
               act: Mapping[str, Any] | None = None) -> None:
        """Take in what one request did; `answer` is None when the server died over it, `act` is what the office did."""
        after = self.clock()
        properties.versions_and_cursors_never_go_back("the clock", before[0], after[0])
        if sent.path == "/sync/push" and sent.device_id:
            self._follow_push(sent.device_id, sent.mutations() or [], answer, before, after)
        changed = self._changed(before[0])
        if act is not None and answer is not None and answer.status in (200, 201, 409):
            self._follow_office(act, answer)
        self._follow_settled(before[0])
        for record_id in changed:
            check_row(self, record_id)
        self.ledger.seq = after[0]

    def _changed(self, since: int) -> list[str]:
        return [row[0] for row in self.world.server.read(
            "SELECT DISTINCT record_id FROM history WHERE seq > ?", since)]

    # pushes

    def _follow_push(self, device_id: str, mutations: Sequence[dict[str, Any]], answer: Answer | None,
                     before: tuple[int, int], after: tuple[int, int]) -> None:
        given = orjson.loads(answer.body)["outcomes"] if answer and answer.status == 200 else []
        known = [raw for raw in mutations if (device_id, raw["n"]) in self.ledger.first]
        self._check_replays(device_id, given, all_known=len(known) == len(mutations), before=before, after=after)
        if not mutations:
            return
        receipts = {row[0]: orjson.loads(row[1]) for row in self.world.server.read(
            "SELECT n, outcome FROM receipt WHERE device_id = ? AND n >= ? AND n <= ?", device_id,
            mutations[0]["n"], mutations[-1]["n"])}
        fresh = [raw for raw in mutations if raw["n"] in receipts and (device_id, raw["n"]) not in self.ledger.first]
        if answer is None or answer.status != 200:
            if not fresh:
                properties.a_rolled_back_writer_neither_stalls_nor_skips(before, after, None)
        else:
            unknown = [raw["n"] for raw in mutations if raw["n"] not in receipts]
            properties.effect_and_receipt_both_or_neither(
                not unknown, f"{device_id} was answered, but has no receipt for {unknown}")
        self.crashed = answer is None
        for _, members in groupby(fresh, key=lambda raw: raw.get("group") or raw["n"]):
            self._follow_unit(device_id, list(members), receipts)
        for raw in fresh:
            self.ledger.first[device_id, raw["n"]] = receipts[raw["n"]]
            self.world.count("outcome", receipts[raw["n"]]["outcome"])

    def _check_replays(self, device_id: str, given: Sequence[dict[str, Any]], *, all_known: bool, before: Any,
                       after: Any) -> None:
        for outcome in given:
            first = self.ledger.first.get((device_id, outcome["n"]))
            if first is not None:
                again = {name: value for name, value in outcome.items() if name != "settled"}
                properties.replays_change_nothing(before if all_known else None, after if all_known else None,
                                                  {**first, "replayed": True}, again)
                self.world.count("outcome", "replayed")

    def _follow_unit(self, device_id: str, unit: list[dict[str, Any]], receipts: Mapping[int, dict[str, Any]]) -> None:
        fresh = []
        for raw in unit:
            outcome = receipts[raw["n"]]
            body = {name: value for name, value in raw.items() if name != "n"}
            earlier = self.ledger.bodies.get(raw["id"])
            if earlier is None:
                self.ledger.bodies[raw["id"]] = body
                self.ledger.outcomes[raw["id"]] = outcome
                self.ledger.writers[raw["id"]] = device_id
                fresh.append(raw)
            elif {**earlier, "base": 0} == {**body, "base": 0}:  # after a restore nobody knows the old base any more
                properties.replays_change_nothing(None, None, {**self.ledger.outcomes[raw["id"]], "n": 0},
                                                  {**outcome, "n": 0})
            else:
                properties.effect_and_receipt_both_or_neither(
                    outcome["outcome"] == "quarantined", f"other content under the id {raw['id']} became {outcome}")
        if not fresh:
            return
        if len(unit) > 1:
            properties.a_group_wholly_or_not_at_all([receipts[raw["n"]]["outcome"] for raw in fresh])
        self._judge_unit(device_id, fresh, receipts)

    def _judge_unit(self, device_id: str, fresh: list[dict[str, Any]], receipts: Mapping[int, dict[str, Any]]) -> None:
        expected = expectations.of_unit(self.world, self.ledger.records, device_id, fresh,
                                        self.ledger.held_creations(device_id))
        for raw, kinds in zip(fresh, expected, strict=True):
            outcome = receipts[raw["n"]]
            kind = "taken" if outcome["outcome"] in TAKEN else outcome["outcome"]
            properties.a_poison_mutation_delays_nobody(raw, kinds, {**outcome, "outcome": kind})
            if kind == "taken":
                self.apply(raw, device_id, outcome, raw["n"])

    def apply(self, raw: Mapping[str, Any], writer: str, outcome: Mapping[str, Any], n: int = 0,
              waited: bool = False) -> None:
        """Let a mutation that was taken have its effect in the model, and hold its outcome against it; `n` is its
        number where a device sent it, `waited` says that it was held or quarantined before."""
        if raw["type"] == "conflict":
            self._apply_resolution(raw, writer, n)
            return
        record = self.ledger.records.get(raw["record_id"])
        if record is None:
            self.ledger.records[raw["record_id"]] = created(raw, writer, self.world.user_of(writer), n)
            return
        effect = effect_of(record, {**raw, "by": self.world.user_of(writer)}, writer, n if waited else None)
        self._check_conflicts(record, raw, effect, outcome)
        take(record, effect, writer, n)
        if outcome.get("version") is not None:
            properties.effect_and_receipt_both_or_neither(
                record.version == outcome["version"], f"{raw} gave version {outcome['version']}, not {record.version}")

    def conflict(self, conflict_id: str) -> dict[str, Any]:
        rows = self.world.server.read("SELECT fields FROM record WHERE id = ?", conflict_id)
        properties.effect_and_receipt_both_or_neither(bool(rows), f"there is no conflict {conflict_id}")
        found: dict[str, Any] = orjson.loads(rows[0][0])
        return found

    def _check_conflicts(self, record: Remembered, raw: Mapping[str, Any], effect: Effect,
                         outcome: Mapping[str, Any]) -> None:
        """Each overlap in exactly one conflict, and no conflict without an overlap."""
        found = [self.conflict(conflict_id) for conflict_id in outcome.get("conflicts") or ()]
        for conflict in found:
            properties.equal_values_never_conflict(conflict)
        for overlap in effect.overlaps:
            same_unit = [conflict for conflict in found if conflict["field"] == overlap.unit]
            if overlap.own:
                for conflict in same_unit:
                    properties.a_device_never_conflicts_with_itself(
                        conflict, overlap.loser, _made_by_both(record, conflict, raw.get("base") or 0))
            else:
                properties.one_winner_and_one_conflict(
                    (record.id, overlap), [each for each in same_unit if expectations.loses_in(overlap, each)])
                self.ledger.lost.append((record.id, overlap.unit, overlap.loser))
        units = {overlap.unit for overlap in effect.overlaps}
        properties.disjoint_edits_commute(raw, [each for each in found if each["field"] not in units])

    # what was settled later, and the office

    def _follow_settled(self, since: int) -> None:
        rows = self.world.server.read("SELECT device_id, n, id, settled FROM receipt WHERE settled_seq > ?"
                                      " ORDER BY settled_seq, device_id, n", since)
        seen = set()
        for device_id, n, mutation_id, text in rows:
            settled = orjson.loads(text)
            if mutation_id not in self.ledger.bodies or (mutation_id, text) in seen:
                continue
            seen.add((mutation_id, text))
            self.world.count("settled", settled["outcome"])
            raw = self.world.corrections.get(mutation_id) or self.ledger.bodies[mutation_id]
            if settled["outcome"] in TAKEN:
                self.apply(raw, self.ledger.writers[mutation_id],
                           {**settled, "conflicts": self._opened(since, mutation_id)}, n, waited=True)
            self.ledger.settled.add((device_id, n))

    def _opened(self, since: int, mutation_id: str) -> list[str]:
        """The conflicts that a mutation opened or took up since, for outcomes that do not name them."""
        versions = self.world.server.read(
            "SELECT record_id, changed FROM history JOIN record ON record.id = record_id"
            " WHERE type = 'conflict' AND history.seq > ?", since)
        brought = [(row[0], ((orjson.loads(row[1]).get("mine_by") or {}).get("to") or {}).get("mutation_id"))
                   for row in versions]
        return list(dict.fromkeys(conflict_id for conflict_id, by in brought if by == mutation_id))

    def _follow_office(self, act: Mapping[str, Any], answer: Answer) -> None:
        document = orjson.loads(answer.body)
        if answer.status == 409 and document["code"] not in ("conflict", "state_moved"):
            return
        if act["type"] == "conflict":
            if answer.status == 200:
                self._apply_resolution(act, act["writer"])
            return
        if answer.status == 409 and not document.get("conflicts"):
            return
        self.apply(act, act["writer"], {"conflicts": document.get("conflicts") or [], "version": None})

    def _apply_resolution(self, raw: Mapping[str, Any], writer: str, n: int = 0) -> None:
        """The chosen value is written by the one who settles."""
        conflict = self.conflict(raw["record_id"])
        record = self.ledger.records.get(conflict["record_id"])
        if record is not None:
            effect, author = expectations.resolution(record, conflict, raw["command"]["args"])
            take(record, effect, author or writer, 0 if author else n)


def _made_by_both(record: Remembered, conflict: Mapping[str, Any], base: int) -> bool:
    """Did the writer whose value `theirs` is said to be, another one, really make such a value after `base`, too?"""
    by = (conflict.get("theirs_by") or {}).get("writer")
    return by != conflict["mine_by"]["writer"] and any(
        entry.writer == by and entry.version > base and same(entry.value, conflict.get("theirs"))
        for entry in record.units.get(conflict["field"], ()))
