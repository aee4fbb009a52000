"""What the audit says of an installation, for tests that changed something behind its back."""

from __future__ import annotations

from typing import Any

from server.audit import audit
from tests.server.indoors import Indoors


def audited(office: Indoors) -> dict[str, Any]:
    with office.app.app_context():
        return audit()


def codes(found: dict[str, Any]) -> set[str]:
    assert found["ok"] is False
    assert {problem["code"] for problem in found["problems"]} == set(found["found"])
    return set(found["found"])
