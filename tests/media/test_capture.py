"""The capture chain: entries byte for byte, signatures, and flags that do not depend on the order of arrival."""

import hashlib
import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from media.capture import (
    FIRST_PREV,
    EntryInvalid,
    Link,
    bracket,
    check_link,
    check_signature,
    entry_bytes,
    entry_hash,
    link_of,
    signature_valid,
    touched_by,
)
from sync.signing import jwk_of, sign

DEVICE = "01936b7e-0000-7000-8000-00000000d001"
RECORD = "01936b7e-0000-7000-8000-00000000e001"
KEY = ec.derive_private_key(4711, ec.SECP256R1())
JWK = jwk_of(KEY.public_key())
OTHER_JWK = jwk_of(ec.derive_private_key(4712, ec.SECP256R1()).public_key())
POSITION = {"lon": 119.95, "lat": 31.710, "crs": "EPSG:4326", "accuracy_m": 8.0, "provider": "gps",
            "fixed_at": "2026-11-22T01:02:00.000Z", "mock": False}
FIELDS = {"sha256": "ab" * 32, "bytes": 204800, "captured_at": "2026-11-22T01:02:03.456Z", "position": POSITION,
          "media_type": "image/jpeg", "role": "before", "note": "门前"}
CAPTURE = {"seq": 1, "prev": FIRST_PREV, "beacon": None}


def chain(length, start=1, prev=FIRST_PREV, mark="a"):
    """A sound chain of links."""
    links = []
    for seq in range(start, start + length):
        links.append(Link(seq, prev, hashlib.sha256(f"{mark}{seq}".encode()).hexdigest(), f"{mark}{seq}"))
        prev = links[-1].hash
    return links


def arrive(links):
    """What a server that takes the links in this order has flagged at the end: {record_id: flags}."""
    known, flags = [], {}
    for link in links:
        known.append(link)
        flags |= {each.record_id: check_link(each, known) for each in [link, *touched_by(link, known)]}
    return {record_id: found for record_id, found in flags.items() if found}


def codes(flags):
    return [flag["code"] for flag in flags]


def test_an_entry_is_the_canonical_json_of_the_protocol():
    assert entry_bytes(DEVICE, CAPTURE, FIELDS, RECORD) == (
        b'{"beacon":null,"bytes":204800,"captured_at":"2026-11-22T01:02:03.456Z",'
        b'"device_id":"01936b7e-0000-7000-8000-00000000d001",'
        b'"position":{"accuracy_m":8,"crs":"EPSG:4326","fixed_at":"2026-11-22T01:02:00.000Z","lat":31.71,"lon":119.95,'
        b'"mock":false,"provider":"gps"},"prev":"' + b"0" * 64 + b'",'
        b'"record_id":"01936b7e-0000-7000-8000-00000000e001","seq":1,"sha256":"' + b"ab" * 32 + b'"}')


def test_what_the_server_adds_to_a_position_is_not_in_the_entry():
    normalized = FIELDS | {"position": POSITION | {"normalized": {"lon": 119.95, "lat": 31.71}}}
    assert entry_bytes(DEVICE, CAPTURE, normalized, RECORD) == entry_bytes(DEVICE, CAPTURE, FIELDS, RECORD)


def test_an_absent_position_is_null():
    without = {name: value for name, value in FIELDS.items() if name != "position"}
    assert b'"position":null' in entry_bytes(DEVICE, CAPTURE, without, RECORD)
    assert entry_bytes(DEVICE, CAPTURE, without | {"position": None}, RECORD) == entry_bytes(
        DEVICE, CAPTURE, without, RECORD)


def test_the_hash_of_an_entry_is_the_next_one_s_prev():
    entry = entry_bytes(DEVICE, CAPTURE, FIELDS, RECORD)
    assert entry_hash(entry) == hashlib.sha256(entry).hexdigest()
    assert link_of(DEVICE, CAPTURE, FIELDS, RECORD) == Link(1, FIRST_PREV, entry_hash(entry), RECORD)


@pytest.mark.parametrize("change", [
    {"seq": None}, {"seq": "1"}, {"seq": 0}, {"seq": -1}, {"seq": True}, {"seq": 1.0}, {"seq": 2**60},
    {"prev": None}, {"prev": "AB" * 32}, {"prev": "ab"}, {"prev": 5}, {"beacon": ""}, {"beacon": "zz" * 32},
])
def test_a_capture_that_is_not_of_the_protocol_makes_no_entry(change):
    with pytest.raises(EntryInvalid):
        entry_bytes(DEVICE, CAPTURE | change, FIELDS, RECORD)
    assert codes(check_signature(JWK, DEVICE, CAPTURE | change, FIELDS, RECORD)) == ["signature_invalid"]


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("change", [{"bytes": 2**53 + 1}, {"position": {"lon": float("nan")}}, {"sha256": "\ud800"},
                                    {"position": {"lon": nested(5000)}}])
def test_fields_without_a_canonical_form_make_no_entry(change):
    with pytest.raises(EntryInvalid):
        entry_bytes(DEVICE, CAPTURE, FIELDS | change, RECORD)


def test_evidence_without_its_digest_makes_no_entry():
    with pytest.raises(EntryInvalid, match="sha256"):
        entry_bytes(DEVICE, CAPTURE, {}, RECORD)


