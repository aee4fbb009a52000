"""The time stamp of an authority outside (RFC 3161) over a checkpoint of the journal, where a bundle has one.

Part of the program that a bundle carries. That the stamp is over this checkpoint, and what time it says, is read here;
whether the authority signed it needs its certificate, and is `openssl`'s to say.
"""

from __future__ import annotations

import re
from datetime import datetime

from media.bundle.log import goes_on, open_checkpoint, sha256
from media.bundle.telling import Bag, Report

NOTE, ANSWER, PATH = (f"data/journal/stamped.{end}" for end in ("txt", "tsr", "consistency"))
# In a TSTInfo (RFC 3161 section 2.4.2) the number of the stamp and its time stand behind what was stamped.
TIME = re.compile(rb"\x02[\x01-\x7f].{1,127}?\x18[\x0f-\x1f](\d{14})(?:\.\d+)?Z", re.DOTALL)


def check_stamp(bag: Bag, report: Report) -> None:
    """Say before what time, by the authority, which entries of the case stood in the journal."""
    told = bag.case()["journal"].get("stamped")
    if told is None:
        report.note("本包没有第三方时间戳", "No authority outside has stamped this journal")
        return
    before = report.failures
    with report.reading(NOTE):
        size, root = open_checkpoint(bag.text(NOTE), bag.key)
        if size != told["size"]:
            report.wrong(f"{NOTE} 不是案卷所载的检查点", f"{NOTE} is not the checkpoint that the case names")
    with report.reading(PATH):
        path = [bytes.fromhex(line) for line in bag.lines(PATH)]
        if not goes_on(size, bag.size, root, bag.root_hash, path):
            report.wrong(f"{PATH}:被盖时间戳的日志不是本日志的开头",
                         f"{PATH}: the journal that was stamped is not the beginning of this one")
    with report.reading(ANSWER):
        answer = (bag.root / ANSWER).read_bytes()
        stamped, digest, rest = answer.partition(sha256(bag.text(NOTE).encode()))
        found = TIME.match(rest)
        if not (stamped and digest and found):
            raise ValueError("it is no stamp over stamped.txt")
        at = datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").isoformat() + "Z"
        if at != told["at"][:19] + "Z":
            report.wrong(f"{ANSWER} 的时间与案卷所载不符", f"{ANSWER} has another time than the case names")
    if report.failures == before:
        covered = sum(index < size for index in bag.entries)
        report.right(f"时间戳:{covered} 个条目(共 {len(bag.entries)} 个)在 {at} 之前已在日志中",
                     f"Time stamp: {covered} of {len(bag.entries)} entries stood in the journal before {at}")
        report.note("时间戳由何机构签发,请用其证书核对:openssl ts -verify -data data/journal/stamped.txt "
                    "-in data/journal/stamped.tsr -CAfile CA.pem",
                    "Whose stamp it is, its certificate says: openssl ts -verify -data data/journal/stamped.txt "
                    "-in data/journal/stamped.tsr -CAfile CA.pem")
