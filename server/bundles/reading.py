"""What people read of a bundle: a page that opens from the disk. `paper.py` has the same as a document to print.

Both say only what the profile shows: they are made from the files of the bundle, and names come from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
from flask import current_app, g

from server.pages.history import CREATION
from server.pages.lookups import SERVER_NAME

APART = ("normalized", "handling", "media", "flags", "capture", "bracket")
HOW = ("解压后运行 python3 -I verify.py(Python 3.8 以上,无需联网),并用 --key 给出从别处得到的该局日志公钥。",
       "Unpack, and run python3 -I verify.py (Python 3.8 or newer, offline); --key takes the key line of the bureau's "
       "journal, from elsewhere.")


def learn_only(names: Mapping[str, str], ids: Iterable[str]) -> None:
    """Let pages of this request call people and devices by these names, and all others by the beginning of their id."""
    g.names = {"server": SERVER_NAME, "console": "控制台 console", **{one: names.get(one, one[:8]) for one in ids}}


class Reading:
    """The content of case.json and history.jsonl, as templates and document take it."""

    def __init__(self, told: Mapping[str, Any], history: Path) -> None:
        self.told, self.history = told, history
        self.photos = {photo["evidence_id"]: photo for photo in told["photos"]}
        self.records = {record["id"]: record for record in told["records"]}
        self.root = self.records[told["record"]["id"]]

    def evidence(self) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """(record, photo) of each piece of evidence."""
        return ((self.records[one], photo) for one, photo in self.photos.items())

    def details(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that are shown in a list."""
        return {name: value for name, value in record["fields"].items()
                if name not in APART and value not in ([], {}, "")}

    def chapters(self) -> Iterator[tuple[Mapping[str, Any], Iterator[dict[str, Any]]]]:
        """(record, its versions as sentences, oldest first), read as far as the caller reads."""
        with self.history.open("rb") as file:
            for record_id, lines in groupby(map(orjson.loads, file), key=lambda line: line["record_id"]):
                yield self.records[record_id], map(_sentence, lines)

    def not_included(self) -> list[str]:
        """What is not in the bundle, in both languages."""
        return [f"{one['what']}: {one['zh']} {one['en']}" for one in self.told["lacking"]] + [
            f"{one['type']} {one['id']}: 不在导出人的范围内 out of the exporter's scope" for one in self.told["unseen"]]


def _sentence(line: Mapping[str, Any]) -> dict[str, Any]:
    changed = orjson.loads(line["changed"]) if "changed" in line else line["shown"]
    op = CREATION if line["version"] == 1 else line["op"]
    return {**line, "op": op, "withheld": line.get("withheld") or (), "changes": [] if op == CREATION else [
        (unit.removeprefix("@"), change["from"], change["to"]) for unit, change in changed.items()]}


def write_page(target: Path, reading: Reading, digests: Mapping[str, str]) -> None:
    """`index.html`, written as it is made; `digests` are the files of the bundle so far, by path."""
    page = current_app.jinja_env.get_template("bundle.html")
    with target.open("wb") as file:
        page.stream(reading=reading, told=reading.told, root=reading.root, digests=digests, how=HOW).dump(file, "utf-8")
