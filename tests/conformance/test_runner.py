"""The runner itself: green against our server, red at the right place against servers that break one promise."""

from __future__ import annotations

import ast
import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import subjects
from tests.conformance.checks import CHECKS, chosen
from tests.conformance.office import Office
from tests.conformance.report import line_of
from tests.conformance.runner import Result, run
from tests.conformance.spoilt import Answer, Asked, Parts, Spoil, at, changes, everywhere, outcomes, spoilt_server
from tests.conformance.wire import Line
from tests.running import Server
from tests.wire import Person

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent


HERE_AND_THERE = ("320412100", "320412102")


# What tests the runner, not the server, needs no second engine.
ONE_ENGINE = pytest.mark.parametrize("engine", ["embedded"], indirect=True)


def patient(url: str) -> Line:
    """A line to a server on a machine that many test runs share."""
    return Line(url, timeout_s=180, patience=10)


@pytest.fixture(scope="module")
def office(server: Server, admin: Person) -> Office:
    """An office whose people are there already: a password is slow to hash."""
    office = Office(patient(server.url), str(admin.token), *HERE_AND_THERE)
    for role, scopes, who in (("inspector", (), ""), ("inspector", (), "another"), ("supervisor", (), ""),
                              ("supervisor", HERE_AND_THERE, ""), ("auditor", (), "")):
        office.person(role, scopes=scopes, who=who)
    return office


def through(office: Office, url: str) -> Office:
    """The same people, who meet the server at another address."""
    line = patient(url)
    other = Office(line, str(office.admin.token), *HERE_AND_THERE)
    for key, person in office.known.items():
        other.known[key] = copy.copy(person)
        other.known[key].line = line
    return other


def failures(results: list[Result]) -> str:
    return "\n".join(line_of(result) for result in results if not result.passed)


# spoils that need more than a line


def crash_over_a_bad_mutation(asked: Asked, answer: Answer) -> None:
    if asked.is_for("/sync/push") and b'"quarantined"' in answer.body:
        answer.status, answer.body = 500, b"Internal Server Error"


def give_the_cursor_that_was_sent(asked: Asked, answer: Answer) -> None:
    if asked.is_for("/sync/pull") and answer.status == 200 and "cursor" in asked.given:
        answer.change(lambda page: {**page, "cursor": asked.given["cursor"]})


def answer_refusals_as_plain_json(asked: Asked, answer: Answer) -> None:
    if answer.status >= 400:
        answer.headers["content-type"] = "application/json"


def take_a_wrong_signature_for_a_missing_right(asked: Asked, answer: Answer) -> None:
    if b"signature_invalid" in answer.body:
        answer.status, answer.body = 403, answer.body.replace(b'"status":401', b'"status":403')


def touch_the_originals(asked: Asked, answer: Answer) -> None:
    if asked.path.startswith("/api/v1/media/") and asked.method == "GET" and answer.status == 200:
        answer.body = answer.body[:-1] + b"?"


def sign_another_tree(asked: Asked, answer: Answer) -> None:
    if asked.is_for("/journal/checkpoint"):
        origin, size, *rest = answer.body.decode().split("\n")
        answer.body = "\n".join([origin, str(int(size) + 1), *rest]).encode()


def show_records_of_others(asked: Asked, answer: Answer) -> None:
    if asked.is_for("/sync/pull") and answer.status == 200:
        alien = {"type": "finding", "id": "0" * 8 + "-0000-7000-8000-" + "0" * 12, "op": "put", "version": 1,
                 "scope": "320402001", "fields": {}, "updated_at": "2026-01-01T00:00:00.000Z"}
        answer.change(lambda page: {**page, "changes": [*page["changes"], alien]})


def without(*names: str) -> Callable[[Parts], Parts]:
    return lambda parts: {name: value for name, value in parts.items() if name not in names}


def probable_twice(answer: Parts) -> Parts:
    return {**answer, "candidates": [{**each, "probability": each["probability"] * 2} for each in answer["candidates"]]}


def digests_of_nothing(answer: Parts) -> Parts:
    return {**answer, "scopes": [{**row, "digest": "0" * 64} for row in answer["scopes"]]}


def other_kinds(page: Parts) -> Parts:
    return {"entries": [{**entry, "kind": "other"} for entry in page["entries"]]}


def cut_entries(page: Parts) -> Parts:
    return {**page, "items": [{**row, "mutation": without("set")(row["mutation"])} for row in page["items"]]}


def swap_sides(fields: Parts) -> Parts:
    return {**fields, "theirs": fields["mine"], "mine": fields["theirs"]} if "winner" in fields else fields


def conflicts_with_sides_swapped(asked: Asked, answer: Answer) -> None:
    if "/records/conflict/" in asked.path and answer.status == 200 and asked.method == "GET":
        answer.change(lambda record: {**record, "fields": swap_sides(record["fields"])})


