"""Values are erased on approval alone, wherever they stand, on both engines; journal and bundle hold all the same."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select, text

from server.audit import audit
from server.db import db
from server.keeping.models import Erasure
from sync.models import Base
from tests.bureau import a_photo
from tests.conftest import Places
from tests.enrolled import Handheld
from tests.server.disposing import altered
from tests.server.indoors import Indoors
from tests.wire import Person, granted, moment, new_id, refused

SCOPE = "320412110"
NAME = "王小明"
ID_NUMBER = "11010519491231002X"
SAID = f"店主{NAME}称证号{ID_NUMBER}"


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, places: Places) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    grown = places.once(("engine", "grown"), lambda: places.engine("grown")).another()
    assert grown.database_url
    return {"MENQIAN_DATABASE_URL": grown.database_url}


@pytest.fixture
def device(office: Indoors) -> Handheld:
    return office.handheld(SCOPE)


@pytest.fixture
def one(office: Indoors) -> Person:
    return office.person("supervisor", scopes=(SCOPE,), who="one")


@pytest.fixture
def two(office: Indoors) -> Person:
    return office.person("supervisor", scopes=(SCOPE,), who="two")


def where_stands(office: Indoors, *texts: str) -> dict[str, int]:
    """By table how many rows have one of the texts somewhere, as it is or escaped as JSON."""
    wanted = [form for one in texts for form in (one, orjson.dumps(one).decode()[1:-1], ascii(one)[1:-1])]
    found: dict[str, int] = {}
    with office.app.app_context():
        for table in Base.metadata.sorted_tables:
            rows = [str(tuple(row)) for row in db.session.execute(select(table))]
            if count := sum(any(form in row for form in wanted) for row in rows):
                found[table.name] = count
        db.session.rollback()
    return found


def audited(office: Indoors) -> dict[str, Any]:
    with office.app.app_context():
        return audit()


def asked(finding: str, *fields: str, ground: str = "unlawful") -> dict[str, Any]:
    return {"record_type": "finding", "record_id": finding, "fields": list(fields), "ground": ground,
            "reason": "收集了无关人员信息"}


def erased(one: Person, two: Person, body: dict[str, Any]) -> dict[str, Any]:
    made = granted(one.post("/erasures", body), 201)
    return granted(two.post(f"/erasures/{made['id']}/approval", {"note": "属实,同意"}))


def everywhere(office: Indoors, device: Handheld, one: Person) -> str:
    """A finding whose text stands in its row, history, conflicts, in quarantine, and in what people said of it."""
    finding = device.report(SCOPE, text=SAID)
    content = a_photo()
    device.deliver(device.capture(SCOPE, content, ("finding", finding)))
    device.upload(content)
    base = one.record("finding", finding)["version"]
    granted(one.edit("finding", finding, base, set={"text": f"{SAID},已核"}))
    other = device.edit("finding", finding, base, set={"text": f"{SAID},拒签"})
    assert device.deliver(other)[0]["outcome"] == "conflicted"
    bad = device.edit("finding", finding, base, set={"text": SAID, "source": f"听{NAME}说"})
    assert device.deliver(bad)[0]["outcome"] == "quarantined"
    reason = {"profile": "court", "reason": f"{NAME}申请查阅"}
    reviewer = office.person("reviewer", scopes=(SCOPE,))
    assert reviewer.get(f"/reviews/{finding}/bundle", params=reason).status_code == 200
    return finding


def test_values_vanish_wherever_they_stand(office: Indoors, device: Handheld, one: Person, two: Person,
                                           tmp_path: Path) -> None:
    finding = everywhere(office, device, one)
    before = where_stands(office, NAME, ID_NUMBER)
    assert set(before) >= {"record", "history", "quarantine"}
    cursor = granted(device.pull())["cursor"]

    refused(one.post("/erasures", asked(finding, "text", "source")), 422, "not_erasable")
    made = granted(one.post("/erasures", asked(finding, "text", "@reasons")), 201)
    refused(one.post(f"/erasures/{made['id']}/approval", {"note": "同意"}), 403, "own_proposal")
    assert where_stands(office, NAME, ID_NUMBER) == before, "nothing goes by itself"
    done = granted(two.post(f"/erasures/{made['id']}/approval", {"note": "属实"}))
    assert (done["state"], done["decided_by"]) == ("done", two.user["id"])
    refused(two.post(f"/erasures/{made['id']}/approval", {"note": "再"}), 409, "state_moved")

    left = where_stands(office, ID_NUMBER, SAID)
    assert left == {}, left
    change = next(each for each in granted(device.pull(cursor))["changes"] if each["id"] == finding)
    assert "text" not in change["fields"]
    history = granted(two.get(f"/records/finding/{finding}/history"))["items"]
    assert history[-1]["name"] == "erase" and history[-1]["actor"] == two.user["id"]
    assert history[-1]["changed"] == {"text": {"from": None, "to": None}}
    assert {each["version"] for each in history if each.get("erased")} == {1, *(
        each["version"] for each in history if "text" in each["changed"])} - {history[-1]["version"]}
    found = audited(office)
    assert found["problems"] == []
    assert "journal_aside" not in where_stands(office, NAME) and found["checked"]["asides_erased"] >= 1
    assert found["checked"]["versions_erased"] >= 3 and found["erased"][0]["record_id"] == finding

    reviewer = office.person("reviewer", scopes=(SCOPE,))
    for profile in ("court", "party", "public"):
        bag = reviewer.get(f"/reviews/{finding}/bundle", params={"profile": profile, "reason": "复核"})
        with zipfile.ZipFile(io.BytesIO(bag.content)) as packed:
            packed.extractall(tmp_path / profile)
        root = next((tmp_path / profile).iterdir())
        assert SAID not in "".join(path.read_text(errors="replace") for path in root.rglob("*.json*"))
        checked = subprocess.run([sys.executable, "-I", "verify.py"], cwd=root, text=True, capture_output=True)
        assert checked.returncode == 0, checked.stdout
        assert "lawfully erased" in checked.stdout


def test_verdicts_and_prepared_snapshots_do_not_keep_it(office: Indoors, device: Handheld, one: Person,
                                                         two: Person) -> None:
    finding = device.report(SCOPE, text=SAID)
    house = office.app.extensions["menqian"]
    house.settings = replace(house.settings, snapshot_records=1, changes_per_pull=1)
    device.report(SCOPE)
    granted(device.post("/sync/snapshot", {}))
    frame = {"type": "finding", "from": moment(-7200), "to": moment(3600), "scopes": [SCOPE]}
    asks = {"title": "抽查", "frame": frame, "strata": ["inspector_id"], "size": 2}
    check = granted(one.post("/spot-checks", asks), 201)
    granted(one.post(f"/spot-checks/{check['id']}/draw"))
    verdict = {"verdict": "disputed", "values": {"text": f"{NAME}不在场"}, "note": f"见到的是{SAID}"}
    second = office.person("reviewer", scopes=(SCOPE,))
    assert second.post(f"/spot-checks/{check['id']}/samples/{finding}/verdict", verdict).status_code in (200, 201)
    snapshots = house.settings.snapshots
    assert list(snapshots.glob("*/*.gz")) and where_stands(office, NAME)["spot_sample"]
    erased(one, two, asked(finding, "text"))
    assert not list(snapshots.glob("*/*.gz")) and where_stands(office, NAME) == {}
    assert audited(office)["problems"] == []


def test_work_goes_on_after_an_erasure(office: Indoors, device: Handheld, one: Person, two: Person) -> None:
    finding = device.report(SCOPE, text=SAID)
    erased(one, two, asked(finding, "text", "address"))
    kept = one.record("finding", finding)
    assert kept["fields"]["address"] == "已依法删除 lawfully erased" and "text" not in kept["fields"]
    again = device.edit("finding", finding, kept["version"], set={"text": "店外经营"})
    assert device.deliver(again)[0]["outcome"] == "applied"
    assert audited(office)["problems"] == []


def test_conflicts_over_what_was_erased_are_settled(office: Indoors, device: Handheld, one: Person,
                                                    two: Person) -> None:
    finding = everywhere(office, device, one)
    erased(one, two, asked(finding, "text"))
    conflicts = granted(one.get(f"/records?type=conflict&about_id={finding}"))["items"]
    assert conflicts and {each["fields"]["state"] for each in conflicts} == {"resolved"}
    assert not any(each["fields"][side] for each in conflicts for side in ("base", "theirs", "mine"))
    open_ = granted(one.get("/quarantine"))["items"]
    assert all("text" not in each["mutation"]["set"] for each in open_ if each["mutation"]["record_id"] == finding)
    released = one.post(f"/quarantine/{open_[0]['id']}/release", {"set": {"source": "patrol"}})
    assert granted(released)["outcome"] in ("applied", "merged")
    assert audited(office)["problems"] == []


def test_what_is_held_or_due_later_or_no_personal_field_is_refused(office: Indoors, device: Handheld, one: Person,
                                                                   two: Person) -> None:
    finding = device.report(SCOPE, text=SAID)
    refused(one.post("/erasures", asked(finding, "status")), 422, "not_erasable")
    refused(one.post("/erasures", asked(finding, "text", ground="because")), 422, "not_erasable")
    refused(one.post("/erasures", asked(finding, "text", ground="period_over")), 409, "not_due")
    refused(one.post("/erasures", asked(new_id(), "text")), 404, "not_found")
    refused(office.person("inspector", scopes=(SCOPE,)).post("/erasures", asked(finding, "text")), 403)
    made = granted(one.post("/erasures", asked(finding, "text")), 201)
    order = {"reason": "复议", "ordered_by": "区政府"}
    hold = granted(one.post(f"/records/finding/{finding}/legal-holds", order), 201)
    refused(two.post(f"/erasures/{made['id']}/approval", {"note": "同意"}), 409, "held_by_order")
    granted(one.post(f"/legal-holds/{hold['id']}/release", {"reason": "终结"}))
    assert granted(two.post(f"/erasures/{made['id']}/refusal", {"note": "不属实"}))["state"] == "refused"
    assert one.record("finding", finding)["fields"]["text"] == SAID
    assert [each["state"] for each in granted(two.get("/erasures"))["items"]] == ["refused"]
    assert audited(office)["problems"] == []


def test_only_what_the_record_ever_had_is_erased(office: Indoors, device: Handheld, one: Person, two: Person) -> None:
    finding = device.report(SCOPE, x_owner=NAME)
    for absent in ("adress", "text.x", "x_owner.name", "answers"):
        refused(one.post("/erasures", asked(finding, absent)), 422, "not_erasable")
    bad = device.edit("finding", finding, 1, set={"x_phone": NAME, "source": "hearsay"})
    assert device.deliver(bad)[0]["outcome"] == "quarantined"
    granted(one.edit("finding", finding, one.record("finding", finding)["version"], set={"x_owner": None}))
    erased(one, two, asked(finding, "x_owner", "x_phone", "text"))
    assert where_stands(office, NAME) == {}
    assert audited(office)["problems"] == []


def test_whoever_empties_a_salt_without_an_erasure_is_found(office: Indoors, device: Handheld, one: Person,
                                                            two: Person) -> None:
    finding, other = device.report(SCOPE, text=SAID), device.report(SCOPE, text=SAID)
    erased(one, two, asked(finding, "text"))
    with office.app.app_context():
        db.session.execute(text("UPDATE history SET salt = '' WHERE record_id = :id"), {"id": other})
        db.session.commit()
    assert audited(office)["found"] == {"history_altered": 1}
    with office.app.app_context():
        db.session.execute(text("UPDATE erasure SET decided_by = proposed_by"))
        db.session.commit()
    assert audited(office)["found"] == {"history_altered": 1, "proposal_altered": 1}


def test_an_erasure_is_what_the_journal_says_or_nobody_approves_it(office: Indoors, device: Handheld, one: Person,
                                                                   two: Person) -> None:
    finding, other = device.report(SCOPE, text=SAID), device.report(SCOPE, text=SAID)
    values: tuple[dict[str, Any], ...] = ({"record_id": other}, {"fields": ["address"]}, {"ground": "other_law"})
    made = granted(one.post("/erasures", asked(finding, "text")), 201)
    for each in values:
        with altered(office, Erasure, **each):
            refused(two.post(f"/erasures/{made['id']}/approval", {"note": "同意"}), 409, "proposal_altered")
            assert audited(office)["found"] == {"proposal_altered": 1}, each
    granted(two.post(f"/erasures/{made['id']}/approval", {"note": "同意"}))
    for each in (*values, {"record_type": "inspection"}):
        with altered(office, Erasure, **each):
            assert audited(office)["found"] == {"proposal_altered": 1}, each
    assert audited(office)["problems"] == []


@pytest.mark.parametrize(("record_type", "fields", "name", "left"), [
    ("inspection", {"started_at": "2026-11-27T01:00:00.000Z", "answers": {"a1": {"value": "no", "note": SAID}}},
     "answers", None),
    ("enforcement", {"kind": "persuade", "facts": SAID}, "facts", "已依法删除 lawfully erased"),
    ("letter", {"witness": {"name": SAID}, "signed_at": "2026-11-27T01:00:00.000Z"}, "witness", None),
    ("register_entry", {"on": "2026-11-27", "note": SAID}, "note", None),
    ("track", {"points": [{"id": "018f0000-0000-7000-8000-000000000001", "at": "2026-11-27T01:00:00.000Z",
                           "lon": 119.951234, "lat": 31.7, "crs": "EPSG:4326", "accuracy_m": 5.0}]}, "points", None),
    ("finding", {"observed_at": "2026-11-27T01:00:00.000Z", "address": "武宜路2号", "x_owner": SAID}, "x_owner", None)])
def test_fields_of_every_kind_can_be_erased(office: Indoors, device: Handheld, one: Person, two: Person,
                                            record_type: str, fields: dict[str, Any], name: str, left: str | None
                                            ) -> None:
    made = device.create(record_type, SCOPE, fields)
    assert device.deliver(made)[0]["outcome"] == "applied"
    body = {**asked(made["record_id"], name), "record_type": record_type}
    erased(one, two, body)
    assert one.record(record_type, made["record_id"])["fields"].get(name) == left
    assert where_stands(office, SAID, "119.951234") == {}
    assert audited(office)["problems"] == []
