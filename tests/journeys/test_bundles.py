"""Evidence bundles over HTTP (protocol section 10): what each profile shows, who may have one, what is journalled."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import bagit
import pytest

from tests import bundles
from tests.bundles import unpacked, verify
from tests.bureau import Bureau
from tests.wire import Person, granted, new_id, refused

SCOPE = "320481116"
IDENTITY, MOBILE = "320411199003071234", "13812345678"


@pytest.fixture(scope="module")
def cases(bureau: Bureau) -> dict[str, bundles.Case]:
    """One case an engine, made when first asked for."""
    return {}


@pytest.fixture
def case(bureau: Bureau, cases: dict[str, bundles.Case]) -> bundles.Case:
    if bureau.url not in cases:
        cases[bureau.url] = bundles.a_case(bureau, SCOPE, text=f"店主王某,身份证{IDENTITY},电话{MOBILE}")
        bundles.a_document(cases[bureau.url], SCOPE)
    return cases[bureau.url]


@pytest.fixture
def reviewer(bureau: Bureau) -> Person:
    return bureau.person("reviewer", scopes=(SCOPE,))


def exported(reviewer: Person, case: bundles.Case, profile: str, directory: Path, **more: str) -> Path:
    return unpacked(reviewer.get(f"/reviews/{case.finding}/bundle", params={"profile": profile, **more}), directory)


def everything(base: Path) -> bytes:
    """All texts of the bag."""
    return b"".join(path.read_bytes() for path in base.rglob("*") if path.is_file() and path.suffix != ".jpg")


def told(base: Path) -> Any:
    return json.loads((base / "data/case.json").read_bytes())


def holds(base: Path, bureau: Bureau) -> str:
    done = verify(base, "--key", bundles.key_line(bureau))
    assert done.returncode == 0, done.stdout + done.stderr
    bagit.Bag(str(base)).validate()
    return done.stdout


def test_a_court_gets_everything(bureau: Bureau, reviewer: Person, case: bundles.Case, tmp_path: Path) -> None:
    base = exported(reviewer, case, "court", tmp_path, reason="移送法院")
    assert holds(base, bureau).count("holds: bytes, chain, signature") == 2
    originals = {path.read_bytes() for path in (base / "data/originals").iterdir()}
    assert originals == set(case.photos)
    assert {record["type"] for record in told(base)["records"]} == {"finding", "enforcement", "evidence"}
    assert IDENTITY.encode() in everything(base)
    assert "移送法院".encode() in (base / "data/journal/entries.jsonl").read_bytes()


def test_a_party_gets_copies_and_masked_numbers(bureau: Bureau, reviewer: Person, case: bundles.Case,
                                                tmp_path: Path) -> None:
    base = exported(reviewer, case, "party", tmp_path, reason="当事人查阅")
    assert "withheld values" in holds(base, bureau)
    assert not (base / "data/originals").exists()
    assert len(list((base / "data/renditions").iterdir())) == 2
    texts = everything(base)
    assert not any(secret.encode() in texts for secret in (IDENTITY, MOBILE, "当事人查阅"))
    assert "320***********1234,电话138****5678".encode() in texts
    assert case.device.user["name"].encode() in texts


def test_the_public_gets_digests(bureau: Bureau, reviewer: Person, case: bundles.Case, tmp_path: Path) -> None:
    base = exported(reviewer, case, "public", tmp_path)
    assert "holds: digest" in holds(base, bureau)
    assert not [path for path in base.rglob("*") if path.suffix == ".jpg"]
    texts = everything(base)
    secrets = ("王某", "119.95", MOBILE, "****5678", "测试机")
    assert not any(secret.encode() in texts for secret in secrets)
    assert all(hashlib.sha256(photo).hexdigest().encode() in texts for photo in case.photos)


def test_an_export_stands_in_the_journal_and_so_does_its_delivery(bureau: Bureau, reviewer: Person,
                                                                  case: bundles.Case) -> None:
    answer = reviewer.get(f"/reviews/{case.finding}/bundle?profile=public")
    size = int(bureau.admin.get("/journal/checkpoint").text.splitlines()[1])
    entries = granted(bureau.admin.get(f"/journal/entries?from={max(0, size - 100)}&limit=200"))["entries"]
    made = [entry for entry in entries if entry["about"] == case.finding and entry["kind"] in ("export", "exported")]
    made = made[-2:]
    assert [entry["kind"] for entry in made] == ["export", "exported"]
    assert made[1]["body"] == {"bundle": made[0]["body"]["bundle"], "bytes": len(answer.content),
                               "sha256": hashlib.sha256(answer.content).hexdigest()}
    assert made[0]["actor"] == reviewer.id


def test_the_answer_is_a_zip_to_keep_for_oneself(reviewer: Person, case: bundles.Case) -> None:
    answer = reviewer.get(f"/reviews/{case.finding}/bundle?profile=public", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == f"attachment; filename=menqian-{case.finding[-12:]}-public.zip"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not {"content-length", "content-encoding"} & set(answer.headers)
    head = reviewer.head(f"/reviews/{case.finding}/bundle?profile=public")
    assert (head.status_code, head.headers["Content-Type"]) == (200, "application/zip")


@pytest.mark.parametrize("role", ["supervisor", "auditor"])
def test_supervisors_and_auditors_may_export(bureau: Bureau, case: bundles.Case, role: str) -> None:
    person = bureau.person(role, scopes=(SCOPE,))
    assert person.get(f"/reviews/{case.finding}/bundle?profile=public").status_code == 200


def test_others_may_not(bureau: Bureau, case: bundles.Case) -> None:
    path = f"/reviews/{case.finding}/bundle?profile=court"
    refused(case.device.owner.get(path), 403, "role_forbidden")
    refused(case.device.get(path), 403, "person_required")
    refused(bureau.person("reviewer", scopes=("320402001",)).get(path), 404, "not_found")


def test_what_is_no_case_is_not_found(reviewer: Person, case: bundles.Case) -> None:
    for record in (new_id(), "rubbish", case.evidence[0]):
        refused(reviewer.get(f"/reviews/{record}/bundle?profile=court"), 404, "not_found")


@pytest.mark.parametrize("query", ["", "?profile=", "?profile=everybody"])
def test_a_profile_must_be_one_of_the_three(reviewer: Person, case: bundles.Case, query: str) -> None:
    problem = refused(reviewer.get(f"/reviews/{case.finding}/bundle{query}"), 422)
    assert "court, party, public" in problem["errors"]["profile"][0]
