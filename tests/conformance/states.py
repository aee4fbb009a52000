"""Section 4: the life of a finding. TABLE is the table of states and commands that the protocol refers to."""

from __future__ import annotations

from typing import Any

import httpx

from tests.conformance.checks import must, must_be, subject
from tests.conformance.office import Office
from tests.conformance.wire import Parts, granted, moment, refused

holds = subject("states", "4")
BY_TABLE = "each allowed to the roles and from the states of the table"
COMMANDS = ("file", "refuse", "dispatch", "hand_back", "handle", "check_pass", "check_fail", "close", "suspend",
            "resume", "extend", "cancel", "reopen", "choose_zone")
ROLES = ("inspector", "auxiliary", "reviewer", "supervisor", "auditor")
DESK = "reviewer supervisor"
UNIT = "inspector auxiliary supervisor"  # the first two as assignees: of the unit that it was dispatched to

# state: {command: (roles, next state)}
TABLE: dict[str, dict[str, tuple[str, str]]] = {
    "reported": {"file": (DESK, "filed"), "refuse": (DESK, "not_filed"), "cancel": ("supervisor", "cancelled")},
    "filed": {"dispatch": ("supervisor", "dispatched"), "cancel": ("supervisor", "cancelled")},
    "returned": {"dispatch": ("supervisor", "dispatched"), "cancel": ("supervisor", "cancelled")},
    "dispatched": {"handle": (UNIT, "handling"), "hand_back": (UNIT, "returned"),
                   "extend": ("supervisor", "dispatched"), "suspend": ("supervisor", "suspended"),
                   "cancel": ("supervisor", "cancelled")},
    "handling": {"handle": (UNIT, "checking"), "hand_back": (UNIT, "returned"), "extend": ("supervisor", "handling"),
                 "suspend": ("supervisor", "suspended"), "cancel": ("supervisor", "cancelled")},
    "suspended": {"resume": ("supervisor", "handling"), "cancel": ("supervisor", "cancelled")},
    "checking": {"check_pass": (f"inspector {DESK}", "checking"), "check_fail": (f"inspector {DESK}", "rework"),
                 "close": (DESK, "closed")},
    "rework": {"handle": (UNIT, "handling"), "hand_back": (UNIT, "returned"), "extend": ("supervisor", "rework"),
               "suspend": ("supervisor", "suspended"), "cancel": ("supervisor", "cancelled")},
    "closed": {"reopen": (DESK, "filed")},
    "not_filed": {"reopen": ("supervisor", "reported")},
    "cancelled": {"reopen": ("supervisor", "reported")},
}
ENDS = ("closed", "not_filed", "cancelled")
for _state in TABLE.keys() - set(ENDS):
    TABLE[_state]["choose_zone"] = (f"inspector {DESK}", _state)
WAYS = {  # the commands that lead to each state
    "reported": (), "filed": ("file",), "not_filed": ("refuse",), "cancelled": ("cancel",),
    "dispatched": ("file", "dispatch"), "returned": ("file", "dispatch", "hand_back"),
    "handling": ("file", "dispatch", "handle"), "suspended": ("file", "dispatch", "handle", "suspend"),
    "checking": ("file", "dispatch", "handle", "handle"),
    "rework": ("file", "dispatch", "handle", "handle", "check_fail"),
    "closed": ("file", "dispatch", "handle", "handle", "check_pass", "close"),
}
ARGS: dict[str, Parts] = {
    "file": {"condition": "d1"}, "check_pass": {"note": "已整改"}, "handle": {}, "resume": {}, "close": {},
    "suspend": {"reason": "待设计", "approval": "批准 12 号", "review_date": moment(30 * 86_400)[:10]},
    "extend": {"reason": "材料未到", "due_at": moment(20 * 86_400)}, "choose_zone": {"zone_id": None}}
NEED_REASON = ("refuse", "cancel", "hand_back", "reopen", "suspend", "extend", "check_fail")


