"""The document of a bundle, case.pdf: what it says, as blocks that media/bundle/document.py sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from markupsafe import Markup

from server.bundles.reading import HOW, Reading
from server.pages.lookups import class_name, name_of, scope_name, title_of, type_name
from server.pages.values import value_of
from server.pages.words import beijing, word

PRINTED_VERSIONS = 400  # of one record; the rest is in history.jsonl
UNSIGNED = ("本文件未经签名,证明力来自日志与 verify.py。",
            "This document is signed by nobody: what proves it are the journal and verify.py.")
CUSTODY = ["时间 Time", "环节 Step", "经手 By", "照片或记录 About", "日志 No."]


def write_story(target: Path, reading: Reading, pictures: Mapping[str, str], digests: Mapping[str, str]) -> None:
    """The document as media/bundle/document.py takes it; `pictures` are the shown copies on the disk, by path."""
    told, root = reading.told, reading.root
    title = f"证据材料 Evidence · {said(title_of(root['type'], root['fields']))}"
    target.write_bytes(orjson.dumps({
        "title": title, "at": told["exported_at"], "foot": f"Menqian 门前 · {told['origin']} · {told['bundle']}",
        "blocks": [{"title": title, "text": said(word("profile", told["profile"]))},
                   *_blocks(reading, pictures, digests)]}))


def _blocks(reading: Reading, pictures: Mapping[str, str], digests: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    told = reading.told
    exported = f"{beijing(told['exported_at'])} 北京时间 UTC+8 · {name_of(told['exported_by'])}"
    yield {"facts": [["导出 Exported", exported], ["证据包 Bundle", told["bundle"]], ["日志 Journal", told["origin"]]]}
    yield {"heading": "如何核验 How to verify"}
    yield {"lines": [*HOW, *UNSIGNED]}
    for record in reading.records.values():
        if record["type"] != "evidence":
            yield {"heading": f"{said(type_name(record['type']))} · {said(title_of(record['type'], record['fields']))}"}
            yield {"facts": _facts(reading, record)}
    yield {"heading": "照片 Photos", "room": 140}
    for record, photo in reading.evidence():
        facts = _photo_facts(record, photo)
        yield {"photo": pictures[photo["shown"]], "facts": facts} if photo["shown"] in pictures else {"facts": facts}
    yield {"heading": "保管链 Custody"}
    yield {"table": {"head": CUSTODY, "widths": [34, 44, 36, 44, 16], "rows": [
        [beijing(one["at"]), said(word("custody", one["step"])), name_of(one["by"]), _about(reading, one),
         "—" if one.get("index") is None else str(one["index"])] for one in told["custody"]]}}
    for record, sentences in reading.chapters():
        yield {"heading": f"经过 History · {said(type_name(record['type']))} {record['id'][-12:]}"}
        yield {"lines": [_line(one) for one in islice(sentences, PRINTED_VERSIONS)]}
        if record["version"] > PRINTED_VERSIONS:
            yield {"text": f"其余见 data/history.jsonl (共 {record['version']} 版) The rest is in data/history.jsonl."}
    yield {"heading": "摘要 Digests (SHA-256)"}
    yield {"table": {"head": ["SHA-256", "文件 File"], "widths": [88, 86], "size_pt": 6.5,
                     "rows": [[digest, path] for path, digest in sorted(digests.items())]}}
    if lacking := reading.not_included():
        yield {"heading": "未包含 Not included"}
        yield {"lines": lacking}


def _facts(reading: Reading, record: Mapping[str, Any]) -> list[list[str]]:
    rows = [["编号 Id", f"{record['id']} v{record['version']}"], ["街镇 Scope", scope_name(record["scope"])],
            ["经手人 By", f"{name_of(record['created_by'])} · {beijing(record['created_at'])}"]]
    rows += [[said(word("field", name)), said(
        class_name(record["fields"].get("class_scheme"), value) if name == "class_code" else value_of(name, value))]
             for name, value in reading.details(record).items()]
    if record["withheld"]:
        rows.append(["未公开 Withheld", "、".join(said(word("field", path)) for path in record["withheld"])])
    return rows


def _photo_facts(record: Mapping[str, Any], photo: Mapping[str, Any]) -> list[list[str]]:
    fields, bracket = record["fields"], record["fields"].get("bracket") or {}
    rows = [[said(word("photo", photo["role"])), record["id"]],
            ["设备时间 Device says", beijing(fields.get("captured_at"))],
            ["摄于 Taken", f"{beijing(bracket.get('not_before'))} — {beijing(bracket.get('not_after'))}"],
            ["地点 Place", said(value_of("position", fields.get("position")))],
            ["拍摄人 By", f"{name_of(photo['captured_by'])} · {name_of(photo['device_id'])}"],
            ["原件 Original", photo["sha256"]]]
    if photo["c2pa"]:
        rows.append(["C2PA", "含内容凭证,未核验 content credentials, not validated"])
    if photo["held_at"]:
        rows.append(["存储锁定 Store lock", f"{beijing(photo['held_at'])} 起 since"])
    if made := photo["made"]:
        by = f"{name_of(made['made_by'])} · " if made["made_by"] else ""
        rows.append(["此处所示 Shown", f"{said(word('copy', made['kind'].partition('-')[0]))} · {by}"
                                     f"{beijing(made['made_at'])} · {made['sha256'][:12]}"])
    if photo["flags"]:
        rows.append(["存疑 Flags", "、".join(said(word("flag", code)) for code in photo["flags"])])
    return rows


def _about(reading: Reading, step: Mapping[str, Any]) -> str:
    if "role" in step:
        return f"{said(word('photo', step['role']))} {step['sha256'][:12]}"
    record = reading.records.get(step["about"])
    return f"{said(type_name(record['type']))} {record['id'][-12:]}" if record else str(step["about"])[:12]


def _line(one: Mapping[str, Any]) -> str:
    """A version as one paragraph."""
    by = name_of(one["actor"]) + (f" ({name_of(one['device_id'])})" if one.get("device_id") else "")
    changes = ";".join(f"{said(word('field', name))}: {said(value_of(name, before))} → {said(value_of(name, after))}"
                       for name, before, after in one["changes"])
    hidden = f" [未公开 withheld: {'、'.join(one['withheld'])}]" if one["withheld"] else ""
    return f"v{one['version']} {beijing(one['at'])} {by} {said(word('op', one['op']))} {changes}{hidden}"


def said(value: Any) -> str:
    """The text of what is marked up."""
    return str(Markup(value.replace("<br>", ";")).striptags()) if isinstance(value, Markup) else str(value)
