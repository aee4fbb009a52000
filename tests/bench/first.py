"""The first synchronisation of many devices at once: 700 zones and 5,000 findings, by pages and by a snapshot."""

from __future__ import annotations

import hashlib
import statistics
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import orjson

from tests.bench.contenders import Menqian, pages
from tests.bench.crowd import LEAD_S, Member, at_once, enrol, percentile_95
from tests.bench.deployment import deployed
from tests.bench.documents import SCOPE, THIS_YEAR, findings
from tests.bench.line import Busy
from tests.bench.table import Row

FINDINGS, WANTED_S = 5_000, 3


class Got(NamedTuple):
    """How many records a device has, and when (POSIX seconds) the last of their bytes had come."""

    records: int
    arrived: float


def first_rows(folder: Path, engine: str, devices: int) -> Iterator[Row]:
    """All devices start in the same moment; each is done when it has parsed the last record, which a hundred of them do
    on the server's own cores here."""
    with deployed(folder, engine) as deployment:
        town = Menqian(deployment.device())
        for call in town.creations(findings(Random(7), FINDINGS, span=THIS_YEAR)):
            town.send(call)
        records = town.pull()
        by_snapshot(Member(deployment.server.url, town.device.token or ""))  # from here on it stands prepared
        for what, work in (("pages of 1,000", by_pages), ("prepared snapshot", by_snapshot)):
            members = [Member(one.root, one.token) for one in enrol(deployment, devices, SCOPE)]
            began = time.time() + LEAD_S
            yield _row(f"first synchronisation of {records:,} records by {devices} devices at once, {what}",
                       at_once(work, members, devices), began, records)


def _row(what: str, found: list[tuple[float, float, Got]], began: float, records: int) -> Row:
    assert {got.records for _, _, got in found} == {records}, (records, found)
    seconds = [done for _, done, _ in found]
    arrived = [got.arrived - began for _, _, got in found]
    return Row(what, f"parsed: median {statistics.median(seconds):.1f} s, p95 {percentile_95(seconds):.1f} s; "
                     f"arrived: median {statistics.median(arrived):.1f} s",
               f"wanted: median under {WANTED_S} s")


def by_pages(member: Member) -> Got:
    """What plain pulls brought."""
    records = sum(len(page["changes"]) for page in pages(member.line()))
    return Got(records, time.time())


def by_snapshot(member: Member) -> Got:
    """What the prepared file and the pull of its tail brought."""
    line = member.line()
    offer = None
    while offer is None:
        try:
            offer = line.call("POST", "/api/v1/sync/snapshot", b"{}")
        except Busy as busy:
            time.sleep(busy.after_s)
    content = line.fetch(offer["url"])
    tail = sum(len(page["changes"]) for page in pages(line, offer["cursor"]))
    arrived = time.time()
    assert hashlib.sha256(content).hexdigest() == offer["sha256"]
    head, *changes, end = zlib.decompress(content, wbits=31).split(b"\n")[:-1]  # gzip of one member
    held = sum(orjson.loads(change)["op"] == "put" for change in changes)  # one by one, as a device stores them
    assert orjson.loads(end) == {"changes": held}, (head, end)
    return Got(held + tail, arrived)


