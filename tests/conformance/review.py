"""Section 10: the queue, claims, decisions, what a return brings about, bundles that check themselves."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import httpx

from tests.conformance.checks import must, must_be, must_have, subject
from tests.conformance.device import Device
from tests.conformance.media import media_of, upload
from tests.conformance.office import Office, Person
from tests.conformance.pictures import a_photo
from tests.conformance.wire import Parts, refused, sha256

holds = subject("review", "10")
ENTERED_WITHIN_S = 10
TASK_WITHIN_S = 10
NAMES, TAGS = "manifest-sha256.txt", "tagmanifest-sha256.txt"


def photographed(device: Device, content: bytes | None = None) -> tuple[str, str]:
    """(finding, evidence): a finding of which the device took a photo, whose bytes are still to come."""
    finding = device.report()
    capture = device.capture(content or a_photo(), finding)
    device.give(capture)
    return finding, capture["record_id"]


def queue(reader: Person, state: str = "open", limit: int = 50) -> list[Parts]:
    """All pages of the queue in the reader's first scope."""
    found: list[Parts] = []
    cursor = None
    while True:
        answer = reader.get("/reviews", state=state, scope=reader.user["scopes"][0], limit=limit, cursor=cursor)
        must_be(answer.status_code, 200, "status of the queue")
        page = answer.json()
        must_have(page, "items next", "the queue")
        must(len(page["items"]) <= limit, "at most limit items", len(page["items"]))
        found += page["items"]
        cursor = page["next"]
        if not cursor:
            return found


def queued(reader: Person, record: str, state: str = "open") -> Parts:
    """The record's row in the queue of that state, once it is there."""
    def look() -> Parts | None:
        return next((row for row in queue(reader, state) if row["record_id"] == record), None)

    row = reader.until(look, within_s=ENTERED_WITHIN_S)
    must(row is not None, f"the record among the {state}", None)
    found: Parts = row
    must_be(found["state"], state, "state")
    return found


def decided(reviewer: Person, row: Parts, decision: str, **more: Any) -> httpx.Response:
    body = {"decision": decision, "version": row["version"], "reasons": [], "note": "", "photos": [], **more}
    return reviewer.post(f"/reviews/{row['record_id']}/decisions", body)


@holds("{items: [{record_type, record_id, version, state, risk, flags, due_at, claimed_by}], next}")
def a_finding_with_evidence_enters_the_queue(office: Office) -> None:
    finding, _ = photographed(office.device())
    row = queued(office.person("reviewer"), finding)
    must_have(row, "record_type record_id version state risk flags due_at claimed_by", "a row of the queue")
    must_be((row["record_type"], row["version"], row["claimed_by"]), ("finding", 1, None), "type, version, claimed_by")


@holds("riskiest and oldest first")
def the_queue_is_riskiest_and_oldest_first(office: Office) -> None:
    device, reviewer = office.device(), office.person("reviewer")
    first, second = photographed(device)[0], photographed(device)[0]
    for record in (first, second):
        queued(reviewer, record)
    for limit in (2, 50):  # in pages of two a page's own order may not show
        rows = queue(reviewer, limit=limit)
        risks = [row["risk"] for row in rows]
        must_be(risks, sorted(risks, reverse=True), "risks")
        mine = {row["record_id"]: row["risk"] for row in rows if row["record_id"] in (first, second)}
        wanted = [second, first] if mine[second] > mine[first] else [first, second]
        must_be(list(mine), wanted, "the order of two findings")


@holds("GET /reviews?state=open|returned|accepted|excluded|escalated&scope=&limit=&cursor= (reviewer)")
def the_queue_is_for_reviewers_in_scope(office: Office) -> None:
    device, stranger = office.device(), office.person("reviewer", scopes=(office.elsewhere,))
    finding, _ = photographed(device)
    row = queued(office.person("reviewer"), finding)
    refused(device.owner.get("/reviews", state="open"), 403)
    must(all(each["record_id"] != finding for each in queue(stranger)), "no row of another scope", finding)
    refused(stranger.post(f"/reviews/{finding}/claim"), (403, 404))
    refused(decided(stranger, row, "accept"), (403, 404))
    refused(stranger.get(f"/reviews/{finding}/bundle", profile="court"), (403, 404))


@holds("POST /reviews/{record_id}/claim → 200, a lease of 15 minutes; 409 claimed")
def a_claim_is_a_lease_of_one(office: Office) -> None:
    reviewer, other = office.person("reviewer"), office.person("reviewer", who="another")
    finding, _ = photographed(office.device())
    row = queued(reviewer, finding)
    must_be(reviewer.post(f"/reviews/{finding}/claim").status_code, 200, "status of a claim")
    refused(other.post(f"/reviews/{finding}/claim"), 409, "claimed")
    must_be(reviewer.post(f"/reviews/{finding}/claim").status_code, 200, "status of one's own claim again")
    must(reviewer.id in str(queued(other, finding)["claimed_by"]), "who claimed it", queued(other, finding))
    must_be(decided(reviewer, row, "accept").status_code, 201, "status of the decision of the one who claimed")


@holds("POST /reviews/{record_id}/decisions {decision: \"accept\" | \"return\" | \"exclude\" | \"escalate\", version, "
       "reasons: [], note, photos: [{evidence_id, reason}]} → 201")
