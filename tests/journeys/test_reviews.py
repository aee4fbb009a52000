"""Review (protocol section 10): the queue, claims, decisions on the evidence, and a bundle that proves itself."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.bureau import Bureau, a_photo, eventually
from tests.handheld import Handheld
from tests.wire import Person, granted, new_id, refused, sha256

SCOPE = "320411101"


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture
def reviewer(bureau: Bureau) -> Person:
    return bureau.person("reviewer", scopes=(SCOPE,))


def photographed(device: Handheld, scope: str = SCOPE) -> tuple[str, str, bytes]:
    """(finding, evidence, content) of a finding with one verified photo."""
    finding, content = device.report(scope), a_photo()
    mutation = device.capture(scope, content, ("finding", finding))
    device.deliver(mutation)
    assert device.upload(content).status_code == 204

    def verified() -> bool:
        return device.owner.record("evidence", mutation["record_id"])["fields"]["media"]["state"] == "verified"

    assert eventually(verified, within_s=30)
    return finding, mutation["record_id"], content


def queued(reader: Person, state: str, record: str, scope: str = SCOPE) -> dict[str, Any] | None:
    cursor = ""
    while True:
        page = granted(reader.get(f"/reviews?state={state}&scope={scope}&limit=50{cursor}"))
        for row in page["items"]:
            if row["record_id"] == record:
                return row
        if not page["next"]:
            return None
        cursor = f"&cursor={page['next']}"


def decided(reviewer: Person, record: str, decision: str, version: int, **more: Any) -> Any:
    body = {"decision": decision, "version": version, "reasons": [], "note": "", "photos": [], **more}
    return reviewer.post(f"/reviews/{record}/decisions", body)


def in_queue(reviewer: Person, record: str, state: str = "open") -> dict[str, Any]:
    row = eventually(lambda: queued(reviewer, state, record), within_s=10)
    assert row, f"{record} is not among the {state}"
    return row


def test_a_finding_with_evidence_enters_the_queue(device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    row = in_queue(reviewer, finding)
    assert row["record_type"] == "finding"
    assert row["state"] == "open"
    assert {"version", "risk", "flags", "due_at", "claimed_by"} <= set(row)


def test_the_queue_is_for_reviewers_in_scope(bureau: Bureau, device: Handheld) -> None:
    finding, _, _ = photographed(device)
    refused(device.owner.get("/reviews?state=open"), 403)
    stranger = bureau.person("reviewer", scopes=("320402001",))
    assert finding not in stranger.get("/reviews?state=open").text
    refused(decided(stranger, finding, "accept", 1), (403, 404))
    refused(stranger.get(f"/reviews/{finding}/bundle?profile=court"), (403, 404))


@pytest.mark.parametrize("query", ["state=asleep", "limit=many", "cursor=rubbish", "limit=-1"])
def test_a_queue_that_cannot_be_is_a_problem(reviewer: Person, query: str) -> None:
    refused(reviewer.get(f"/reviews?{query}"), (400, 422))


def test_a_claim_is_a_lease_of_one(bureau: Bureau, device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    other = bureau.person("reviewer", scopes=(SCOPE,), who="other")
    in_queue(reviewer, finding)
    granted(reviewer.post(f"/reviews/{finding}/claim"))
    granted(reviewer.post(f"/reviews/{finding}/claim"))
    refused(other.post(f"/reviews/{finding}/claim"), 409, "claimed")
    assert reviewer.id in str(in_queue(other, finding)["claimed_by"])


def test_an_accepted_one_leaves_the_open(device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    row = in_queue(reviewer, finding)
    granted(decided(reviewer, finding, "accept", row["version"], note="清楚"), 201)
    in_queue(reviewer, finding, "accepted")
    assert queued(reviewer, "open", finding) is None


def test_a_decision_on_an_older_version_is_refused(device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    row = in_queue(reviewer, finding)
    device.deliver(device.edit("finding", finding, row["version"], set={"text": "补充说明"}))
    refused(decided(reviewer, finding, "accept", row["version"]), 409, "version_changed")


def test_own_work_is_not_reviewed(bureau: Bureau) -> None:
    both = bureau.person("inspector", "reviewer", scopes=(SCOPE,))
    device = bureau.handheld(owner=both)
    finding, _, _ = photographed(device)
    row = in_queue(both, finding)
    refused(decided(both, finding, "accept", row["version"]), 403, "own_work")


def test_a_returned_one_makes_a_task_and_opens_again_with_new_evidence(device: Handheld, reviewer: Person) -> None:
    finding, evidence, _ = photographed(device)
    row = in_queue(reviewer, finding)
    granted(decided(reviewer, finding, "return", row["version"], reasons=["店招不清"], note="请重拍",
                    photos=[{"evidence_id": evidence, "reason": "店招未入镜"}]), 201)
    in_queue(reviewer, finding, "returned")

    def task() -> list[dict[str, Any]]:
        device.catch_up()
        return [row for (type, _), row in device.rows.items() if type == "task" and finding in str(row["fields"])]

    found = eventually(task, within_s=10)
    assert found, "a return makes a task for the inspector"
    assert evidence in str(found[0]["fields"]), "the task names the photos to take again"
    content = a_photo()
    device.deliver(device.capture(SCOPE, content, ("finding", finding)))
    device.upload(content)
    in_queue(reviewer, finding, "open")
    assert device.owner.record("evidence", evidence), "nothing is replaced"


@pytest.mark.parametrize(("decision", "state"), [("exclude", "excluded"), ("escalate", "escalated")])
def test_the_other_decisions_have_their_states(device: Handheld, reviewer: Person, decision: str, state: str) -> None:
    finding, evidence, _ = photographed(device)
    row = in_queue(reviewer, finding)
    granted(decided(reviewer, finding, decision, row["version"], reasons=["来源不明"], note="存疑",
                    photos=[{"evidence_id": evidence, "reason": "来源不明"}]), 201)
    in_queue(reviewer, finding, state)


@pytest.mark.parametrize("body", [
    {}, {"decision": "burn", "version": 1}, {"decision": "accept"}, {"decision": "accept", "version": "one"},
    {"decision": "accept", "version": 1, "photos": "all"}, {"decision": "accept", "version": 1, "reasons": 7}, [], "x"])
def test_a_decision_that_cannot_be_is_a_problem(device: Handheld, reviewer: Person, body: Any) -> None:
    finding, _, _ = photographed(device)
    refused(reviewer.http.post(reviewer.url(f"/reviews/{finding}/decisions"), json=body), (400, 422))


def test_what_is_not_in_the_queue_is_not_found(reviewer: Person) -> None:
    refused(reviewer.post(f"/reviews/{new_id()}/claim"), 404)
    refused(decided(reviewer, new_id(), "accept", 1), 404)
    refused(reviewer.get(f"/reviews/{new_id()}/bundle?profile=court"), 404)


def unpacked(answer: Any, directory: Path) -> Path:
    """The bag's root."""
    assert answer.status_code == 200, answer.text[:500]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bag:
        bag.extractall(directory)
    root, = (path.parent for path in directory.rglob("bagit.txt"))
    return root


