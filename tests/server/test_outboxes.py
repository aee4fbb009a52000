"""The outbox of a phone that died, brought by the office: through the same doors, once, and named in the journal."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sync.device.client import Patience, Problem
from sync.device.device import Device
from tests.bureau import Bureau, a_photo, eventually
from tests.running import Server
from tests.sync.device.office import a_finding
from tests.wire import Person, granted

SCOPE = "320412100"
OUTCOMES = ("applied", "merged", "conflicted", "held", "quarantined", "replayed")


@pytest.fixture
def device(bureau: Bureau, tmp_path: Path) -> Device:
    return enrolled(bureau, bureau.person("inspector"), tmp_path / "phone")


def enrolled(bureau: Bureau, person: Person, directory: Path, **parts: Any) -> Device:
    return Device.enrol(bureau.url, bureau.invite(person.username), "测试机", directory, patience=Patience(), **parts)


def worked(device: Device, findings: int = 2) -> tuple[list[str], str, str]:
    """Findings with a photo of the first, nothing delivered: ids of the findings and the evidence, and the digest."""
    made = [device.create("finding", a_finding(text=f"第{number}处"), SCOPE) for number in range(findings)]
    evidence = device.capture(a_photo(), about=("finding", made[0]), role="scene")
    return made, evidence, device.photos()[0].sha256


def brought(server: Server, file: Path, *options: str, code: int = 0) -> dict[str, Any]:
    done = server.cli("outbox", "import", str(file), *options, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refused(server: Server, file: Path, *options: str) -> str:
    done: subprocess.CompletedProcess[str] = server.cli("outbox", "import", str(file), *options, check=False)
    assert (done.returncode, done.stdout) == (1, "") and "Traceback" not in done.stderr, done.stderr
    return done.stderr


def counted(found: dict[str, Any]) -> dict[str, int]:
    return {name: found[name] for name in OUTCOMES if found[name]}


def is_verified(admin: Person, evidence: str) -> bool:
    fields = granted(admin.get(f"/records/evidence/{evidence}"))["fields"]
    return bool(fields["media"]["state"] == "verified")


def entries(admin: Person, device_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := granted(admin.get(f"/journal/entries?from={len(found)}&limit=1000"))["entries"]:
        found += page
    return [entry for entry in found if entry["kind"].startswith("outbox_import") and entry["about"] == device_id]


def test_what_a_dead_phone_saved_arrives_once_and_its_photos_are_checked(server, admin, device, tmp_path):
    findings, evidence, sha256 = worked(device)
    said = device.bundle(tmp_path / "outbox.zip")
    assert (said["numbers"], len(said["photos"])) == ({"first": 1, "newest": 3}, 1)
    found = brought(server, tmp_path / "outbox.zip")
    assert counted(found) == {"applied": 3} and found["whole"] and found["problem"] is None
    assert found["photos"] == {"stored": 1, "known": 0, "refused": [], "waiting": [], "lacking": []}
    assert granted(admin.get(f"/records/finding/{findings[1]}"))["fields"]["text"] == "第1处"
    assert eventually(lambda: is_verified(admin, evidence))
    flags = {flag["code"] for flag in granted(admin.get(f"/records/evidence/{evidence}"))["fields"].get("flags", ())}
    assert not flags & {"unsigned", "signature_invalid", "chain_gap", "chain_fork", "clock_suspect"}
    again = brought(server, tmp_path / "outbox.zip")
    assert counted(again) == {"replayed": 3} and again["photos"]["known"] == 1 and again["whole"]
    assert sha256 in {photo["sha256"] for photo in said["photos"]}


def test_a_phone_that_comes_back_to_life_delivers_replays_and_what_is_new(server, admin, device, tmp_path):
    findings, _, _ = worked(device)
    device.bundle(tmp_path / "outbox.zip")
    brought(server, tmp_path / "outbox.zip")
    later = device.create("finding", a_finding(text="后来"), SCOPE)
    report = device.sync()
    assert (report.delivered, report.waiting, report.quarantined, report.photos_waiting) == (4, 0, 0, 0)
    assert eventually(lambda: bool(device.sync()) and device.everything_delivered())
    history = granted(admin.get(f"/records/finding/{findings[0]}/history"))["items"]
    assert [item["op"] for item in history if item.get("device_id")] == ["put"]
    assert device.get("finding", later).unsent == 0
    device.bundle(tmp_path / "nothing.zip")
    assert counted(brought(server, tmp_path / "nothing.zip")) == {}


def test_a_file_behind_what_the_phone_delivered_since_is_part_replay(server, device, tmp_path):
    worked(device, findings=1)
    device.push()
    device.create("finding", a_finding(text="更后"), SCOPE)
    first = device.bundle(tmp_path / "late.zip")
    assert first["numbers"] == {"first": 3, "newest": 3}
    device.sync()
    assert counted(brought(server, tmp_path / "late.zip")) == {"replayed": 1}


def test_the_work_of_a_revoked_device_is_taken_and_the_one_who_brought_it_is_named(server, bureau, admin, device,
                                                                                   tmp_path):
    findings, _, _ = worked(device)
    device.bundle(tmp_path / "outbox.zip")
    supervisor = bureau.person("supervisor")
    granted(supervisor.post(f"/devices/{device.id}/revoke", {"reason": "遗失"}))
    with pytest.raises(Problem, match="device_revoked"):
        device.push()
    found = brought(server, tmp_path / "outbox.zip", "--by", supervisor.username)
    assert counted(found) == {"applied": 3} and found["photos"]["stored"] == 1
    record = granted(admin.get(f"/records/finding/{findings[0]}"))
    assert record["created_by"] == bureau.person("inspector").user["id"]
    before, after = entries(admin, device.id)
    assert (before["kind"], after["kind"]) == ("outbox_import", "outbox_imported")
    assert before["actor"] == after["actor"] == supervisor.user["id"]
    assert (before["body"]["device_state"], before["body"]["numbers"]) == ("revoked", [1, 3])
    assert after["body"]["applied"] == 3 and after["body"]["sha256"] == before["body"]["sha256"]
    assert before["aside"]["values"]["account"]


def test_an_import_is_no_sight_of_the_device(server, admin, device, tmp_path):
    device.sync()
    seen = next(item for item in granted(admin.get("/devices"))["items"] if item["id"] == device.id)
    worked(device)
    device.bundle(tmp_path / "outbox.zip")
    brought(server, tmp_path / "outbox.zip")
    now = next(item for item in granted(admin.get("/devices"))["items"] if item["id"] == device.id)
    assert now["last_n"] == 3
    for name in ("last_seen_at", "reported", "clock_offset_ms", "state"):
        assert now[name] == seen[name]


def test_the_work_of_a_device_without_a_key_is_marked_as_ever(server, bureau, admin, tmp_path):
    device = enrolled(bureau, bureau.person("inspector"), tmp_path / "phone", sign=False)
    findings, _, _ = worked(device)
    device.bundle(tmp_path / "outbox.zip")
    assert counted(brought(server, tmp_path / "outbox.zip")) == {"applied": 3}
    assert granted(admin.get(f"/records/finding/{findings[0]}"))["fields"]["unsigned"] is True


def test_the_work_of_somebody_who_left_is_taken(server, bureau, admin, tmp_path):
    person = bureau.newcomer("inspector")
    device = enrolled(bureau, person, tmp_path / "phone")
    worked(device)
    device.bundle(tmp_path / "outbox.zip")
    granted(admin.patch(f"/users/{person.user['id']}", {"active": False}))
    assert counted(brought(server, tmp_path / "outbox.zip")) == {"applied": 3}


def test_what_is_not_applied_is_held_or_quarantined_as_ever(server, device, tmp_path):
    device.create("finding", a_finding(), "999999999")
    device.create("finding", a_finding(inspection_id="0198c0de-0000-7000-8000-000000000000"), SCOPE)
    device.bundle(tmp_path / "outbox.zip")
    found = brought(server, tmp_path / "outbox.zip")
    assert counted(found) == {"quarantined": 1, "held": 1} and found["whole"]


def test_a_file_of_another_office_and_a_changed_one_do_nothing_and_say_why(server, bureau, admin, device, tmp_path):
    worked(device)
    device.bundle(tmp_path / "outbox.zip")
    raw = (tmp_path / "outbox.zip").read_bytes()
    other = tmp_path / "other.zip"
    other.write_bytes(raw.replace("第1处".encode(), "第8处".encode()))
    assert "已改动或损坏" in refused(server, other)
    other.write_bytes(raw[:-100])
    assert "not an outbox file, or not all of it" in refused(server, other)
    assert "neither supervisor nor admin" in refused(server, tmp_path / "outbox.zip", "--by",
                                                     bureau.person("inspector").username)
    assert "no such person" in refused(server, tmp_path / "outbox.zip", "--by", "nobody")
    assert entries(admin, device.id) == []
    assert counted(brought(server, tmp_path / "outbox.zip")) == {"applied": 3}


def test_a_damaged_photo_keeps_no_other_back(server, admin, device, tmp_path):
    findings, _, _ = worked(device)
    device.capture(a_photo(), about=("finding", findings[1]), role="scene")
    said = device.bundle(tmp_path / "outbox.zip")
    raw = bytearray((tmp_path / "outbox.zip").read_bytes())
    raw[raw.rindex(b"photos/", 0, raw.index(b"PK\1\2")) + 1000] ^= 1
    (tmp_path / "outbox.zip").write_bytes(raw)
    found = brought(server, tmp_path / "outbox.zip", code=1)
    assert counted(found) == {"applied": 4} and not found["whole"] and found["photos"]["stored"] == 1
    refusal, = found["photos"]["refused"]
    assert refusal["code"] in ("damaged", "digest_mismatch")
    assert refusal["sha256"] == said["photos"][-1]["sha256"]


def test_where_a_copy_used_the_numbers_nothing_is_applied_and_it_is_told(server, bureau, device, tmp_path):
    worked(device, findings=1)
    device.bundle(tmp_path / "first.zip")
    shutil.copytree(tmp_path / "phone", tmp_path / "copy")
    copy = Device.open(tmp_path / "copy", patience=Patience())
    device.create("finding", a_finding(text="原机"), SCOPE)
    copy.create("finding", a_finding(text="副本"), SCOPE)
    copy.push()
    device.bundle(tmp_path / "second.zip")
    found = brought(server, tmp_path / "second.zip", code=1)
    assert found["problem"]["code"] == "device_forked" and "副本" in found["problem"]["detail"]
    assert found["photos"]["stored"] + found["photos"]["known"] == 1
