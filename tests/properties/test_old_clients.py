"""An old client never changes a field that it did not name, and gets new fields after its upgrade."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import fields

from schemas.records import RECORD_TYPES, Declared, Merge
from tests.sync.desk import Desk

OLD = ("text", "address", "condition")
VALUE = st.recursive(st.none() | st.booleans() | st.integers(-2**53, 2**53) | st.text(st.characters(
    exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "normalized", ""]), inner,
                                                                max_size=2), max_leaves=5)
NEW = st.dictionaries(st.sampled_from(["weather", "shade_percent", "drone"]), VALUE, max_size=3)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@settings(max_examples=15, deadline=None)
@given(first=NEW, then=st.lists(st.tuples(st.booleans(), NEW, st.sampled_from(OLD), st.integers(0, 9)), max_size=5))
def test_fields_of_a_later_release_survive_any_edit_that_does_not_name_them(tmp_path_factory, first, then):
    desk = Desk(tmp_path_factory.mktemp("old"))
    new, old = desk.device(), desk.device()
    [made] = desk.push(new, desk.finding(**first))
    record_id, version = made["record_id"], 1
    expected = {name: value for name, value in first.items() if value is not None}
    for by_old, values, name, number in then:
        if by_old:
            [outcome] = desk.push(old, desk.edit(record_id, version, set={name: f"old {number}"}))
        else:
            [outcome] = desk.push(new, desk.edit(record_id, version, set=values))
            expected = {key: value for key, value in {**expected, **values}.items() if value is not None}
        assert outcome["outcome"] == "applied"
        version = outcome["version"]
    [change] = desk.pull_all(old)[0]
    assert {name: value for name, value in change["fields"].items()
            if name in ("weather", "shade_percent", "drone")} == expected
    desk.engine.dispose()


@pytest.mark.parametrize("base", ["old", "new"])
def test_an_old_clients_late_edit_leaves_the_new_clients_fields_as_they_are(desk, base):
    new, old = desk.device(), desk.device()
    [made] = desk.push(new, desk.finding(text="a"))
    desk.push(new, desk.edit(made["record_id"], 1, set={"weather": "rain", "condition": "wet"}))
    [outcome] = desk.push(old, desk.edit(made["record_id"], {"old": 1, "new": 2}[base], set={"text": "b"}))
    fields_ = desk.record(made["record_id"]).fields
    assert outcome["conflicts"] == [] and (fields_["weather"], fields_["condition"], fields_["text"]) \
        == ("rain", "wet", "b")


def declare(monkeypatch, **declared: Declared) -> None:
    """The server's upgrade: the type `finding` gets more declared fields."""
    finding = RECORD_TYPES["finding"]
    monkeypatch.setitem(RECORD_TYPES, "finding", replace(finding, fields={**finding.fields, **declared}))


def test_a_client_gets_fields_that_are_declared_later_with_the_values_they_had(desk, monkeypatch):
    new, old = desk.device(), desk.device()
    [made] = desk.push(new, desk.finding(weather="rain", layers=["a"]))
    _, cursor = desk.pull_all(old)
    declare(monkeypatch, weather=Declared(fields.String()), layers=Declared(fields.List(fields.String()), Merge.SET))
    desk.push(old, desk.edit(made["record_id"], 1, add={"layers": ["b"]}))
    [change] = desk.pull_all(old, cursor)[0]
    assert (change["fields"]["weather"], change["fields"]["layers"]) == ("rain", ["a", "b"])
    [whole] = desk.pull_all(old)[0]
    assert whole == change


@pytest.mark.parametrize("stands", ["text", 7, {"k": 1}, [1, {}], True], ids=["text", "number", "map", "list", "true"])
@pytest.mark.parametrize("rule", [Merge.SET, Merge.MAP, Merge.APPEND, Merge.LATEST])
def test_what_stands_in_a_field_of_another_shape_breaks_no_edit_after_the_upgrade(desk, monkeypatch, stands, rule):
    """Older releases kept anything under the name; the upgrade declares a shape. Edits of other fields go on, and the
    field itself is changed only by whoever names it."""
    anna, bo = desk.device(), desk.device()
    [made] = desk.push(anna, desk.finding(shape=stands))
    declare(monkeypatch, shape=Declared(fields.Raw(), rule))
    outcomes = desk.push(bo, desk.edit(made["record_id"], 1, set={"text": "b"}),
                         desk.edit(made["record_id"], 1, add={"tags": ["t"]}))
    assert {outcome["outcome"] for outcome in outcomes} == {"applied"}
    assert desk.record(made["record_id"]).fields["shape"] == stands
    point = {"id": "p"}
    parts = {Merge.SET: {"add": {"shape": ["x"]}}, Merge.APPEND: {"add": {"shape": [point]}},
             Merge.MAP: {"set": {"shape": {"k": 2}}}, Merge.LATEST: {"set": {"shape": "new"}}}[rule]
    [outcome] = desk.push(bo, desk.edit(made["record_id"], 3, **parts))
    assert outcome["outcome"] == "applied", outcome
    with desk.writing() as door:
        door.load([made["record_id"]])
        [past] = door.history_after(made["record_id"], 3)
    members = stands if isinstance(stands, list) else []
    after = {Merge.SET: [*members, "x"], Merge.APPEND: [*members, point], Merge.LATEST: "new",
             Merge.MAP: {**stands, "k": 2} if isinstance(stands, dict) else {"k": 2}}[rule]
    assert desk.record(made["record_id"]).fields["shape"] == after
    if not isinstance(stands, list | dict):
        assert past.changed["shape"]["from"] == stands


def test_a_client_that_names_a_field_which_the_server_now_derives_is_told_and_loses_nothing_else(desk, monkeypatch):
    [made] = desk.push(anna := desk.device(), desk.finding(risk_class="high"))
    declare(monkeypatch, risk_class=Declared(fields.Raw(), Merge.SERVER))
    [outcome] = desk.push(anna, desk.edit(made["record_id"], 1, set={"risk_class": "low", "text": "b"}))
    kept = desk.record(made["record_id"]).fields
    assert outcome["ignored"] == ["risk_class"] and (kept["risk_class"], kept["text"]) == ("high", "b")
