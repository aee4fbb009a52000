"""Merging held against the protocol: arbitrary edits by several writers, each on a base that he can have seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.problems import Problem
from sync.merge import CREATOR, WHOLE, Edit, Past, merge
from tests.properties.edits import ADD, NAMES, PUT, REMOVE, VALUES, WRITERS
from tests.properties.expected import THING, Expected, alike, spelt


class MergeMachine(RuleBasedStateMachine):
    """One record; writers pull when they like, and edit on top of what they saw."""

    @initialize(put=PUT)
    def create(self, put: dict[str, Any]) -> None:
        self.expected = Expected()
        self.stamps: dict[str, Any] = {CREATOR: "anna"}
        self.past: list[tuple[int, Past]] = []
        self.base = dict.fromkeys(WRITERS, 1)
        self.kept: list[str] = []
        self.fields = self.expected.create("anna", put)

    @rule(writer=st.sampled_from(WRITERS))
    def pull(self, writer: str) -> None:
        self.base[writer] = self.expected.version

    @rule(writer=st.sampled_from(WRITERS), put=PUT, add=ADD, remove=REMOVE)
    def edit(self, writer: str, put: dict[str, Any], add: dict[str, Any], remove: dict[str, Any]) -> None:
        base, expected = self.base[writer], self.expected
        effect = expected.effect(writer, base, put, add, remove)
        arguments = (THING, self.fields, self.stamps, writer, base, expected.version + 1, Edit(put, add, remove),
                     lambda: [past for version, past in self.past if version > base])
        before = spelt([self.fields, self.stamps])
        if effect.refused:
            with pytest.raises(Problem, match="stands"):
                merge(*arguments)
            return
        merged = merge(*arguments)
        assert spelt([self.fields, self.stamps]) == before, "an argument was changed in place"
        self._compare(merged, effect, writer, put)
        for unit, _, theirs, mine in effect.overlaps:
            expected.open_conflict(unit, theirs, mine, writer)
        self.kept += [spelt(value) for _, _, theirs, mine in effect.overlaps for value in (theirs, mine)]
        expected.take(effect, writer)
        if merged.changed:
            changed = {unit: {"from": old, "to": new} for unit, (old, new) in merged.changed.items()}
            self.past.append((expected.version, Past(writer, changed)))
        self.fields, self.stamps = merged.fields, merged.stamps

    def _compare(self, merged: Any, effect: Any, writer: str, put: dict[str, Any]) -> None:
        found = [(overlap.unit, overlap.base, overlap.theirs, overlap.mine) for overlap in merged.overlaps]
        assert sorted(map(spelt, map(list, found))) == sorted(spelt(list(overlap)) for overlap in effect.overlaps)
        winners = {overlap.unit.partition(".")[0]: overlap.winner for overlap in merged.overlaps}
        assert all((winner == "theirs") == (name == "points") for name, winner in winners.items())
        assert bool(merged.changed) == bool(effect.changes)
        assert sorted(merged.ignored) == sorted(name for name in put if name in ("status", "zone"))
        others = any(version > self.base[writer] and who != writer for version, who in self.expected.writers)
        assert merged.others_changed == others
        assert others or not [overlap for overlap in merged.overlaps if overlap.winner == "mine"], \
            "a device conflicts with itself"

    @invariant()
    def the_record_is_what_the_protocol_says(self) -> None:
        shown = dict(self.fields)
        if "tags" in shown:
            shown["tags"] = sorted(shown["tags"])
        if "points" in shown:
            shown["points"] = {point["id"]: point for point in shown["points"]}
        shown = {name: value for name, value in shown.items() if value not in ([], {})}
        assert spelt(shown) == spelt(self.expected.fields())

    @invariant()
    def every_value_is_in_row_history_or_overlap(self) -> None:
        kept = set(self.kept)
        for _, past in self.past:
            for unit, change in past.changed.items():
                parts = [*change["from"], *change["to"]] if unit in ("tags", "points") else change.values()
                kept |= {f"{unit} {spelt(part)}" if unit in ("tags", "points") else spelt(part) for part in parts}
        for unit, values in self.expected.units.items():
            name, _, key = unit.partition(".")
            for one in values if len(values) > 1 else values[1:]:
                value = f"tags {spelt(key)}" if name == "tags" else spelt(one.value)
                assert (f"points {value}" if name == "points" else value) in kept, f"{unit}: {one} is nowhere"

    @invariant()
    def a_bound_value_is_one_authors(self) -> None:
        code = {name: self.fields.get(name) for name in ("scheme", "number")}
        assert alike(code, self.expected.value("code"))

    @invariant()
    def stamps_never_outgrow_the_units(self) -> None:
        units = {unit for unit in self.expected.units if not unit.startswith("tags.")}
        units |= {f"tags.{tag}" for tag in self.fields.get("tags", ())}
        assert set(self.stamps) <= {CREATOR, WHOLE, *units}
        assert all(len(marks) <= 2 for name, marks in self.stamps.items() if name != CREATOR)


TestMergeMachine = MergeMachine.TestCase
TestMergeMachine.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)

ONE = st.fixed_dictionaries({}, optional={"text": VALUES, "scheme": st.just("t"), "answers": st.just({"k": "x"})})
OTHER = st.fixed_dictionaries({}, optional={"address": VALUES, "later_release": VALUES,
                                            "answers": st.just({"m": "y"})})


@given(one=ONE, other=OTHER, tags=st.lists(NAMES, max_size=3), removed=st.lists(st.just("z"), max_size=1))
def test_disjoint_edits_commute_without_conflict(one, other, tags, removed):
    start = {"text": "a", "tags": ["z"], "answers": {"q": 1}}
    edits = {"anna": Edit(one, {"tags": tags}, {}), "bo": Edit(other, {}, {"tags": removed})}
    ends = []
    for order in (("anna", "bo"), ("bo", "anna")):
        fields, stamps, past = start, {CREATOR: "dan"}, []
        for version, writer in enumerate(order, 2):
            merged = merge(THING, fields, stamps, writer, 1, version, edits[writer], lambda past=past: past)
            assert not merged.overlaps
            fields, stamps = merged.fields, merged.stamps
            past = [*past, Past(writer, {unit: {"from": a, "to": b} for unit, (a, b) in merged.changed.items()})]
        ends.append(spelt({**fields, "tags": sorted(fields["tags"])}))
    assert ends[0] == ends[1]
