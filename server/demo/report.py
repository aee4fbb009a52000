"""The tables at the end of the shift: what arrived, merged, conflicted, which zones, what the office did.

Serves `server.demo`; prints through `telling` and asks the server through the office's clients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from server.demo.counts import TYPES, Check, Ledger
from server.demo.office import Office, Record, records
from server.demo.shift import Shift
from server.demo.telling import CROSS, TICK, Telling, megabytes, shortened
from sync.notes import read_checkpoint

OUTCOMES = {"applied": "照做 as sent", "merged": "合并 others' fields kept", "conflicted": "冲突 both values kept",
            "held": "等待所指记录 waits for its record", "quarantined": "隔离 kept whole, not applied"}
FAULTS = {"lose_request": "请求丢失 request lost", "lose_answer": "应答丢失 answer lost",
          "duplicate": "重复送达 sent twice", "cut": "传输中断 cut",
          "cut in a photo": "照片传到一半中断 cut in the middle of a photo"}
DECISIONS = {"certain": "确定", "probable": "很可能", "ambiguous": "不明,待人认定", "none": "不在任何责任区"}
VALUE_COLUMNS = 36


def tell_arrivals(telling: Telling, shift: Shift, ledger: Ledger) -> None:
    """Mutations by outcome, records by type, photos and what the bad network cost."""
    telling.table("送达", "What arrived", ("结果 outcome", "变更 mutations", "含义 meaning", "后来 later"),
                  [(name, ledger.outcomes[name], meaning, _later(ledger, name)) for name, meaning in OUTCOMES.items()])
    made = ", ".join(f"{name} {len(ledger.made[name])}" for name in TYPES)
    telling.fact(f"记录 records: {made}")
    states = ", ".join(f"{state} {count}" for state, count in Counter(ledger.photos.values()).items())
    telling.fact(f"照片 photos: {len(ledger.photos)} ({states}), {megabytes(ledger.photo_bytes)}; "
                 f"重复发送 sent twice: {megabytes(ledger.sent_bytes - ledger.photo_bytes)}")
    troubles: Counter[str] = sum((patrol.network.troubles() for patrol in shift.patrols), Counter())
    telling.fact("网络 network: " + ", ".join(f"{FAULTS[name]} × {count}" for name, count in troubles.most_common()))


def tell_together(telling: Telling, shift: Shift, office: Office) -> None:
    """What two people did to the same records."""
    met, findings = shift.met, _by_id(office, "finding")
    twin = findings[met["twin"]]["fields"]
    rows = [("问题 finding", "一人改描述,一人改立案条件 text / condition", "两处都在 both stand"),
            ("问题 finding", "各加一个标签 a tag each", "、".join(findings[met["tags"]]["fields"]["tags"])),
            ("检查 inspection", "各答一半清单 half of the checklist each", "12 / 12"),
            ("问题 finding", "两人报同一事 the same thing twice", f"互相指认 named: {len(twin['duplicates'])}")]
    telling.table("合并", "What merged", ("记录 record", "离线时 while apart", "结果 result"), rows)
    conflicts = records(office.supervisor, "conflict")
    telling.table("冲突", "What conflicted", ("字段 field", "原在 theirs", "送来 mine", "暂取 wins", "状态 state"),
                  [(each["field"], _value(each.get("theirs")), _value(each.get("mine")), each["winner"], each["state"])
                   for each in (conflict["fields"] for conflict in conflicts)])


def tell_zones(telling: Telling, office: Office) -> None:
    """How findings were tied to frontage zones."""
    found: Counter[tuple[str, str]] = Counter()
    for finding in records(office.supervisor, "finding"):
        zone = finding["fields"].get("zone")
        found[(zone["method"], zone["decision"]) if zone else ("-", "只有地址 address only")] += 1
    telling.table("责任区归属", "How findings were tied to zones", ("方式 method", "判定 decision", "问题 findings"),
                  [(method, f"{DECISIONS.get(decision, '')} {decision}".strip(), count)
                   for (method, decision), count in sorted(found.items())])


def tell_office(telling: Telling, office: Office) -> None:
    """Quarantine, review and the spot check."""
    telling.table("办公室", "The office", ("谁 who", "做了什么", "what they did"), office.done)
    check, report = office.spot_check, office.report
    telling.fact(f"抽查 spot check: {report['drawn']}/{check['frame_size']} 条, 有异议 disputed {report['disputed']}, "
                 f"比例 rate {report['rate']:.0%}, 95% 区间 interval {report['ci_low']:.0%}-{report['ci_high']:.0%}")
    head = read_checkpoint(office.admin.get("/journal/checkpoint"))
    telling.fact(f"日志 journal: {head.size:,} 条 entries, 根 root {head.root.hex()}")


def tell_checks(telling: Telling, checks: list[Check]) -> bool:
    """Print the checks, each with a tick or cross; true when all agree."""
    telling.table("核对", "Do the counts agree?", ("", "问题", "question", "设备 devices", "服务器 server"),
                  [(TICK if each.agrees else CROSS, each.chinese, each.english, each.devices, each.server)
                   for each in checks])
    wrong = sum(not each.agrees for each in checks)
    telling.say()
    telling.say(f"{CROSS} {wrong} 处不符 do not agree" if wrong else f"{TICK} {len(checks)} 项全部相符 all agree")
    return not wrong


def _later(ledger: Ledger, outcome: str) -> str:
    """What became of held and quarantined mutations."""
    return ", ".join(f"{last} {count}" for (first, last), count in ledger.settled.items() if first == outcome)


def _by_id(office: Office, record_type: str) -> dict[str, Record]:
    return {record["id"]: record for record in records(office.supervisor, record_type)}


def _value(value: Any) -> str:
    """A value of a conflict on one line."""
    if value is True:
        return "删除 deleted"
    if isinstance(value, Mapping):
        value = " ".join(str(part) for part in value.values() if part is not None)
    return shortened(str(value), VALUE_COLUMNS)
