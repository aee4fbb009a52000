"""One bad value stops nobody: what JSON cannot carry on is quarantined whole, its neighbours apply."""

from __future__ import annotations

import json

import pytest

from schemas.problems import Problem
from schemas.push import Unreadable
from server.unreadable import read_push
from tests.server.indoors import indoors
from tests.wire import granted, refused

SCOPE = "320412100"
DEEP = "[" * 240 + "]" * 240
BEYOND_READING = "[" * 5000 + "]" * 5000
BAD = {"half a pair": r'"cut \ud83d"', "infinite": "1e400", "minus infinite": "-1e400", "deep": DEEP,
       "beyond reading": BEYOND_READING, "wide integer": "1" + "0" * 40, "negative integer": "-9223372036854775809",
       "very wide integer": "7" * 5000, "half a pair inside": r'{"a": ["\udc00"]}',
       "a member twice": '{"a": 1, "b": {}, "a": 1}', "twice, deep inside": '[{"b": [{"c:": ":", "c:": null}]}]',
       "twice, spelled otherwise": r'{"\u003a": "\u003A", ":": 2}',
       "twice and wide": '{"a": 1, "a": %s}' % ("7" * 5000)}


@pytest.fixture(scope="module")
def bureau(tmp_path_factory):
    with indoors(tmp_path_factory.mktemp("unreadable")) as found:
        yield found


@pytest.fixture
def device(bureau):
    return bureau.handheld(SCOPE)


def body_of(mutations, bad):
    return json.dumps({"mutations": mutations}, ensure_ascii=False).replace('"BAD"', bad).encode()


def three(device, bad, **more):
    mutations = [device.create("finding", SCOPE, {"observed_at": "2026-11-22T00:00:00Z", "address": "武宜路",
                                                  **fields}) for fields in ({}, {"text": "BAD", **more}, {})]
    return mutations, body_of(mutations, bad)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_cannot_be_kept_as_json_is_quarantined_and_its_neighbours_apply(bureau, device, bad):
    mutations, body = three(device, bad)
    first = granted(device.send(body))["outcomes"]
    assert [outcome["outcome"] for outcome in first] == ["applied", "quarantined", "applied"]
    assert first[1]["problem"]["code"] == "unreadable_value" and list(first[1]["problem"]["errors"]) == ["text"]
    assert [outcome["id"] for outcome in first] == [mutation["id"] for mutation in mutations]
    again = granted(device.send(body))["outcomes"]
    assert [{**outcome, "replayed": False} for outcome in again] == first and all(one["replayed"] for one in again)
    entry, = granted(device.get("/quarantine"))["items"]
    source = entry["mutation"]["unreadable"]["source"]
    assert bad in source and source.encode() in body
    assert entry["mutation"]["set"] == {"observed_at": "2026-11-22T00:00:00Z", "address": "武宜路"}


def test_a_replay_may_spell_the_mutation_anew(device):
    mutations, body = three(device, BAD["half a pair"])
    granted(device.send(body))
    turned = {name: mutations[1][name] for name in reversed(mutations[1])}
    spelled = json.dumps({"mutations": [mutations[0], turned, mutations[2]]}, indent=3, ensure_ascii=True)
    outcomes = granted(device.send(spelled.replace('"BAD"', r'"cut \uD83D"').encode()))["outcomes"]
    assert [outcome["replayed"] for outcome in outcomes] == [True, True, True]


def test_other_content_under_the_number_is_still_a_fork(device):
    mutations, body = three(device, BAD["half a pair"])
    granted(device.send(body))
    refused(device.send(body_of(mutations, r'"other \ud83d"')), 409, "device_forked")


def test_a_member_given_twice_stays_apart_from_the_same_with_other_values(device):
    mutations, body = three(device, '{"a": 1, "a": 2}')
    granted(device.send(body))
    for other in ('{"a": 2, "a": 1}', '{"a": 2}', '{"a": 2, "a": 2}'):
        refused(device.send(body_of(mutations, other)), 409, "device_forked")
    again = granted(device.send(body_of(mutations, '{ "a":1,"\\u0061":2 }')))["outcomes"]
    assert [outcome["replayed"] for outcome in again] == [True, True, True]


def test_members_of_a_mutation_given_twice_are_named_and_none_of_their_values_counts(device):
    mutation = device.create("finding", SCOPE, {"observed_at": "2026-11-22T00:00:00Z", "address": "武宜路"})
    source = json.dumps(mutation, ensure_ascii=False)
    twice = source[:-1] + ', "scope": "320412", "set": {"text": "a"}, "\\u0073cope": null}'
    outcome, = granted(device.send(f'{{"mutations": [{twice}]}}'.encode()))["outcomes"]
    assert outcome["outcome"] == "quarantined" and sorted(outcome["problem"]["errors"]) == ["scope", "set"]
    kept = granted(device.get("/quarantine"))["items"][0]["mutation"]
    assert not {"scope", "set"} & kept.keys() and kept["unreadable"]["source"] == twice


def test_a_field_given_twice_is_named_and_released_when_it_is_given_once(bureau, device):
    mutations, body = three(device, '"a", "text": "b"')
    granted(device.send(body))
    entry, = granted(device.get("/quarantine"))["items"]
    assert list(entry["problem"]["errors"]) == ["text"] and "text" not in entry["mutation"]["set"]
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    granted(supervisor.post(f"/quarantine/{entry['id']}/release", {"set": {"text": "b"}}))
    assert supervisor.record("finding", mutations[1]["record_id"])["fields"]["text"] == "b"


