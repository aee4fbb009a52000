"""The life of a finding: the table walked through, and every way to be refused."""

from datetime import UTC, datetime, timedelta

import pytest

from server.reference import states
from server.rules.clocks import CLOCKS
from server.rules.lifecycle import EFFECTS, Person, Refusal, Transition, allowed_commands, decide
from server.rules.needs import NEEDS

NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Beijing
SUPERVISOR = Person("boss", frozenset({"supervisor"}), ("3204",))
REVIEWER = Person("rev", frozenset({"reviewer"}), ("3204",))
INSPECTOR = Person("ann", frozenset({"inspector"}), ("320412100",))
WORKER = Person("worker", frozenset({"auxiliary"}), ("320412100",), unit="环卫所")
OTHER_INSPECTOR = Person("bob", frozenset({"inspector"}), ("320412100",))
REPORTED = {
    "status": "reported",
    "inspector_id": "ann",
    "class_scheme": "GB/T 30428.2-2013:event",
    "class_code": "0504",
    "condition": "d1",
    "zone": {"zone_id": "z", "decision": "certain", "method": "position"},
}


def ask(fields, command, person=SUPERVISOR, *, now=NOW, after=False, settings=None, **args):
    context = {"now": now, "has_after_photo": after, "scope": "320412100", "settings": settings or {}}
    return decide(fields, command, args, person, context)


def moved(fields, command, person=SUPERVISOR, **more):
    """The fields after an allowed command."""
    found = ask(fields, command, person, **more)
    assert isinstance(found, Transition), found
    assert found.changes["status"] == found.status
    return {**fields, **found.changes}


def dispatched(unit="环卫所"):
    return moved(moved(REPORTED, "file"), "dispatch", unit=unit)


def checking():
    return moved(moved(dispatched(), "handle", WORKER), "handle", WORKER, after=True)


def refused(*args, **more):
    found = ask(*args, **more)
    assert isinstance(found, Refusal), found
    chinese, english = found.detail.split("。", 1)
    assert chinese and english.endswith(".")
    return (found.code, found.need) if found.need else found.code


def test_every_code_of_the_table_is_known_here():
    stages = {
        "accept_start",
        "accept_stop",
        "filing_stop",
        "dispatch_start",
        "dispatch_stop",
        "check_start",
        "check_stop",
    }
    silent = stages | {"closing_start", "all_stop", "limit_runs", "limit_stop"}
    for step in states().values():
        assert set(step.needs) <= NEEDS.keys()
        assert set(step.effects) <= EFFECTS.keys()
        assert set(step.clocks) <= CLOCKS.keys() | silent


def test_a_finding_walks_from_report_to_close():
    found = checking()
    assert found["status"] == "checking" and found["unit"] == "环卫所"
    found = moved(found, "check_pass", OTHER_INSPECTOR)
    assert found["status"] == "checking" and found["handling"]["check"]["result"] == "pass"
    found = moved(found, "close", REVIEWER)
    assert found["status"] == "closed"
    assert found["handling"]["handled_by"] == ["worker"]


def test_every_row_of_the_table_can_be_walked():
    ready = {
        **REPORTED,
        "unit": "环卫所",
        "due_at": "2026-11-20T09:30:00.000Z",
        "handling": {"check": {"result": "pass"}, "pauses": [{"from": "2026-11-16T00:00:00.000Z", "to": None}]},
    }
    args = {"reason": "理由", "unit": "市政所", "review_date": "2026-12-01", "zone_id": None}
    for step in states().values():
        if step.state:
            found = ask({**ready, "status": step.state}, step.command, after=True, **args)
            assert isinstance(found, Transition), (step, found)
            assert found.status == step.next_state


@pytest.mark.parametrize("status", sorted({step.next_state for step in states().values()}))
def test_what_is_not_in_the_table_is_refused(status):
    for command in {step.command for step in states().values()} - {"create"}:
        if (status, command) not in states():
            assert refused({**REPORTED, "status": status}, command, reason="x") == "state_moved"


@pytest.mark.parametrize("command", ["create", "delete", "", "关闭", "accept"])
def test_other_commands_are_unknown(command):
    assert refused(REPORTED, command) == "command_unknown"


@pytest.mark.parametrize("status", [None, "", [], "elsewhere"])
def test_a_state_that_is_none_is_survived(status):
    assert refused({**REPORTED, "status": status}, "file") == "state_moved"


@pytest.mark.parametrize("role", ["inspector", "auxiliary", "admin", "auditor", ""])
def test_roles_that_the_table_does_not_name_are_forbidden(role):
    assert refused(REPORTED, "file", Person("x", frozenset({role}))) == "role_forbidden"


def test_only_a_supervisor_cancels():
    assert refused(REPORTED, "cancel", REVIEWER, reason="x") == "role_forbidden"


