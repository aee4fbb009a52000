"""What the office makes of a shift: reviews, conflicts, quarantine, dispatch, a spot check. Serves `server.demo`.

All through the API, as the pages and other systems do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from schemas.values import stamp
from server.demo.patrol import Patrol, now
from server.demo.people import UNIT, Person, logged_in
from server.demo.shift import Shift
from server.demo.town import SCOPE
from sync.device.client import Client, Problem

SAMPLE = 5
CONFIRMED = {"verdict": "confirmed", "values": {}, "note": "现场属实"}
DISPUTED = {"verdict": "disputed", "values": {"class_code": "0507"}, "note": "现场看到的是另一类"}
Record = dict[str, Any]


@dataclass
class Office:
    """The people indoors, logged in, and what they did: (who, Chinese, English)."""

    admin: Client
    supervisor: Client
    reviewers: list[Client]
    done: list[tuple[str, str, str]] = field(default_factory=list)
    spot_check: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, url: str, people: list[Person]) -> Office:
        """Log everybody in."""
        clients = {person.username: logged_in(url, person) for person in people if person.role != "inspector"}
        return cls(clients["admin"], clients["supervisor"], [clients["reviewer1"], clients["reviewer2"]])

    def note(self, who: str, chinese: str, english: str) -> None:
        """Remember what somebody did."""
        self.done.append((who, chinese, english))


def records(client: Client, record_type: str) -> list[Record]:
    """All records of a type that this person may see."""
    return list(_pages(client, "/records", {"type": record_type, "limit": 500, "sort": "seq"}))


def review_queue(client: Client, state: str = "open") -> list[Record]:
    """The review queue, riskiest first."""
    return list(_pages(client, "/reviews", {"state": state, "scope": SCOPE, "limit": 200}))


def _pages(client: Client, path: str, asked: dict[str, Any]) -> Iterator[Record]:
    cursor = None
    while True:
        page = client.get(path, {**asked, "cursor": cursor})
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def review(office: Office, shift: Shift) -> None:
    """One reviewer accepts a finding that the other may not take meanwhile; that one returns a photo used twice."""
    first, second = office.reviewers
    queue = [row for row in review_queue(first) if row["record_type"] == "finding"]
    sound = next(row for row in queue if row["record_id"] == shift.met["fields"])
    first.post(f"/reviews/{sound['record_id']}/claim")
    try:
        second.post(f"/reviews/{sound['record_id']}/claim")
    except Problem as problem:
        office.note("reviewer2", f"认领同一条被拒:{problem.code}", "may not claim what a colleague holds")
    _decide(first, sound, "accept", note="照片清楚,事实成立")
    office.note("reviewer1", "认领并通过一条", "claims and accepts a finding")
    reused = next(row for row in queue if row["record_id"] == shift.met["reused"])
    flag = next(flag for flag in reused["flags"] if flag["code"] == "reused_exact")
    reason = "同一张照片用于两处,请到现场重拍"
    second.post(f"/reviews/{reused['record_id']}/claim")
    _decide(second, reused, "return", reasons=[reason],
            photos=[{"evidence_id": flag["evidence_id"], "reason": reason}])
    office.note("reviewer2", "退回一条:照片重复使用", "returns one whose photo was used twice")


def retake(office: Office, shift: Shift) -> None:
    """The task of the return has reached the handheld: accept it, photograph again, finish; the ambiguous zone too."""
    patrol, finding = shift.patrols[2], shift.met["reused"]
    patrol.device.sync()
    task = next(task for task in patrol.device.records("task") if task.fields["about"]["id"] == finding)
    patrol.device.command("task", task.id, "accept", expect={"status": "open"})
    evidence = patrol.photograph(("finding", finding), patrol.stood_at[finding], "goods", "scene")
    patrol.device.command("task", task.id, "finish", {"evidence_id": evidence})
    shift.met["retaken"], shift.met["task"] = evidence, task.id
    office.note("inspector3", "手持机收到任务,重拍并完成", "gets the task, photographs again, finishes it")
    choose_zone(office, shift.patrols[1], shift.met["ambiguous"])


def choose_zone(office: Office, patrol: Patrol, finding: str) -> None:
    """The finder says in which zone an ambiguous finding lies."""
    patrol.device.sync()
    patrol.device.command("finding", finding, "choose_zone", {"zone_id": patrol.stood_at[finding].zone_id})
    office.note("inspector2", "为位置不明的一条认定责任区", "chooses the zone of an ambiguous finding")


def accept_retaken(office: Office, shift: Shift) -> None:
    """With the new photo the finding is open for review again."""
    reopened = next(row for row in review_queue(office.reviewers[1]) if row["record_id"] == shift.met["reused"])
    _decide(office.reviewers[1], reopened, "accept", note="重拍照片有效")
    office.note("reviewer2", "复审通过重拍的一条", "accepts the finding with its new photo")


def settle(office: Office, shift: Shift) -> None:
    """The supervisor resolves a conflict, releases what was quarantined, files and dispatches a finding."""
    boss, met = office.supervisor, shift.met
    conflict = next(each for each in records(boss, "conflict")
                    if each["fields"]["record_id"] == met["text"] and each["fields"]["state"] == "open")
    boss.post(f"/records/conflict/{conflict['id']}/commands", {"name": "resolve", "args": {
        "choice": "value", "value": "原有两袋垃圾,已清;地面有油污"}})
    met["resolved"] = conflict["id"]
    office.note("supervisor", "裁决一处冲突,两人所写都保留", "resolves a conflict with a text of both")
    entry = next(entry for entry in boss.get("/quarantine")["items"]
                 if entry["mutation"]["record_id"] == met["broken"])
    position = {**entry["mutation"]["set"]["position"], "crs": "EPSG:4326"}
    boss.post(f"/quarantine/{entry['id']}/release", {"set": {"position": position}})
    office.note("supervisor", f"补上坐标系,放行隔离的一条({entry['reason']})",
                "releases the quarantined finding with its crs put in")
    path = f"/records/finding/{met['fields']}/commands"
    boss.post(path, {"name": "file", "args": {"condition": "d1"}, "expect": {"status": "reported"}})
    filed = boss.post(path, {"name": "dispatch", "args": {"unit": UNIT}, "expect": {"status": "filed"}})
    due = filed["record"]["fields"].get("due_at")
    office.note("supervisor", f"立案并派遣,时限 {due}", "files and dispatches a finding, its limit runs")


def spot_check(office: Office) -> None:
    """Freeze, draw, judge blind: one of the sample is disputed."""
    boss, at = office.supervisor, now()
    frozen = boss.post("/spot-checks", {
        "title": "演示抽查 demonstration", "strata": ["inspector_id"], "size": SAMPLE, "frame": {
            "type": "finding", "from": stamp(at - timedelta(hours=12)), "to": stamp(at + timedelta(minutes=1)),
            "scopes": [SCOPE]}})
    drawn = boss.post(f"/spot-checks/{frozen['id']}/draw")
    office.spot_check = frozen
    office.note("supervisor", f"冻结 {frozen['frame_size']} 条,抽取 {len(drawn['sample'])} 条",
                "freezes the frame and draws the sample")
    judges = [boss, *office.reviewers]
    for number, row in enumerate(drawn["sample"]):
        judges[number % len(judges)].post(f"/spot-checks/{frozen['id']}/samples/{row['record_id']}/verdict",
                                          DISPUTED if number == 1 else CONFIRMED)
    office.note("supervisor, reviewers", "盲评抽样,一条有异议", "judge the sample blind; one is disputed")
    office.proof = boss.get(f"/spot-checks/{frozen['id']}/proof")
    office.report = boss.get(f"/spot-checks/{frozen['id']}/report")


def _decide(reviewer: Client, row: Record, decision: str, **more: Any) -> None:
    reviewer.post(f"/reviews/{row['record_id']}/decisions",
                  {"decision": decision, "version": row["version"], "reasons": [], "note": "", "photos": [], **more})