def half_a_group(outcome: Parts) -> Parts:
    failed = (outcome["problem"] or {}).get("code") == "group_failed"
    return {**outcome, "outcome": "applied", "problem": None} if failed else outcome


def unclaimed(page: Parts) -> Parts:
    return {**page, "items": [{**row, "claimed_by": None} for row in page["items"]]}


def peace(outcome: Parts) -> Parts:
    return {**outcome, "outcome": "applied", "conflicts": []} if outcome["outcome"] == "conflicted" else outcome


def regex(pattern: str, by: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, by, text)


SPOILT: dict[str, tuple[Spoil, str]] = {  # what the server does: (how, the check that must fail)
    "drops replayed": (outcomes(lambda each: {**each, "replayed": False}), "push.replay-answers-the-first-outcome"),
    "crashes over a bad mutation": (crash_over_a_bad_mutation, "push.what-is-malformed-is-quarantined"),
    "applies half a group": (outcomes(half_a_group), "push.a-group-with-one-bad-mutation-is-quarantined-whole"),
    "does not say what it expects": (at("/sync/push", without("expect"), status=409),
                                     "push.a-gap-is-refused-with-what-is-expected"),
    "counts wrong": (at("/sync/push", lambda body: {**body, "last_n": body["last_n"] + 1}),
                     "push.the-answer-tells-last-n-and-epoch"),
    "tells a forked device to go on": (everywhere(regex('"new_device"', '"none"')),
                                       "push.the-same-number-with-other-content-is-a-fork"),
    "forgets what was settled": (at("/sync/pull", lambda page: {**page, "settled": []}),
                                 "push.what-was-settled-comes-with-the-next-pull"),
    "cuts what it quarantines": (at("/quarantine", cut_entries), "quarantine.the-raw-mutation-is-kept-whole"),
    "gives a stale cursor": (give_the_cursor_that_was_sent, "pull.after-catching-up-there-is-nothing"),
    "says too early that there is no more": (at("/sync/pull", lambda page: {**page, "more": False}),
                                             "pull.changes-come-once-and-in-commit-order"),
    "sends a change twice": (changes(lambda each: [*each, *each[-1:]]), "pull.a-change-carries-the-whole-newest-state"),
    "skips a change": (changes(lambda each: each[:-1]), "pull.nothing-is-missed-while-many-write"),
    "leaks another scope": (show_records_of_others, "pull.no-row-of-another-scope-is-ever-sent"),
    "loses forget": (changes(lambda each: [one for one in each if one["op"] != "forget"]),
                     "scopes.what-moved-away-is-forgotten-here-and-arrives-there"),
    "takes forget for deletion": (changes(lambda each: [{**one, "op": one["op"].replace("forget", "delete")}
                                                        for one in each]), "scopes.a-scope-withdrawn-is-forgotten"),
    "changes a digest": (at("/sync/verify", digests_of_nothing), "verify.digests-are-those-that-a-client-computes"),
    "hides conflicts": (outcomes(peace), "merge.of-two-scalars-the-later-arrival-wins"),
    "mixes up whose value is whose": (conflicts_with_sides_swapped, "conflicts.a-conflict-names-both-values"),
    "drops unknown fields": (everywhere(regex(r'"weather": ?"[^"]*",?', "")),
                             "records.unknown-fields-are-kept-and-given-back"),
    "refuses in its own words": (answer_refusals_as_plain_json, "conventions.failures-are-problems"),
    "writes times without milliseconds": (everywhere(regex(r"\.\d{3}Z", "Z")),
                                          "conventions.times-are-utc-with-milliseconds"),
    "never compresses": (lambda asked, answer: None, "conventions.answers-are-compressed-when-allowed"),
    "answers a wrong signature by 403": (take_a_wrong_signature_for_a_missing_right,
                                         "devices.a-missing-or-wrong-signature-applies-nothing"),
    "forgets where a list goes on": (at("/records", lambda page: {**page, "next": None}), "office.lists-filter"),
    "touches an original": (touch_the_originals, "media.the-original-comes-back-byte-for-byte"),
    "is too sure of a zone": (at("/zones/attribute", probable_twice), "zones.between-two-the-chances-are-even"),
    "alters a leaf": (at("/journal/entries", other_kinds), "journal.every-entry-hashes-to-its-leaf"),
    "signs another tree": (sign_another_tree, "journal.anyone-may-witness-a-checkpoint"),
    "proves nothing": (at("/journal/inclusion", lambda answer: {"hashes": answer["hashes"][1:]}),
                       "journal.any-entry-is-proven-to-be-in-the-log"),
    "gives the queue backwards": (at("/reviews", lambda page: {**page, "items": page["items"][::-1]}),
                                  "review.the-queue-is-riskiest-and-oldest-first"),
    "does not say who claimed": (at("/reviews", unclaimed), "review.a-claim-is-a-lease-of-one"),
    "rewrites the past": (at("/journal/consistency", lambda answer: {"hashes": answer["hashes"][::-1]}),
                          "journal.the-log-only-grows"),
}


