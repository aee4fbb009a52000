"""The history of a bundle held against the journal: each version is committed to there, and they add up to the records.

Part of the program that a bundle carries.
"""

from __future__ import annotations

import json
from typing import Any

from media.bundle.log import sha256
from media.bundle.telling import Bag, Entry, Report

HISTORY = "data/history.jsonl"
MAPS = ("answers", "duties")  # fields that merge by key, so that a change may be of one part


class Standing:
    """What the versions of one record add up to; `unsure` are fields of which not every change is in the bag."""

    def __init__(self) -> None:
        self.version = 0
        self.fields: dict[str, Any] = {}
        self.unsure: set[str] = set()

    def put(self, op: str, changed: dict[str, Any]) -> None:
        """Apply the changes of a version, a unit at a time: a field, a part of one, or several that merge as one."""
        for unit, change in changed.items():
            value, (name, dot, part) = change["to"], unit.partition(".")
            if unit == "@scope" or (op == "delete" and unit == "deleted"):
                continue
            if dot and name in MAPS and isinstance(self.fields.get(name, {}), dict):
                self.fields[name] = {key: one for key, one in {**self.fields.get(name, {}), part: value}.items()
                                     if one is not None}
            elif dot or (change["from"] == [] and self.fields.get(name)):
                self.unsure.update((name, unit))
            elif unit == "classification":
                self.fields.update(value or dict.fromkeys(change["from"]))
            else:
                self.fields[unit] = value


def check_history(bag: Bag, report: Report) -> None:
    """Every version of every record, in order and complete, against the journal's entry of its change."""
    before, withheld, versions, erased = report.failures, 0, 0, 0
    changes = {(entry.about, entry.body["version"]): entry for entry in bag.entries.values() if entry.kind == "change"}
    standing: dict[str, Standing] = {record["id"]: Standing() for record in bag.case()["records"]}
    for number, line in enumerate(bag.lines(HISTORY), 1):
        with report.reading(f"{HISTORY}:{number}"):
            told = json.loads(line)
            where, versions = f"{HISTORY}:{number} ({told['record_id']} v{told['version']})", versions + 1
            stands = standing[told["record_id"]]
            if told["version"] != stands.version + 1:
                report.wrong(f"{where} 缺少前一版本", f"{where} does not follow version {stands.version}")
            stands.version = told["version"]
            erased += bool(told.get("erased"))
            entry = changes.pop((told["record_id"], told["version"]), None)
            if entry is None:
                report.wrong(f"{where} 不在日志中", f"{where} has no entry in the journal")
            else:
                withheld += _check_version(report, where, told, entry, stands)
    for record_id, version in changes:
        if record_id in standing:
            report.wrong(f"{HISTORY} 缺少 {record_id} 第 {version} 版,日志中有",
                         f"{HISTORY} lacks version {version} of {record_id}, which the journal has")
    for record in bag.case()["records"]:
        _check_record(report, record, standing[record["id"]])
    opened = versions - withheld
    report.group(before, f"经过:{versions} 个版本一个不缺,其中 {opened} 个与日志的承诺相符,各记录由此推得",
                 f"History: all {versions} versions that the journal has, {opened} of them opening its commitments, "
                 "and the records follow from these")
    if erased:
        report.note(f"{erased} 个版本中的个人信息已依法删除,只有其承诺",
                    f"values of {erased} versions were lawfully erased: the journal has their commitments alone")
    if withheld > erased:
        report.note(f"{withheld - erased} 个版本含不予公开的内容,只有其承诺:所示内容仅由导出条目证明",
                    f"{withheld - erased} versions hold withheld values: what is shown of them rests on the export "
                    "alone")


def _check_version(report: Report, where: str, told: dict[str, Any], entry: Entry, stands: Standing) -> int:
    """Hold a version against its entry; 1 for a withheld one."""
    said = (entry.at, entry.actor, entry.body["op"], entry.body["type"], entry.body.get("device_id"))
    if said != (told["at"], told["actor"], told["op"], told["type"], told.get("device_id")):
        report.wrong(f"{where} 的时间、人员或操作与日志不符", f"{where}: when, who or what is not as in the journal")
    if "changed" not in told:
        stands.unsure.update(unit.partition(".")[0] for unit in entry.body["changed"])
        if "classification" in entry.body["changed"]:
            stands.unsure.update(("class_scheme", "class_code", "severity"))
        return 1
    if sha256(bytes.fromhex(told["salt"]) + told["changed"].encode()).hex() != entry.body["commitment"]:
        report.wrong(f"{where} 的内容与日志中的承诺不符", f"{where} is not what the journal is committed to")
    stands.put(told["op"], json.loads(told["changed"]))
    return 0


def _check_record(report: Report, record: dict[str, Any], stands: Standing) -> None:
    """Does the record say what its versions add up to?"""
    where = f"data/case.json ({record['type']} {record['id']})"
    if record["version"] != stands.version:
        report.wrong(f"{where} 的版本与经过不符", f"{where} is at version {record['version']}, its history ends at "
                                                  f"{stands.version}")
    told, unsure = record["fields"], stands.unsure | {path.partition(".")[0] for path in record["withheld"]}
    altered = [name for name in sorted({*told, *stands.fields} - unsure) if told.get(name) != stands.fields.get(name)]
    if altered:
        report.wrong(f"{where} 的 {'、'.join(altered)} 与经过不符",
                     f"{where}: {', '.join(altered)} does not follow from the history")