class Case:
    """The people around findings: reporter, unit, desk and checker; nobody plays two parts."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.reporter, self.unit = office.device(), office.device(who="unit")
        self.desk = office.person("supervisor", who="desk")
        self.checker = office.person("supervisor", who="checker")

    def finding(self, state: str) -> str:
        """A finding that went the usual way to this state, with a photo of role after where one is due."""
        finding = self.reporter.report()
        for step, command in enumerate(WAYS[state]):
            if command == "handle" and "handle" in WAYS[state][:step]:
                self.photograph(finding)
            granted(self.give(command, finding))
        must_be(self.status(finding), state, "status on the way")
        return finding

    def photograph(self, finding: str) -> None:
        self.unit.give(self.unit.capture(f"{finding} {moment()}".encode(), finding, role="after"))

    def give(self, command: str, finding: str, *, by: Any = None, args: Parts | None = None) -> httpx.Response:
        given = args if args is not None else {"unit": self.office.scope} if command == "dispatch" else \
            ARGS.get(command, {"reason": "理由"})
        player = by or (self.unit.owner if command in ("handle", "hand_back") else
                        self.checker if command in ("check_pass", "check_fail", "close") else self.desk)
        return player.command("finding", finding, command, given)

    def status(self, finding: str) -> str:
        return self.desk.fields("finding", finding)["status"]


@holds(BY_TABLE)
def every_row_of_the_table_leads_to_its_state(office: Office) -> None:
    case = Case(office)
    for state, row in TABLE.items():
        for command, (_, after) in row.items():
            finding = case.finding(state)
            if (state, command) == ("handling", "handle"):
                case.photograph(finding)
            if command == "close":
                granted(case.give("check_pass", finding))
            granted(case.give(command, finding))
            must_be(case.status(finding), after, f"status after {command} in {state}")


@holds("409 state_moved when expect or the state machine forbids it")
def what_is_not_in_the_table_is_refused(office: Office) -> None:
    case = Case(office)
    for state, row in TABLE.items():
        finding = case.finding(state)
        for command in set(COMMANDS) - set(row):
            refused(case.give(command, finding, by=case.checker), 409, "state_moved")
        must_be(case.status(finding), state, f"status after all that {state} forbids")


@holds(BY_TABLE)
def other_roles_than_those_of_the_table_are_refused(office: Office) -> None:
    case = Case(office)
    others = {role: office.person(role, who="other") for role in ROLES}
    for state, row in TABLE.items():
        finding = case.finding(state)
        for command, (roles, _) in row.items():
            for role in set(ROLES) - set(roles.split()):
                refused(case.give(command, finding, by=others[role]), 403)
        must_be(case.status(finding), state, f"status after what others tried in {state}")


@holds(BY_TABLE)
def commands_that_need_a_reason_are_refused_without(office: Office) -> None:
    case = Case(office)
    for state, row in TABLE.items():
        finding = case.finding(state)
        for command in set(NEED_REASON) & set(row):
            args = {name: value for name, value in ARGS.get(command, {}).items() if name != "reason"}
            refused(case.give(command, finding, args=args), 422)
        must_be(case.status(finding), state, "status")


@holds("It changes by command only")
def a_status_is_never_set_by_an_edit(office: Office) -> None:
    case = Case(office)
    finding = case.finding("reported")
    case.desk.edit("finding", finding, 1, set={"status": "closed", "text": "x"})
    must_be(case.status(finding), "reported", "status")


@holds("A unit never closes its own case; the one who handled never checks")
def whoever_handled_neither_checks_nor_closes(office: Office) -> None:
    case = Case(office)
    finding = case.finding("handling")
    case.photograph(finding)
    granted(case.give("handle", finding, by=case.desk))
    for command in ("check_pass", "check_fail", "close"):
        refused(case.give(command, finding, by=case.desk), 403)
    granted(case.give("check_pass", finding))
    refused(case.give("close", finding, by=case.desk), 403)
    granted(case.give("close", finding))


@holds("It changes by command only")
def a_device_commands_like_a_person(office: Office) -> None:
    case = Case(office)
    finding = case.finding("dispatched")
    version = case.desk.record("finding", finding)["version"]
    unit = case.unit
    came = unit.deliver(unit.command("finding", finding, version, "handle", {}, {"status": "dispatched"}),
                        unit.capture(finding.encode(), finding, role="after"),
                        unit.command("finding", finding, version, "handle", {}, {"status": "handling"}))
    must_be([each["outcome"] for each in came], ["applied"] * 3, "outcomes")
    must_be(case.status(finding), "checking", "status")


@holds("server: status, zone, duplicates, due_at, unit, inspector_id, unsigned")
def dispatching_sets_unit_and_limit(office: Office) -> None:
    case = Case(office)
    fields = case.desk.fields("finding", case.finding("dispatched"))
    must_be(fields["unit"], office.scope, "unit")
    due_at = fields["due_at"]
    must(isinstance(due_at, str) and due_at > moment(), "a due_at that lies ahead", due_at)
