"""Which records are open cases, whose photos a store holds."""

import pytest

from schemas.records import RECORD_TYPES
from server.rules.holds import is_open, kinds
from server.trade.statuses import statuses

OVER = {"finding": {"closed", "not_filed", "cancelled"}, "enforcement": {"concluded"}}


@pytest.mark.parametrize(("record_type", "status"), [
    (name, status) for name in OVER for status in sorted(statuses()[name])])
def test_a_case_is_open_until_it_is_over(record_type, status):
    assert is_open(record_type, status) is (status not in OVER[record_type])
    assert not is_open(record_type, status, deleted=True)


def test_a_state_that_nobody_thought_of_is_none_in_which_a_case_is_over():
    assert is_open("finding", "brand_new") and is_open("finding", None)


@pytest.mark.parametrize("record_type", ["inspection", "letter", "task", "track", "no_such_type"])
def test_what_the_table_does_not_name_is_no_case(record_type):
    assert not is_open(record_type, "open")


def test_the_table_names_types_states_and_fields_that_there_are():
    for name, kind in kinds().items():
        assert kind.free_in <= statuses()[name]
        assert not kind.through or RECORD_TYPES[name].fields[kind.through].refers in kinds()
