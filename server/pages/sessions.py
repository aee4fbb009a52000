"""Sign in, sign out, the language that comes first, and the way to the first page."""

from __future__ import annotations

from flask import g, redirect, render_template, request, session
from werkzeug.wrappers import Response

from schemas.people import Credentials
from schemas.problems import Problem
from server import limits
from server.api.sessions import close_login, open_login
from server.auth import check_password, public
from server.pages.entrance import bp, go, home, loaded
from server.refusals import remember_problem

YEAR_SECONDS = 365 * 24 * 3600
LANGUAGES = ("zh", "en")


@bp.get("/")
def first() -> Response:
    """The queue, or the first page that the person's roles may see."""
    return redirect(home(), 303)


@bp.get("/sign-in")
@public
def sign_in() -> str | Response:
    """The form; who is in already goes on."""
    if "principal" in g:
        return redirect(home(), 303)
    return render_template("sign_in.html", next=request.args.get("next", ""), problem=None)


@bp.post("/sign-in")
@public
@limits.logins
def open_session() -> tuple[str, int] | Response:
    """Open a session, the same as the API's; a wrong password shows the form again."""
    form = {name: request.form.get(name, "") for name in ("username", "password")}
    wanted = request.form.get("next", "")
    try:
        given = loaded(Credentials(), form)
        token, _ = open_login(check_password(given["username"].strip(), given["password"]))
    except Problem as problem:
        remember_problem(problem)
        return render_template("sign_in.html", next=wanted, problem=problem,
                               username=form["username"]), problem.kind.status
    session.clear()
    session["token"] = token
    return redirect(wanted if _is_ours(wanted) else "/", 303)


@bp.post("/sign-out")
def sign_out() -> Response:
    """Close the session: its token stops working at once."""
    close_login()
    session.clear()
    return go("/sign-in")


@bp.post("/language")
@public
def set_language() -> Response:
    """Put Chinese or English first."""
    wanted = request.form.get("next", "")
    response = redirect(wanted if _is_ours(wanted) else "/", 303)
    if request.form.get("lang") in LANGUAGES:
        response.set_cookie("lang", request.form["lang"], max_age=YEAR_SECONDS, samesite="Lax", httponly=True,
                            secure=request.is_secure)
    return response


def _is_ours(path: str) -> bool:
    """True for a path on this server; `//host`, a backslash or a control character would lead elsewhere."""
    return path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
