"""Risk: what reviewers see first, from the flags of the evidence and the record itself."""

import pytest

from server.reference import settings
from server.rules.risk import risk_of

PROTOCOL_FLAGS = """reused_exact reused_near time_conflict place_conflict clock_suspect exif_invalid trailing_data
    unsigned signature_invalid chain_gap chain_fork edited_software late""".split()


def flags(*codes):
    return [{"code": code, "detail": {}} for code in codes]


def test_a_record_without_flags_has_no_risk():
    assert risk_of([], {"text": "门前堆物", "zone": {"decision": "certain"}, "checks": []}) == 0


@pytest.mark.parametrize("code", PROTOCOL_FLAGS)
def test_every_flag_of_the_protocol_raises_the_risk(code):
    assert risk_of(flags(code), {}) == settings("risk")["flags"][code] > 0


def test_a_forged_chain_outweighs_what_is_normal_in_the_field():
    assert risk_of(flags("chain_fork"), {}) > risk_of(flags("exif_invalid", "late", "trailing_data"), {})


def test_a_flag_counts_once_however_often_it_stands_there():
    assert risk_of(flags("late", "late", "late"), {}) == risk_of(flags("late"), {})


def test_a_flag_nobody_weighed_still_counts():
    assert risk_of(flags("brand_new"), {}) == settings("risk")["other_flag"]


@pytest.mark.parametrize(("fields", "trait"), [
    ({"unsigned": True}, "unsigned"), ({"zone": {"decision": "ambiguous"}}, "zone_open"),
    ({"kind": "simple_penalty"}, "penalty"), ({"checks": [{"code": "two_officers"}]}, "checks_failed")])
def test_the_record_itself_may_ask_for_a_closer_look(fields, trait):
    assert risk_of([], fields) == settings("risk")["record"][trait]


def test_the_risk_has_a_ceiling():
    assert risk_of(flags(*PROTOCOL_FLAGS), {"unsigned": True, "kind": "simple_penalty"}) == settings("risk")["most"]
