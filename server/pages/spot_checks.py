"""Spot checks for people at a desk: freeze, draw, prove, judge blind, report (protocol section 11)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from schemas.problems import Problem
from schemas.spot_checks import STRATA, VERDICTS, SpotCheckAsked, VerdictGiven, VisitsAsked
from schemas.values import stamp
from server import spot_checks as engine
from server import verdicts, visits
from server.api.spot_checks import concerns_me, overseen, summary
from server.auth import me, needs_role
from server.db import db, reading, writing
from server.house import house
from server.models import SpotCheck
from server.pages.entrance import ONLOOKERS, bp, done, loaded
from server.pages.lookups import learn_names, scope_choices, status_choices
from server.pages.words import BEIJING
from server.wire import answer

NUMBERS = {"size": int, "confidence": float, "margin": float}


@bp.get("/spot-checks")
@needs_role(*ONLOOKERS)
def spot_checks() -> str:
    """The spot checks that concern the person, newest first, and the form to freeze another."""
    with reading():
        progress = verdicts.progress(db.session())
        found = [{**summary(check), **progress.get(check.id, {"drawn": 0, "checked": 0})}
                 for check in engine.checks(db.session()) if concerns_me(check)]
        learn_names(check["made_by"] for check in found)
        today = house().clock().astimezone(BEIJING).date()
        return render_template("spot_checks.html", checks=found, strata=STRATA, scopes=scope_choices(me().scopes),
                               states=status_choices("finding"),
                               first=today - timedelta(days=30), last=today)


@bp.post("/spot-checks")
@needs_role("supervisor")
def freeze() -> AnyResponse:
    """Freeze a frame and commit to a secret."""
    given = loaded(SpotCheckAsked(), asked_in(request.form))
    with writing() as door:
        check_id = engine.freeze(door, me().writer(), given).id
    return done(url_for("pages.spot_check", check_id=check_id), "名录已冻结,可以抽取", "Frozen; ready to draw")


@bp.get("/spot-checks/<check_id>")
@needs_role(*ONLOOKERS)
def spot_check(check_id: str) -> str:
    """One spot check: frame, proof, samples with verdicts or their blind forms, report."""
    with reading():
        check = engine.found_check(db.session(), check_id)
        if not concerns_me(check):
            raise Problem("not_found", engine.ABSENT_OR_HIDDEN, hidden=True)
        samples = verdicts.shown(db.session(), check, me().scopes)
        learn_names([check.made_by, *(sample.get("judged_by") for sample in samples)])
        drawn = check.state == "drawn" and _oversees(check)
        may_judge = me().has_role("reviewer", "supervisor")
        return render_template(
            "spot_check.html", check=check, frame_size=len(check.frame), samples=samples, verdicts=VERDICTS,
            report=verdicts.report(db.session(), check) if drawn else None,
            may_draw=me().has_role("supervisor") and engine.covers_frame(me().scopes, check),
            may_judge=may_judge, own=verdicts.own_work(db.session(), check.id, me().user_id) if may_judge else (),
            drawn=drawn)


@bp.post("/spot-checks/<check_id>/draw")
@needs_role("supervisor")
def draw(check_id: str) -> AnyResponse:
    """Draw the sample; a checkpoint is signed with it."""
    with writing(checkpoint=True) as door:
        engine.draw(door, me().writer(), check_id, house().signer)
    return done(url_for("pages.spot_check", check_id=check_id), "已抽取,证明可下载", "Drawn; take the proof away")


@bp.get("/spot-checks/<check_id>/proof.json")
def proof(check_id: str) -> Response:
    """The proof to take away."""
    with reading():
        response = answer(engine.proof(overseen(check_id)))
    response.headers["Content-Disposition"] = f"attachment; filename=proof-{check_id}.json"
    return response


@bp.post("/spot-checks/<check_id>/samples/<record_id>/verdict")
@needs_role("reviewer", "supervisor")
def judge(check_id: str, record_id: str) -> AnyResponse:
    """A blind verdict; both sides are shown afterwards."""
    values = {name.partition(".")[2]: text.strip() for name, text in request.form.items()
              if name.startswith("value.") and text.strip()}
    given = loaded(VerdictGiven(), {"verdict": request.form.get("verdict", ""), "values": values,
                                    "note": request.form.get("note", "").strip()})
    with writing() as door:
        verdicts.judge(door, me().writer(), check_id, record_id, given)
    return done(url_for("pages.spot_check", check_id=check_id), "结论已记录", "Verdict recorded")


@bp.post("/spot-checks/<check_id>/visits")
@needs_role("supervisor")
def send_out(check_id: str) -> AnyResponse:
    """Send somebody to the drawn places with his handheld."""
    given = loaded(VisitsAsked(), {"assignee": request.form.get("assignee", "").strip()})
    with writing() as door:
        sent = visits.send_out(door, me().writer(), check_id, given)
    count, skipped = len(sent["tasks"]), len(sent["skipped"])
    return done(url_for("pages.spot_check", check_id=check_id), f"已派 {count} 处,{skipped} 处不能由此人复核",
                f"{count} sent out, {skipped} cannot be judged by this person")


def asked_in(form: MultiDict[str, str]) -> dict[str, Any]:
    """A spot check as the API takes it. Days are whole days in Beijing; the last one is included."""
    sizing = ("size",) if form.get("sizing") != "precision" else ("confidence", "margin")
    return {"title": form.get("title", "").strip(),
            "frame": {"type": "finding", "from": _start_of(form.get("from", ""), 0),
                      "to": _start_of(form.get("to", ""), 1), "scopes": form.getlist("scopes"),
                      **({"status": form["status"]} if form.get("status") else {})},
            "strata": form.getlist("strata"), **{name: _number(form, name) for name in sizing}}


def _start_of(day: str, later: int) -> str:
    """The wire time at which a day in Beijing begins, so many days later; raises `invalid_request`."""
    try:
        at = datetime.combine(date.fromisoformat(day) + timedelta(days=later), time(), BEIJING)
        return stamp(at)
    except (ValueError, OverflowError):
        raise Problem("invalid_request", "请填写起止日期 Give both dates",
                      errors={"from": ["a day like 2026-11-22"]}) from None


def _number(form: MultiDict[str, str], name: str) -> Any:
    """The number of an input, percents as fractions; what is none goes on as it is, and the schema refuses it."""
    try:
        value = NUMBERS[name](form.get(name, ""))
    except ValueError:
        return form.get(name)
    return value / 100 if name != "size" else value


def _oversees(check: SpotCheck) -> bool:
    """May the person read proof and report? The API's own rule, asked without a refusal."""
    return me().has_role("admin") or (me().has_role("supervisor", "auditor")
                                      and engine.covers_frame(me().scopes, check))


