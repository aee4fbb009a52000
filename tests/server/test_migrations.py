"""What a migration does with the rows that an older release wrote."""

from __future__ import annotations

from pathlib import Path

from flask_migrate import downgrade
from sqlalchemy import text

from server import jobs
from server.db import db, migrations, upgrade
from server.roads import features_in
from tests.bureau import a_road, collection
from tests.server.indoors import Indoors, indoors
from tests.wire import granted, new_id

SCOPE = "320412114"


def back_to(office: Indoors, revision: str) -> None:
    with office.app.app_context():
        migrations()
        downgrade(revision=revision)


def test_breaks_from_before_incidents_were_known_become_incidents(tmp_path: Path) -> None:
    with indoors(tmp_path / "data") as office:
        device = office.handheld(SCOPE)
        finding = device.report(SCOPE)
        shots = [device.capture(SCOPE, new_id().encode(), ("finding", finding)) for _ in range(2)]
        device.seq, device.prev = 0, "0" * 64
        shots.append(device.capture(SCOPE, new_id().encode(), ("finding", finding)))
        device.seq = 6
        shots.append(device.capture(SCOPE, new_id().encode(), ("finding", finding)))
        device.deliver(*shots)
        back_to(office, "0012_derivatives")
        with office.app.app_context():
            db.session.execute(text("DELETE FROM record WHERE type = 'incident'"))
            db.session.commit()
            upgrade()
            jobs._tick()
        granted(device.push(health={"unsent": 0}))
        with office.app.app_context():
            jobs._tick()
        found = [one["fields"] for one in granted(device.owner.get("/records?type=incident&sort=class_code"))["items"]]
        assert [(one["kind"], one.get("seq"), one.get("missing")) for one in found] == [
            ("chain_fork", 1, None), ("chain_gap", None, [[3, 6]])]


def test_roads_from_before_they_had_boxes_are_found_where_they_lie(tmp_path: Path) -> None:
    with indoors(tmp_path / "data") as office:
        far = [[119.80, 31.60], [119.81, 31.60]]
        granted(office.admin.post("/roads/import", collection(
            a_road([[119.95, 31.70], [119.96, 31.71]], SCOPE, road_id="near"), a_road(far, SCOPE, road_id="far"))))
        back_to(office, "0019_roads")
        with office.app.app_context():
            upgrade()
            near = [*features_in(db.session(), (SCOPE,), (119.954, 31.704, 119.956, 31.706))]
        assert [road["id"] for road in near] == ["near"]
