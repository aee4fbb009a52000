"""Exporting a bundle from a record's page."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from tests import bundles
from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import SCOPE, Visitor


@pytest.mark.parametrize("role", ["reviewer", "supervisor", "auditor"])
def test_an_export_is_a_download_and_is_listed(office: Indoors, visitor: Visitor, device: Handheld, role: str,
                                               tmp_path: Path) -> None:
    finding = device.report(SCOPE)
    person = office.person(role, scopes=(SCOPE,))
    assert "已导出" not in visitor.signed_in(person).see(f"/records/finding/{finding}")
    answer = visitor.send(f"/reviews/{finding}/bundle", {"profile": "court", "reason": "移送法院"})
    base = bundles.unpacked(answer, tmp_path)
    assert bundles.verify(base, "--key", bundles.key_line(office)).returncode == 0
    page = visitor.see(f"/records/finding/{finding}")
    assert sha256(answer.content).hexdigest() in page
    assert "未送完" not in page


@pytest.mark.parametrize(("values", "said"), [
    ({"profile": "court", "reason": " "}, "请写明导出用途"),
    ({"profile": "", "reason": "移送"}, "one of court, party, public"),
    ({"profile": "court", "reason": "x" * 501}, "500")])
def test_an_export_needs_a_profile_and_a_reason(office: Indoors, visitor: Visitor, device: Handheld,
                                                values: dict[str, str], said: str) -> None:
    finding = device.report(SCOPE)
    visitor.signed_in(office.person("reviewer", scopes=(SCOPE,))).see(f"/records/finding/{finding}")
    answer = visitor.send(f"/reviews/{finding}/bundle", values)
    assert answer.status_code == 422
    assert said in answer.text


def test_whoever_may_not_export_sees_no_form_and_is_refused(office: Indoors, visitor: Visitor,
                                                            device: Handheld) -> None:
    finding = device.report(SCOPE)
    inspector = office.person("inspector", scopes=(SCOPE,))
    assert 'id="export"' not in visitor.signed_in(inspector).see(f"/records/finding/{finding}")
    assert visitor.send(f"/reviews/{finding}/bundle", {"profile": "court", "reason": "移送"}).status_code == 403
