"""Photos that are late, mocked, screenshots, or far from their record or its scope: taken in, and flagged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bureau import a_photo, collection, east_north, frontage
from tests.darkroom import c2pa_store, encoded, scene, with_c2pa
from tests.enrolled import Handheld
from tests.server.indoors import Indoors, indoors
from tests.server.tampering import audited
from tests.wire import granted, moment, position

SCOPE, GRID = "320412114", "320412114002"
HERE = (119.95, 31.71)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("photos")) as made:
        yield made
        assert audited(made)["problems"] == []


@pytest.fixture
def device(office: Indoors) -> Handheld:
    return office.handheld(owner=office.newcomer("inspector", scopes=(SCOPE,)))


def place(east_m: float, **more: Any) -> dict[str, Any]:
    return {**position(*east_north(*HERE, east_m, 0)), **more}


def taken(device: Handheld, finding: str, content: bytes | None = None, scope: str = SCOPE, **fields: Any) -> str:
    mutation = device.capture(scope, content or a_photo(), ("finding", finding), **fields)
    outcome, = device.deliver(mutation)
    assert outcome["outcome"] == "applied", outcome
    return str(mutation["record_id"])


def flags(device: Handheld, evidence: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for flag in device.owner.record("evidence", evidence)["fields"]["flags"]:
        found.setdefault(flag["code"], []).append(flag["detail"])
    return found


def pairs(device: Handheld, evidence: str) -> list[list[str]]:
    return [detail["between"] for detail in flags(device, evidence).get("place_conflict", [])]


def uploaded(device: Handheld, content: bytes, **fields: Any) -> dict[str, Any]:
    evidence = taken(device, device.report(SCOPE), content, **fields)
    assert device.upload(content).status_code == 204
    return dict(device.owner.record("evidence", evidence)["fields"])


def codes(fields: dict[str, Any]) -> set[str]:
    """The flags but for those on pictures that tests of this file have in common."""
    return {flag["code"] for flag in fields["flags"]} - {"reused_near", "reused_exact"}


def test_a_photo_far_from_the_finding_that_it_is_about_is_flagged(device):
    finding = device.report(SCOPE, position=place(0))
    near, far = taken(device, finding, position=place(150)), taken(device, finding, position=place(900))
    assert pairs(device, near) == [] and pairs(device, far) == [["device", "about"]]
    detail, = flags(device, far)["place_conflict"]
    assert detail["distance_m"] == pytest.approx(900, abs=2) and "+ 200 m apart" in detail["rule"]
    assert pairs(device, taken(device, finding, position=place(900), role="document")) == []
    assert pairs(device, taken(device, device.report(SCOPE), position=place(900))) == [], "an address is no place"


def test_a_finding_that_gets_another_place_says_otherwise_of_its_photos(device):
    finding = device.report(SCOPE, position=place(0))
    evidence = taken(device, finding, position=place(900))
    moved = device.edit("finding", finding, 1, set={"position": place(880)})
    assert device.deliver(moved)[0]["outcome"] == "applied"
    assert pairs(device, evidence) == []
    device.deliver(device.edit("finding", finding, 2, set={"position": place(-500)}))
    assert pairs(device, evidence) == [["device", "about"]]


def test_a_mocked_position_is_flagged_and_taken(device):
    finding = device.report(SCOPE)
    assert pairs(device, taken(device, finding, position=place(0, mock=True))) == [["device", "mock"]]
    assert pairs(device, taken(device, finding, position=place(0, mock=False))) == []


def test_a_photo_that_comes_long_after_it_was_taken_is_late(device):
    detail, = flags(device, taken(device, device.report(SCOPE), captured_at=moment(-30 * 86400)))["late"]
    assert detail["clocks"] == ["device"] and detail["device_h"] == pytest.approx(720, abs=0.1)
    assert "late" not in flags(device, taken(device, device.report(SCOPE), captured_at=moment(-2 * 86400)))
    assert "late" not in flags(device, taken(device, device.report(SCOPE), captured_at="0001-01-01T00:00:00.000Z"))


def test_a_screenshot_is_kept_verified_and_flagged(device):
    fields = uploaded(device, encoded(scene((1080, 2400), seed=device.seq + 1), "PNG"), media_type="image/png")
    assert fields["media"]["state"] == "verified"
    assert codes(fields) == {"screenshot"}


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_kept_and_flagged(device, kind):
    frames = [scene((64, 48), seed) for seed in range(20, 23)]
    fields = uploaded(device, encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert fields["media"]["state"] == "verified" and fields["media"]["frames"] == 3
    assert codes(fields) == {"animated"}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("store", [c2pa_store(b"\xff" * 400), b"no manifest"])
def test_content_credentials_are_told_and_change_nothing(device, kind, store):
    fields = uploaded(device, with_c2pa(kind, store))
    assert fields["media"]["state"] == "verified" and fields["media"].get("c2pa", False) is (b"c2pa" in store)
    assert codes(fields) == set()


def test_a_beacon_that_was_never_issued_makes_the_clock_suspect(device):
    fields = uploaded(device, a_photo(), beacon="ab" * 32)
    assert [flag["detail"]["rule"] for flag in fields["flags"]] == ["beacon is no checkpoint of this journal"]
    assert fields["bracket"]["not_before"] is None


def test_a_photo_outside_of_the_zones_of_its_scope_is_flagged_once_zones_are_known(office, device):
    finding = device.report(SCOPE)
    assert pairs(device, taken(device, finding, position=position(116.4, 39.9))) == [], "no zone says where"
    granted(office.admin.post("/zones/import", collection(frontage(*HERE, GRID))))
    assert pairs(device, taken(device, finding, position=position(116.4, 39.9))) == [["device", "scope"]]
    detail, = flags(device, taken(device, finding, position=place(8000)))["place_conflict"]
    assert detail["distance_m"] == pytest.approx(8000 - 8, abs=20) and SCOPE in detail["rule"]
    assert pairs(device, taken(device, finding, position=place(4000))) == []
