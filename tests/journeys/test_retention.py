"""How long records are kept, and how an enforcement case ends, over HTTP on both engines."""

from __future__ import annotations

from tests.bureau import Bureau
from tests.wire import granted, moment, refused

SCOPE = "320412117"


def test_an_enforcement_case_is_concluded_and_from_then_on_its_period_runs(bureau: Bureau) -> None:
    device = bureau.handheld(SCOPE)
    reviewer, supervisor = (bureau.person(role, scopes=(SCOPE,)) for role in ("reviewer", "supervisor"))
    finding = device.report(SCOPE)
    granted(supervisor.command("finding", finding, "refuse", {"reason": "不属本区"}))
    order = device.create("enforcement", SCOPE, {
        "kind": "order_dated", "facts": "店外经营", "finding_id": finding, "document_no": "武责改〔2026〕1号"})
    device.deliver(order)
    path = f"/records/enforcement/{order['record_id']}/retention"
    assert granted(reviewer.get(path)) == {
        "record_type": "enforcement", "record_id": order["record_id"], "scope": SCOPE, "class": "order",
        "runs_from": None, "until": None, "why": "open"}
    file = granted(reviewer.get(f"/records/finding/{finding}/retention"))
    assert (file["class"], file["until"], file["why"]) == ("unfiled", None, "longer"), "the case is one file"

    refused(bureau.person("inspector", scopes=(SCOPE,), who="other").command(
        "enforcement", order["record_id"], "conclude", {"reason": "x"}), 403, "role_forbidden")
    refused(reviewer.command("enforcement", order["record_id"], "conclude", {"reason": " "}), 422, "need_missing")
    refused(reviewer.command("enforcement", order["record_id"], "archive"), 422, "command_unknown")
    done = granted(reviewer.command("enforcement", order["record_id"], "conclude", {"reason": "已改正"}))["record"]
    assert done["fields"]["status"] == "concluded" and done["fields"]["conclusion"]["by"] == reviewer.user["id"]
    refused(reviewer.command("enforcement", order["record_id"], "conclude", {"reason": "再"}), 409, "state_moved")
    runs = granted(reviewer.get(path))
    assert (runs["why"], runs["runs_from"]) == ("runs", done["fields"]["conclusion"]["at"])
    assert granted(reviewer.get(f"/records/finding/{finding}/retention"))["until"] == runs["until"]

    refused(reviewer.command("enforcement", order["record_id"], "reopen", {"reason": "x"}), 403, "role_forbidden")
    again = granted(supervisor.command("enforcement", order["record_id"], "reopen", {"reason": "当事人申诉"}))["record"]
    assert again["fields"]["status"] == "issued" and granted(reviewer.get(path))["why"] == "open"


def test_what_is_due_is_listed_in_scope_by_class_and_in_pages(bureau: Bureau) -> None:
    device, supervisor = bureau.handheld(SCOPE), bureau.person("supervisor", scopes=(SCOPE,))
    findings = [device.report(SCOPE) for _ in range(3)]
    for finding in findings:
        granted(supervisor.command("finding", finding, "cancel", {"reason": "重复"}))
    assert granted(supervisor.get("/retention"))["items"] == [], "nothing is over yet"
    asked = {"due_before": moment(6 * 366 * 86_400), "class": "unfiled", "scope": SCOPE, "limit": "2"}
    seen, cursor = [], None
    while True:
        page = granted(supervisor.get("/retention", params={**asked, **({"cursor": cursor} if cursor else {})}))
        seen += [one["record_id"] for one in page["items"]]
        assert {one["class"] for one in page["items"]} <= {"unfiled"}
        if (cursor := page["next"]) is None:
            break
    assert len(seen) == len(set(seen)) and set(findings) <= set(seen)
    first, last = "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"
    assert granted(supervisor.get("/retention", params={"due_before": first})) == {"items": [], "next": None}
    assert granted(supervisor.get("/retention", params={**asked, "due_before": last}))["items"]
    early = {"class": "unfiled", "due_before": first, "reason": "期满"}
    refused(supervisor.post("/disposals", early), 422, "frame_empty")
    refused(supervisor.get("/retention", params={"class": "nonsense"}), 422, "class_unknown")
    refused(bureau.person("inspector", scopes=(SCOPE,)).get("/retention"), 403, "role_forbidden")
    elsewhere = bureau.person("supervisor", scopes=("320402",))
    assert not granted(elsewhere.get("/retention", params={"due_before": asked["due_before"]}))["items"]
