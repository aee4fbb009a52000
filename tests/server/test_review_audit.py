"""The audit of the review queue: nothing leaves it, or is accepted, without somebody's decision (design section 5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bureau import a_photo
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited
from tests.wire import granted

SCOPE = "320411101"
STATES = ("open", "accepted", "returned", "excluded", "escalated")
MAY_BE = {"undecided": {"open"}, "accepted": {"accepted"}, "edited": {"open"}, "returned": {"returned"},
          "photographed": {"open", "returned"}, "escalated": {"escalated"}, "decided twice": {"excluded"}}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    """An installation with a finding in each place that a review can come to."""
    with indoors(tmp_path_factory.mktemp("reviews")) as office:
        device, reviewer = office.handheld(SCOPE), office.person("reviewer", scopes=("3204",))

        def decide(record_id: str, decision: str, **more: Any) -> None:
            granted(reviewer.post(f"/reviews/{record_id}/decisions", {"decision": decision, "version": 1, **more}), 201)

        office.found = {name: device.report(SCOPE) for name in MAY_BE}
        for name, decision in (("accepted", "accept"), ("edited", "accept"), ("returned", "return"),
                               ("photographed", "return"), ("escalated", "escalate"), ("decided twice", "escalate")):
            decide(office.found[name], decision, note="看过")
        decide(office.found["decided twice"], "exclude", note="又看过")
        device.deliver(device.edit("finding", office.found["edited"], 1, set={"text": "补记"}))
        device.deliver(device.capture(SCOPE, a_photo(), ("finding", office.found["photographed"])))
        yield office


def test_a_queue_that_nobody_tampered_with_is_sound(office: Indoors) -> None:
    found = audited(office)
    assert found["problems"] == []
    assert found["checked"]["reviews"] == len(MAY_BE)


@pytest.mark.parametrize("name", MAY_BE)
@pytest.mark.parametrize("state", [*STATES, "x", None])
def test_a_record_is_in_no_state_that_nobody_decided(office: Indoors, tampered: Any, name: str,
                                                     state: str | None) -> None:
    found = tampered("UPDATE record SET review_state = :state WHERE id = :id", state=state, id=office.found[name])
    assert [(problem["code"], problem["about"]) for problem in found["problems"]] == (
        [] if state in MAY_BE[name] else [("review_altered", office.found[name])])
