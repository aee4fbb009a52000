"""Spot checks (protocol section 11): a draw that nobody could steer, re-run here from /proof alone."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections import Counter
from typing import Any

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.transparency import tree_root
from tests.wire import Person, granted, new_id, refused

SCOPE = "320411103"
Z95 = 1.959963984540054


@pytest.fixture(scope="module")
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=("320411",))


def reported(bureau: Bureau, *counts: int, day: str) -> tuple[list[Handheld], list[str]]:
    """Findings of several inspectors on one day: so many of each."""
    devices = [bureau.handheld(SCOPE, who=str(number)) for number in range(len(counts))]
    ids = [device.report(SCOPE, observed_at=f"{day}T{8 + i % 12:02d}:00:00.000Z")
           for device, count in zip(devices, counts, strict=True) for i in range(count)]
    return devices, ids


def frame(day: str, **more: Any) -> dict[str, Any]:
    return {"type": "finding", "from": f"{day}T00:00:00.000Z", "to": f"{day}T23:59:59.999Z", "scopes": [SCOPE], **more}


def frozen(supervisor: Person, day: str, **size: Any) -> dict[str, Any]:
    body = {"title": "回头看", "frame": frame(day), "strata": ["inspector_id"], **size}
    answer = granted(supervisor.post("/spot-checks", body), 201)
    assert answer["state"] == "frozen"
    return answer


def rerun(proof: dict[str, Any]) -> list[tuple[str, str]]:
    """Protocol section 11 by hand: check every digest, then draw again; [(record_id, stratum)] sorted."""
    assert proof["algorithm"] == "hmac-sort-1"
    lines = sorted(f"{record} {stratum}\n" for record, stratum in proof["frame"])
    digest = hashlib.sha256("".join(lines).encode()).digest()
    assert digest.hex() == proof["frame_digest"]
    secret, beacon = bytes.fromhex(proof["secret"]), bytes.fromhex(proof["beacon"])
    assert hashlib.sha256(secret).hexdigest() == proof["commitment"]
    seed = hashlib.sha256(digest + beacon + secret).digest()
    assert seed.hex() == proof["seed"]
    drawn = []
    for stratum, wanted in proof["allocation"].items():
        members = [record for record, of in proof["frame"] if of == stratum]
        members.sort(key=lambda record: hmac.new(seed, record.encode("ascii"), hashlib.sha256).digest())
        drawn += [(record, stratum) for record in members[:wanted]]
    return sorted(drawn)


def shared_out(counts: dict[str, int], size: int) -> dict[str, int]:
    """Proportional by largest remainder, ties to the smaller name; then nobody stays at 0 while that is possible."""
    total = sum(counts.values())
    share = {name: size * count // total for name, count in counts.items()}
    by_rest = sorted(counts, key=lambda name: (-(size * counts[name] % total), name))
    for name in by_rest[:size - sum(share.values())]:
        share[name] += 1
    while size >= len(counts) and (poor := sorted(name for name in share if share[name] == 0)):
        rich = min(share, key=lambda name: (-share[name], name))
        share[rich] -= 1
        share[poor[0]] += 1
    return share


@pytest.mark.parametrize(("counts", "size", "day"), [
    ((6, 3, 1), 5, "2025-03-01"), ((9, 1, 1), 3, "2025-03-02"), ((2, 2, 2), 2, "2025-03-03"), ((4, 3), 7, "2025-03-04"),
    ((5,), 2, "2025-03-05")])
def test_a_draw_is_run_again_from_the_proof_alone(bureau: Bureau, supervisor: Person, counts: tuple[int, ...],
                                                  size: int, day: str) -> None:
    devices, ids = reported(bureau, *counts, day=day)
    check = frozen(supervisor, day, size=size)
    assert check["frame_size"] == sum(counts)
    drawn = granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))
    assert drawn["state"] == "drawn"
    proof = granted(supervisor.get(f"/spot-checks/{check['id']}/proof"))
    assert (proof["frame_digest"], proof["commitment"]) == (check["frame_digest"], check["commitment"])
    assert sorted(record for record, _ in proof["frame"]) == sorted(ids)
    assert Counter(stratum for _, stratum in proof["frame"]) == {
        device.user["id"]: count for device, count in zip(devices, counts, strict=True)}
    strata = Counter(stratum for _, stratum in proof["frame"])
    assert {name: k for name, k in proof["allocation"].items() if k} == {
        name: k for name, k in shared_out(strata, size).items() if k}
    assert sorted((row["record_id"], row["stratum"]) for row in proof["sample"]) == rerun(proof)
    assert drawn["sample"] == proof["sample"]
    for stratum in strata:
        ranks = sorted(row["rank"] for row in proof["sample"] if row["stratum"] == stratum)
        assert len(set(ranks)) == len(ranks)


def test_the_commitment_was_journalled_before_the_beacon(bureau: Bureau, supervisor: Person, admin: Person) -> None:
    reported(bureau, 3, day="2025-03-10")
    check = frozen(supervisor, "2025-03-10", size=1)
    granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))
    proof = granted(supervisor.get(f"/spot-checks/{check['id']}/proof"))
    entries, start = [], 0
    while page := granted(admin.get(f"/journal/entries?from={start}&limit=1000"))["entries"]:
        entries, start = entries + page, start + len(page)
    freezing = [entry for entry in entries if check["commitment"] in str(entry["body"])]
    assert freezing, "the commitment stands in the journal"
    assert proof["secret"] not in str(freezing[0])
    # The beacon is the root over more entries than those up to the freezing: find how many it covers.

    leaves = [bytes.fromhex(entry["leaf_hash"]) for entry in entries]
    sizes = [size for size in range(freezing[0]["index"] + 1, len(leaves) + 1)
             if tree_root(leaves[:size]).hex() == proof["beacon"]]
    assert sizes, "the beacon is the root hash of a checkpoint after the freezing"


def test_before_the_draw_the_secret_is_not_shown(bureau: Bureau, supervisor: Person) -> None:
    reported(bureau, 2, day="2025-03-11")
    check = frozen(supervisor, "2025-03-11", size=1)
    answer = supervisor.get(f"/spot-checks/{check['id']}/proof")
    if answer.status_code == 200:
        assert not answer.json().get("secret")
    else:
        refused(answer, (404, 409))


def test_drawing_twice_is_refused(bureau: Bureau, supervisor: Person) -> None:
    reported(bureau, 3, day="2025-03-12")
    check = frozen(supervisor, "2025-03-12", size=2)
    granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))
    refused(supervisor.post(f"/spot-checks/{check['id']}/draw"), 409, "already_drawn")


def test_what_arrives_after_freezing_is_not_in_the_frame(bureau: Bureau, supervisor: Person) -> None:
    reported(bureau, 3, day="2025-03-13")
    check = frozen(supervisor, "2025-03-13", size=3)
    _, late = reported(bureau, 2, day="2025-03-13")
    granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))
    proof = granted(supervisor.get(f"/spot-checks/{check['id']}/proof"))
    assert len(proof["frame"]) == 3
    assert not set(late) & {record for record, _ in proof["frame"]}


def test_the_frame_takes_from_and_leaves_to(bureau: Bureau, supervisor: Person) -> None:
    device = bureau.handheld(SCOPE)
    at = {hour: device.report(SCOPE, observed_at=f"2025-03-14T{hour:02d}:00:00.000Z") for hour in (8, 9, 10)}
    body = {"title": "边界", "size": 5, "strata": ["inspector_id"],
            "frame": frame("2025-03-14") | {"from": "2025-03-14T08:00:00.000Z", "to": "2025-03-14T10:00:00.000Z"}}
    check = granted(supervisor.post("/spot-checks", body), 201)
    granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))
    proof = granted(supervisor.get(f"/spot-checks/{check['id']}/proof"))
    assert {record for record, _ in proof["frame"]} == {at[8], at[9]}
    assert len(proof["sample"]) == 2, "never more than there are"


def test_the_size_may_come_from_confidence_and_margin(bureau: Bureau, supervisor: Person) -> None:
    reported(bureau, 8, 4, day="2025-03-15")
    check = frozen(supervisor, "2025-03-15", confidence=0.95, margin=0.2)
    granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))
    sample = granted(supervisor.get(f"/spot-checks/{check['id']}/proof"))["sample"]
    infinite = Z95 ** 2 * 0.25 / 0.2 ** 2
    assert len(sample) == math.ceil(infinite / (1 + (infinite - 1) / 12))


def test_verdicts_make_a_report_with_a_wilson_interval(bureau: Bureau, supervisor: Person) -> None:
    reported(bureau, 5, 5, day="2025-03-16")
    check = frozen(supervisor, "2025-03-16", size=10)
    sample = granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))["sample"]
    reviewer = bureau.person("reviewer", scopes=(SCOPE,))
    verdicts = ["confirmed"] * 7 + ["disputed"] * 2 + ["not_found"]
    for row, verdict in zip(sample, verdicts, strict=True):
        answer = reviewer.post(f"/spot-checks/{check['id']}/samples/{row['record_id']}/verdict",
                               {"verdict": verdict, "values": {"class_code": "0504"}, "note": "现场复核"})
        assert answer.status_code in (200, 201), answer.text
    report = granted(supervisor.get(f"/spot-checks/{check['id']}/report"))
    assert (report["checked"], report["disputed"]) == (10, 3)
    assert report["rate"] == pytest.approx(0.3)
    n, p = 10, 0.3
    middle = (p + Z95 ** 2 / (2 * n)) / (1 + Z95 ** 2 / n)
    half = Z95 * math.sqrt(p * (1 - p) / n + Z95 ** 2 / (4 * n * n)) / (1 + Z95 ** 2 / n)
    assert report["ci_low"] == pytest.approx(middle - half, abs=1e-3)
    assert report["ci_high"] == pytest.approx(middle + half, abs=1e-3)
    assert len(report["by_stratum"]) == 2
    again = reviewer.post(f"/spot-checks/{check['id']}/samples/{sample[0]['record_id']}/verdict",
                          {"verdict": "disputed", "values": {}, "note": ""})
    refused(again, 409)


def test_own_work_is_not_judged(bureau: Bureau, supervisor: Person) -> None:
    both = bureau.person("inspector", "reviewer", scopes=(SCOPE,))
    device = bureau.handheld(owner=both)
    finding = device.report(SCOPE, observed_at="2025-03-17T09:00:00.000Z")
    check = frozen(supervisor, "2025-03-17", size=1)
    granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))
    body = {"verdict": "confirmed", "values": {}, "note": ""}
    refused(both.post(f"/spot-checks/{check['id']}/samples/{finding}/verdict", body), 403, "own_work")
    stranger = bureau.person("reviewer", scopes=("320402001",))
    refused(stranger.post(f"/spot-checks/{check['id']}/samples/{finding}/verdict", body), (403, 404))
    refused(supervisor.post(f"/spot-checks/{check['id']}/samples/{new_id()}/verdict", body), 404)
    refused(supervisor.post(f"/spot-checks/{check['id']}/samples/{finding}/verdict", {"verdict": "maybe"}), (400, 422))


def test_a_verdict_wants_a_draw(bureau: Bureau, supervisor: Person) -> None:
    _, ids = reported(bureau, 1, day="2025-03-18")
    check = frozen(supervisor, "2025-03-18", size=1)
    body = {"verdict": "confirmed", "values": {}, "note": ""}
    refused(supervisor.post(f"/spot-checks/{check['id']}/samples/{ids[0]}/verdict", body), (404, 409))


def test_who_may_read_proof_and_report(bureau: Bureau, supervisor: Person) -> None:
    reported(bureau, 2, day="2025-03-19")
    check = frozen(supervisor, "2025-03-19", size=1)
    granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))
    auditor = bureau.person("auditor", scopes=("32",))
    for leaf in ("proof", "report"):
        granted(auditor.get(f"/spot-checks/{check['id']}/{leaf}"))
        for person in (bureau.person("inspector", scopes=(SCOPE,)), bureau.person("supervisor", scopes=("320402",))):
            refused(person.get(f"/spot-checks/{check['id']}/{leaf}"), (403, 404))


@pytest.mark.parametrize("change", [
    {"size": 0}, {"size": -1}, {"size": "all"}, {"size": 10**30}, {"confidence": 1.5, "margin": 0.1},
    {"confidence": 0.95}, {"confidence": 0.95, "margin": 0}, {"margin": 0.1}, {"frame": {}}, {"frame": None},
    {"strata": "inspector_id"},
    {"strata": ["password"]}, {"frame": frame("2025-03-20", type="user")}, {"frame": frame("2025-03-20", scopes=[])},
    {"frame": frame("2025-03-20") | {"from": "x"}}, {"frame": frame("1999-01-01")}, {"colour": "red"}, {"title": None}])
def test_a_spot_check_that_cannot_be_is_a_problem(supervisor: Person, change: dict[str, Any]) -> None:
    body = {"title": "抽查", "frame": frame("2025-03-20"), "strata": ["inspector_id"]}
    body |= change if {"confidence", "margin"} & set(change) else {"size": 1, **change}
    refused(supervisor.post("/spot-checks", body), (400, 403, 422))


def test_only_supervisors_of_the_frame_freeze_and_draw(bureau: Bureau, supervisor: Person) -> None:
    reported(bureau, 2, day="2025-03-21")
    body = {"title": "抽查", "frame": frame("2025-03-21"), "strata": ["inspector_id"], "size": 1}
    check = granted(supervisor.post("/spot-checks", body), 201)
    for person in (bureau.person("inspector", scopes=(SCOPE,)), bureau.person("reviewer", scopes=(SCOPE,)),
                   bureau.person("supervisor", scopes=("320402",))):
        refused(person.post("/spot-checks", body), (403, 404, 422))
        refused(person.post(f"/spot-checks/{check['id']}/draw"), (403, 404))
