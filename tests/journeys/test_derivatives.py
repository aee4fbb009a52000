"""Copies that people make of a photo, on both engines: kept beside each other, numbered, in the journal, verified."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from tests.bureau import Bureau, a_photo, eventually
from tests.running import Server
from tests.wire import granted, sha256

SCOPE = "320412116"
BOX = {"x": 0.1, "y": 0.125, "width": 0.3, "height": 1e-3}


def test_copies_are_made_listed_served_and_verified(server: Server, bureau: Bureau) -> None:
    device, reviewer = bureau.handheld(SCOPE), bureau.person("reviewer", scopes=(SCOPE,))
    content = a_photo(size=(2400, 1800))
    mutation = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(mutation)
    assert device.upload(content).status_code == 204
    path, evidence = f"/media/{sha256(content)}", mutation["record_id"]
    assert eventually(lambda: reviewer.get(f"{path}/screen").status_code == 200, within_s=30)

    asked = {"evidence_id": evidence, "boxes": [BOX], "note": "遮盖号牌"}
    made = [granted(reviewer.post(f"{path}/redactions", asked | {"method": method}), 201)
            for method in ("black", "pixelate")]
    made.append(granted(reviewer.post(f"{path}/display-copies", {"evidence_id": evidence}), 201))
    assert [one["kind"] for one in made] == ["redacted-001", "redacted-002", "display-001"]
    assert granted(reviewer.get(f"{path}/derivatives"))["items"][2:] == made
    for one in made:
        copy = reviewer.get(f"{path}/{one['kind']}").content
        assert sha256(copy) == one["sha256"] and max(Image.open(io.BytesIO(copy)).size) >= 1600
    with ThreadPoolExecutor(4) as threads:
        beside = list(threads.map(lambda _: granted(reviewer.post(f"{path}/redactions", asked), 201), range(4)))
    assert sorted(one["kind"] for one in beside) == [f"redacted-00{number}" for number in (3, 4, 5, 6)]
    assert {one["sha256"] for one in beside} == {made[0]["sha256"]}, "the same boxes give the same bytes"
    size = int(bureau.admin.get("/journal/checkpoint").text.splitlines()[1])
    entries = granted(bureau.admin.get(f"/journal/entries?from={max(0, size - 500)}&limit=1000"))["entries"]
    told = [entry["body"] for entry in entries if entry["kind"] == "derivative" and entry["about"] == sha256(content)]
    assert [(one["kind"], one["sha256"], one["params"]) for one in told[:3]] == [
        (one["kind"], one["sha256"], one["params"]) for one in made]
    assert {one["kind"] for one in told[3:]} == {one["kind"] for one in beside}

    checked = json.loads(server.cli("verify").stdout)
    assert checked["ok"], checked["problems"]
    assert checked["checked"]["derivatives"] >= 7
