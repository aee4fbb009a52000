"""Arbitrary edits of a `thing`, and scripts of them: what several writers do, pull and send twice."""

from __future__ import annotations

from hypothesis import strategies as st

WRITERS = ("anna", "bo", "chen", "dan")
VALUES = st.sampled_from(["a", "b", "c", 1, True, 1.5, None, {"value": 1}, {"value": True}, {"normalized": 1},
                          {"normalized": 2}])
NAMES = st.sampled_from(["k", "m", "n.o"])
PUT = st.fixed_dictionaries({}, optional={
    "text": VALUES, "address": VALUES, "later_release": VALUES, "scheme": st.sampled_from(["s", "t", None]),
    "number": st.sampled_from([1, 2, None]), "tags": st.lists(NAMES, max_size=2),
    "answers": st.dictionaries(NAMES, VALUES, max_size=2), "digest": st.sampled_from(["d", "e"]),
    "status": st.just("closed"), "zone": st.just("mine")})
POINTS = st.lists(st.builds(lambda key, lon: {"id": key, "lon": lon}, NAMES, st.sampled_from([1, 2])), max_size=2)
ADD = st.fixed_dictionaries({}, optional={"tags": st.lists(NAMES, max_size=2), "points": POINTS})
REMOVE = st.fixed_dictionaries({}, optional={"tags": st.lists(NAMES, max_size=2)})

WHO = st.sampled_from(WRITERS)
STEP = st.one_of(
    st.tuples(st.just("pull"), WHO),
    st.tuples(st.just("edit"), WHO, PUT, ADD, REMOVE),
    st.tuples(st.just("edit"), WHO, PUT, ADD, REMOVE),
    st.tuples(st.just("replay"), WHO, st.integers(0, 20), st.integers(1, 5)))
SCRIPT = st.lists(STEP, min_size=5, max_size=20)
