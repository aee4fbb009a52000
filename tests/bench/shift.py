"""The end of a shift: a thousand devices deliver what they made in the day, on both engines; nothing may be lost."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import httpx
import orjson

from tests.bench.contenders import Menqian, pages
from tests.bench.crowd import Enrolled, Member, at_once, enrol, percentile_95
from tests.bench.deployment import Deployment, deployed
from tests.bench.documents import CITY, LATELY, TEXTS, Span, finding
from tests.bench.fill import TOWNS
from tests.bench.table import Rates, Row, median_ratio, spread

MADE, EDITED = 40, 10  # of a device's 50 mutations
ARRIVE_WITHIN_S, DONE_WITHIN_S, PUSH_WANTED_S, RATIO_WANTED = 50, 60, 1, 0.7
LANES = 100  # devices that wait for an answer at the same time
AT_FULL_SPEED = 16
ENGINES = {"sqlite": "SQLite, 1 worker", "postgresql": "PostgreSQL, 2 workers"}
TODAY = Span(LATELY.since, 0.4)


def shift_rows(folder: Path, devices: int, rounds: int) -> Iterator[Row]:
    """How fast both engines take pushes, by turns; then, one after the other, everybody within a minute."""
    random = Random(7)
    with ExitStack() as stack:
        offices = {said: stack.enter_context(deployed(folder / engine, engine)) for engine, said in ENGINES.items()}
        yield from _full_speed(offices, random, max(devices // 5, AT_FULL_SPEED), rounds)
        for said, office in offices.items():
            yield _evening(said, office, devices, random)


def _full_speed(offices: dict[str, Deployment], random: Random, devices: int, rounds: int) -> Iterator[Row]:
    rates: Rates = {said: [] for said in offices}
    for _ in range(rounds):
        for said, office in offices.items():
            members = [_member(device, random, 0) for device in enrol(office, devices, *TOWNS)]
            found = at_once(_deliver, members, AT_FULL_SPEED)
            rates[said].append(devices * (MADE + EDITED) / max(done for _, done, _ in found))
    first, second = offices
    for said, figures in rates.items():
        yield Row(f"pushes of 50 by {AT_FULL_SPEED} devices at a time, {said}", spread(figures, "mutations/s"),
                  f"{median_ratio(rates, second, first):.2f} x {first} (wanted {RATIO_WANTED})" if said == second
                  else "")


def _evening(said: str, office: Deployment, devices: int, random: Random) -> Row:
    members = [_member(device, random, random.random() * ARRIVE_WITHIN_S)
               for device in enrol(office, devices, *TOWNS)]
    found = at_once(_deliver, members, LANES)
    waits = [done - due for due, done, _ in found]
    sent = {record_id for _, _, ids in found for record_id in ids}
    reader = Menqian(office.bureau.handheld(*TOWNS))
    there = {change["id"] for page in pages(reader.line) for change in page["changes"]}
    ended = max(done for _, done, _ in found)
    return Row(f"end of shift: {devices:,} devices, 50 mutations each, {said}",
               f"all within {ended:.0f} s; push median {statistics.median(waits):.2f} s, "
               f"p95 {percentile_95(waits):.2f} s; {len(sent - there)} of {len(sent):,} records lost; "
               f"{_gate(office.server.url)}",
               f"wanted: {DONE_WITHIN_S} s, p95 under {PUSH_WANTED_S} s, none lost")


def _gate(url: str) -> str:
    """How long the server held the gate in its life, in which nobody else writes."""
    metrics = httpx.get(f"{url}/metrics").text
    total, count = (float(re.search(rf'^menqian_gate_seconds_{what}{{part="held"}} (\S+)$', metrics, re.M)[1])
                    for what in ("sum", "count"))
    reached = [(float(limit), float(number)) for limit, number in re.findall(
        r'^menqian_gate_seconds_bucket\{le="([\d.]+)",part="held"\} (\S+)$', metrics, re.M)]
    within = next((f"within {limit * 1000:.0f} ms" for limit, number in reached if number >= 0.99 * count), "longer")
    return f"gate held {total / count * 1000:.0f} ms on average, 99 of 100 times {within}"


def _member(device: Enrolled, random: Random, at_s: float) -> Member:
    """A device with its day's work: findings all over the city, and edits of some of them."""
    town = random.choice(TOWNS)
    made = [device.create("finding", town, finding(random, CITY, TODAY)) for _ in range(MADE)]
    edits = [device.edit("finding", one["record_id"], 1, set={"text": f"{random.choice(TEXTS)},已复查"})
             for one in made[:EDITED]]
    body = orjson.dumps({"mutations": [*made, *edits]})
    return Member(device.root, device.token, at_s, body, device.sign(body))


def _deliver(member: Member) -> list[str]:
    """Push everything; the records of which the server said that it has them."""
    answer = member.line().call("POST", "/api/v1/sync/push", member.body, {"Menqian-Signature": member.signature})
    outcomes = answer["outcomes"]
    assert {outcome["outcome"] for outcome in outcomes} <= {"applied", "merged"}, outcomes
    return [outcome["record_id"] for outcome in outcomes]
