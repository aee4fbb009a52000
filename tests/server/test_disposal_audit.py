"""No photo goes but on approval, whatever rows say, and the audit names each row that the journal does not tell; on
SQLite with files, on PostgreSQL with a real S3 store that locks."""

from __future__ import annotations

import pytest

from server.db import writing
from server.keeping import removal
from server.keeping.models import Disposal
from sync.writers import SERVER
from tests.bureau import a_photo
from tests.conftest import Places
from tests.enrolled import Handheld
from tests.server.disposing import (
    ENGINES,
    SCOPE,
    altered,
    cancelled,
    changed,
    over,
    problems,
    proposed,
    settings_on,
    states,
    tick,
)
from tests.server.indoors import Indoors, store_of
from tests.wire import granted, refused, sha256

AT = "2026-11-27T00:00:00.000Z"


@pytest.fixture(params=ENGINES)
def settings(request: pytest.FixtureRequest, places: Places) -> dict[str, str]:
    return settings_on(request.param, places)


@pytest.fixture
def device(office: Indoors) -> Handheld:
    return office.handheld(SCOPE)


@pytest.mark.parametrize("state", ["waiting", "removing"])
def test_a_row_alone_removes_nothing(office: Indoors, device: Handheld, state: str) -> None:
    content, held = a_photo(), a_photo()
    finding, other = cancelled(office, device, content), device.report(SCOPE)
    device.deliver(device.capture(SCOPE, held, ("finding", other)))
    assert device.upload(held).status_code == 204
    one, two = over(office)
    made = proposed(one, finding)
    granted(two.post(f"/disposals/{made['id']}/approval", {"note": "同意"}))
    insert = "INSERT INTO photo_disposal (disposal_id, sha256, state) VALUES (:id, :sha256, :state)"
    changed(office, insert, id=made["id"], sha256=sha256(held), state=state)
    tick(office)
    assert not store_of(office).has(sha256(content)) and store_of(office).has(sha256(held))
    assert ("kept", "unapproved") in states(two)
    found = problems(office)
    assert found.pop("disposal_unapproved") == 1 and found == {}
    changed(office, "UPDATE photo_disposal SET state = :state, trouble = NULL WHERE sha256 = :sha256", state=state,
            sha256=sha256(held))
    tick(office)
    assert store_of(office).has(sha256(held)), "of a disposal that is done nothing goes any more"
    changed(office, "UPDATE disposal SET state = 'approved'")
    changed(office, "UPDATE photo_disposal SET state = 'removed', removed_at = :at WHERE sha256 = :sha256",
            at=AT, sha256=sha256(held))
    assert {"disposal_unapproved", "disposal_unknown", "proposal_altered"} <= set(problems(office))


def test_a_hold_stops_a_removal_that_was_begun(office: Indoors, device: Handheld,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    content, went = a_photo(), a_photo()
    finding, gone = cancelled(office, device, content), cancelled(office, device, went)
    one, two = over(office)
    made = proposed(one, finding, gone)
    granted(two.post(f"/disposals/{made['id']}/approval", {"note": "同意"}))
    with monkeypatch.context() as patch:
        patch.setattr(removal, "note_removed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                tick(office)
    path = office.app.extensions["menqian"].settings.spool / "again"
    path.write_bytes(content)
    store_of(office).put(sha256(content), path, "image/jpeg")  # as if the round had been killed before its bytes went
    for each in (finding, gone):
        granted(one.post(f"/records/finding/{each}/legal-holds", {"reason": "复议", "ordered_by": "区政府"}), 201)
    office.clock.put_on(minutes=11)
    tick(office)
    assert sorted(states(two)) == [("kept", "needed"), ("removed", None)]
    assert store_of(office).has(sha256(content)) and not store_of(office).has(sha256(went))
    assert set(problems(office)) <= {"rendition_missing", "hold_missing"}, "what was put back here had copies"


def test_the_audit_holds_each_row_against_approval_and_entries(office: Indoors, device: Handheld) -> None:
    content, other = a_photo(), a_photo()
    finding, stays = cancelled(office, device, content), cancelled(office, device, other)
    one, two = over(office)
    granted(two.post(f"/disposals/{proposed(one, finding)['id']}/approval", {"note": "同意"}))
    tick(office)
    assert problems(office) == {}
    changed(office, "UPDATE photo_disposal SET removed_at = '2026-11-27T00:00:00.000Z'")
    assert problems(office) == {"disposal_altered": 1}
    changed(office, "UPDATE photo_disposal SET state = 'kept', trouble = 'needed', removed_at = NULL")
    assert "disposal_altered" in problems(office)
    changed(office, "DELETE FROM photo_disposal")
    assert problems(office)["disposal_missing"] == 1
    with office.app.app_context(), writing() as door:
        door.record_entry("disposed", SERVER.id, sha256(other), {"disposal_id": stays, "files": []})
    assert problems(office)["disposal_unapproved"] == 1


def test_a_proposal_is_what_the_journal_says_or_nobody_approves_it(office: Indoors, device: Handheld) -> None:
    finding, other = cancelled(office, device, a_photo()), cancelled(office, device, a_photo())
    one, two = over(office)
    approval = f"/disposals/{proposed(one, finding)['id']}/approval"
    for values in ({"records": [other]}, {"records": [finding, other]}, {"scopes": []}, {"asked": {"class": "x"}},
                   {"note": "同意"}, {"ended_at": AT}, {"reason": "另"}):
        with altered(office, Disposal, **values):
            refused(two.post(approval, {"note": "同意"}), 409, "proposal_altered")
            assert problems(office) == {"proposal_altered": 1}, values
    granted(two.post(approval, {"note": "同意"}))
    tick(office)
    assert problems(office) == {}
    for values in ({"records": [other]}, {"ended_at": AT}, {"scopes": []}, {"asked": {"class": "x"}}):
        with altered(office, Disposal, **values):
            assert problems(office) == {"proposal_altered": 1}, values
