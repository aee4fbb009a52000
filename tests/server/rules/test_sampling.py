"""The draw: exact where protocol section 11 says how, lawful on whatever frame comes."""

import hashlib
import hmac
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.sampling import (
    allocate,
    commitment,
    draw,
    frame_digest,
    kappa,
    prove,
    sample_size,
    seed,
    wilson,
)

SECRET, BEACON = "5e" * 32, "be" * 32
FRAME = [(f"01936b7e-0000-7000-8000-{number:012x}", f"inspector-{number % 3}") for number in range(20)]

names = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8)
counts = st.dictionaries(names, st.integers(0, 60), max_size=9)
frames = st.lists(st.tuples(st.uuids().map(str), st.sampled_from(["甲", "乙", "c", "d e"])), max_size=40,
                  unique_by=lambda pair: pair[0])


def test_the_digest_is_over_sorted_lines():
    lines = b"a 2\nb 1\n"
    assert frame_digest([("b", "1"), ("a", "2")]) == hashlib.sha256(lines).hexdigest()
    assert frame_digest([]) == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("frame", [[("a", "1"), ("a", "2")], [("a", "1\nb 2")], [("a\n", "1")], [("a b", "1")]])
def test_a_frame_that_two_readers_could_read_differently_is_refused(frame):
    with pytest.raises(ValueError):
        frame_digest(frame)


def test_commitment_and_seed_are_over_bytes():
    assert commitment("00ff") == hashlib.sha256(b"\x00\xff").hexdigest()
    digest = frame_digest(FRAME)
    assert seed(digest, BEACON, SECRET) == hashlib.sha256(
        bytes.fromhex(digest) + b"\xbe" * 32 + b"\x5e" * 32).hexdigest()


@pytest.mark.parametrize(("strata", "size", "expected"), [
    ({"a": 10, "b": 20, "c": 30}, 6, {"a": 1, "b": 2, "c": 3}),
    ({"a": 10, "b": 10, "c": 10}, 4, {"a": 2, "b": 1, "c": 1}),      # equal remainders: the smaller name
    ({"a": 1, "b": 99}, 2, {"a": 1, "b": 1}),                        # none is left out where the size reaches
    ({"a": 1, "b": 1, "c": 98}, 3, {"a": 1, "b": 1, "c": 1}),
    ({"a": 1, "b": 50, "c": 50}, 4, {"a": 1, "b": 1, "c": 2}),       # largest tie: b gives
    ({"a": 1, "b": 1, "c": 98}, 2, {"a": 0, "b": 0, "c": 2}),        # fewer than strata: by proportion alone
    ({"a": 3, "b": 2}, 9, {"a": 3, "b": 2}),                         # more than there is
    ({"a": 3, "b": 2}, 0, {"a": 0, "b": 0}),
    ({"a": 0, "b": 5}, 1, {"a": 0, "b": 1}),                         # an empty stratum gives nothing
    ({}, 5, {}),
])
def test_allocation_is_the_protocol_s(strata, size, expected):
    assert allocate(strata, size) == expected


@pytest.mark.parametrize(("strata", "size"), [({"a": 1}, -1), ({"a": -1}, 1)])
def test_negative_figures_are_refused(strata, size):
    with pytest.raises(ValueError):
        allocate(strata, size)


@given(counts, st.integers(0, 400))
def test_every_allocation_is_lawful(strata, size):
    allocation = allocate(strata, size)
    total, filled = sum(strata.values()), [name for name, count in strata.items() if count]
    assert sum(allocation.values()) == min(size, total)
    assert all(0 <= allocation[name] <= strata[name] for name in strata)
    if size >= len(filled):
        assert all(allocation[name] for name in filled)
    assert all(allocation[one] <= allocation[other] + 1 for one in strata for other in strata
               if strata[one] <= strata[other])


@given(counts, st.integers(0, 400), st.randoms())
def test_allocation_does_not_depend_on_order(strata, size, random):
    shuffled = list(strata.items())
    random.shuffle(shuffled)
    assert allocate(dict(shuffled), size) == allocate(strata, size)


def test_in_each_stratum_the_smallest_tickets_win():
    drawn_seed = seed(frame_digest(FRAME), BEACON, SECRET)

    def ticket(record_id):
        return hmac.new(bytes.fromhex(drawn_seed), record_id.encode(), hashlib.sha256).hexdigest()

    sample = draw(FRAME, {"inspector-0": 2, "inspector-2": 3}, drawn_seed)
    for stratum, wanted in (("inspector-0", 2), ("inspector-2", 3)):
        by_hand = sorted((record_id for record_id, name in FRAME if name == stratum), key=ticket)[:wanted]
        drawn = [each for each in sample if each["stratum"] == stratum]
        assert [each["record_id"] for each in drawn] == by_hand
        assert [each["rank"] for each in drawn] == list(range(1, wanted + 1))
    assert len(sample) == 5