def test_a_signed_capture_has_no_flag():
    entry = entry_bytes(DEVICE, CAPTURE, FIELDS, RECORD)
    signed = CAPTURE | {"sig": sign(KEY, entry)}
    assert signature_valid(JWK, signed["sig"], entry)
    assert check_signature(JWK, DEVICE, signed, FIELDS, RECORD) == []


@pytest.mark.parametrize("change", [{"bytes": 1}, {"sha256": "00" * 32}, {"captured_at": "2026-11-22T01:02:03.457Z"},
                                    {"position": None}, {"position": POSITION | {"lon": 119.951}}])
def test_what_was_signed_cannot_be_changed(change):
    signed = CAPTURE | {"sig": sign(KEY, entry_bytes(DEVICE, CAPTURE, FIELDS, RECORD))}
    assert codes(check_signature(JWK, DEVICE, signed, FIELDS | change, RECORD)) == ["signature_invalid"]


def test_a_signature_holds_for_one_device_one_record_and_one_key():
    signed = CAPTURE | {"sig": sign(KEY, entry_bytes(DEVICE, CAPTURE, FIELDS, RECORD))}
    for jwk, device, record in ((OTHER_JWK, DEVICE, RECORD), (JWK, RECORD, RECORD), (JWK, DEVICE, DEVICE)):
        assert codes(check_signature(jwk, device, signed, FIELDS, record)) == ["signature_invalid"]


@pytest.mark.parametrize("sig", [None, "", "AA", 5, ["x"]])
def test_a_device_with_a_key_must_sign(sig):
    assert codes(check_signature(JWK, DEVICE, CAPTURE | {"sig": sig}, FIELDS, RECORD)) == ["signature_invalid"]


def test_a_device_without_a_key_and_a_photo_without_a_capture_are_unsigned():
    assert codes(check_signature(None, DEVICE, CAPTURE, FIELDS, RECORD)) == ["unsigned"]
    assert codes(check_signature(JWK, DEVICE, None, FIELDS, RECORD)) == ["unsigned"]


def test_a_sound_chain_has_no_flag_in_whatever_order_it_arrives():
    for order in itertools.permutations(chain(5)):
        assert arrive(order) == {}


def test_a_gap_opens_on_the_entry_after_it_and_closes_when_the_missing_one_arrives():
    one, two, three = chain(3)
    opened = arrive([one, three])
    assert codes(opened[three.record_id]) == ["chain_gap"]
    assert opened[three.record_id][0]["detail"] == {"rule": "seq missing", "missing_from": 2, "missing_to": 2}
    assert arrive([one, three, two]) == {}


def test_a_chain_that_does_not_begin_with_one_has_a_gap_before_it():
    (third,) = chain(1, start=3)
    detail = arrive([third])[third.record_id][0]["detail"]
    assert (detail["missing_from"], detail["missing_to"]) == (1, 2)


def test_a_wide_gap_shrinks_and_splits():
    links = chain(5)
    one, _, three, _, five = links
    assert arrive([one, five])[five.record_id][0]["detail"]["missing_to"] == 4
    split = arrive([one, five, three])
    assert [(flags[0]["detail"]["missing_from"], flags[0]["detail"]["missing_to"]) for flags in split.values()] == [
        (4, 4), (2, 2)]


def test_two_entries_with_one_seq_are_a_fork_on_both():
    one, two = chain(2)
    (twin,) = chain(1, start=2, prev=one.hash, mark="b")
    flags = arrive([one, two, twin])
    assert {record_id: (codes(found), found[0]["about"]) for record_id, found in flags.items()} == {
        two.record_id: (["chain_fork"], twin.record_id), twin.record_id: (["chain_fork"], two.record_id)}


def test_each_branch_of_a_fork_may_go_on():
    one, two, three = chain(3)
    branch = chain(2, start=2, prev=one.hash, mark="b")
    flags = arrive([one, two, three, *branch])
    assert {flag["detail"]["rule"] for found in flags.values() for flag in found} == {"two entries with one seq"}


def test_a_prev_that_does_not_match_is_a_fork():
    one, two = chain(2)
    stranger = Link(2, "ab" * 32, two.hash, two.record_id)
    (flag,) = arrive([one, stranger])[stranger.record_id]
    assert flag["code"] == "chain_fork"
    assert flag["detail"]["expected"] == [one.hash]


def test_the_first_entry_has_64_zeros_before_it():
    assert arrive(chain(1)) == {}
    assert codes(arrive(chain(1, prev="ab" * 32))["a1"]) == ["chain_fork"]


def test_a_link_is_no_fork_of_itself():
    one, two = chain(2)
    assert check_link(two, [one, two]) == []
    assert check_link(two, [one]) == []


@given(st.data())
def test_flags_depend_on_what_arrived_and_not_on_when(data):
    sound = chain(6)
    forked = chain(3, start=3, prev=sound[1].hash, mark="b") + chain(1, start=5, prev="cd" * 32, mark="c")
    present = data.draw(st.lists(st.sampled_from(sound + forked), unique=True))
    shuffled = data.draw(st.permutations(present))
    assert arrive(shuffled) == {link.record_id: check_link(link, present) for link in present
                                if check_link(link, present)}


def test_the_bracket_is_the_beacon_s_time_and_the_receipt():
    at, received = "2026-11-22T01:00:00.000Z", "2026-11-22T03:40:00.000Z"
    assert bracket(at, received) == {"not_before": at, "not_after": received}
    assert bracket(None, received)["not_before"] is None