def test_filing_needs_class_condition_and_a_settled_zone():
    assert refused({**REPORTED, "class_code": None}, "file") == ("need_missing", "class")
    assert refused({**REPORTED, "condition": None}, "file") == ("need_missing", "condition")
    ambiguous = {**REPORTED, "zone": {"decision": "ambiguous", "method": "position"}}
    assert refused(ambiguous, "file") == ("need_missing", "zone_settled")
    for zone in ({"decision": "none"}, {"decision": "probable"}, None, {"decision": "ambiguous", "method": "person"}):
        assert moved({**REPORTED, "zone": zone}, "file")["status"] == "filed"


def test_filing_may_bring_class_and_condition():
    bare = {**REPORTED, "class_scheme": None, "class_code": None, "condition": None}
    brought = {"class_scheme": "GB/T 30428.2-2013:event", "class_code": "0102", "condition": "d1"}
    assert {**moved(bare, "file", **brought), **brought} == moved(bare, "file", **brought)
    brought["class_code"] = "9999"
    assert refused(bare, "file", **brought) == ("need_missing", "class")


@pytest.mark.parametrize("reason", [None, "", "  ", 5, ["x"], "a\x00b", "x" * 5000])
def test_a_reason_is_a_text(reason):
    assert refused(REPORTED, "refuse", reason=reason) == ("need_missing", "reason")


def test_dispatching_starts_the_limit_of_the_condition():
    filed = moved(REPORTED, "file")
    assert refused(filed, "dispatch") == ("need_missing", "unit")
    found = moved(filed, "dispatch", unit="环卫所")
    assert found["handling"]["limit"] == {"amount": 2, "unit": "working_hour"}
    assert found["due_at"] == "2026-11-16T03:00:00.000Z"
    assert not found["handling"]["due_provisional"]


def test_a_condition_that_is_not_listed_takes_the_class_or_the_settings():
    assert (
        moved(moved({**REPORTED, "condition": "自定"}, "file"), "dispatch", unit="u")["due_at"]
        == "2026-11-16T03:00:00.000Z"
    )
    office_class = {**REPORTED, "class_scheme": "own-1:event", "class_code": "9701"}
    assert moved(moved(office_class, "file"), "dispatch", unit="u")["due_at"] == "2026-11-23T09:30:00.000Z"


def test_a_limit_beyond_the_loaded_calendar_is_provisional():
    found = moved(moved(REPORTED, "file"), "dispatch", unit="u", now=datetime(2026, 12, 31, 9, tzinfo=UTC))
    assert found["handling"]["due_provisional"] and found["due_at"].startswith("2027-01-04")


@pytest.mark.parametrize(
    ("person", "unit", "allowed"),
    [
        (WORKER, "环卫所", True),
        (WORKER, "市政所", False),
        (INSPECTOR, "市政所", True),
        (Person("a", frozenset({"inspector"}), ("320412100",), unit="甲"), "320412100", True),
        (Person("a", frozenset({"inspector"}), ("320412100",), unit="甲"), "320412102", False),
        (Person("a", frozenset({"auxiliary"}), (), unit="甲"), "a", True),
        (Person("a", frozenset({"reviewer"}), (), unit="环卫所"), "环卫所", False),
        (SUPERVISOR, "环卫所", True),
    ],
)
def test_the_unit_that_a_case_was_sent_to_handles_it(person, unit, allowed):
    found = ask(dispatched(unit), "handle", person)
    assert isinstance(found, Transition) if allowed else found.code == "role_forbidden"


def test_the_reply_needs_a_photo_of_after():
    handling = moved(dispatched(), "handle", WORKER)
    assert refused(handling, "handle", WORKER) == ("need_missing", "after_photo_on_reply")
    assert moved(handling, "handle", WORKER, after=True)["handling"]["handled_at"] == "2026-11-16T01:00:00.000Z"


@pytest.mark.parametrize("command", ["check_pass", "check_fail", "close"])
def test_who_handled_never_checks_or_closes(command):
    found = moved(moved(dispatched(), "handle", SUPERVISOR), "handle", INSPECTOR, after=True)
    found["handling"] |= {"check": {"result": "pass"}}
    assert refused(found, command, SUPERVISOR, reason="x") == "own_handling"
    assert isinstance(ask(found, command, Person("boss 2", frozenset({"supervisor"})), reason="x"), Transition)


def test_a_self_handled_finding_is_checked_by_someone_else():
    found = {**checking(), "self_handled": True}
    assert refused(found, "check_pass", INSPECTOR) == "own_handling"
    assert ask(found, "check_pass", OTHER_INSPECTOR).status == "checking"


def test_a_unit_never_closes_its_own_case():
    found = moved(checking(), "check_pass", OTHER_INSPECTOR)
    colleague = Person("col", frozenset({"reviewer"}), unit="环卫所")
    assert refused(found, "close", colleague) == "own_unit"


def test_closing_needs_a_check_passed_after_the_last_reply():
    assert refused(checking(), "close", REVIEWER) == ("need_missing", "check_passed")
    passed = moved(checking(), "check_pass", OTHER_INSPECTOR)
    failed = moved(passed, "check_fail", OTHER_INSPECTOR, reason="仍有堆物")
    assert failed["status"] == "rework" and failed["handling"]["reason"] == "仍有堆物"
    again = moved(moved(failed, "handle", WORKER), "handle", WORKER, after=True)
    assert again["handling"]["check"] is None
    assert refused(again, "close", REVIEWER) == ("need_missing", "check_passed")


