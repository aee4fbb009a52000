"""How pages speak: two languages side by side, times in Beijing time, numbers people can read."""

from __future__ import annotations

import csv
from datetime import timedelta, timezone
from functools import cache
from pathlib import Path

from markupsafe import Markup

from schemas.values import parse_time
from server.i18n import choose

WORDS = Path(__file__).with_name("words.csv")
BEIJING = timezone(timedelta(hours=8))  # no summer time since 1991
UNITS = ((86_400, "天", "days"), (3_600, "小时", "h"), (60, "分", "min"), (1, "秒", "s"))


@cache
def words() -> dict[tuple[str, str], tuple[str, str]]:
    """(Chinese, English) by kind and code."""
    with WORDS.open(encoding="utf-8", newline="") as file:
        return {(row["kind"], row["code"]): (row["zh"], row["en"]) for row in csv.DictReader(file)}


def t(chinese: str, english: str = "") -> Markup:
    """Both languages, the chosen one first and the other smaller behind it."""
    pair = [("zh-CN", chinese), ("en", english)]
    (one, first), (two, second) = pair[::-1] if choose() == "en" and english else pair
    if not second or first == second:
        return Markup('<span lang="{}">{}</span>').format(one, first)
    return Markup('<span class="t"><span lang="{}">{}</span> <small lang="{}">{}</small></span>').format(
        one, first, two, second)


def word(kind: str, code: object) -> Markup:
    """What a code means, in both languages; the code itself where the list does not have it."""
    chinese, english = words().get((kind, str(code)), (str(code), ""))
    return t(chinese, english)


def plain(chinese: str, english: str) -> str:
    """Both languages where no markup may stand: options, titles, labels for screen readers."""
    return f"{english} {chinese}" if choose() == "en" else f"{chinese} {english}"


def plain_word(kind: str, code: object) -> str:
    """What a code means, without markup."""
    chinese, english = words().get((kind, str(code)), (str(code), ""))
    return plain(chinese, english).strip()


def beijing(text: object, *, date_only: bool = False) -> str:
    """A wire time as `2026-11-22 09:02:03` in Beijing time; what is no time stays as it is, nothing becomes a dash."""
    if not isinstance(text, str) or not text:
        return "—"
    try:
        at = parse_time(text).astimezone(BEIJING)
    except (ValueError, OverflowError):
        return text
    shown = at.isoformat(sep=" ", timespec="seconds")  # strftime would write the year 1 as 1
    return shown[:10] if date_only else shown[:19]


def clock_said(offset_ms: int) -> Markup:
    """How far a device's clock is off, in the largest unit of which it is two or more; seconds below two minutes."""
    seconds = abs(offset_ms) / 1000
    size, chinese, english = next((unit for unit in UNITS if seconds >= 2 * unit[0]), UNITS[-1])
    number = f"{round(seconds / size, 1):g}"
    if number == "0":
        return t("准", "right")
    way, ward = ("快", "fast") if offset_ms > 0 else ("慢", "slow")
    return t(f"{way} {number} {chinese}", f"{number} {english} {ward}")
