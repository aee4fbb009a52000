"""Spot checks over HTTP: freeze, draw, prove, judge blind, report (protocol section 11)."""

from __future__ import annotations

from typing import Any

from flask import Response

from schemas.problems import Problem
from schemas.pull import Nothing
from schemas.spot_checks import SpotCheckAsked, VerdictGiven, VisitsAsked
from server import spot_checks, verdicts, visits
from server.api import blueprint
from server.auth import for_people, me, must_have_role, needs_role
from server.db import db, reading, writing
from server.house import house
from server.models import SpotCheck
from server.wire import answer

blp = blueprint("spot_checks", "抽查 Spot checks")
ONLOOKERS = ("reviewer", "supervisor", "auditor", "admin")


@blp.get("/spot-checks")
@needs_role(*ONLOOKERS)
@blp.response(200)
def list_spot_checks() -> Response:
    """Spot checks that have to do with the caller's scopes, newest first."""
    with reading():
        done = verdicts.progress(db.session())
        found = [{**summary(check), **done.get(check.id, {"drawn": 0, "checked": 0})}
                 for check in spot_checks.checks(db.session()) if concerns_me(check)]
    return answer({"items": found})


@blp.post("/spot-checks")
@needs_role("supervisor")
@blp.arguments(SpotCheckAsked)
@blp.response(201)
def freeze(given: dict[str, Any]) -> Response:
    """Freeze a frame and commit to a secret. 403 `out_of_scope`, 422 `frame_empty`."""
    with writing() as door:
        check = spot_checks.freeze(door, me().writer(), given)
        frozen = {**summary(check), "frame_size": len(check.frame)}
    return answer(frozen, 201)


@blp.get("/spot-checks/<check_id>")
@needs_role(*ONLOOKERS)
@blp.response(200)
def get_spot_check(check_id: str) -> Response:
    """One spot check with its samples in the caller's scopes; blind until the verdict."""
    with reading():
        check = spot_checks.found_check(db.session(), check_id)
        if not concerns_me(check):
            raise Problem("not_found", spot_checks.ABSENT_OR_HIDDEN, hidden=True)
        found = {**summary(check), "frame_size": len(check.frame),
                 "samples": verdicts.shown(db.session(), check, me().scopes)}
    return answer(found)


@blp.post("/spot-checks/<check_id>/draw")
@needs_role("supervisor")
@blp.arguments(Nothing, required=False)
@blp.response(200)
def draw(_: dict[str, Any], check_id: str) -> Response:
    """Draw the sample; a checkpoint is signed at once. 409 `already_drawn`."""
    with writing(checkpoint=True) as door:
        proof = spot_checks.draw(door, me().writer(), check_id, house().signer)
    return answer({"id": check_id, "state": "drawn", "sample": proof["sample"], "proof": proof})


@blp.get("/spot-checks/<check_id>/proof")
@for_people
@blp.response(200)
def get_proof(check_id: str) -> Response:
    """All that is needed to re-run the draw. 409 `not_drawn` before it."""
    with reading():
        proof = spot_checks.proof(overseen(check_id))
    return answer(proof)


@blp.post("/spot-checks/<check_id>/visits")
@needs_role("supervisor")
@blp.arguments(VisitsAsked)
@blp.response(201)
def send_out(given: dict[str, Any], check_id: str) -> Response:
    """Send somebody to the drawn places by tasks for his handheld; his answers are the verdicts. 409 `not_drawn`."""
    with writing() as door:
        sent = visits.send_out(door, me().writer(), check_id, given)
    return answer(sent, 201)


@blp.post("/spot-checks/<check_id>/samples/<record_id>/verdict")
@needs_role("reviewer", "supervisor")
@blp.arguments(VerdictGiven)
@blp.response(200)
def judge(given: dict[str, Any], check_id: str, record_id: str) -> Response:
    """The second look, given blind; the answer compares both. 403 `own_work`, 409 `already_judged`."""
    with writing() as door:
        verdict = verdicts.judge(door, me().writer(), check_id, record_id, given)
    return answer(verdict)


@blp.get("/spot-checks/<check_id>/report")
@for_people
@blp.response(200)
def get_report(check_id: str) -> Response:
    """Disagreement with its Wilson interval at 95 %; rates are null where nothing is checked."""
    with reading():
        report = verdicts.report(db.session(), overseen(check_id))
    return answer(report)


def summary(check: SpotCheck) -> dict[str, Any]:
    """A spot check without frame, secret and sample."""
    asked = check.asked
    return {"id": check.id, "title": check.title, "state": check.state, "made_by": check.made_by,
            "made_at": check.made_at, "drawn_at": check.drawn_at, "size": check.size, "strata": asked["strata"],
            "frame": {name: asked[name] for name in ("type", "from", "to", "scopes", "status")},
            "frame_digest": check.frame_digest, "commitment": check.commitment, "frozen_index": check.frozen_index}


def concerns_me(check: SpotCheck) -> bool:
    """May the one who asks know of this spot check?"""
    return me().has_role("admin") or spot_checks.touches_frame(me().scopes, check)


def overseen(check_id: str) -> SpotCheck:
    """The spot check, for an admin, or a supervisor or auditor whose scopes cover its frame."""
    must_have_role("supervisor", "auditor", "admin")
    check = spot_checks.found_check(db.session(), check_id)
    if not (me().has_role("admin") or spot_checks.covers_frame(me().scopes, check)):
        raise Problem("not_found", spot_checks.ABSENT_OR_HIDDEN, hidden=True)
    return check