def verdict(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", "verify.py"], cwd=root, capture_output=True, text=True, timeout=60)


def test_a_bundle_proves_itself_and_finds_a_replaced_photo(device: Handheld, reviewer: Person, tmp_path: Path) -> None:
    finding, _, content = photographed(device)
    in_queue(reviewer, finding)

    def bundle() -> Any:
        return reviewer.get(f"/reviews/{finding}/bundle?profile=court&reason=案卷")

    root = unpacked(bundle(), tmp_path / "sound")
    originals = [path for path in root.rglob("*") if path.is_file() and sha256(path.read_bytes()) == sha256(content)]
    assert originals, "the court's bundle holds the original"
    assert "BagIt-Version: 1.0" in (root / "bagit.txt").read_text()
    done = verdict(root)
    assert done.returncode == 0, done.stdout + done.stderr

    forged = a_photo()
    originals[0].write_bytes(forged)
    assert verdict(root).returncode == 1, "a photo was replaced"
    for manifest in root.glob("manifest-*.txt"):
        manifest.write_text(manifest.read_text().replace(sha256(content), sha256(forged)))
    for tags in root.glob("tagmanifest-*.txt"):
        names = [line.split(maxsplit=1)[1] for line in tags.read_text().splitlines()]
        tags.write_text("".join(f"{sha256((root / name).read_bytes())}  {name}\n" for name in names))
    assert verdict(root).returncode == 1, "a photo was replaced together with its manifests"


@pytest.mark.parametrize("profile", ["party", "public"])
def test_other_profiles_verify_too(device: Handheld, reviewer: Person, tmp_path: Path, profile: str) -> None:
    finding, _, _ = photographed(device)
    in_queue(reviewer, finding)
    done = verdict(unpacked(reviewer.get(f"/reviews/{finding}/bundle?profile={profile}&reason=案卷"), tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_unknown_profile_is_a_problem(device: Handheld, reviewer: Person) -> None:
    finding, _, _ = photographed(device)
    refused(reviewer.get(f"/reviews/{finding}/bundle?profile=press"), (400, 422))
