"""What the findings of a push need looked up, asked for all of them at once: places, zones, possible duplicates.

`Answers` remembers the answers of one kind for one transaction. `foresee` has it ask for a whole push what needs no
database, while others may be behind the gate, and `look_ahead` the rest; what was not foreseen is asked for by itself,
through the same function, so that nothing depends on foresight.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from schemas.positions import CRS_NAMES
from schemas.values import MOST_ACCURACY_M, is_time, parse_time, within
from server import zones
from server.reference import settings
from server.rules.crs import ring_to_4490
from server.rules.duplicates import cells_near
from server.rules.zones import Ask, ZoneIndex
from sync.kept import Kept
from sync.records import Door
from sync.writers import Writer

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Place = tuple[float, float, str]
LONGEST = 80  # characters that any of these texts may have
TEXTS = ("class_scheme", "class_code", "observed_at", "sticker_serial")
Cell = tuple[str, str]
# Of each cell the newest findings only: where many lie upon one another, a few are enough to say so. CROSS JOIN tells
# SQLite to begin with the cells, whatever its statistics say of the table; whose they are it reads in the index.
IN_CELLS = {
    "sqlite": text(
        "SELECT near.value AS cell, record.id FROM json_each(:cells) near CROSS JOIN record ON record.rowid IN "
        "(SELECT newest.place FROM (SELECT one.rowid AS place, one.device_id FROM record one "
        "WHERE one.cell = near.value ORDER BY one.seq DESC LIMIT 20) newest WHERE newest.device_id <> :device_id)"),
    "postgresql": text(
        "SELECT near.value AS cell, found.id FROM json_array_elements_text(CAST(:cells AS json)) near "
        "CROSS JOIN LATERAL (SELECT one.id, one.device_id FROM record one WHERE one.cell = near.value "
        "ORDER BY one.seq DESC LIMIT 20) found WHERE found.device_id <> :device_id")}


class Answers(Generic[K, V]):
    """Answers by question, asked for in as few goes as can be."""

    def __init__(self, ask: Callable[[Sequence[K]], Iterable[V]]) -> None:
        self._ask = ask
        self._known: dict[K, V] = {}

    def learn(self, questions: Iterable[K]) -> None:
        """Ask what is not known yet, all at once."""
        new = [question for question in dict.fromkeys(questions) if question not in self._known]
        if new:
            self._known.update(zip(new, self._ask(new), strict=True))

    def of(self, question: K) -> V:
        """The answer, asked for now if nobody foresaw the question."""
        try:
            return self._known[question]
        except KeyError:
            self.learn([question])
            return self._known[question]


class Foreseen(NamedTuple):
    """What was reckoned before the gate was open. `answered` are the answers of `index` to `asks`, of use while it is
    the newest."""

    places: Answers[Place, dict[str, float]]
    asks: list[Ask]
    index: ZoneIndex | None
    answered: Answers[Ask, dict[str, Any]] | None
    cells: list[str]


def places(door: Door) -> Answers[Place, dict[str, float]]:
    """`{lon, lat}` in EPSG:4490, degrees, of a place (lon, lat, crs)."""
    return door.once("places", lambda: Answers(_normalized))


def attributions(door: Door) -> Answers[Ask, dict[str, Any]]:
    """`finding.zone` (protocol section 8)."""
    return door.once("zones", lambda: _answers_of(zones.index_of(door.session)))


def _answers_of(index: ZoneIndex) -> Answers[Ask, dict[str, Any]]:
    return Answers(lambda asks: [found.as_field() for found in index.attribute_all(asks)])


def neighbours(door: Door) -> Answers[Cell, list[str]]:
    """The newest findings of other devices in a cell, as stored; the question is (device_id, cell)."""
    return door.once("neighbours", lambda: Answers(lambda asked: _in_cells(door, asked)))


def newcomers(door: Door) -> dict[str, list[Kept]]:
    """By cell the findings that this door made, which no look-up sees."""
    return door.once("newcomers", dict)


def ask_of(fields: Mapping[str, Any]) -> Ask | None:
    """What is asked of the zones for a finding whose position is normalized; None without position and sticker."""
    position, sticker = fields.get("position") or {}, fields.get("sticker_serial")
    place = position.get("normalized")
    if place is None and not sticker:
        return None
    return Ask(place["lon"] if place else None, place["lat"] if place else None, position.get("accuracy_m"),
               parse_time(fields["observed_at"]), sticker)


def foresee(session: Session, mutations: Sequence[Mapping[str, Any]]) -> Foreseen:
    """Reckon what the new findings among the mutations will need; what is wrong with one is not judged here."""
    new = [loaded for raw in mutations if raw.get("type") == "finding" and not raw.get("base")
           and (loaded := _foreseen(raw.get("set"))) is not None]
    known: Answers[Place, dict[str, float]] = Answers(_normalized)
    known.learn(place_of(fields["position"]) for fields in new if fields.get("position"))
    for fields in new:
        if position := fields.get("position"):
            fields["position"] = {"accuracy_m": position.get("accuracy_m"), "normalized": known.of(place_of(position))}
    asks = [ask for fields in new if (ask := ask_of(fields)) is not None]
    index = zones.index_at_hand(session)
    answered = _answers_of(index) if index else None
    if answered:
        answered.learn(asks)
    limits = settings("duplicates")
    return Foreseen(known, asks, index, answered, [cell for fields in new for cell in cells_near(fields, limits)])


def look_ahead(door: Door, writer: Writer, foreseen: Foreseen) -> None:
    """Take over what was foreseen, as far as it still holds, and look up what only the open gate lets see."""
    door.once("places", lambda: foreseen.places)
    if foreseen.asks:
        if foreseen.answered and zones.index_of(door.session) is foreseen.index:
            door.once("zones", lambda: foreseen.answered)
        attributions(door).learn(foreseen.asks)
    neighbours(door).learn((writer.device_id or "", cell) for cell in foreseen.cells)


def place_of(position: Mapping[str, Any]) -> Place:
    return position["lon"], position["lat"], position["crs"]


def _foreseen(values: Any) -> dict[str, Any] | None:
    """What a finding needs looked up, as far as it is sound."""
    if not isinstance(values, dict) or not is_time(values.get("observed_at")):
        return None
    given = {name: text for name in TEXTS if isinstance(text := values.get(name), str)
             and len(text) <= LONGEST and "\0" not in text}
    position = values.get("position")
    if isinstance(position, dict) and position.get("crs") in CRS_NAMES and within(position.get("lon"), 180) \
            and within(position.get("lat"), 90) \
            and (position.get("accuracy_m") is None or within(position["accuracy_m"], MOST_ACCURACY_M)):
        given["position"] = position
    return given


def _normalized(asked: Sequence[Place]) -> list[dict[str, float]]:
    by_crs: dict[str, list[Place]] = defaultdict(list)
    for place in asked:
        by_crs[place[2]].append(place)
    found = {place: {"lon": round(lon, 9), "lat": round(lat, 9)} for crs, members in by_crs.items()
             for place, (lon, lat) in zip(members, ring_to_4490([member[:2] for member in members], crs).tolist(),
                                          strict=True)}
    return [found[place] for place in asked]


def _in_cells(door: Door, asked: Sequence[Cell]) -> list[list[str]]:
    found: dict[Cell, list[str]] = {question: [] for question in asked}
    connection = door.session.connection()
    for device_id in dict.fromkeys(device_id for device_id, _ in asked):
        cells = orjson.dumps([cell for its_device, cell in asked if its_device == device_id]).decode()
        for cell, record_id in connection.execute(IN_CELLS[connection.dialect.name],
                                                  {"cells": cells, "device_id": device_id}).all():
            found[device_id, cell].append(record_id)
    return list(found.values())
