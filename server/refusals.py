"""Refused access: each is an entry in the journal (protocol section 9). Serves the API and the pages.

What is raised anywhere below is remembered with the request and told in one place, after the answer is made.
"""

from __future__ import annotations

from typing import NamedTuple

from flask import Response, g, request

from schemas.problems import Problem
from server.db import writing

NOBODY = "nobody"
ALWAYS = frozenset({"signature_invalid", "device_revoked", "user_inactive"})


class Asker(NamedTuple):
    """Whose token came with the call, whether or not it still opens anything."""

    user_id: str
    device_id: str | None


def remember_asker(user_id: str, device_id: str | None = None) -> None:
    """Keep whose call this is."""
    g.asker = Asker(user_id, device_id)


def remember_attempt(username: str) -> None:
    """Keep the name that somebody tried to log in with."""
    g.attempted = username


def remember_problem(problem: Problem) -> None:
    """Keep what the call failed of."""
    g.problem = problem


def note_refusal(response: Response) -> Response:
    """Journal a refused access: for lack of a right (403, or 404 where even the existence is hidden), a push with a
    wrong signature, a revoked device's or inactive person's call, a failed login.

    Not a call without a token or with an unknown one, by which anybody could flood the journal; failed logins are as
    many as their limit lets through. A tried name may be a mistyped password: only its commitment is kept.
    """
    problem: Problem | None = g.get("problem")
    asker: Asker | None = g.get("asker")
    code = problem.code if problem else None
    said = {"method": request.method, "path": request.path[:200], "code": code}
    if code == "bad_credentials":
        with writing() as door:
            door.record_entry("refused", NOBODY, None, {**said, "device_id": None},
                              aside={"username": g.get("attempted", "")}, kept=False)
    elif asker and (response.status_code == 403 or code in ALWAYS or (problem is not None and problem.hidden)):
        with writing() as door:
            door.record_entry("refused", asker.user_id, None, {**said, "device_id": asker.device_id})
    return response
