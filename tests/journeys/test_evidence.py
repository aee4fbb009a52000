"""Evidence (protocol section 6): a record and its photo find each other; states, renditions, flags, who may open it."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from server.rules.crs import from_4490
from tests.bureau import Bureau, a_photo, east_north, eventually
from tests.enrolled import Handheld
from tests.wire import granted, moment, position, refused, sha256

SCOPE = "320412113"
PHOTOS = Path(__file__).parents[2].parent / "shared" / "data" / "photos"


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture
def finding(device: Handheld) -> str:
    return device.report(SCOPE)


def fields_of(device: Handheld, evidence: str) -> dict[str, Any]:
    return device.owner.record("evidence", evidence)["fields"]


def wait_for(device: Handheld, evidence: str, *states: str) -> dict[str, Any]:
    """The media of an evidence record once it is in one of these states."""
    eventually(lambda: fields_of(device, evidence)["media"]["state"] in states, within_s=30)
    media = fields_of(device, evidence)["media"]
    assert media["state"] in states, media
    return media


def wait_for_flag(device: Handheld, evidence: str, code: str) -> dict[str, Any]:
    def flags() -> list[dict[str, Any]]:
        return [flag for flag in fields_of(device, evidence).get("flags") or [] if flag["code"] == code]

    found = eventually(flags, within_s=20)
    assert found, fields_of(device, evidence)
    assert "detail" in found[0]
    return found[0]


def captured(device: Handheld, finding: str, content: bytes, **fields: Any) -> str:
    mutation = device.capture(SCOPE, content, ("finding", finding), **fields)
    outcome, = device.deliver(mutation)
    assert outcome["outcome"] == "applied", outcome
    return mutation["record_id"]


def test_the_record_first_and_the_photo_later(device: Handheld, finding: str) -> None:
    content = a_photo()
    evidence = captured(device, finding, content)
    assert fields_of(device, evidence)["media"]["state"] == "expected"
    assert fields_of(device, evidence)["received_at"].endswith("Z")
    device.catch_up()
    assert device.upload(content).status_code == 204
    wait_for(device, evidence, "verified")
    change, = (change for change in device.catch_up() if change["id"] == evidence)
    assert change["fields"]["media"]["state"] == "verified", "devices learn it like any change"
    assert sha256(content) not in granted(device.pull(device.cursor))["media_wanted"]


def test_the_photo_first_and_the_record_later(device: Handheld, finding: str) -> None:
    content = a_photo()
    assert device.upload(content).status_code == 204
    wait_for(device, captured(device, finding, content), "verified")


def test_a_large_photo_is_rendered_small_and_without_metadata(device: Handheld, finding: str) -> None:
    picture = Image.open(io.BytesIO(a_photo(size=(2400, 1800))))
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "SECRETMAKER", 6
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    evidence = captured(device, finding, out.getvalue())
    device.upload(out.getvalue())
    wait_for(device, evidence, "verified")
    for rendition, long_side in (("thumb", 320), ("screen", 1600)):
        answer = device.get(f"/media/{sha256(out.getvalue())}/{rendition}")
        assert answer.status_code == 200
        small = Image.open(io.BytesIO(answer.content))
        assert max(small.size) == long_side
        assert small.size[1] > small.size[0], "the orientation is applied"
        assert not small.getexif()
        assert b"SECRETMAKER" not in answer.content
    refused(device.get(f"/media/{sha256(out.getvalue())}/poster"), (404, 422))


def test_the_original_is_an_attachment_byte_for_byte(device: Handheld, finding: str) -> None:
    content = a_photo()
    evidence = captured(device, finding, content)
    device.upload(content)
    wait_for(device, evidence, "verified")
    answer = device.get(f"/media/{sha256(content)}")
    assert answer.content == content
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_people_say_why_they_open_an_original(bureau: Bureau, device: Handheld, finding: str) -> None:
    content = a_photo()
    evidence = captured(device, finding, content)
    device.upload(content)
    wait_for(device, evidence, "verified")
    reviewer, stranger = bureau.person("reviewer", scopes=(SCOPE,)), bureau.person("reviewer", scopes=("320402001",))
    refused(reviewer.get(f"/media/{sha256(content)}"), (400, 422))
    assert reviewer.get(f"/media/{sha256(content)}", params={"reason": "审核"}).content == content
    refused(stranger.get(f"/media/{sha256(content)}", params={"reason": "好奇"}), (403, 404))
    refused(stranger.get(f"/media/{sha256(content)}/thumb"), (403, 404))
    assert stranger.head(f"/media/{sha256(content)}").status_code == 200, "HEAD needs only a token"


def test_a_truncated_photo_is_kept_and_damaged(device: Handheld, finding: str) -> None:
    content = a_photo(size=(1600, 1200))
    content = content[: len(content) * 6 // 10]
    evidence = captured(device, finding, content, role="after")
    assert device.upload(content).status_code == 204
    wait_for(device, evidence, "damaged")
    assert device.get(f"/media/{sha256(content)}").content == content


def test_a_zeroed_block_is_damage(device: Handheld, finding: str) -> None:
    content = bytearray(a_photo(size=(1600, 1200)))
    middle = len(content) // 2
    content[middle:middle + 8192] = bytes(8192)
    evidence = captured(device, finding, bytes(content))
    assert device.upload(bytes(content)).status_code == 204
    wait_for(device, evidence, "damaged")


def test_a_png_without_its_end_is_damage(device: Handheld, finding: str) -> None:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 80).save(out, "PNG")
    content = out.getvalue()[:-12]
    evidence = captured(device, finding, content, media_type="image/png")
    assert device.upload(content, "image/png").status_code == 204
    wait_for(device, evidence, "damaged")


def test_a_refused_file_shows_on_its_record(device: Handheld, finding: str) -> None:
    content = b"<html>" + finding.encode()
    evidence = captured(device, finding, content)
    refused(device.upload(content), 415, "media_type_refused")
    media = wait_for(device, evidence, "refused")
    assert media["code"] == "media_type_refused"


def test_a_damaged_photo_does_not_satisfy_a_required_one(bureau: Bureau, device: Handheld, finding: str) -> None:
    desk = bureau.person("supervisor", scopes=("320412",))
    granted(desk.command("finding", finding, "file", {"condition": "d1"}))
    granted(desk.command("finding", finding, "dispatch", {"unit": SCOPE}))
    granted(device.owner.command("finding", finding, "handle"))
    content = a_photo()[:-3000]
    evidence = captured(device, finding, content, role="after")
    device.upload(content)
    wait_for(device, evidence, "damaged")
    refused(device.owner.command("finding", finding, "handle"), 422)


def test_trailing_bytes_are_flagged_not_refused(device: Handheld, finding: str) -> None:
    content = a_photo() + b"PK\x03\x04 and more"
    evidence = captured(device, finding, content)
    assert device.upload(content).status_code == 204
    wait_for(device, evidence, "verified")
    wait_for_flag(device, evidence, "trailing_data")


def test_the_same_photo_for_another_finding_is_flagged_on_both(device: Handheld, finding: str) -> None:
    content = a_photo()
    first = captured(device, finding, content)
    device.upload(content)
    second = captured(device, device.report(SCOPE), content)
    assert second in str(wait_for_flag(device, first, "reused_exact"))
    assert first in str(wait_for_flag(device, second, "reused_exact"))


def test_a_file_that_tells_another_time_is_flagged(device: Handheld, finding: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:05:01 08:00:00"
    exif.get_ifd(0x8769)[0x9011] = "+08:00"
    out = io.BytesIO()
    Image.open(io.BytesIO(a_photo())).save(out, "JPEG", exif=exif)
    evidence = captured(device, finding, out.getvalue())
    device.upload(out.getvalue())
    wait_for_flag(device, evidence, "time_conflict")


@pytest.mark.parametrize("offset_s", [-400 * 86400, 3 * 86400])
def test_a_capture_time_outside_the_bracket_is_suspect(device: Handheld, finding: str, offset_s: int) -> None:
    beacon = beacon_of(device)
    content = a_photo()
    evidence = captured(device, finding, content, captured_at=moment(offset_s), beacon=beacon)
    device.upload(content)
    wait_for_flag(device, evidence, "clock_suspect")


@pytest.mark.parametrize("beacon", ["a\0b", "ab" * 32, "x" * 5000])
def test_a_beacon_that_is_none_stops_no_device(device: Handheld, finding: str, beacon: str) -> None:
    evidence = captured(device, finding, a_photo(), beacon=beacon)
    assert fields_of(device, evidence)["bracket"]["not_before"] is None
    refused(device.create_upload(5, "ab" * 32, "image/\0"), 422, "invalid_request")


def beacon_of(device: Handheld) -> str:
    """Root hash, hex, of the newest checkpoint (a signed note: origin, size, root in base64)."""
    note = device.get("/journal/checkpoint").text
    return base64.b64decode(note.splitlines()[2]).hex()


@pytest.mark.skipif(not PHOTOS.exists(), reason="needs the photographs of shared/data")
@pytest.mark.parametrize(("name", "state"), [
    ("damaged_truncated.jpg", "damaged"), ("damaged_zero_tail.jpg", "damaged"),
    ("kodak_proback_ifd_loop.jpg", "verified"), ("gps_zero_zero.jpg", "verified"), ("two_frames.mpo.jpg", "verified"),
    ("apple_iphone_x_gps.webp", "verified"),
    ("all_metadata.png", "verified"), ("sony_p12_bad_makernotes.jpg", "verified"), ("trailing_zip.jpg", "verified")])
def test_real_photographs_are_judged_rightly(device: Handheld, finding: str, name: str, state: str) -> None:
    content = (PHOTOS / name).read_bytes()
    evidence = captured(device, finding, content, media_type={"png": "image/png", "webp": "image/webp"}.get(
        name.rsplit(".")[-1], "image/jpeg"))
    assert device.upload(content).status_code in (200, 201, 204)
    wait_for(device, evidence, state)


@pytest.mark.parametrize("crs", ["EPSG:4490", "GCJ-02"])
def test_a_photo_is_held_against_its_makers_track_whichever_came_first(bureau: Bureau, crs: str) -> None:
    device = bureau.handheld(owner=bureau.newcomer("inspector", scopes=(SCOPE,)))
    finding, at = device.report(SCOPE), moment(-600)
    near, far = (captured(device, finding, a_photo(), captured_at=at, position=position(
        *from_4490(*east_north(119.95, 31.71, east_m, 0), crs), crs=crs)) for east_m in (20, 500))
    assert not fields_of(device, far)["flags"]
    track = device.create("track", SCOPE, {"points": [
        {"id": "p1", "at": at, "lon": 119.95, "lat": 31.71, "crs": "EPSG:4326", "accuracy_m": 8}]})
    device.deliver(track)
    detail = wait_for_flag(device, far, "place_conflict")["detail"]
    assert detail["between"] == ["device", "track"] and 490 < detail["distance_m"] < 510
    assert not fields_of(device, near)["flags"]
    later = captured(device, finding, a_photo(), captured_at=at, position=position(119.96, 31.71))
    assert wait_for_flag(device, later, "place_conflict")["detail"]["between"] == ["device", "track"]
