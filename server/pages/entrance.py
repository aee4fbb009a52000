"""Who may come in: the cookie session, CSRF, the way to sign-in and back, and the headers of every page.

The cookie carries the same login token as the API's bearer header, in Flask's signed session.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, request, session, url_for
from flask_wtf.csrf import CSRFProtect
from marshmallow import Schema, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from schemas.problems import Problem, by_path
from server import nightly
from server.auth import Principal, me, principal_of
from server.db import db
from server.i18n import choose
from server.models import AuditRun
from server.refusals import note_refusal, remember_problem
from server.rules.masking import displayed_text

bp = Blueprint("pages", __name__)
csrf = CSRFProtect()

ONLOOKERS = ("reviewer", "supervisor", "auditor", "admin")
# (endpoint, Chinese, English, roles that see it in the navigation; none: everybody)
PLACES = (
    ("pages.reviews", "审核", "Review", ("reviewer", "supervisor", "auditor")),
    ("pages.records", "记录", "Records", ()),
    ("pages.spot_checks", "抽查", "Spot checks", ONLOOKERS),
    ("pages.reuse", "照片重用", "Re-used photos", ("reviewer", "supervisor", "auditor")),
    ("pages.devices", "设备", "Devices", ("supervisor", "admin")),
    ("pages.conflicts", "冲突", "Conflicts", ()),
    ("pages.quarantine", "隔离区", "Quarantine", ("supervisor", "admin")),
    ("pages.incidents", "事件", "Incidents", ("supervisor", "auditor", "admin")),
    ("pages.keeping", "保管与处置", "Keeping", ("supervisor", "auditor", "admin")),
    ("pages.zones", "责任区", "Zones", ()),
    ("pages.audits", "核验", "Audits", ("auditor", "admin")),
)
# Scripts and styles only from files of this server: nothing that a record holds can run.
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
          "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
SAFE_HEADERS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}


@bp.before_request
def enter() -> AnyResponse | None:
    """Let the signed-in person in; send others to sign-in and back."""
    csrf.protect()
    found = signed_in()
    if found is not None:
        g.principal = found
    view = current_app.view_functions.get(request.endpoint or "")
    if found is not None or getattr(view, "is_public", False):
        return None
    return to_sign_in()


bp.after_request(note_refusal)


@bp.after_request
def hide_numbers(response: Response) -> Response:
    """Identity and phone numbers are masked on every page (domain.md 17.4), but where somebody has opened them."""
    if response.mimetype == "text/html" and not response.is_streamed and not g.get("numbers_opened"):
        response.set_data(displayed_text(response.get_data(as_text=True)))
    return response


def signed_in() -> Principal | None:
    """The person of the cookie, or None when there is none, or when the login has ended."""
    token = session.get("token")
    if not isinstance(token, str):
        return None
    try:
        found = principal_of(token)
    except Problem as problem:
        remember_problem(problem)
        session.pop("token")
        return None
    db.session.rollback()
    return found


def to_sign_in() -> AnyResponse:
    """The way to sign-in, which leads back to the page that was asked for."""
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return go(url_for("pages.sign_in", next=None if back == "/" else back))


def home() -> str:
    """The first page that the person's roles may see."""
    return next(url_for(endpoint) for endpoint, _, _, roles in PLACES if not roles or me().has_role(*roles))


def go(where: str) -> AnyResponse:
    """A redirect, for a browser and for htmx."""
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": where})
    return redirect(where, 303)


def done(where: str, chinese: str, english: str) -> AnyResponse:
    """After a change: say what was done, and go on to a page."""
    flash((chinese, english))
    return go(where)


def loaded(schema: Schema, given: dict[str, Any]) -> dict[str, Any]:
    """A form's values through the schema that the API uses; raises `invalid_request`."""
    try:
        found: dict[str, Any] = schema.load(given)
    except ValidationError as error:
        raise Problem("invalid_request", "请更正标出的内容 Please correct what is named below",
                      errors=by_path(error.messages)) from None
    return found


def guard(response: Response) -> Response:
    """Headers for every answer; the policy for pages that set none themselves."""
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)
    if response.mimetype == "text/html" and not request.path.startswith("/api/"):
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _recognised() -> Principal | None:
    """The person on the page of a failure that came before the door, as of an address that is not there."""
    try:
        return signed_in()
    except SQLAlchemyError:  # the failure may be the database's: its page is shown, to nobody in particular
        return None


@bp.app_context_processor
def surroundings() -> dict[str, Any]:
    """What every template knows: the person, the pages that his roles may see, the language that comes first."""
    person = g.get("principal") or _recognised()
    places = [place for place in PLACES if person and (not place[3] or person.has_role(*place[3]))]
    return {"person": person, "places": places, "lang": choose(), "alarm": person and _alarm(person)}


def _alarm(person: Principal) -> AuditRun | None:
    """The newest audit, for an admin, when it found something."""
    try:
        run = nightly.newest(db.session()) if person.has_role("admin") else None
    except SQLAlchemyError:  # on the page of a failing database
        return None
    return run if nightly.problems_of(run) else None
