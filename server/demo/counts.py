"""Do the devices' own counts agree with what the server says? Each question is asked of both. Serves `server.demo`.

What devices know is read from their own files; what the server knows is asked through the API.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.demo import proofs
from server.demo.office import Office, Record, records
from server.demo.shift import Shift
from sync.device.device import Device
from sync.notes import verify_note

TYPES = {"finding": "问题", "evidence": "证据", "inspection": "检查", "enforcement": "执法记录", "letter": "责任书",
         "register_entry": "日常登记", "track": "轨迹"}
TAKEN = ("applied", "merged", "conflicted")


@dataclass(frozen=True)
class Check:
    """One question with both answers as they are shown."""

    chinese: str
    english: str
    devices: str
    server: str
    agrees: bool


@dataclass
class Ledger:
    """What the devices themselves counted."""

    last_n: dict[str, int] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    settled: Counter[tuple[str, str]] = field(default_factory=Counter)
    made: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in TYPES})
    conflicts: set[str] = field(default_factory=set)
    photos: dict[str, str] = field(default_factory=dict)
    photo_bytes: int = 0
    sent_bytes: int = 0


def ledger_of(shift: Shift) -> Ledger:
    """Count on the devices alone."""
    ledger = Ledger()
    deleted: set[str] = set()
    for patrol in shift.patrols:
        for n, mutation, outcome in mutations_of(patrol.device):
            ledger.last_n[patrol.device.id] = n
            first, last = outcome["outcome"], (outcome.get("settled") or outcome)["outcome"]
            ledger.outcomes[first] += 1
            if "settled" in outcome:
                ledger.settled[first, last] += 1
            ledger.conflicts.update(outcome["conflicts"])
            if last in TAKEN and mutation["op"] == "delete":
                deleted.add(mutation["record_id"])
            elif last in TAKEN and mutation["base"] == 0 and mutation.get("scope"):
                ledger.made[mutation["type"]].add(mutation["record_id"])
        photos = patrol.device.photos()
        ledger.photos |= {photo.sha256: photo.state for photo in photos}
        ledger.photo_bytes += sum(photo.bytes for photo in photos)
        ledger.sent_bytes += patrol.network.meter.photo_bytes
    ledger.made = {name: ids - deleted for name, ids in ledger.made.items()}
    return ledger


def mutations_of(device: Device) -> Iterator[tuple[int, Record, Record]]:
    """(n, mutation, outcome) of everything this device made, in order; the outcome with `settled` where it came."""
    for n, body, outcome, settled in device.store.run("SELECT n, body, outcome, settled FROM mutation ORDER BY made"):
        known = orjson.loads(outcome) if outcome else {"outcome": "unsent", "conflicts": []}
        yield n, orjson.loads(body), known | ({"settled": orjson.loads(settled)} if settled else {})


def compare(chinese: str, english: str, devices: Any, server: Any) -> Check:
    """A check that both are equal; collections are shown by their size."""
    return Check(chinese, english, _shown(devices), _shown(server), devices == server)


def all_checks(shift: Shift, office: Office, ledger: Ledger, morning_note: str) -> list[Check]:
    """Every question of the demonstration."""
    held = {name: {record["id"]: record for record in records(office.supervisor, name)} for name in
            (*TYPES, "conflict")}
    return [*_arrived(office, ledger, held), *_photos(office, ledger, held["evidence"]),
            *_together(shift, office, held), *_proven(shift, office, morning_note)]


def _arrived(office: Office, ledger: Ledger, held: Mapping[str, Mapping[str, Record]]) -> Iterator[Check]:
    last_n = {device["id"]: device["last_n"] for device in office.supervisor.get("/devices")["items"]}
    yield Check("变更已全部送达", "mutations delivered", _shown(sum(ledger.last_n.values())),
                _shown(sum(last_n.values())), ledger.last_n == last_n)
    for name, chinese in TYPES.items():
        yield compare(chinese, f"{name} records", ledger.made[name], set(held[name]))
    yield compare("冲突", "conflicts", ledger.conflicts, set(held["conflict"]))
    yield compare("隔离区已清空", "left in quarantine", 0, len(office.supervisor.get("/quarantine")["items"]))


def _photos(office: Office, ledger: Ledger, evidence: Mapping[str, Record]) -> Iterator[Check]:
    media = {record["fields"]["sha256"]: record["fields"]["media"]["state"] for record in evidence.values()}
    yield compare("照片状态一致", "photos and their states", ledger.photos, media)
    kept = {digest for digest, state in ledger.photos.items() if state != "refused"}
    yield compare("原图逐字节取回", "originals come back byte for byte", kept,
                  {digest for digest in kept if _original_digest(office, digest) == digest})
    ends = [record["fields"]["bracket"] for record in evidence.values()]
    framed = [end for end in ends if end["not_before"] and end["not_before"] <= end["not_after"]]
    yield compare("拍摄时间有日志夹证", "photos framed by the journal", len(ends), len(framed))
    chained = {flag["code"] for record in evidence.values() for flag in record["fields"].get("flags") or ()} & {
        "chain_gap", "chain_fork", "signature_invalid", "unsigned"}
    yield compare("拍摄链无缺口、签名有效", "breaks in the capture chains", 0, len(chained))


def _together(shift: Shift, office: Office, held: Mapping[str, Mapping[str, Record]]) -> Iterator[Check]:
    met, findings = shift.met, held["finding"]
    both = findings[met["fields"]]["fields"]
    yield compare("两人改不同字段,都在", "both edits of different fields stand",
                  ("货物摆出门外约两米,已拍照", "d1"), (both["text"], both["condition"]))
    yield compare("两人加的标签都在", "both added tags stand", {"夜间", "屡次"},
                  set(findings[met["tags"]]["fields"]["tags"]))
    yield compare("清单由两人答完", "a checklist answered by two", 12,
                  len(held["inspection"][met["answers"]]["fields"]["answers"]))
    twins = met["twin"], met["other twin"]
    yield compare("重复上报互相指认", "double reports name each other", set(twins),
                  {other for twin in twins for other in findings[twin]["fields"]["duplicates"]})
    yield compare("已裁决的冲突", "resolved conflicts", {met["resolved"]}, {
        each["id"] for each in held["conflict"].values() if each["fields"]["state"] == "resolved"})
    stood = {finding: shop.zone_id for patrol in shift.patrols for finding, shop in patrol.stood_at.items()}
    tied = {each["id"]: each["fields"]["zone"]["zone_id"] for each in findings.values()
            if (each["fields"].get("zone") or {}).get("decision") == "certain"}
    yield compare("确定归属的即所站之处", "certain ones lie where the inspector stood",
                  {finding: stood[finding] for finding in tied}, tied)


def _proven(shift: Shift, office: Office, morning_note: str) -> Iterator[Check]:
    yield compare("抽查样本按证明重抽", "sample drawn again from its proof", proofs.drawn_again(office.proof),
                  proofs.sample_of(office.proof))
    key, note = office.admin.get("/journal/key").strip(), office.admin.get("/journal/checkpoint")
    old, new = verify_note(morning_note, key), verify_note(note, key)
    entries: list[Record] = []
    while len(entries) < new.size:
        entries += office.admin.get("/journal/entries", {"from": len(entries), "limit": 1000})["entries"]
    yield Check("日志根由条目重算", "journal root from its entries", f"{new.size:,}", new.root.hex()[:16],
                proofs.root_matches(new, entries))
    path = office.admin.get("/journal/consistency", {"from": old.size, "to": new.size})["hashes"]
    yield Check("晨间检查点仍在其中", "holds the morning's checkpoint", f"{old.size:,}", f"{new.size:,}",
                proofs.extends(morning_note, note, key, path))
    for patrol in shift.patrols:
        patrol.device.pull()
        yield compare(f"{patrol.person.username} 逐行核对", "device and server hold the same rows", [],
                      patrol.device.verify())


def _original_digest(office: Office, digest: str) -> str:
    answer = office.supervisor.request("GET", f"/media/{digest}", params={"reason": "演示核对 demonstration"})
    return hashlib.sha256(answer.content).hexdigest()


def _shown(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Collection) and not isinstance(value, str):
        return f"{len(value):,}"
    return str(value)