def test_a_failed_check_starts_the_limit_anew_or_lets_it_run():
    later = NOW + timedelta(hours=1)
    failed = moved(checking(), "check_fail", OTHER_INSPECTOR, reason="x", now=later)
    assert failed["due_at"] == "2026-11-16T04:00:00.000Z"
    kept = moved(checking(), "check_fail", OTHER_INSPECTOR, reason="x", now=later, settings={"rework": "continue"})
    assert kept["due_at"] == "2026-11-16T03:00:00.000Z"


def test_handing_back_frees_the_unit_and_a_new_dispatch_starts_anew():
    found = moved(dispatched(), "hand_back", WORKER, reason="非本单位")
    assert (found["status"], found["unit"], found["due_at"]) == ("returned", None, None)
    found = moved(found, "dispatch", unit="市政所", now=NOW + timedelta(hours=3))
    assert (found["status"], found["unit"]) == ("dispatched", "市政所")
    assert found["due_at"] == "2026-11-16T07:30:00.000Z"  # the lunch break is left out


def test_an_extension_is_given_once_and_before_expiry():
    found = moved(dispatched(), "extend", reason="雨天")
    assert found["due_at"] == "2026-11-16T06:30:00.000Z"
    assert [one["to"] for one in found["handling"]["extensions"]] == ["2026-11-16T06:30:00.000Z"]
    assert refused(found, "extend", reason="x") == ("need_missing", "extensions_left")
    assert isinstance(ask(found, "extend", reason="x", settings={"extensions_most": 2}), Transition)
    late = NOW + timedelta(days=1)
    assert refused(dispatched(), "extend", reason="x", now=late) == ("need_missing", "not_expired")


def test_an_extension_may_name_its_time():
    assert (
        moved(dispatched(), "extend", reason="x", due_at="2026-11-18T08:00:00Z")["due_at"] == "2026-11-18T08:00:00.000Z"
    )
    for senseless in ("2026-11-01T00:00:00Z", "soon", 7):
        assert moved(dispatched(), "extend", reason="x", due_at=senseless)["due_at"] == "2026-11-16T06:30:00.000Z"


def test_a_suspension_stops_the_limit_until_it_is_resumed():
    half_way = NOW + timedelta(hours=1)
    assert refused(dispatched(), "suspend", reason="x") == ("need_missing", "review_date")
    assert refused(dispatched(), "suspend", reason="x", review_date="bad-date") == ("need_missing", "review_date")
    found = moved(dispatched(), "suspend", reason="x", review_date="2026-12-01", now=half_way)
    assert found["status"] == "suspended" and found["handling"]["pauses"][0]["to"] is None
    found = moved(found, "resume", now=half_way + timedelta(days=2))
    assert found["status"] == "handling"
    assert found["due_at"] == "2026-11-18T03:00:00.000Z"
    assert found["handling"]["pauses"][0]["to"] == "2026-11-18T02:00:00.000Z"


def test_reopening_begins_with_new_clocks():
    closed = moved(moved(checking(), "check_pass", OTHER_INSPECTOR), "close", REVIEWER)
    found = moved(closed, "reopen", REVIEWER, reason="回潮", relapse_of="other")
    assert (found["status"], found["due_at"], found["unit"]) == ("filed", None, None)
    assert found["handling"]["check"] is None and found["handling"]["relapse_of"] == "other"
    assert moved(moved(REPORTED, "cancel", reason="x"), "reopen", reason="y")["status"] == "reported"


def test_a_zone_is_chosen_by_the_finder_a_reviewer_or_a_supervisor():
    for person in (INSPECTOR, REVIEWER, SUPERVISOR, Person("x", frozenset({"inspector"}), own=True)):
        found = ask(REPORTED, "choose_zone", person, zone_id="z")
        assert found.choose_zone and found.status == "reported"
    assert ask(REPORTED, "choose_zone", INSPECTOR, zone_id=None).choose_zone
    assert refused(REPORTED, "choose_zone", OTHER_INSPECTOR, zone_id="z") == "role_forbidden"
    assert refused(REPORTED, "choose_zone", Person("ann", frozenset({"auxiliary"})), zone_id="z") == "role_forbidden"
    assert refused(REPORTED, "choose_zone", INSPECTOR) == ("need_missing", "zone_choice")
    assert refused(REPORTED, "choose_zone", INSPECTOR, zone_id=5) == ("need_missing", "zone_choice")


def test_the_fields_that_were_given_are_not_changed():
    fields = checking()
    before = repr(fields)
    moved(fields, "check_pass", OTHER_INSPECTOR)
    assert repr(fields) == before


def test_a_page_can_ask_what_to_offer():
    offered = [step.command for step in allowed_commands(REPORTED, REVIEWER, {"now": NOW})]
    assert offered == ["file", "refuse", "choose_zone"]
    assert allowed_commands({}, SUPERVISOR, {"now": NOW}) == []
