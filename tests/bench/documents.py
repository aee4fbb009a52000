"""What is pushed: findings of ordinary size in the demonstration's town, the same for all contenders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple, TypeVar

from schemas.values import stamp

T = TypeVar("T")
SCOPE = "320412100"
BATCH = 100
TEXTS = ("店外经营,占用人行道约两米", "门前堆放杂物,影响通行", "广告牌破损,有坠落危险", "污水外流至人行道,气味明显")
CLASSES = ("0501", "0502", "0504", "0506")


class Area(NamedTuple):
    """A box in degrees: west, south, and how far it reaches east and north."""

    west: float
    south: float
    east: float
    north: float


class Span(NamedTuple):
    """Days in which things were observed."""

    since: datetime
    days: float


TOWN, CITY = Area(119.944, 31.694, 0.01, 0.01), Area(119.6, 31.4, 0.6, 0.5)
LATELY = Span(datetime(2026, 11, 1, tzinfo=UTC), 20)
THIS_YEAR = Span(datetime(2026, 1, 2, tzinfo=UTC), 300)


def finding(random: Random, area: Area = TOWN, span: Span = LATELY) -> dict[str, Any]:
    """A finding of ordinary size somewhere in the area, observed in the span."""
    lon, lat = area.west + random.random() * area.east, area.south + random.random() * area.north
    return {"observed_at": stamp(span.since + timedelta(days=random.random() * span.days)),
            "class_scheme": "GB/T 30428.2-2013:event", "class_code": random.choice(CLASSES),
            "text": random.choice(TEXTS), "source": "patrol", "tags": ["夜间"],
            "position": {"lon": lon, "lat": lat, "crs": "EPSG:4326", "accuracy_m": 8.0, "provider": "gps"}}


def findings(random: Random, count: int, area: Area = TOWN, span: Span = LATELY) -> list[dict[str, Any]]:
    return [finding(random, area, span) for _ in range(count)]


def batches(things: list[T], size: int = BATCH) -> Iterator[list[T]]:
    """The things in lists of one batch each."""
    return (things[start:start + size] for start in range(0, len(things), size))
