"""The story of one shift: three inspectors, a morning together, hours apart without a network, and the way back.

Owns who does what; `patrol` owns how, `office` what the others make of it afterwards. Read `morning`, `apart`, `home`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from schemas.positions import distance_m
from schemas.values import stamp
from server.demo.network import BAD, GOOD
from server.demo.patrol import GB_EVENT, ITEMS, Patrol, now
from server.demo.town import Shop
from sync.device.client import Problem, Unreachable
from sync.device.device import Report
from sync.device.files import FINAL

BEATS = ("武宜路", "花园街", "鸣新中路")
APART_M = 70.0
CHUNK_BYTES = 32 * 1024
HOME_WITHIN_S = 120


class StillBusy(Exception):
    """Something still waits or arrives long after the devices came back."""


@dataclass
class Shift:
    """What the story needs to remember. The ids of records that several people touch, by what happens to them."""

    patrols: list[Patrol]
    places: dict[str, Iterator[Shop]]
    met: dict[str, str] = field(default_factory=dict)
    lost_calls: int = 0

    def place(self, beat: int) -> Shop:
        """The next shop on an inspector's street, far from all others that were used."""
        return next(self.places[BEATS[beat]])


def begin(patrols: list[Patrol], shops: Sequence[Shop], seed: int) -> Shift:
    """A shift with the places that its inspectors will come to."""
    chosen = spread(shops, Random(seed))
    return Shift(patrols, {beat: iter([shop for shop in chosen if shop.street == beat]) for beat in BEATS})


def spread(shops: Sequence[Shop], dice: Random) -> list[Shop]:
    """Shops of the beats in a random order, no two nearer than APART_M: their findings are not the same thing."""
    chosen: list[Shop] = []
    for shop in dice.sample(shops, len(shops)):
        if shop.street in BEATS and not shop.second_street and all(
                distance_m(shop.lon, shop.lat, other.lon, other.lat) > APART_M for other in chosen):
            chosen.append(shop)
    return chosen


def morning(shift: Shift) -> None:
    """Everybody pulls the town; the first reports what two of them will edit later, and all see it."""
    first, *others = shift.patrols
    for patrol in shift.patrols:
        patrol.device.sync()
    for name, scene, text in (("fields", "goods", "货物摆出门外"), ("text", "rubbish", "门前有垃圾"),
                              ("class", "banner", "门前立有广告牌"), ("tags", "bikes", "电动车乱停"),
                              ("deleted", "goods", "门口堆放纸箱")):
        shop = shift.place(0)
        shift.met[name] = first.find(scene, shop, text, photos=int(name == "fields"), position=first.fix(shop, 1.0))
    shift.met["answers"] = first.inspect(shift.place(0))
    for patrol in (first, *others):
        patrol.device.sync()


def apart(shift: Shift) -> None:
    """Offline: each works along his street, two of them on the same records."""
    for patrol in shift.patrols:
        patrol.network.offline = True
    _first_street(shift)
    _second_street(shift)
    _third_street(shift)
    _same_records(shift)
    for patrol in shift.patrols:
        try:
            patrol.device.sync()
        except Unreachable:
            shift.lost_calls += 1


def _first_street(shift: Shift) -> None:
    """GPS of every quality, a sticker, a checklist, a word with the owner, an order with its document."""
    patrol = shift.patrols[0]
    shop = shift.place(0)
    goods = patrol.find("goods", shop, "店外经营,占用人行道", photos=2, position=patrol.fix(shop, 1.0))
    patrol.enforce("persuade", goods, "已劝导店主将货物移回店内")
    shop = shift.place(0)
    ordered = patrol.find("banner", shop, "占道广告牌", position=patrol.fix(shop, 0.8, "GCJ-02"))
    with patrol.device.group():
        order = patrol.enforce("order_now", ordered, "责令立即改正:移除占道广告牌", document_no="演示责改字第1号",
                               officers=[patrol.person.name, "周晓(演示)"], due_at=stamp(now()),
                               served={"how": "当场送达", "at": stamp(now())})
        patrol.photograph(("enforcement", order), shop, "banner", "document")
    shop = shift.place(0)
    patrol.find("bikes", shop, "非机动车占道", position=patrol.fix(shop, 12.0), sticker_serial=shop.sticker_serial)
    shop = shift.place(0)
    patrol.find("rubbish", shop, "店主来电反映垃圾", photos=0, address=f"{shop.street}{shop.house_no}号")
    inspection = patrol.inspect(shift.place(0))
    patrol.answer(inspection, {name: "fail" if name.endswith(("03", "06")) else "pass" for name in ITEMS})


