"""Legal holds by order, over HTTP on both engines: placed, seen, released, journalled."""

from __future__ import annotations

import json

from tests.bureau import Bureau
from tests.running import Server
from tests.wire import granted, moment, new_id, refused

SCOPE = "320412118"
ORDER = {"reason": "涉嫌作假,配合调查", "ordered_by": "区纪委监委", "document_no": "武纪保〔2026〕7号"}


def test_a_hold_is_placed_seen_and_released(server: Server, bureau: Bureau) -> None:
    device, supervisor = bureau.handheld(SCOPE), bureau.person("supervisor", scopes=(SCOPE,))
    auditor, inspector = bureau.person("auditor", scopes=(SCOPE,)), bureau.person("inspector", scopes=(SCOPE,))
    path = f"/records/finding/{device.report(SCOPE)}/legal-holds"
    refused(inspector.post(path, ORDER), 403, "role_forbidden")
    refused(auditor.post(path, ORDER), 403, "role_forbidden")
    refused(device.post(path, ORDER), 403, "person_required")
    refused(supervisor.post(path, {**ORDER, "reason": " "}), 422, "invalid_request")
    refused(supervisor.post(path, {**ORDER, "until": moment(-1)}), 422, "invalid_request")
    refused(bureau.person("supervisor", scopes=("320402",)).post(path, ORDER), 404, "not_found")
    hold = granted(supervisor.post(path, {**ORDER, "until": moment(3600)}), 201)
    assert {name: hold[name] for name in ORDER} == ORDER and hold["placed_by"] == supervisor.user["id"]
    assert hold in granted(auditor.get("/legal-holds"))["items"]
    refused(inspector.get("/legal-holds"), 403, "role_forbidden")
    assert hold not in granted(bureau.person("supervisor", scopes=("320402",)).get("/legal-holds"))["items"]

    release = f"/legal-holds/{hold['id']}/release"
    refused(auditor.post(release, {"reason": "x"}), 403, "role_forbidden")
    refused(bureau.person("supervisor", scopes=("320402",)).post(release, {"reason": "x"}), 404, "not_found")
    refused(supervisor.post(f"/legal-holds/{new_id()}/release", {"reason": "x"}), 404, "not_found")
    done = granted(supervisor.post(release, {"reason": "调查终结"}))
    assert (done["released_by"], done["release_reason"]) == (supervisor.user["id"], "调查终结")
    refused(supervisor.post(release, {"reason": "再"}), 409, "state_moved")
    assert hold["id"] not in [one["id"] for one in granted(supervisor.get("/legal-holds"))["items"]]
    assert done in granted(supervisor.get("/legal-holds?state=all"))["items"]

    size = int(bureau.admin.get("/journal/checkpoint").text.splitlines()[1])
    told = [entry for entry in granted(bureau.admin.get(f"/journal/entries?from={max(0, size - 200)}&limit=1000"))[
        "entries"] if entry["about"] == hold["id"]]
    assert [entry["kind"] for entry in told] == ["legal_hold", "legal_hold_released"]
    assert not any(text in json.dumps(told, ensure_ascii=False) for text in ORDER.values()), "only committed to"
    checked = json.loads(server.cli("verify").stdout)
    assert checked["ok"], checked["problems"]
    assert checked["checked"]["legal_holds"] >= 1
