"""Verify this evidence bundle 核验本证据包: `python3 -I verify.py`, with Python 3.8 or newer and nothing else.

It checks that every file is as it was exported, that the export stands in the bureau's journal under its signed
checkpoint, that the history and the photos are those of the journal, and says in plain words what holds. It ends with 0
when everything holds, else with 1. `--key` takes the key line of the bureau's journal, from somewhere else than here.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from media.bundle.history import check_history
from media.bundle.log import open_checkpoint, read_proof, root_by, sha256
from media.bundle.photos import check_photos
from media.bundle.stamp import check_stamp
from media.bundle.telling import Bag, Entry, Report

PAYLOAD, TAGS = "manifest-sha256.txt", "tagmanifest-sha256.txt"
DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
UNCOMMITTED = ("bagit.txt", "bag-info.txt", PAYLOAD, TAGS)
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")
JOURNAL = "data/journal/"
PLAIN = ("key.txt", "checkpoint.txt", "entries.jsonl", "contents.txt")
STAMPED = ("stamped.txt", "stamped.tsr", "stamped.consistency")


def check_files(bag: Bag, report: Report) -> None:
    """Every file against the two manifests (RFC 8493 section 2.1.3): changed, missing and additional ones are named."""
    before, size, number = report.failures, 0, 0
    for path in sorted(bag.root.rglob("*")):
        name = path.relative_to(bag.root).as_posix()
        if path.is_symlink():
            report.wrong(f"{name} 是指向别处的链接", f"{name} is a link to somewhere else")
        elif path.name in LITTER:
            report.note(f"{name} 由操作系统产生,忽略", f"{name} was made by the operating system and is passed over")
        elif not path.is_dir():
            with report.reading(name):
                digest = hashlib.sha256()
                with path.open("rb") as file:
                    for block in iter(lambda: file.read(1 << 18), b""):
                        digest.update(block)
                        size += len(block) if name.startswith("data/") else 0
                number += name.startswith("data/")
                bag.digests[name] = digest.hexdigest()
    listed: set[str] = set()
    for manifest in (PAYLOAD, TAGS):
        with report.reading(manifest):
            listed |= _check_manifest(bag, report, manifest)
    for name in sorted(bag.digests.keys() - listed - {TAGS}):
        report.wrong(f"{name} 不在清单中", f"{name} is in no manifest")
    with report.reading("bag-info.txt"):
        if f"Payload-Oxum: {size}.{number}" not in bag.text("bag-info.txt").splitlines():
            report.wrong("bag-info.txt 的大小与文件数不符", f"bag-info.txt does not say {size} bytes in {number} files")
    with report.reading("bagit.txt"):
        if bag.text("bagit.txt") != DECLARATION:
            report.wrong("bagit.txt 不是 BagIt 1.0 声明", "bagit.txt does not declare BagIt 1.0")
    report.group(before, f"文件:{len(bag.digests)} 个文件与清单相符", f"Files: {len(bag.digests)} files are as listed")


def _check_manifest(bag: Bag, report: Report, manifest: str) -> set[str]:
    listed = set()
    for line in bag.lines(manifest):
        digest, _, name = line.partition("  ")
        listed.add(name)
        if name not in bag.digests:
            report.wrong(f"{name} 缺失({manifest} 列有)", f"{name} is missing, {manifest} lists it")
        elif bag.digests[name] != digest:
            report.wrong(f"{name} 与 {manifest} 不符", f"{name} is not what {manifest} says: one of them was changed")
    return listed


def check_journal(bag: Bag, report: Report, key_line: str | None) -> None:
    """The signed checkpoint, and that each entry stands in the log under it."""
    before = report.failures
    with report.reading(JOURNAL + "key.txt"):
        bag.key = bag.text(JOURNAL + "key.txt").strip()
        if key_line is not None and key_line.strip() != bag.key:
            report.wrong(f"{JOURNAL}key.txt 不是所给的密钥", f"{JOURNAL}key.txt is not the key that was given")
        elif key_line is not None:
            report.right("密钥:就是所给的", "Key: the one that was given")
    note, size, root = "", 0, b""
    with report.reading(JOURNAL + "checkpoint.txt"):
        note = bag.text(JOURNAL + "checkpoint.txt")
        bag.size, bag.root_hash = size, root = open_checkpoint(note, bag.key)
    with report.reading(JOURNAL + "entries.jsonl"):
        for line in bag.lines(JOURNAL + "entries.jsonl"):
            entry = Entry(line)
            if entry.index in bag.entries:
                report.wrong(f"日志条目 {entry.index} 重复",
                             f"entry {entry.index} stands twice in {JOURNAL}entries.jsonl")
            bag.entries[entry.index] = entry
    for index, entry in bag.entries.items():
        path = f"{JOURNAL}proofs/{index}.tlog-proof"
        with report.reading(path):
            proven, hashes, under = read_proof(bag.text(path))
            if proven != index or under != note or root_by(index, size, entry.text.encode(), hashes) != root:
                report.wrong(f"日志条目 {index} 不在日志中,或 {path} 被改",
                             f"entry {index} of {JOURNAL}entries.jsonl is not in the log, or {path} was changed")
            if entry.aside is not None and _committed(entry.aside) != entry.body["aside"]:
                report.wrong(f"日志条目 {index} 的旁注与承诺不符",
                             f"what entry {index} says aside is not what it is committed to")
    report.group(before, f"日志:检查点签名成立,{len(bag.entries)} 个条目均在其下(共 {size} 条)",
                 f"Journal: the checkpoint is signed, {len(bag.entries)} entries stand under it (of {size})")


def _committed(aside: dict[str, str]) -> str:
    return sha256(bytes.fromhex(aside["salt"]) + aside["text"].encode()).hex()


def check_contents(bag: Bag, report: Report) -> None:
    """The list of contents is the one whose digest the journal's entry of this export has, and the files are those."""
    before, path = report.failures, JOURNAL + "contents.txt"
    exports = [entry for entry in bag.entries.values() if entry.kind == "export"
               and entry.body["bundle"] == bag.case()["bundle"]]
    if [entry.body["contents"] for entry in exports] != [bag.digests.get(path)]:
        report.wrong(f"{path} 不是日志所载的目录", f"{path} is not what the journal's entry of this export says: files "
                                                   "and manifests may have been replaced together")
    listed = {}
    for line in bag.lines(path):
        digest, _, name = line.partition("  ")
        listed[name] = digest
    for name in sorted(listed.keys() | {name for name in bag.digests
                                        if name not in UNCOMMITTED and not name.startswith(JOURNAL)}):
        if listed.get(name) != bag.digests.get(name):
            report.wrong(f"{name} 不是导出时的文件", f"{name} is not the file that was exported")
    told = bag.case()["journal"]
    wanted = {*told["entries"], *(entry.index for entry in exports)}
    for index in sorted(wanted ^ bag.entries.keys()):
        report.wrong(f"日志条目 {index} 多余或缺失",
                     f"entry {index} is missing from {JOURNAL}entries.jsonl, or does not belong there")
    files = {*PLAIN, *(f"proofs/{index}.tlog-proof" for index in wanted),
             *(f"beacons/{root}.tlog-proof" for root in told["beacons"]), *(STAMPED if told.get("stamped") else ())}
    for name in sorted(files ^ {name[len(JOURNAL):] for name in bag.digests if name.startswith(JOURNAL)}):
        report.wrong(f"{JOURNAL}{name} 多余或缺失", f"{JOURNAL}{name} is missing, or does not belong there")
    spoken = {*told["asides"], *(entry.index for entry in exports
                                 if "aside" in entry.body and bag.case()["profile"] == "court")}
    for index in sorted(spoken ^ {entry.index for entry in bag.entries.values() if entry.aside is not None}):
        report.wrong(f"日志条目 {index} 的旁注多余或缺失",
                     f"what entry {index} says aside is missing, or does not belong there")
    report.group(before, f"内容:{len(listed)} 个文件就是日志所载的这次导出",
                 f"Contents: {len(listed)} files are those of the export that the journal has")


