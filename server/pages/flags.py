"""What a flag says, in both languages: the rule that fired stands in the record in English, with its figures.

Serves the record page. Whole sentences are words of the kind `rule`; those with figures in them are patterns here.
"""

from __future__ import annotations

import re

from markupsafe import Markup

from server.pages.words import t, words

CLAIMS = {"device": "设备", "file": "文件", "gps": "卫星", "track": "轨迹", "record": "记录"}
WITH_FIGURES = tuple((re.compile(pattern), chinese) for pattern, chinese in (
    (r"(device|file|gps) and (device|file|gps) (\d+) s apart, at most ([\d.e+]+)", "{0}与{1}时间相差 {2} 秒,限 {3} 秒"),
    (r"(device|file|gps) before the beacon", "{0}时间早于信标"),
    (r"(device|file|gps) after the receipt", "{0}时间晚于接收时间"),
    (r"device in the year (\d+)", "设备时间写的是公元 {0} 年"),
    (r"file and device more than accuracy \+ ([\d.e+]+) m apart", "文件与设备的位置相距超过精度 + {0} 米"),
    (r"(device|file) and track more than accuracies \+ ([\d.e+]+) m apart", "{0}与轨迹的位置相距超过各自精度 + {1} 米"),
    (r"(device|file) and record more than accuracies \+ ([\d.e+]+) m apart",
     "{0}与所涉记录的位置相距超过各自精度 + {1} 米"),
    (r"(device|file) more than accuracy \+ ([\d.e+]+) m outside the zones of (\d+)",
     "{0}的位置在 {2} 各责任区范围之外，超过精度 + {1} 米"),
    (r"(device|file|gps) more than ([\d.e+]+) h before the receipt", "{0}时间早于接收时间 {1} 小时以上"),
    (r"Software names (.+)", "软件字段写明 {0}")))


def rule_said(rule: object) -> Markup:
    """The rule of a flag in both languages; one that is not known here stays as it is."""
    parts = [_chinese(part) for part in str(rule).split("; ")]
    return t(str(rule)) if None in parts else t("；".join(part for part in parts if part), str(rule))


def _chinese(rule: str) -> str | None:
    if ("rule", rule) in words():
        return words()["rule", rule][0]
    for pattern, chinese in WITH_FIGURES:
        if found := pattern.fullmatch(rule):
            return chinese.format(*(CLAIMS.get(part, part) for part in found.groups()))
    return None