def test_a_stratum_cannot_give_more_than_it_holds():
    with pytest.raises(ValueError, match="holds 7"):
        draw(FRAME, {"inspector-0": 8}, "00" * 32)


@given(frames, st.integers(0, 60), st.randoms())
def test_a_proof_names_one_sample_whatever_the_order_of_the_frame(frame, size, random):
    proof = prove(frame, size, BEACON, SECRET)
    shuffled = list(frame)
    random.shuffle(shuffled)
    assert prove(shuffled, size, BEACON, SECRET) == proof
    drawn = [(each["record_id"], each["stratum"]) for each in proof["sample"]]
    assert len(set(drawn)) == len(drawn) == min(size, len(frame))
    assert set(drawn) <= set(frame)
    assert Counter(stratum for _, stratum in drawn) == +Counter(proof["allocation"])


@given(frames.filter(lambda frame: len(frame) > 20), st.binary(min_size=32, max_size=32))
def test_another_beacon_gives_another_seed(frame, beacon):
    if beacon.hex() != BEACON:
        assert prove(frame, 5, beacon.hex(), SECRET)["seed"] != prove(frame, 5, BEACON, SECRET)["seed"]


def test_each_record_has_about_the_same_chance():
    drawn = Counter(each["record_id"] for number in range(2000)
                    for each in draw(FRAME, {"inspector-0": 2}, hashlib.sha256(str(number).encode()).hexdigest()))
    assert len(drawn) == 7
    assert all(abs(count - 4000 / 7) < 100 for count in drawn.values())


@pytest.mark.parametrize(("frame_size", "confidence", "margin", "expected"), [
    (1000, 0.95, 0.05, 278), (500, 0.95, 0.05, 218), (10_000, 0.95, 0.05, 370), (10**9, 0.95, 0.05, 385),
    (10**12, 0.99, 0.01, 16588), (0, 0.95, 0.05, 0), (1, 0.95, 0.05, 1), (10, 0.95, 1e-200, 10), (10, 0.01, 0.99, 1),
])
def test_sample_sizes_are_cochran_s(frame_size, confidence, margin, expected):
    assert sample_size(frame_size, confidence, margin) == expected


@given(st.integers(1, 10**6), st.floats(0.5, 0.999), st.floats(0.001, 0.5))
def test_a_sample_is_between_one_and_the_frame(frame_size, confidence, margin):
    size = sample_size(frame_size, confidence, margin)
    assert 1 <= size <= frame_size
    assert sample_size(frame_size + 1, confidence, margin) >= size


@pytest.mark.parametrize(("frame_size", "confidence", "margin"), [
    (-1, 0.95, 0.05), (10, 0, 0.05), (10, 1, 0.05), (10, 1.5, 0.05), (10, -0.5, 0.05), (10, float("nan"), 0.05),
    (10, 1e-300, 1e-300), (10, 0.95, 0), (10, 0.95, 1), (10, 0.95, float("nan")), (0, 2, 0.05),
])
def test_a_size_for_impossible_wishes_is_refused(frame_size, confidence, margin):
    with pytest.raises(ValueError):
        sample_size(frame_size, confidence, margin)


@pytest.mark.parametrize(("successes", "n", "low", "high"), [  # Newcombe, Statistics in Medicine 17 (1998), table I
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
])
def test_intervals_are_the_published_ones(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_an_interval_over_nothing_says_nothing():
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.5, 0.999))
def test_an_interval_holds_its_rate_and_mirrors(successes, failures, confidence):
    n = successes + failures
    low, high = wilson(successes, n, confidence)
    assert 0 <= low <= high <= 1
    if n:
        assert low <= successes / n <= high
    assert wilson(failures, n, confidence) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("successes", "n", "confidence"), [(-1, 3, 0.95), (4, 3, 0.95), (1, 3, 1.0), (0, 0, 0)])
def test_an_impossible_rate_is_refused(successes, n, confidence):
    with pytest.raises(ValueError):
        wilson(successes, n, confidence)


def test_kappa_of_a_textbook_table():
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert kappa(pairs) == pytest.approx(0.4)


@pytest.mark.parametrize(("pairs", "expected"), [
    ([], None), ([("a", "a")] * 3, None), ([("a", "b")] * 3, 0.0), ([("a", "a"), ("b", "b")], 1.0),
    ([("a", "b"), ("b", "a")], -1.0),
])
def test_kappa_at_its_edges(pairs, expected):
    assert kappa(pairs) == expected
