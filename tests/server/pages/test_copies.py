"""Copies of a photo on its record's page: who may make them, what the page says of those that are there."""

from __future__ import annotations

import json

from tests.enrolled import Handheld
from tests.server.indoors import Indoors
from tests.server.pages.conftest import SCOPE, Visitor, photographed, said
from tests.wire import Person, granted, sha256

BOX = {"x": 0.25, "y": 0.25, "width": 0.5, "height": 0.25}


def test_a_redaction_and_a_display_copy_come_to_stand_beside_the_photo(device: Handheld, visitor: Visitor,
                                                                        reviewer: Person) -> None:
    finding, evidence, content = photographed(device)
    page = visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    assert f"/photos/{sha256(content)}/redactions" in page and f"/photos/{sha256(content)}/display-copies" in page
    form = {"evidence_id": evidence, "record_type": "finding", "record_id": finding, "place": "photo-1"}
    answer = visitor.send(f"/photos/{sha256(content)}/redactions", {
        **form, "boxes": json.dumps([BOX]), "method": "pixelate", "note": "遮盖<b>路人"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/records/finding/{finding}?made=redacted-001#photo-1"
    page = visitor.see(answer.headers["Location"])
    made = granted(reviewer.get(f"/media/{sha256(content)}/derivatives"))["items"][-1]
    assert made["sha256"] in page and "测试reviewer" in page and "遮盖&lt;b&gt;路人" in page and "马赛克" in page
    assert "遮盖件已保存" in page and f"/photos/{sha256(content)}/redacted-001" in page
    assert visitor.send(f"/photos/{sha256(content)}/display-copies", form).status_code == 303
    assert f"/photos/{sha256(content)}/display-001" in visitor.see(f"/records/evidence/{evidence}")
    assert visitor.http.get(f"/photos/{sha256(content)}/display-001").headers["Content-Type"] == "image/jpeg"


def test_what_is_refused_is_said_in_place(device: Handheld, visitor: Visitor, reviewer: Person) -> None:
    finding, evidence, content = photographed(device)
    visitor.signed_in(reviewer).see(f"/records/finding/{finding}")
    for boxes in ("", "[]", "{}", '[{"x": 2}]'):
        said(visitor.send(f"/photos/{sha256(content)}/redactions", {
            "evidence_id": evidence, "boxes": boxes, "method": "black"}, **{"HX-Request": "true"}), 422, "boxes")
    said(visitor.send(f"/photos/{sha256(content)}/redactions", {
        "evidence_id": evidence, "boxes": "[", "method": "black"}), 400, "JSON")


def test_who_took_the_photo_is_told_that_another_redacts_it(office: Indoors, visitor: Visitor) -> None:
    both = office.person("inspector", "reviewer", scopes=(SCOPE,))
    finding, evidence, content = photographed(office.handheld(SCOPE, owner=both))
    page = visitor.signed_in(both).see(f"/records/finding/{finding}")
    assert "由他人遮盖" in page and "/redactions" not in page and "/display-copies" in page
    said(visitor.send(f"/photos/{sha256(content)}/redactions", {
        "evidence_id": evidence, "boxes": json.dumps([BOX]), "method": "black"}), 403, "不得遮盖本人所摄")


def test_who_only_looks_on_sees_copies_and_makes_none(office: Indoors, device: Handheld, visitor: Visitor,
                                                      reviewer: Person) -> None:
    finding, evidence, content = photographed(device)
    auditor = office.person("auditor", scopes=(SCOPE,))
    assert 'class="copies"' not in visitor.signed_in(auditor).see(f"/records/finding/{finding}")
    granted(reviewer.post(f"/media/{sha256(content)}/redactions", {"evidence_id": evidence, "boxes": [BOX]}), 201)
    page = visitor.see(f"/records/finding/{finding}")
    assert f"/photos/{sha256(content)}/redacted-001" in page and "/redactions" not in page
    assert visitor.send(f"/photos/{sha256(content)}/display-copies", {"evidence_id": evidence}).status_code == 403