def _second_street(shift: Shift) -> None:
    """Positions of other maps, two that leave the zone open, a signed letter, a register entry."""
    patrol = shift.patrols[1]
    shop = shift.place(1)
    patrol.find("goods", shop, "门前堆货", position=patrol.fix(shop, 1.0, "BD-09"))
    shop = shift.place(1)
    patrol.find("rubbish", shop, "垃圾未入桶", position=patrol.fix(shop, 3.0))
    shop = shift.place(1)
    shift.met["ambiguous"] = patrol.find("bikes", shop, "共享单车淤积", position=patrol.fix(shop, 25.0))
    shop = shift.place(1)
    patrol.find("rubbish", shop, "高楼间定位漂移", photos=0, position=patrol.fix(shop, 40.0))
    shop = shift.place(1)
    patrol.sign_letter(shop)
    patrol.register(shop)
    shop = shift.place(1)
    shift.met["twin"] = patrol.find("banner", shop, "横幅遮挡人行道", position=patrol.fix(shop, 2.0))
    third = shift.patrols[2]
    shift.met["other twin"] = third.find("banner", shop, "路口占道横幅", position=third.fix(shop, 2.0))


def _third_street(shift: Shift) -> None:
    """A sticker alone, a place without a zone, a broken form with a photo of its own, one photo used twice, a track."""
    patrol = shift.patrols[2]
    shop = shift.place(2)
    patrol.find("goods", shop, "扫码上报:店外经营", sticker_serial=shop.sticker_serial)
    shop = shift.place(2)
    patrol.find("rubbish", shop, "绿地旁有垃圾", position=patrol.fix(shop, 4.0, away_m=900))
    shop = shift.place(2)
    broken = {name: value for name, value in patrol.fix(shop, 1.0).items() if name != "crs"}
    shift.met["broken"] = patrol.find("rubbish", shop, "旧版表单:位置缺少坐标系", position=broken)
    shop = shift.place(2)
    patrol.find("goods", shop, "占道摆放", photos=0, position=patrol.fix(shop, 1.0, "EPSG:4490"))
    once = patrol.camera.take(shop, "goods", now())
    for text in ("早餐摊位占道", "与前一处相同的照片"):
        shop = shift.place(2)
        finding = patrol.find("goods", shop, text, photos=0, position=patrol.fix(shop, 1.0))
        patrol.photograph(("finding", finding), shop, "goods", "scene", once)
    shift.met["reused"] = finding
    patrol.walk([shift.place(2) for _ in range(4)])


def _same_records(shift: Shift) -> None:
    """The first two edit the same records apart, on top of the same versions."""
    met, (first, second, _) = shift.met, shift.patrols
    first.device.edit("finding", met["fields"], {"text": "货物摆出门外约两米,已拍照"})
    second.device.edit("finding", met["fields"], {"condition": "d1"})
    first.device.edit("finding", met["text"], {"text": "门前有两袋垃圾"})
    second.device.edit("finding", met["text"], {"text": "垃圾已清,地面有油污"})
    first.device.edit("finding", met["class"], {"class_scheme": GB_EVENT, "class_code": "0203", "severity": "重"})
    second.device.edit("finding", met["class"], {"class_scheme": GB_EVENT, "class_code": "0507", "severity": "轻"})
    first.device.edit("finding", met["tags"], add={"tags": ["夜间"]})
    second.device.edit("finding", met["tags"], add={"tags": ["屡次"]})
    first.device.edit("finding", met["deleted"], {"text": "门口堆放纸箱,约一立方米"})
    second.device.delete("finding", met["deleted"], "到场时已清理")
    first.answer(met["answers"], dict.fromkeys(ITEMS[:6], "pass"))
    second.answer(met["answers"], {name: "pass" if name != ITEMS[9] else "fail" for name in ITEMS[6:]})


def home(shift: Shift, *, bad: bool) -> int:
    """Back in the network, a bad one: synchronise in turns until everything is quiet. Gives the number of turns."""
    for patrol in shift.patrols:
        patrol.network.offline, patrol.network.odds = False, BAD if bad else GOOD
    deadline, turns = time.monotonic() + HOME_WITHIN_S, 0
    while True:
        turns += 1
        resting = [_comes_to_rest(shift, patrol) for patrol in shift.patrols]
        if all(resting):
            return turns
        if time.monotonic() > deadline:
            raise StillBusy(f"the devices did not come to rest within {HOME_WITHIN_S} s")
        time.sleep(0.2)


def _comes_to_rest(shift: Shift, patrol: Patrol) -> bool:
    """Synchronise once; true when nothing waits, nothing came and every photo known to the server is checked."""
    try:
        report: Report = patrol.device.sync(chunk_bytes=CHUNK_BYTES)
    except Unreachable:
        shift.lost_calls += 1
        return False
    except Problem as problem:
        if problem.action != "retry":
            raise
        shift.lost_calls += 1
        return False
    states = [(record.fields.get("media") or {}).get("state") for record in patrol.device.records("evidence")
              if record.version]
    return not (report.waiting or report.photos_waiting or report.received) and all(
        state in FINAL for state in states)
