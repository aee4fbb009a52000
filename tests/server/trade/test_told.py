"""What is derived in the very change that sets it stands in the history as it stands in the record."""

from __future__ import annotations

from pathlib import Path

from server.db import db, writing
from sync.history import history_of
from tests.server.indoors import indoors
from tests.wire import granted, moment, new_id, position

SCOPE = "320412114"


def test_flags_that_a_check_and_a_track_make_together_are_all_in_the_history(tmp_path: Path) -> None:
    with indoors(tmp_path / "data") as office:
        device = office.handheld(SCOPE)
        finding, at = device.report(SCOPE), moment(-60)
        point = {"id": "p1", "at": at, "lon": 119.95, "lat": 31.71, "crs": "EPSG:4326", "accuracy_m": 3}
        shot = device.capture(SCOPE, new_id().encode(), ("finding", finding), captured_at=at,
                              position=position(119.96, 31.72))
        device.deliver(shot, device.create("track", SCOPE, {"points": [point]}))
        with office.app.app_context():
            with writing() as door:
                kept = door.get(shot["record_id"])
                assert kept is not None
                checked = {"code": "trailing_data", "detail": {"rule": "bytes behind the end of the picture"}}
                door.amend(kept.id, {"media": {"state": "verified"}, "flags": [checked]}, op="media")
            told = [one["changed"]["flags"]["to"] for one in history_of(db.session(), shot["record_id"])[0]
                    if "flags" in one["changed"]]
        flags = granted(device.owner.get(f"/records/evidence/{shot['record_id']}"))["fields"]["flags"]
        assert [one["code"] for one in flags] == ["trailing_data", "place_conflict"]
        assert told[-1] == flags