def tell(bag: Bag, report: Report) -> None:
    """What is not in the bag, and whose word all of it is."""
    for one in bag.case()["lacking"]:
        report.note(f"未含 {one['what']}:{one['zh']}", f"Not included, {one['what']}: {one['en']}")
    for one in bag.case()["unseen"]:
        report.note(f"未含 {one['type']} {one['id']}:不在导出人的范围内",
                    f"Not included, {one['type']} {one['id']}: out of the exporter's scope")


def main(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description="核验本证据包 Verify this evidence bundle")
    parser.add_argument("--key", help="日志的公钥行 the key line of the bureau's journal (name+hash+base64)")
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).resolve().parent,
                        help="已解压的证据包 the unpacked bundle; where this program lies if absent")
    asked = parser.parse_args(arguments)
    report, bag = Report(), Bag(asked.directory)
    with report.reading(str(asked.directory)):
        check_files(bag, report)
    check_journal(bag, report, asked.key)
    for path, check in ((JOURNAL + "contents.txt", check_contents), ("data/history.jsonl", check_history),
                        ("data/case.json", check_photos), ("data/journal/stamped.txt", check_stamp),
                        ("data/case.json", tell)):
        with report.reading(path):
            check(bag, report)
    if not asked.key:
        report.note(f"以上均以此密钥为准,请与该局公布的日志密钥核对:{bag.key}",
                    f"All of this holds only if this is the key of the bureau's journal; compare it: {bag.key}")
    if report.failures:
        report.wrong(f"结论:{report.failures} 处不成立", f"Result: {report.failures} things do not hold")
        return 1
    report.right("结论:本证据包完整,与日志相符", "Result: this bundle is whole and as the journal has it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