@pytest.mark.slow
def test_our_server_keeps_every_sentence(server: Server, admin: Person) -> None:
    results = run(Office(patient(server.url), str(admin.token), *HERE_AND_THERE), chosen(None))
    assert len(results) == len(CHECKS) > 200
    assert not failures(results), failures(results)


@ONE_ENGINE
@pytest.mark.parametrize("case", SPOILT)
def test_a_server_that_breaks_a_promise_fails_its_check(office: Office, case: str) -> None:
    spoil, name = SPOILT[case]
    with spoilt_server(office.line.url, spoil) as url:
        result, = run(through(office, url), chosen(name))
    assert not result.passed, f"{name} did not notice a server that {case}"


@ONE_ENGINE
def test_the_proxy_alone_breaks_nothing(office: Office) -> None:
    names = {name for case, (_, name) in SPOILT.items() if case != "never compresses"}
    with spoilt_server(office.line.url, lambda asked, answer: None) as url:
        results = run(through(office, url), chosen(",".join(sorted(names))))
    assert len(results) == len(names)
    assert not failures(results), failures(results)


def test_every_check_quotes_the_protocol() -> None:
    def plain(text: str) -> str:
        return " ".join(text.replace("`", "").replace("*", "").split())

    protocol = plain((ROOT / "docs/protocol.md").read_text())
    assert [check.name for check in CHECKS.values() if plain(check.sentence) not in protocol] == []
    assert [check.name for check in CHECKS.values() if f"## {check.section}. " not in protocol] == []


def test_the_runner_stands_alone() -> None:
    foreign = set()
    for path in (path for path in HERE.glob("*.py") if path.name != "test_runner.py"):
        for each in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in each.names] if isinstance(each, ast.Import) else \
                [each.module or ""] if isinstance(each, ast.ImportFrom) else []
            foreign |= {name for name in names if not name.startswith("tests.conformance")
                        and name.partition(".")[0] not in sys.stdlib_module_names | {"httpx", "cryptography"}}
    assert foreign - {"tests.conformance"} == set()


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tests.conformance", *arguments], cwd=ROOT, text=True,
                          capture_output=True, timeout=120)


@ONE_ENGINE
def test_the_exit_status_tells_the_result(server: Server, admin: Person) -> None:
    one = ("--admin-token", str(admin.token), "--only", "push.replay-answers-the-first-outcome,operation")
    good = conformance("--url", server.url, *one, "--json")
    assert good.returncode == 0, good.stdout + good.stderr
    told: dict[str, Any] = json.loads(good.stdout)
    assert (told["failed"], told["passed"], len(told["checks"])) == (0, 4, 4)
    with spoilt_server(server.url, SPOILT["drops replayed"][0]) as url:
        bad = conformance("--url", url, *one)
    assert bad.returncode == 1
    assert "FAIL push.replay-answers-the-first-outcome" in bad.stdout
    assert "expected:" in bad.stdout and "protocol 2: Sending the same n and id again" in bad.stdout


@ONE_ENGINE
def test_wrong_use_is_exit_2(server: Server, bureau: Any, admin: Person) -> None:
    inspector = bureau.person("inspector")
    device = bureau.handheld(owner=bureau.newcomer("admin", scopes=("3204",)))
    for arguments in (["--only", "no-such-check"], ["--url", server.url], ["--url", server.url, "--admin-token", "x"],
                      ["--url", "http://127.0.0.1:9", "--admin-token", "x"], ["--only", ""],
                      ["--url", server.url, "--admin-token", str(inspector.token)],
                      ["--url", server.url, "--admin-token", str(device.token)]):
        assert conformance(*arguments).returncode == 2, arguments
    elsewhere = conformance("--url", f"{server.url}/api/v1", "--admin-token", str(admin.token))
    assert elsewhere.returncode == 2 and "no server of this protocol" in elsewhere.stderr


@ONE_ENGINE
def test_the_list_names_every_check_and_the_trace_each_exchange(server: Server, admin: Person) -> None:
    listed = conformance("--list")
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(CHECKS)
    traced = conformance("--url", server.url, "--admin-token", str(admin.token), "--only",
                         "push.numbers-begin-with-one", "--trace")
    assert "> POST /sync/push" in traced.stderr
    assert '"outcome":"applied"' in traced.stderr.replace(" ", "")
    assert '"token":"..."' in traced.stderr.replace(" ", "")
    assert str(admin.token) not in traced.stderr


def test_every_module_of_checks_is_played() -> None:
    makers = {path.stem for path in HERE.glob("*.py") if "= subject(" in path.read_text()} - {"checks", "test_runner"}
    assert makers == set(subjects.ORDER)
