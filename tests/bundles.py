"""Bundles for tests: a case worth exporting, and the bag as whoever receives it has it, away from any Menqian."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.bureau import Bureau, a_photo, eventually
from tests.enrolled import Handheld
from tests.wire import granted, moment, position, shown

ROLES = ("scene", "close", "sign", "after")


class Case(NamedTuple):
    """A finding with photos, and the device that reported it."""

    finding: str
    evidence: list[str]
    photos: list[bytes]
    device: Handheld


def a_case(bureau: Bureau, scope: str, photos: int = 2, **fields: Any) -> Case:
    """A finding whose photos are checked, each taken after the device had seen a checkpoint."""
    device = bureau.handheld(scope)
    finding = device.report(scope, position=position(119.95, 31.71), **fields)
    case = Case(finding, [], [], device)
    for number in range(photos):
        beacon = base64.b64decode(device.get("/journal/checkpoint").text.splitlines()[2]).hex()
        content = a_photo()
        capture = device.capture(scope, content, ("finding", finding), role=ROLES[number % len(ROLES)], beacon=beacon,
                                 captured_at=moment(),
                                 position=position(119.95, 31.71))
        device.deliver(capture)
        assert device.upload(content).status_code == 204
        case.evidence.append(capture["record_id"])
        case.photos.append(content)
        assert eventually(partial(_is_verified, device, capture["record_id"]), within_s=30)
    return case


def _is_verified(device: Handheld, evidence: str) -> bool:
    assert device.owner
    return bool(device.owner.record("evidence", evidence)["fields"]["media"]["state"] == "verified")


def a_document(case: Case, scope: str, **fields: Any) -> str:
    """An enforcement record of the case, numbered afterwards."""
    made = case.device.create("enforcement", scope, {
        "kind": "order_dated", "finding_id": case.finding, "facts": "责令限期改正",
        "officers": [case.device.user["id"], "second"], **fields})
    case.device.deliver(made)
    number = {"document_no": "武城管责改〔2026〕1号"}
    case.device.deliver(case.device.edit("enforcement", made["record_id"], 1, set=number))
    return str(made["record_id"])


def unpacked(answer: httpx.Response, directory: Path) -> Path:
    """The base directory of the zip, unpacked."""
    assert answer.status_code == 200, shown(answer)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        archive.extractall(directory)
    (base,) = directory.iterdir()
    return base


def verify(base: Path, *arguments: str, program: Path | None = None, options: tuple[str, ...] = (),
           cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the bag's own program (or another copy) as a stranger would: isolated, with an empty environment."""
    where = [str(program), str(base)] if program else [str(base / "verify.py")]
    return subprocess.run([sys.executable, "-I", "-S", *options, *where, *arguments],
                          cwd=cwd or base, env=environment, capture_output=True, text=True, encoding="utf-8",
                          check=False, timeout=120)


def key_line(bureau: Bureau) -> str:
    """The journal's key, as it was noted from the server itself."""
    return str(bureau.admin.get("/journal/key").text.strip())


def accepted(bureau: Bureau, case: Case, scope: str) -> None:
    """A reviewer accepts the finding."""
    reviewer = bureau.person("reviewer", scopes=(scope,))
    version = reviewer.record("finding", case.finding)["version"]
    granted(reviewer.post(f"/reviews/{case.finding}/decisions", {
        "decision": "accept", "version": version, "reasons": ["清楚"], "note": "", "photos": []}), 201)
