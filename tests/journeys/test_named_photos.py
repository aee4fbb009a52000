"""A digest is no secret: who only names one opens no photo, and what strangers make of a photo stays theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import bundles
from tests.bureau import Bureau, a_photo, eventually
from tests.enrolled import Handheld
from tests.wire import granted, refused, sha256

HERE, ELSEWHERE = "320404101", "320413100"


@pytest.fixture
def stranger(bureau: Bureau) -> Handheld:
    return bureau.handheld(ELSEWHERE)


def test_to_name_a_photo_opens_it_to_nobody(bureau: Bureau, stranger: Handheld, tmp_path: Path) -> None:
    case = bundles.a_case(bureau, HERE, photos=1)
    digest = sha256(case.photos[0])
    finding = stranger.report(ELSEWHERE)
    named = stranger.capture(ELSEWHERE, case.photos[0], ("finding", finding))
    assert stranger.deliver(named)[0]["outcome"] == "applied"
    reviewer = bureau.person("reviewer", scopes=(ELSEWHERE,))
    for reader in (stranger, reviewer):
        refused(reader.get(f"/media/{digest}?reason=x"), 404, "not_found")
        refused(reader.get(f"/media/{digest}/screen"), 404, "not_found")
    box = {"evidence_id": named["record_id"], "boxes": [{"x": 0, "y": 0, "width": 0.01, "height": 0.01}]}
    refused(reviewer.post(f"/media/{digest}/redactions", box), 404)
    base = bundles.unpacked(reviewer.get(f"/reviews/{finding}/bundle?profile=court"), tmp_path / "theirs")
    assert not (base / "data" / "originals").exists()
    assert "others brought the photo" in bundles.verify(base).stdout
    # who has the photo may bring it: all of its bytes
    assert stranger.create_upload(len(case.photos[0]), digest).headers["Upload-Offset"] == "0"
    assert stranger.upload(case.photos[0]).status_code == 204
    assert reviewer.get(f"/media/{digest}?reason=核对").content == case.photos[0]


def test_copies_of_other_cases_stay_out_of_a_bundle(bureau: Bureau, stranger: Handheld, tmp_path: Path) -> None:
    case = bundles.a_case(bureau, HERE, photos=1)
    digest = sha256(case.photos[0])
    whole = {"x": 0, "y": 0, "width": 1, "height": 1}
    reviewer = bureau.person("reviewer", scopes=(HERE,))
    granted(reviewer.post(f"/media/{digest}/redactions", {"evidence_id": case.evidence[0], "boxes": [whole]}), 201)
    finding = stranger.report(ELSEWHERE)
    named = stranger.capture(ELSEWHERE, case.photos[0], ("finding", finding))
    stranger.deliver(named)
    assert stranger.upload(case.photos[0]).status_code == 204
    theirs = bureau.person("reviewer", scopes=(ELSEWHERE,))
    nearly = {**whole, "width": 0.01, "height": 0.01}
    granted(theirs.post(f"/media/{digest}/redactions", {"evidence_id": named["record_id"], "boxes": [nearly]}), 201)
    base = bundles.unpacked(reviewer.get(f"/reviews/{case.finding}/bundle?profile=public"), tmp_path / "ours")
    assert [path.name for path in (base / "data" / "renditions").iterdir()] == [f"{digest}-redacted-001.jpg"]


def test_a_photo_that_was_named_before_anybody_brought_it_is_opened_by_its_record(bureau: Bureau) -> None:
    device, other = bureau.handheld(HERE), bureau.handheld(HERE, who="finder of the card")
    content = a_photo()
    finding = device.report(HERE)
    device.deliver(device.capture(HERE, content, ("finding", finding)))
    assert other.upload(content).status_code == 204  # from the memory card of the lost device
    reviewer = bureau.person("reviewer", scopes=(HERE,))
    assert eventually(lambda: reviewer.get(f"/media/{sha256(content)}?reason=核对").content == content)
