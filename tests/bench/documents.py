"""What is pushed: findings of ordinary size in the demonstration's town, the same for all contenders."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
SCOPE = "320412100"
BATCH = 100
TEXTS = ("店外经营,占用人行道约两米", "门前堆放杂物,影响通行", "广告牌破损,有坠落危险", "污水外流至人行道,气味明显")
CLASSES = ("0501", "0502", "0504", "0506")


def finding(random: Random) -> dict[str, Any]:
    """A finding of ordinary size, with a position in the demonstration's town."""
    return {"observed_at": f"2026-11-{random.randint(1, 21):02d}T{random.randint(0, 9):02d}:02:03.456Z",
            "class_scheme": "GB/T 30428.2-2013:event", "class_code": random.choice(CLASSES),
            "text": random.choice(TEXTS), "source": "patrol", "tags": ["夜间"],
            "position": {"lon": 119.944 + random.random() / 100, "lat": 31.694 + random.random() / 100,
                         "crs": "EPSG:4326", "accuracy_m": 8.0, "provider": "gps"}}


def findings(random: Random, count: int) -> list[dict[str, Any]]:
    return [finding(random) for _ in range(count)]


def batches(things: list[T], size: int = BATCH) -> Iterator[list[T]]:
    """The things in lists of one batch each."""
    return (things[start:start + size] for start in range(0, len(things), size))
