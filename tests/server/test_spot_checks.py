"""Spot checks on the real app: frozen, drawn, re-run by the published program, judged blind (protocol section 11)."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.rules.sampling import wilson
from sync.notes import read_checkpoint
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.wire import Person, granted, new_id, refused

SCOPE = "320411103"
DAYS = (f"2025-{month:02d}-{day:02d}" for month, day in itertools.product(range(1, 13), range(1, 29)))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("spot-checks")) as office:
        yield office


@pytest.fixture(scope="module")
def supervisor(office: Indoors) -> Person:
    return office.person("supervisor", scopes=("320411",))


@pytest.fixture(scope="module")
def reviewer(office: Indoors) -> Person:
    return office.person("reviewer", scopes=(SCOPE,))


@pytest.fixture(scope="module")
def devices(office: Indoors) -> list[Handheld]:
    return [office.handheld(SCOPE, who=str(n)) for n in range(3)]


@pytest.fixture
def day() -> str:
    """A day on which nothing else was found."""
    return next(DAYS)


def found(devices: list[Handheld], day: str, *counts: int, **fields: Any) -> list[str]:
    return [device.report(SCOPE, observed_at=f"{day}T{8 + n % 12:02d}:00:00.000Z", **fields)
            for device, count in zip(devices, counts, strict=False) for n in range(count)]


def asked(day: str, **more: Any) -> dict[str, Any]:
    span = {"from": f"{day}T00:00:00.000Z", "to": f"{day}T23:59:59.000Z"}
    return {"title": "回头看", "frame": {"type": "finding", "scopes": [SCOPE], **span}, "strata": ["inspector_id"],
            "size": 2, **more}


def drawn(supervisor: Person, day: str, **more: Any) -> dict[str, Any]:
    check = granted(supervisor.post("/spot-checks", asked(day, **more)), 201)
    assert check["state"] == "frozen"
    return granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))


def judged(person: Person, check: str, record: str, verdict: str = "confirmed", **values: Any) -> Any:
    return person.post(f"/spot-checks/{check}/samples/{record}/verdict",
                       {"verdict": verdict, "values": values, "note": "现场复核"})


def test_the_published_program_re_runs_the_draw(office: Indoors, supervisor: Person, devices: list[Handheld], day: str,
                                                tmp_path: Path) -> None:
    found(devices, day, 6, 3, 1)
    check = drawn(supervisor, day, size=5)
    proof = granted(supervisor.get(f"/spot-checks/{check['id']}/proof"))
    assert proof == check["proof"]
    (tmp_path / "verify_draw.py").write_bytes(httpx.Client().get(f"{office.url}/static/verify_draw.py").content)
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    told = subprocess.run([sys.executable, "-I", "-S", "verify_draw.py", "proof.json"], cwd=tmp_path, text=True,
                          capture_output=True, check=False)
    assert (told.returncode, told.stdout) == (0, "the draw of 5 from 10 is right\n"), told.stderr


def test_the_beacon_is_the_first_checkpoint_after_the_freezing_and_the_draw_is_witnessed_at_once(
        office: Indoors, supervisor: Person, devices: list[Handheld], day: str) -> None:
    found(devices, day, 3)
    check = granted(supervisor.post("/spot-checks", asked(day)), 201)
    proof = granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))["proof"]
    entries = granted(office.admin.get(f"/journal/entries?from={check['frozen_index']}&limit=1000"))["entries"]
    frozen, told = entries[0], [entry for entry in entries if entry["kind"] == "draw"][-1]
    assert (frozen["kind"], frozen["about"]) == ("spot_check_frozen", check["id"])
    assert (frozen["body"]["frame_digest"], frozen["body"]["commitment"]) == (
        proof["frame_digest"], proof["commitment"])
    assert proof["secret"] not in json.dumps(frozen)
    assert {name: proof[name] for name in ("secret", "beacon", "seed", "allocation")}.items() <= told["body"].items()
    newest = read_checkpoint(supervisor.get("/journal/checkpoint").text)
    assert newest.size > told["index"]
    assert newest.root.hex() != proof["beacon"]


def test_a_beacon_that_came_by_itself_is_taken(office: Indoors, supervisor: Person, devices: list[Handheld],
                                               day: str) -> None:
    found(devices, day, 3)
    check = granted(supervisor.post("/spot-checks", asked(day)), 201)
    office.clock.put_on(seconds=30)
    first = read_checkpoint(supervisor.get("/journal/checkpoint").text)
    found(devices, day, 2)
    office.clock.put_on(seconds=30)
    supervisor.get("/journal/checkpoint")
    proof = granted(supervisor.post(f"/spot-checks/{check['id']}/draw"))["proof"]
    assert first.size > check["frozen_index"]
    assert proof["beacon"] == first.root.hex()
    assert len(proof["frame"]) == 3, "what came after the freezing is not in the frame"


def test_before_the_draw_nothing_tells_the_secret(supervisor: Person, devices: list[Handheld], day: str) -> None:
    found(devices, day, 2)
    check = granted(supervisor.post("/spot-checks", asked(day)), 201)
    refused(supervisor.get(f"/spot-checks/{check['id']}/proof"), 409, "not_drawn")
    for seen in (check, granted(supervisor.get(f"/spot-checks/{check['id']}"))):
        assert not {"secret", "seed", "beacon"} & set(seen)


def test_a_draw_happens_once(supervisor: Person, devices: list[Handheld], day: str) -> None:
    found(devices, day, 3)
    check = drawn(supervisor, day)
    refused(supervisor.post(f"/spot-checks/{check['id']}/draw"), 409, "already_drawn")


@pytest.mark.parametrize(("strata", "names"), [
    ([], {"all"}), (["scope"], {SCOPE}), (["class_code", "status"], {"0504/reported"}), (["zone_id"], {"-"})])
def test_strata_are_made_of_promoted_fields(supervisor: Person, devices: list[Handheld], day: str, strata: list[str],
                                            names: set[str]) -> None:
    found(devices, day, 2, 1)
    assert set(drawn(supervisor, day, strata=strata)["proof"]["allocation"]) == names


def test_the_frame_is_cut_by_time_and_status(supervisor: Person, devices: list[Handheld], day: str) -> None:
    ids = found(devices, day, 4)
    frame = {**asked(day)["frame"], "from": f"{day}T09:00:00.000Z", "to": f"{day}T11:00:00+00:00"}
    proof = drawn(supervisor, day, frame=frame, size=99)["proof"]
    assert {record for record, _ in proof["frame"]} == set(ids[1:3]), "from is in, to is not"
    assert len(proof["sample"]) == 2, "a size above the frame is the frame"
    refused(supervisor.post("/spot-checks", asked(day, frame={**frame, "status": "closed"})), 422, "frame_empty")


def test_before_the_verdict_the_place_is_all_there_is(supervisor: Person, reviewer: Person, devices: list[Handheld],
                                                      day: str) -> None:
    record, = found(devices, day, 1, text="第一人的话", address="武宜路88号")
    check = drawn(supervisor, day, size=1, strata=["class_code"])["id"]
    sample, = granted(reviewer.get(f"/spot-checks/{check}"))["samples"]
    assert sample == {"record_id": record, "rank": 1, "stratum": None, "due_at": sample["due_at"], "verdict": None,
                      "place": {"position": None, "address": "武宜路88号", "sticker_serial": None}}
    assert "第一人的话" not in reviewer.get(f"/spot-checks/{check}").text
    made = granted(judged(reviewer, check, record, "disputed", class_code="0503"))
    compared = {row["field"]: row for row in made["comparison"]}
    assert compared["class_code"] == {"field": "class_code", "first": "0504", "second": "0503", "agree": False}
    assert compared["text"]["first"] == "第一人的话"
    sample, = granted(reviewer.get(f"/spot-checks/{check}"))["samples"]
    assert (sample["stratum"], sample["verdict"]) == ("0504", "disputed")
    assert sample["comparison"] == made["comparison"]


def test_a_verdict_is_given_once_by_somebody_else_and_only_on_the_sample(
        office: Indoors, supervisor: Person, reviewer: Person, devices: list[Handheld], day: str) -> None:
    both = office.person("inspector", "reviewer", scopes=(SCOPE,))
    mine, = found([office.handheld(owner=both)], day, 1)
    check = granted(supervisor.post("/spot-checks", asked(day)), 201)["id"]
    refused(judged(reviewer, check, mine), 409, "not_drawn")
    granted(supervisor.post(f"/spot-checks/{check}/draw"))
    other, = found(devices, day, 1)
    refused(judged(both, check, mine), 403, "own_work")
    refused(judged(office.person("reviewer", scopes=("320402",)), check, mine), 404)
    refused(judged(devices[0].owner, check, mine), 403, "role_forbidden")
    for stranger in (other, new_id(), "x"):
        refused(judged(reviewer, check, stranger), 404)
    refused(judged(reviewer, check, mine, "perhaps"), 422)
    granted(judged(reviewer, check, mine))
    refused(judged(supervisor, check, mine), 409, "already_judged")


def test_a_report_claims_nothing_of_what_was_not_checked(supervisor: Person, devices: list[Handheld],
                                                         day: str) -> None:
    found(devices, day, 2, 2)
    report = granted(supervisor.get(f"/spot-checks/{drawn(supervisor, day, size=4)['id']}/report"))
    for part in (report, *report["by_stratum"]):
        assert (part["checked"], part["disputed"]) == (0, 0)
        assert (part["rate"], part["ci_low"], part["ci_high"]) == (None, None, None)
    assert "kappa" not in report


def test_a_report_gives_rates_with_intervals_by_stratum(supervisor: Person, reviewer: Person,
                                                        devices: list[Handheld], day: str) -> None:
    found(devices, day, 3, 3)
    check = drawn(supervisor, day, size=6)
    verdicts = dict(zip((row["record_id"] for row in check["sample"]),
                        ["confirmed", "confirmed", "disputed", "not_found", "confirmed"], strict=False))
    for record, verdict in verdicts.items():
        values = {"class_code": "0504" if verdict == "confirmed" else "0503"}
        granted(judged(reviewer, check["id"], record, verdict, **values))
    report = granted(supervisor.get(f"/spot-checks/{check['id']}/report"))
    assert (report["drawn"], report["checked"], report["disputed"], report["not_found"]) == (6, 5, 2, 1)
    assert report["rate"] == pytest.approx(0.4)
    assert (report["ci_low"], report["ci_high"]) == pytest.approx(wilson(2, 5))
    assert report["kappa"] == pytest.approx(0.0), "the first person said the same of all"
    assert [(part["checked"], part["disputed"]) for part in report["by_stratum"]] == [(3, 1), (2, 1)]


def test_proof_and_report_are_for_those_who_oversee_the_frame(office: Indoors, supervisor: Person, reviewer: Person,
                                                              devices: list[Handheld], day: str) -> None:
    found(devices, day, 2)
    check = drawn(supervisor, day)["id"]
    overseers = [supervisor, office.admin, office.person("auditor", scopes=("32",))]
    others = [reviewer, devices[0].owner, office.person("supervisor", scopes=("320402",)),
              office.person("supervisor", scopes=(SCOPE + "001",))]
    for leaf in ("proof", "report"):
        assert [person.get(f"/spot-checks/{check}/{leaf}").status_code for person in overseers] == [200] * 3
        for person in others:
            refused(person.get(f"/spot-checks/{check}/{leaf}"), (403, 404))


def test_the_list_shows_each_what_concerns_him(office: Indoors, supervisor: Person, reviewer: Person,
                                               devices: list[Handheld], day: str) -> None:
    found(devices, day, 2)
    check = drawn(supervisor, day)["id"]
    assert check == granted(reviewer.get("/spot-checks"))["items"][0]["id"]
    row = granted(supervisor.get("/spot-checks"))["items"][0]
    assert (row["drawn"], row["checked"]) == (2, 0)
    stranger = office.person("reviewer", scopes=("320402",))
    assert granted(stranger.get("/spot-checks"))["items"] == []
    refused(stranger.get(f"/spot-checks/{check}"), 404)
    refused(devices[0].owner.get("/spot-checks"), 403)
    refused(supervisor.get(f"/spot-checks/{new_id()}"), 404)


@pytest.mark.parametrize(("change", "status", "code"), [
    ({"frame": {"scopes": ["320402"]}}, 403, "out_of_scope"), ({"frame": {"type": "zone"}}, 422, "field_invalid"),
    ({"frame": {"scopes": ["999999"]}}, 422, "scope_unknown"), ({"frame": {"status": [1]}}, 422, None),
    ({"frame": {"type": "user"}}, 422, "type_unknown"), ({"frame": {"to": "2020-01-01T00:00:00Z"}}, 422, None),
    ({"frame": {"from": "2019-01-01T00:00:00Z", "to": "2020-01-01T00:00:00Z"}}, 422, "frame_empty"),
    ({"size": None}, 422, None), ({"size": 0}, 422, None), ({"size": True}, 422, None), ({"size": 10**30}, 422, None),
    ({"confidence": 0.95}, 422, None), ({"confidence": 0.95, "margin": 0.1}, 422, None), ({"title": " "}, 422, None),
    ({"strata": ["password"]}, 422, None), ({"colour": 1}, 422, "unknown_field")])
def test_a_spot_check_that_cannot_be_is_refused(supervisor: Person, devices: list[Handheld], day: str,
                                                change: dict[str, Any], status: int, code: str | None) -> None:
    found(devices, day, 1)
    body = asked(day)
    frame = {**body["frame"], **change.get("frame", {})}
    refused(supervisor.post("/spot-checks", {**body, **change, "frame": frame}), status, code)


def test_the_size_may_follow_from_confidence_and_margin(supervisor: Person, devices: list[Handheld],
                                                        day: str) -> None:
    found(devices, day, 8, 4)
    body = asked(day, confidence=0.95, margin=0.2)
    del body["size"]
    assert granted(supervisor.post("/spot-checks", body), 201)["size"] == 9


@pytest.mark.parametrize(("status", "size"), [([], 3), (None, 3), ("reported", 3), (["reported", "closed"], 3)])
def test_a_frame_may_name_one_status_or_several_or_none(supervisor: Person, devices: list[Handheld], day: str,
                                                        status: Any, size: int) -> None:
    found(devices, day, 3)
    body = asked(day)
    body["frame"]["status"] = status
    assert granted(supervisor.post("/spot-checks", body), 201)["frame_size"] == size
    body["frame"]["status"] = ["closed"]
    refused(supervisor.post("/spot-checks", body), 422, "frame_empty")


def test_a_verdict_may_come_without_values(reviewer: Person, supervisor: Person, devices: list[Handheld],
                                           day: str) -> None:
    found(devices, day, 1)
    check = drawn(supervisor, day)
    body = {"verdict": "not_found", "values": None, "note": None}
    made = granted(reviewer.post(f"/spot-checks/{check['id']}/samples/{check['sample'][0]['record_id']}/verdict", body))
    assert (made["verdict"], made["values"]) == ("not_found", {})
