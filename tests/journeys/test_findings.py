"""The life of a finding: every row of the states and commands table (domain 4.0), and nothing that is not in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.bureau import Bureau
from tests.wire import granted, moment, position, refused

SCOPE = "320412106"
COMMANDS = ("file", "refuse", "dispatch", "hand_back", "handle", "check_pass", "check_fail", "close", "suspend",
            "resume", "extend", "cancel", "reopen", "choose_zone")
ROLES = ("inspector", "auxiliary", "reviewer", "supervisor", "auditor", "admin")

# (state, command): (roles, next state); `assignee` is an inspector or auxiliary of the unit dispatched to.
TABLE: dict[tuple[str, str], tuple[str, str]] = {
    ("reported", "file"): ("reviewer supervisor", "filed"),
    ("reported", "refuse"): ("reviewer supervisor", "not_filed"),
    ("reported", "cancel"): ("supervisor", "cancelled"),
    ("filed", "dispatch"): ("supervisor", "dispatched"),
    ("filed", "cancel"): ("supervisor", "cancelled"),
    ("returned", "dispatch"): ("supervisor", "dispatched"),
    ("returned", "cancel"): ("supervisor", "cancelled"),
    ("dispatched", "handle"): ("assignee supervisor", "handling"),
    ("dispatched", "hand_back"): ("assignee supervisor", "returned"),
    ("dispatched", "extend"): ("supervisor", "dispatched"),
    ("dispatched", "suspend"): ("supervisor", "suspended"),
    ("dispatched", "cancel"): ("supervisor", "cancelled"),
    ("handling", "handle"): ("assignee supervisor", "checking"),
    ("handling", "hand_back"): ("assignee supervisor", "returned"),
    ("handling", "extend"): ("supervisor", "handling"),
    ("handling", "suspend"): ("supervisor", "suspended"),
    ("handling", "cancel"): ("supervisor", "cancelled"),
    ("suspended", "resume"): ("supervisor", "handling"),
    ("suspended", "cancel"): ("supervisor", "cancelled"),
    ("checking", "check_pass"): ("inspector reviewer supervisor", "checking"),
    ("checking", "check_fail"): ("inspector reviewer supervisor", "rework"),
    ("checking", "close"): ("reviewer supervisor", "closed"),
    ("rework", "handle"): ("assignee supervisor", "handling"),
    ("rework", "hand_back"): ("assignee supervisor", "returned"),
    ("rework", "extend"): ("supervisor", "rework"),
    ("rework", "suspend"): ("supervisor", "suspended"),
    ("rework", "cancel"): ("supervisor", "cancelled"),
    ("closed", "reopen"): ("reviewer supervisor", "filed"),
    ("not_filed", "reopen"): ("supervisor", "reported"),
    ("cancelled", "reopen"): ("supervisor", "reported"),
    **{(state, "choose_zone"): ("reviewer supervisor inspector", state)
       for state in ("reported", "filed", "dispatched", "handling", "checking", "returned", "rework", "suspended")},
}
WAYS = {  # the commands that lead to each state
    "reported": (), "filed": ("file",), "not_filed": ("refuse",), "cancelled": ("cancel",),
    "dispatched": ("file", "dispatch"), "returned": ("file", "dispatch", "hand_back"),
    "handling": ("file", "dispatch", "handle"), "suspended": ("file", "dispatch", "handle", "suspend"),
    "checking": ("file", "dispatch", "handle", "handle"),
    "rework": ("file", "dispatch", "handle", "handle", "check_fail"),
    "closed": ("file", "dispatch", "handle", "handle", "check_pass", "close"),
}


def args_of(command: str) -> dict[str, Any]:
    """What each command needs (column `needs` of the table)."""
    return {
        "file": {"condition": "d1"}, "dispatch": {"unit": SCOPE}, "check_pass": {"note": "已整改"},
        "suspend": {"reason": "待设计", "approval": "批准 12 号", "review_date": moment(30 * 86400)[:10]},
        "extend": {"reason": "材料未到", "due_at": moment(20 * 86400)}, "choose_zone": {"zone_id": None},
        "handle": {}, "resume": {}, "close": {},
    }.get(command, {"reason": "理由"})


class Cast:
    """The people around a case: reporter, unit, desk supervisor, checker; nobody plays two parts."""

    def __init__(self, bureau: Bureau) -> None:
        self.reporter = bureau.handheld(SCOPE)
        self.unit = bureau.handheld(SCOPE, who="unit")
        self.desk = bureau.person("supervisor", scopes=("320412",))
        self.checker = bureau.person("supervisor", scopes=("320412",), who="checker")
        self.others = {role: bureau.person(role, scopes=(SCOPE,), who="other") for role in ROLES}
        self.others["supervisor"] = bureau.person("supervisor", scopes=("320412",), who="other")
        self.others["assignee"] = self.unit.owner

    def player(self, command: str) -> Any:
        if command in ("handle", "hand_back"):
            return self.unit.owner
        return self.checker if command in ("check_pass", "check_fail", "close") else self.desk

    def finding(self, state: str = "reported", **fields: Any) -> str:
        """A finding that went the usual way to this state, with a photograph of role after where one is due."""
        finding = self.reporter.report(SCOPE, **fields)
        for step, command in enumerate(WAYS[state]):
            if WAYS[state][:step].count("handle") == 1 and command == "handle":
                self.photograph(finding)
            granted(self.give(command, finding))
        assert self.state(finding) == state
        return finding

    def photograph(self, finding: str, role: str = "after") -> None:
        mutation = self.unit.capture(SCOPE, f"{finding} {role}".encode(), ("finding", finding), role=role)
        assert self.unit.deliver(mutation)[0]["outcome"] == "applied"

    def give(self, command: str, finding: str, by: Any = None, args: dict[str, Any] | None = None) -> httpx.Response:
        player = by or self.player(command)
        return player.command("finding", finding, command, args_of(command) if args is None else args)

    def fields(self, finding: str) -> dict[str, Any]:
        return self.desk.record("finding", finding)["fields"]

    def state(self, finding: str) -> str:
        return self.fields(finding)["status"]


@pytest.fixture(scope="module")
def cast(bureau: Bureau) -> Cast:
    return Cast(bureau)


def moments_apart(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


@pytest.mark.parametrize(("state", "command"), TABLE)
def test_every_row_of_the_table_leads_to_its_state(cast: Cast, state: str, command: str) -> None:
    finding = cast.finding(state)
    if (state, command) == ("handling", "handle"):
        cast.photograph(finding)
    if command == "close":
        granted(cast.give("check_pass", finding))
    granted(cast.give(command, finding))
    assert cast.state(finding) == TABLE[state, command][1]


@pytest.mark.parametrize("state", WAYS)
def test_what_is_not_in_the_table_is_refused(cast: Cast, state: str) -> None:
    finding = cast.finding(state)
    version = cast.desk.record("finding", finding)["version"]
    for command in COMMANDS:
        if (state, command) not in TABLE:
            refused(cast.give(command, finding, by=cast.checker), 409, "state_moved")
    assert cast.desk.record("finding", finding)["version"] == version


@pytest.mark.parametrize("state", WAYS)
def test_other_roles_than_those_of_the_table_are_refused(cast: Cast, state: str) -> None:
    finding = cast.finding(state)
    for (from_state, command), (roles, _) in TABLE.items():
        allowed = set(roles.split()) | ({"inspector", "auxiliary"} if "assignee" in roles else set())
        for role in set(ROLES) - allowed if from_state == state else ():
            refused(cast.give(command, finding, by=cast.others[role]), 403)
    assert cast.state(finding) == state


@pytest.mark.parametrize(("state", "command"), [
    (state, command) for state, command in TABLE if command in ("refuse", "cancel", "hand_back", "reopen", "suspend",
                                                                "extend", "check_fail")])
def test_commands_that_need_a_reason_are_refused_without(cast: Cast, state: str, command: str) -> None:
    finding = cast.finding(state)
    args = {name: value for name, value in args_of(command).items() if name != "reason"}
    refused(cast.give(command, finding, args=args), 422)
    assert cast.state(finding) == state


def test_filing_needs_class_and_condition(cast: Cast) -> None:
    bare = cast.reporter.create("finding", SCOPE, {"observed_at": moment(), "address": "花园街1号"})
    cast.reporter.deliver(bare)
    refused(cast.give("file", bare["record_id"]), 422)
    refused(cast.give("file", cast.finding(), args={}), 422)
    condition_as_field = cast.finding(condition="d1")
    granted(cast.give("file", condition_as_field, args={}))


def test_dispatching_needs_a_unit_and_starts_the_limit(cast: Cast) -> None:
    finding = cast.finding("filed")
    refused(cast.give("dispatch", finding, args={}), 422)
    granted(cast.give("dispatch", finding))
    fields = cast.fields(finding)
    assert fields["unit"] == SCOPE
    assert moments_apart(moment(), fields["due_at"]) > 0


def test_the_reply_needs_a_photograph_of_role_after(cast: Cast) -> None:
    finding = cast.finding("handling")
    refused(cast.give("handle", finding), 422)
    cast.photograph(finding, role="before")
    refused(cast.give("handle", finding), 422)
    cast.photograph(finding, role="after")
    granted(cast.give("handle", finding))
    assert cast.state(finding) == "checking"


def test_closing_needs_a_check_that_passed_after_the_last_reply(cast: Cast) -> None:
    finding = cast.finding("checking")
    refused(cast.give("close", finding), (409, 422))
    granted(cast.give("check_pass", finding))
    granted(cast.give("check_fail", finding))
    granted(cast.give("handle", finding))
    cast.photograph(finding)
    granted(cast.give("handle", finding))
    refused(cast.give("close", finding), (409, 422))
    granted(cast.give("check_pass", finding))
    granted(cast.give("close", finding))


def test_whoever_handled_neither_checks_nor_closes(cast: Cast) -> None:
    finding = cast.finding("handling")
    cast.photograph(finding)
    granted(cast.give("handle", finding, by=cast.desk))
    for command in ("check_pass", "check_fail", "close"):
        refused(cast.give(command, finding, by=cast.desk), 403)
    refused(cast.give("check_pass", finding, by=cast.unit.owner), 403)
    granted(cast.give("check_pass", finding))
    refused(cast.give("close", finding, by=cast.desk), 403)
    granted(cast.give("close", finding))


def test_the_pause_moves_the_limit_and_extension_lengthens_it(cast: Cast) -> None:
    finding = cast.finding("dispatched")
    first = cast.fields(finding)["due_at"]
    granted(cast.give("extend", finding))
    extended = cast.fields(finding)["due_at"]
    assert moments_apart(first, extended) > 0
    granted(cast.give("suspend", finding))
    granted(cast.give("resume", finding))
    assert moments_apart(extended, cast.fields(finding)["due_at"]) >= 0


def test_a_stranger_to_the_unit_does_not_handle(bureau: Bureau, cast: Cast) -> None:
    finding = cast.finding("dispatched")
    stranger = bureau.person("inspector", scopes=("320402001",))
    refused(cast.give("handle", finding, by=stranger), (403, 404))
    refused(cast.give("handle", finding, by=cast.others["reviewer"]), 403)
    assert cast.state(finding) == "dispatched"


def test_a_supervisor_acts_inside_the_own_scope_only(bureau: Bureau, cast: Cast) -> None:
    finding = cast.finding()
    refused(cast.give("cancel", finding, by=bureau.person("supervisor", scopes=("320402",))), (403, 404))


def test_an_inspector_chooses_the_zone_of_the_own_finding_only(cast: Cast) -> None:
    finding = cast.finding(position=position(119.80, 31.50))
    refused(cast.give("choose_zone", finding, by=cast.others["inspector"]), 403)
    granted(cast.give("choose_zone", finding, by=cast.reporter.owner))
    zone = cast.fields(finding)["zone"]
    assert zone["method"] == "person"
    assert zone["zone_id"] is None


def test_a_status_is_never_set_by_an_edit(cast: Cast) -> None:
    finding = cast.finding()
    cast.desk.edit("finding", finding, 1, set={"status": "closed", "text": "x"})
    assert cast.state(finding) == "reported"


def test_a_device_commands_like_a_person(bureau: Bureau, cast: Cast) -> None:
    finding = cast.finding("dispatched")
    version = cast.desk.record("finding", finding)["version"]
    taken = cast.unit.command("finding", finding, version, "handle", {}, {"status": "dispatched"})
    photo = cast.unit.capture(SCOPE, finding.encode(), ("finding", finding), role="after")
    replied = cast.unit.command("finding", finding, version, "handle", {}, {"status": "handling"})
    outcomes = cast.unit.deliver(taken, photo, replied)
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "applied", "applied"], outcomes
    assert cast.state(finding) == "checking"
    device = bureau.handheld("320412", roles=("reviewer",))
    wrong, = device.deliver(device.command("finding", finding, version, "dispatch", {"unit": SCOPE}))
    assert wrong["outcome"] in ("quarantined", "conflicted")
    assert cast.state(finding) == "checking"
