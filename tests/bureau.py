"""People, devices, photographs and frontages for tests: everybody and everything a journey needs, made on the spot."""

from __future__ import annotations

import io
import itertools
import math
import random
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from PIL import Image, ImageDraw

from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, granted

PASSWORD = "Correct-Horse-9-Battery"
T = TypeVar("T")
S = TypeVar("S", bound=Server)
METRES_A_DEGREE = 111_320.0


def with_root(server: S) -> S:
    """The server's new installation, initialised, with one administrator, `root`; not yet started."""
    server.cli("init")
    server.cli("user", "add", "root", "--name", "管理员", "--role", "admin", "--scope", "32", "--password-stdin",
               stdin=PASSWORD + "\n")
    return server


class Bureau:
    """One office on one server. People with the same roles, scopes and label are the same person (a password costs
    a third of a second to hash); whoever changes somebody asks for a `newcomer`. Devices are always new.
    """

    def __init__(self, url: str, admin: Person) -> None:
        self.url, self.admin = url, admin
        self.serial = itertools.count(1)
        self.known: dict[tuple[Any, ...], Person] = {}

    def person(self, *roles: str, scopes: tuple[str, ...] = ("320412100",), who: str = "") -> Person:
        key = (roles, scopes, who)
        if key not in self.known:
            self.known[key] = self.newcomer(*roles, scopes=scopes)
        return self.known[key]

    def newcomer(self, *roles: str, scopes: tuple[str, ...] = ("320412100",)) -> Person:
        username = f"{roles[0]}-{next(self.serial)}-{uuid.uuid4().hex[:6]}"
        body = {"username": username, "name": f"测试{roles[0]}", "roles": list(roles), "scopes": list(scopes),
                "password": PASSWORD}
        granted(self.admin.post("/users", body), 201)
        return Person(self.url, username, PASSWORD)

    def invite(self, username: str) -> str:
        return granted(self.admin.post("/devices/invitations", {"username": username}), 201)["code"]

    def handheld(self, *scopes: str, roles: tuple[str, ...] = ("inspector",), signs: bool = True, who: str = "",
                 owner: Person | None = None) -> Handheld:
        """A new device, of the inspector of these scopes unless somebody else is named."""
        person = owner or self.person(*roles, scopes=scopes or ("320412100",), who=who)
        device = Handheld(self.url, self.invite(person.username), signs=signs)
        device.owner = person
        return device


def a_photo(seed: int | None = None, size: tuple[int, int] = (640, 480)) -> bytes:
    """A JPEG of random boxes, unlike any other: coarse structure keeps perceptual hashes far apart."""
    dice = random.Random(seed if seed is not None else uuid.uuid4().int)
    picture = Image.new("RGB", size, (dice.randrange(256), dice.randrange(256), dice.randrange(256)))
    draw = ImageDraw.Draw(picture)
    for _ in range(120):
        x, y = dice.randrange(size[0]), dice.randrange(size[1])
        box = (x, y, x + dice.randrange(20, size[0] // 3), y + dice.randrange(20, size[1] // 3))
        draw.rectangle(box, fill=(dice.randrange(256), dice.randrange(256), dice.randrange(256)))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def east_north(lon: float, lat: float, east_m: float, north_m: float) -> tuple[float, float]:
    """The place that lies so many metres east and north."""
    return (lon + east_m / (METRES_A_DEGREE * math.cos(math.radians(lat))), lat + north_m / METRES_A_DEGREE)


def frontage(lon: float, lat: float, scope: str, *, width_m: float = 8, depth_m: float = 6, name: str = "三余便利店",
             zone_id: str | None = None, **properties: Any) -> dict[str, Any]:
    """A rectangular frontage zone with its south-west corner here, as `POST /zones/import` takes it."""
    corners = [(0, 0), (width_m, 0), (width_m, depth_m), (0, depth_m), (0, 0)]
    ring = [list(east_north(lon, lat, *corner)) for corner in corners]
    known = {"zone_id": zone_id or str(uuid.uuid4()), "name": name, "road": "测试路", "section": "测试路(东段)",
             "scope": scope, "party": {"name": name}, "valid_from": "2026-01-01"}
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": known | properties}


def a_road(line: list[Any], scope: str, *, name: Any = "武宜路", id: Any = None, **properties: Any) -> dict[str, Any]:
    """A road along these positions, as `POST /roads/import` takes it."""
    return {"type": "Feature", "id": id, "geometry": {"type": "LineString", "coordinates": line},
            "properties": {"name": name, "scope": scope} | properties}


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def eventually(look: Callable[[], T], *, within_s: float = 20, every_s: float = 0.2) -> T:
    """The first true value of `look`; its last value when time is up."""
    deadline = time.monotonic() + within_s
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(every_s)
    return seen
