"""Section 1: guessing passwords. Played last, since a server may slow down the address that guesses."""

from __future__ import annotations

from tests.conformance.checks import must, subject
from tests.conformance.office import Office
from tests.conformance.wire import new_id, refused

holds = subject("people", "1")
GUESSES = 100


@holds("401 bad_credentials; 429 after repeated failures")
def repeated_failures_are_slowed_down(office: Office) -> None:
    victim = {"username": f"guessed-{new_id()}", "password": "not-the-password"}
    answers = (office.anyone.post("/sessions", victim) for _ in range(GUESSES))
    limited = next((answer for answer in answers if answer.status_code == 429), None)
    must(limited is not None, "429 after so many wrong passwords", f"{GUESSES} times another")
    if limited is not None:
        refused(limited, 429, action="retry")
        must(int(limited.headers.get("Retry-After", 0)) > 0, "Retry-After with 429", dict(limited.headers))