def each_decision_has_its_state(office: Office) -> None:
    device, reviewer = office.device(), office.person("reviewer")
    for decision, state in (("accept", "accepted"), ("return", "returned"), ("exclude", "excluded"),
                            ("escalate", "escalated")):
        finding, evidence = photographed(device)
        photos = [] if decision == "accept" else [{"evidence_id": evidence, "reason": "不清"}]
        answer = decided(reviewer, queued(reviewer, finding), decision, reasons=["不清"], note="请看", photos=photos)
        must_be(answer.status_code, 201, f"status of {decision}")
        queued(reviewer, finding, state)
        must(all(row["record_id"] != finding for row in queue(reviewer)), "no longer among the open", finding)


@holds("409 version_changed")
def a_decision_is_on_the_version_that_was_looked_at(office: Office) -> None:
    device, reviewer = office.device(), office.person("reviewer")
    finding, _ = photographed(device)
    row = queued(reviewer, finding)
    device.give(device.edit("finding", finding, row["version"], set={"text": "补充说明"}))
    refused(decided(reviewer, row, "accept"), 409, "version_changed")
    must_be(decided(reviewer, queued(reviewer, finding), "accept").status_code, 201, "status on the newest version")


@holds("403 own_work for the one who captured it")
def own_work_is_not_reviewed(office: Office) -> None:
    both = office.person("inspector", "reviewer")
    finding, _ = photographed(office.device(owner=both))
    refused(decided(both, queued(both, finding), "accept"), 403, "own_work")


@holds("A return makes a task for the inspector that names the photos to take again")
def a_return_makes_a_task_that_names_the_photos(office: Office) -> None:
    device, reviewer = office.device(), office.person("reviewer")
    finding, evidence = photographed(device)
    photos = [{"evidence_id": evidence, "reason": "店招未入镜"}]
    answer = decided(reviewer, queued(reviewer, finding), "return", reasons=["店招不清"], note="请重拍", photos=photos)
    must_be(answer.status_code, 201, "status of a return")

    def task() -> Parts | None:
        device.catch_up()
        return next((row["fields"] for (type, _), row in device.rows.items()
                     if type == "task" and (row["fields"].get("about") or {}).get("id") == finding), None)

    fields = device.until(task, within_s=TASK_WITHIN_S)
    must(fields is not None, "a task about the finding in the inspector's next pull", None)
    must_be(fields["assignee"], device.user["id"], "assignee")
    must(evidence in str(fields), "the photo to take again in the task", fields)


@holds("a returned one opens again when new evidence arrives.")
def a_returned_one_opens_again_with_new_evidence(office: Office) -> None:
    device, reviewer = office.device(), office.person("reviewer")
    finding, evidence = photographed(device)
    must_be(decided(reviewer, queued(reviewer, finding), "return", reasons=["不清"]).status_code, 201, "status")
    queued(reviewer, finding, "returned")
    before = device.owner.record("evidence", evidence)
    device.give(device.capture(a_photo(), finding))
    queued(reviewer, finding)
    must_be(device.owner.record("evidence", evidence), before, "the first evidence record")


def bundle_of(office: Office, content: bytes, profile: str) -> bytes:
    """The zip of a case with this photo."""
    device, reviewer = office.device(), office.person("reviewer")
    finding, evidence = photographed(device, content)
    must_be(upload(device, content).status_code, 204, "status of the last PATCH")
    media_of(device, evidence, "verified")
    queued(reviewer, finding)
    answer = reviewer.get(f"/reviews/{finding}/bundle", profile=profile)
    must_be(answer.status_code, 200, f"status of a {profile} bundle")
    return answer.content


def unpacked(content: bytes, place: str) -> Path:
    """The root of the bag: where `bagit.txt` lies."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(place)
    found = list(Path(place).rglob("bagit.txt"))
    must(len(found) == 1, "one bag in the zip", found)
    return found[0].parent


def verified(root: Path) -> int:
    """The exit status of the bag's own check, without anything of a server."""
    return subprocess.run([sys.executable, "-I", "verify.py"], cwd=root, capture_output=True, check=False,
                          timeout=300).returncode


@holds("a BagIt 1.0 zip whose verify.py (python3 -I verify.py, in the bag's root) checks it without this server")
def a_bundle_of_each_profile_checks_itself(office: Office) -> None:
    for profile in ("court", "party", "public"):
        with tempfile.TemporaryDirectory() as place:
            root = unpacked(bundle_of(office, a_photo(), profile), place)
            must("1.0" in (root / "bagit.txt").read_text(), "BagIt-Version: 1.0", (root / "bagit.txt").read_text())
            must_be(verified(root), 0, f"exit status of verify.py of a {profile} bundle")


@holds("a photo replaced together with its manifests is found. Exit 0 or 1.")
def a_photo_replaced_with_its_manifests_is_found(office: Office) -> None:
    content, other = a_photo(), a_photo()
    with tempfile.TemporaryDirectory() as place:
        root = unpacked(bundle_of(office, content, "court"), place)
        names = (root / NAMES).read_text()
        for line in names.splitlines():
            digest, name = line.split(maxsplit=1)
            if digest == sha256(content):
                (root / name).write_bytes(other)
        old = sha256((root / NAMES).read_bytes())
        (root / NAMES).write_text(names.replace(sha256(content), sha256(other)))
        tags = (root / TAGS).read_text()
        must(old in tags and sha256(content) in names, "the original in the manifest, the manifest in the tag manifest",
             names)
        (root / TAGS).write_text(tags.replace(old, sha256((root / NAMES).read_bytes())))
        must_be(verified(root), 1, "exit status of verify.py")


@holds("GET /reviews/{record_id}/bundle?profile=court|party|public")
def a_bundle_of_no_known_profile_is_refused(office: Office) -> None:
    reviewer = office.person("reviewer")
    finding, _ = photographed(office.device())
    queued(reviewer, finding)
    refused(reviewer.get(f"/reviews/{finding}/bundle", profile="press"), 422)
