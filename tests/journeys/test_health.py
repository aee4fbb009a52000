"""Sync health: what a device says of itself at any call, and the signed receipt of all that arrived."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.bureau import Bureau, a_photo, eventually
from tests.enrolled import Handheld
from tests.wire import Person, a_finding, granted, moment, refused, sha256

SCOPE = "320412100"
PAGE = Path(__file__).parents[2] / "docs" / "verify-a-receipt.md"
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=(SCOPE,))


def row_of(reader: Person, device: Handheld) -> dict[str, Any]:
    row, = (row for row in granted(reader.get("/devices"))["items"] if row["id"] == device.id)
    return row


def receipt_of(device: Handheld) -> dict[str, Any]:
    answer = device.get("/sync/receipt")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain")
    return json.loads(answer.text.split("\n")[1])


@pytest.mark.parametrize("path", ["/sync/pull", "/hello", "/quarantine"])
def test_any_call_tells_what_a_device_has_not_delivered(device: Handheld, supervisor: Person, path: str) -> None:
    since = moment(-7200)
    said = f"unsent=3; oldest={since}; bytes=4096; photos=2; time={moment()}; round-trip=80"
    granted(device.get(path, headers={"Menqian-Health": said}))
    row = row_of(supervisor, device)
    assert {name: row["reported"][name] for name in ("unsent", "oldest_unsent_at", "unsent_bytes", "unsent_photos")} \
        == {"unsent": 3, "oldest_unsent_at": since, "unsent_bytes": 4096, "unsent_photos": 2}
    assert abs(row["clock_offset_ms"]) < 30_000
    granted(device.get(path, headers={"Menqian-Health": "unsent=0; photos=0"}))
    assert row_of(supervisor, device)["reported"]["oldest_unsent_at"] is None


@pytest.mark.parametrize("said", ["time={now}; round-trip=9007199254740992",
                                  "time=9999-12-31T23:59:59.999Z; round-trip=2", "time=0001-01-01T00:00:00Z"])
def test_no_clock_is_too_strange_to_be_told(device: Handheld, supervisor: Person, said: str) -> None:
    granted(device.get("/hello", headers={"Menqian-Health": f"unsent=4; {said.format(now=moment())}"}))
    assert row_of(supervisor, device)["reported"]["unsent"] == 4
    told = dict(part.split("=") for part in said.format(now=moment()).split("; "))
    granted(device.push(health={"unsent": 5, "device_time": told["time"], "round_trip_ms": int(
        told.get("round-trip", 0))}))
    assert row_of(supervisor, device)["reported"]["unsent"] == 5


def test_photos_that_wait_are_seen_by_their_bytes_alone_and_by_the_device_s_own_clock(
        device: Handheld, supervisor: Person) -> None:
    for behind_s in (0, 172_800, -172_800):
        said = f"unsent=0; bytes=5000000; oldest={moment(-90 * 3600 + behind_s)}; time={moment(behind_s)}"
        granted(device.get("/hello", headers={"Menqian-Health": said}))
        row = row_of(supervisor, device)
        assert 89 < row["waits_h"] < 91 and "unsent_old" in row["attention"]


def test_half_of_the_round_trip_belongs_to_the_clock(device: Handheld, supervisor: Person) -> None:
    granted(device.get("/hello", headers={"Menqian-Health": f"time={moment()}; round-trip=3600000"}))
    assert 1_700_000 < row_of(supervisor, device)["clock_offset_ms"] < 1_900_000


@pytest.mark.parametrize("said", ["", "unsent", "unsent=-1; bytes=x", "time=yesterday", "a=b; ;;", "unsent=3" * 200])
def test_a_header_that_cannot_be_read_stops_nothing(device: Handheld, said: str) -> None:
    granted(device.get("/sync/pull", headers={"Menqian-Health": said}))


def test_a_push_tells_of_photos_too(device: Handheld, supervisor: Person) -> None:
    granted(device.push(health={"unsent": 0, "oldest_unsent_at": moment(-60), "unsent_bytes": 9, "unsent_photos": 1}))
    assert row_of(supervisor, device)["reported"]["unsent_photos"] == 1
    refused(device.push(health={"unsent_photos": "one"}), 422, "invalid_request")


def test_a_receipt_counts_what_became_of_everything(device: Handheld, supervisor: Person) -> None:
    right, wrong = device.create("finding", SCOPE, a_finding()), device.create("finding", SCOPE, a_finding(
        class_code="9999"))
    held = device.create("evidence", SCOPE, {
        "sha256": sha256(b"x"), "bytes": 1, "media_type": "image/jpeg", "role": "scene", "captured_at": moment(),
        "about": {"type": "finding", "id": "01890000-0000-7000-8000-000000000000"}})
    device.deliver(right, wrong, held)
    receipt = receipt_of(device)
    assert receipt["device_id"] == device.id and receipt["user_id"] == device.user["id"]
    assert receipt["last_n"] == 3 and receipt["epoch"] == device.hello()["epoch"]
    assert receipt["outcomes"] == {"applied": 1, "merged": 0, "conflicted": 0, "held": 1, "quarantined": 1,
                                   "dismissed": 0}
    row, = (row for row in granted(supervisor.get("/quarantine?limit=500"))["items"] if row["device_id"] == device.id)
    granted(supervisor.post(f"/quarantine/{row['id']}/dismiss", {"reason": "误报"}))
    assert receipt_of(device)["outcomes"]["dismissed"] == 1


def test_a_receipt_names_the_photos_and_can_be_verified_offline(bureau: Bureau, tmp_path: Path) -> None:
    device = bureau.handheld(owner=bureau.newcomer("inspector", scopes=(SCOPE,)))
    contents = [a_photo(), a_photo()]
    finding = device.report(SCOPE)
    captures = [device.capture(SCOPE, content, ("finding", finding)) for content in contents]
    device.deliver(*captures)
    assert receipt_of(device)["photos"] | {"root": ""} == {
        "verified": 0, "root": "", "expected": 2, "partial": 0, "stored": 0, "damaged": 0, "refused": 0}
    for content in contents:
        assert device.upload(content).status_code == 204
    assert eventually(partial(_all_verified, device, 2), within_s=60)
    (tmp_path / "verify_receipt.py").write_text(PROGRAM)
    (tmp_path / "photos").mkdir()
    for number, content in enumerate(contents):
        (tmp_path / "photos" / str(number)).write_bytes(content)
    for name, path in (("key", "/journal/key"), ("receipt", "/sync/receipt"), ("list", "/sync/receipt/photos")):
        (tmp_path / name).write_bytes(device.get(path).content)
    told = subprocess.run([sys.executable, "verify_receipt.py", "key", "receipt", "list", "photos"], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.removeprefix("right: "))["last_n"] == 3


def test_a_receipt_binds_what_each_change_was_whatever_became_of_it(device: Handheld, tmp_path: Path) -> None:
    sent = [device.create("finding", SCOPE, a_finding(text="甲")),
            device.create("finding", SCOPE, a_finding(class_code="9999")),
            device.edit("finding", str(uuid.uuid4()), 1, set={"text": "先到"})]
    assert [outcome["outcome"] for outcome in device.deliver(*sent)] == ["applied", "quarantined", "held"]
    listed = granted(device.get("/sync/receipt/changes"))
    for (n, change_id, digest), mutation in zip(listed["changes"], sent, strict=True):
        text = json.dumps({name: value for name, value in mutation.items() if name != "n"}, sort_keys=True,
                          separators=(",", ":"), ensure_ascii=False)
        assert (n, change_id, digest) == (mutation["n"], mutation["id"], sha256(text.encode()))
    assert receipt_of(device)["changes"]["root"] == listed["root"]
    (tmp_path / "verify_receipt.py").write_text(PROGRAM)
    for name, path in (("key", "/journal/key"), ("receipt", "/sync/receipt"), ("list", "/sync/receipt/changes")):
        (tmp_path / name).write_bytes(device.get(path).content)
    listed["changes"][2][2] = "0" * 64
    (tmp_path / "forged").write_text(json.dumps(listed))
    for name, code in (("list", 0), ("forged", 1)):
        told = subprocess.run([sys.executable, "verify_receipt.py", "key", "receipt", name], cwd=tmp_path,
                              capture_output=True, text=True, check=False)
        assert told.returncode == code, told.stderr


@pytest.mark.parametrize("path", ["", "/photos", "/changes"])
def test_a_receipt_is_for_devices(supervisor: Person, path: str) -> None:
    refused(supervisor.get(f"/sync/receipt{path}"), 403, "device_required")


def _all_verified(device: Handheld, count: int) -> bool:
    return receipt_of(device)["photos"]["verified"] == count