@pytest.mark.parametrize("value", [r'"a\u003ab: \u003A"', r'{"a\u003a": ":", "a": "\":"}', '"::::"',
                                   '{"a": {"a": {"a": 1}}}'])
def test_colons_are_no_members(device, value):
    finding = device.create("finding", SCOPE, {"observed_at": "2026-11-22T00:00:00Z", "address": "路", "odd": "BAD"})
    outcome, = granted(device.send(body_of([finding], value)))["outcomes"]
    assert outcome["outcome"] == "applied"
    assert device.owner.record("finding", finding["record_id"])["fields"]["odd"] == json.loads(value)


@pytest.mark.parametrize("body", [
    '{"mutations": [], "mutations": []}', '{"mutations": [], "health": {"unsent": 1, "unsent": 2}}',
    r'{"mutations": [], "health": {}, "he\u0061lth": {}}'])
def test_an_envelope_with_a_member_twice_is_refused(device, body):
    assert "twice" in refused(device.send(body.encode()), 400, "invalid_json")["detail"]


def test_the_unreadable_is_released_when_its_fields_are_corrected(bureau, device):
    mutations, body = three(device, BAD["half a pair"], condition="BAD")
    granted(device.send(body))
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    entry, = granted(device.get("/quarantine"))["items"]
    for correction in ({}, {"text": "断"}):
        refused(supervisor.post(f"/quarantine/{entry['id']}/release", {"set": correction}), 422, "unreadable_value")
    granted(supervisor.post(f"/quarantine/{entry['id']}/release", {"set": {"text": "断", "condition": "好"}}))
    fields = supervisor.record("finding", mutations[1]["record_id"])["fields"]
    assert (fields["text"], fields["condition"], fields["address"]) == ("断", "好", "武宜路")


def test_a_bad_command_is_quarantined_too(device):
    finding = device.report(SCOPE)
    mutation = device.command("finding", finding, 1, "cancel", {"reason": "BAD"})
    outcome, = granted(device.send(body_of([mutation], BAD["half a pair"])))["outcomes"]
    assert outcome["problem"]["code"] == "unreadable_value" and list(outcome["problem"]["errors"]) == ["command"]


def test_integers_of_64_bits_and_floats_keep_their_value(device):
    given = {"a": 2**64 - 1, "b": -2**63, "c": 1e40, "d": 0.1234567890123456}
    finding = device.report(SCOPE, **given)
    assert {name: device.owner.record("finding", finding)["fields"][name] for name in given} == given


@pytest.mark.parametrize("body", [
    b"", b"{", b"nonsense", b'{"mutations": [{"n": 1, "id": NaN, "x": "\\ud83d"}]}', b'{"mutations": [1e400, ]}',
    b'{"mutations": [{"n": 1} {"n": 2}], "health": 1e400}', b'{"mutations": [{"n": 1, "x": "\xff"}]}',
    b'{"mutations": [{"n": 1, "x": "\\ud83d"}]} more', b'{"mutations": [{"n" 1, "x": "\\ud83d"}]}',
    b'{"mutations": [{"n": 1, "x": "\\ud83d"]}', b'{"mutations": [{"n": 1, "x": \\ud83d}]}', b'{1: "\\ud83d"}',
    b'{"mutations": [[[{"n": 1, "x": "\\ud83d"', b'["\\ud83d"]'], ids=range(14))
def test_what_is_no_json_stays_refused(device, body):
    refused(device.send(body), 400, "invalid_json")


def test_a_mutation_without_a_readable_number_is_refused(device):
    refused(device.send(b'{"mutations": [{"n": 1e400}]}'), 422, "invalid_request")
    refused(device.send(b'{"mutations": ["\\ud83d"]}'), 422, "invalid_request")


def test_members_that_are_no_text_are_named_as_far_as_they_can_be():
    mutation, = read_push(br'{"mutations": [{"n": 1, "set": {"\ud83d": 1, "text": "a"}}]}', 500)["mutations"]
    assert isinstance(mutation, Unreadable)
    assert mutation["set"] == {"text": "a"} and mutation["unreadable"]["members"] == ["?"]


@pytest.mark.parametrize("filler", ["[", "[]", "{", '{"a":', '"\\ud83d"', "0"], ids=range(6))
def test_the_longest_bodies_are_read_within_bounds(filler):
    body = ('{"mutations": [{"n": 1, "set": {"text": [' + ",".join([filler] * 50_000) + "]}}]}").encode()
    if filler in ("[", "{", '{"a":'):
        with pytest.raises(Problem, match="invalid_json"):
            read_push(body, 500)
    else:
        mutation, = read_push(body, 500)["mutations"]
        assert mutation["n"] == 1


def test_a_long_batch_with_something_unreadable_is_too_large():
    with pytest.raises(Problem, match="batch_too_large"):
        read_push(b'{"mutations": [' + b",".join([b'{"n": 1e400}'] * 501) + b"]}", 500)


def test_the_office_is_told_of_an_integer_that_would_change(bureau):
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    answer = supervisor.create("notice", SCOPE, {"title": "x", "wide": 10**40})
    refused(answer, 422, "unreadable_value")


def test_the_office_is_told_of_a_member_given_twice(bureau):
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    for body in ('{"scope": "%s", "fields": {"title": "a", "title": "b"}}',
                 '{"scope": "1", "scope": "%s", "fields": {}}'):
        answer = supervisor.http.post(supervisor.url("/records/notice"), content=(body % SCOPE).encode(),
                                      headers={"Content-Type": "application/json"})
        assert "twice" in refused(answer, 400, "invalid_json")["detail"]
