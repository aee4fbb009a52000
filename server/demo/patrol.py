"""An inspector on the street with his handheld: what he does there, none of which needs a network. Serves `shift`.

Owns how a demonstration's finding, photograph, inspection or letter is filled in; `shift` owns who does what, where.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from schemas.positions import METRES_A_DEGREE
from schemas.values import stamp
from server.demo.camera import Camera
from server.demo.network import PATIENCE, Network
from server.demo.people import Person
from server.demo.town import SCOPE, Shop
from server.rules.crs import from_4490
from sync.device.device import Device
from sync.device.outbox import uuid7

GB_EVENT = "GB/T 30428.2-2013:event"
CLASS_OF = {"goods": "0504", "rubbish": "0102", "bikes": "0506", "banner": "0203", "clean": "0504"}
CHECKLIST = "zone-daily"
ITEMS = [f"{CHECKLIST}-{number:02d}" for number in range(1, 13)]
SIGMAS_IN_68_PERCENT = 1.51
EARLIER = timedelta(minutes=30)  # that a round before this one began
Position = dict[str, Any]


@dataclass
class Patrol:
    """One inspector, his device and its line. `stood_at`: before which shop each of his findings was made."""

    person: Person
    device: Device
    network: Network
    camera: Camera
    dice: Random
    stood_at: dict[str, Shop] = field(default_factory=dict)

    @classmethod
    def enrol(cls, url: str, code: str, person: Person, directory: Path, camera: Camera, seed: int) -> Patrol:
        """Enrol a new device with a P-256 key by the invitation code."""
        network = Network(seed)
        device = Device.enrol(url, code, f"手持机 {person.username}(演示)", directory, transport=network,
                              patience=PATIENCE)
        return cls(person, device, network, camera, Random(seed))

    def fix(self, shop: Shop, accuracy_m: float, crs: str = "EPSG:4326", away_m: float = 0.0) -> Position:
        """A fix before the shop (or `away_m` north of it) with the error that its accuracy speaks of."""
        east, north = (self.dice.gauss(0, accuracy_m / SIGMAS_IN_68_PERCENT) for _ in "xy")
        lon, lat = moved(shop.lon, shop.lat, east, north + away_m)
        lon, lat = from_4490(lon, lat, crs)
        return {"lon": round(lon, 8), "lat": round(lat, 8), "crs": crs, "accuracy_m": accuracy_m, "provider": "gps",
                "fixed_at": stamp(now()), "mock": False}

    def find(self, scene: str, shop: Shop, text: str, *, photos: int = 1, **place: Any) -> str:
        """Report a finding of the class that the scene shows, with photographs; `place` as in protocol section 4."""
        finding = self.device.create("finding", {
            "class_scheme": GB_EVENT, "class_code": CLASS_OF[scene], "text": text, "observed_at": stamp(now()),
            "source": "patrol", **place}, SCOPE)
        self.stood_at[finding] = shop
        for role in ("scene", "close")[:photos]:
            self.photograph(("finding", finding), shop, scene, role)
        return finding

    def photograph(self, about: tuple[str, str], shop: Shop, scene: str, role: str, photo: bytes | None = None) -> str:
        """Take a photograph (or take the same one again) into the chain and give the evidence record's id."""
        at = now()
        photo = photo or self.camera.take(shop, scene, at)
        return self.device.capture(photo, about=about, role=role, captured_at=stamp(at), scope=SCOPE,
                                   position=self.fix(shop, 3.0))

    def inspect(self, shop: Shop) -> str:
        """Begin the daily checklist of a zone."""
        return self.device.create("inspection", {
            "template_id": CHECKLIST, "template_version": 1, "zone_id": shop.zone_id, "started_at": stamp(now()),
            "position": self.fix(shop, 2.0), "officers": [self.person.name]}, SCOPE)

    def answer(self, inspection: str, answers: Mapping[str, str]) -> None:
        """Answer items of a checklist: item id -> pass or fail."""
        self.device.edit("inspection", inspection, {
            "answers": {name: {"value": value, "note": ""} for name, value in answers.items()}})

    def enforce(self, kind: str, finding: str, facts: str, **fields: Any) -> str:
        """Write an enforcement record about a finding."""
        return self.device.create("enforcement", {"kind": kind, "finding_id": finding, "facts": facts, **fields},
                                  SCOPE)

    def sign_letter(self, shop: Shop) -> str:
        """Have the responsibility letter (责任书) of a zone signed and its sticker put up."""
        return self.device.create("letter", {
            "zone_id": shop.zone_id, "sticker_serial": shop.sticker_serial, "signed_at": stamp(now()),
            "period": {"from": f"{now().year}-01-01", "to": f"{now().year}-12-31"},
            "duties": {"市容整洁": True, "环境卫生": True, "秩序": True, "绿化": True}}, SCOPE)

    def register(self, shop: Shop) -> str:
        """Make today's entry of the daily register (日常考核登记)."""
        return self.device.create("register_entry", {
            "zone_id": shop.zone_id, "on": now().date().isoformat(), "officer": self.person.name,
            "duties": {"sweeping": "done", "order": "done"}, "note": "已提醒店主",
            "position": self.fix(shop, 4.0)}, SCOPE)

    def walk(self, shops: list[Shop]) -> str:
        """Leave the track of an earlier round past these shops, a minute each: one record, to which points are added.
        The photos of this day are seconds apart, which nobody walks; no track is held against them."""
        first, *rest = [self._point(shop, minutes) for minutes, shop in enumerate(shops)]
        track = self.device.create("track", {"points": [first]}, SCOPE)
        for point in rest:
            self.device.edit("track", track, add={"points": [point]})
        return track

    def _point(self, shop: Shop, minutes: int) -> dict[str, Any]:
        at = now() - EARLIER + timedelta(minutes=minutes)
        fix = self.fix(shop, 5.0)
        return {"id": uuid7(at, self.dice.randbytes), "at": stamp(at),
                **{name: fix[name] for name in ("lon", "lat", "crs", "accuracy_m")}}


def now() -> datetime:
    """The machine's time: a demonstration happens today."""
    return datetime.now(UTC)


def moved(lon: float, lat: float, east_m: float, north_m: float) -> tuple[float, float]:
    """The place so many metres east and north, in degrees; good for a town."""
    return (lon + east_m / (METRES_A_DEGREE * math.cos(math.radians(lat))), lat + north_m / METRES_A_DEGREE)
