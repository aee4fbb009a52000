"""The reference photographs through a real server, on both engines, against what others read in them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.bureau import Bureau
from tests.darkroom import PHOTOS, encoded, scene, with_photos
from tests.photographs import SCOPE, flag_differences, play, served, settled, state_of
from tests.wire import sha256


@with_photos
def test_every_reference_photograph_ends_as_it_should(bureau: Bureau) -> None:
    judged = play(bureau.handheld(SCOPE), PHOTOS, modern=False)
    assert [one for one in judged if one.differs] == [] and len(judged) > 40


def test_a_heic_photo_lies_as_it_was_held(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110], exif[0x0112] = "iPhone 17", 6
    content = encoded(scene((640, 480)), "HEIF", exif=exif.tobytes())
    with served(tmp_path, "embedded", modern=True) as device:
        evidence = device.capture(SCOPE, content, ("finding", device.report(SCOPE)), media_type="image/heic")
        device.deliver(evidence)
        assert device.upload(content, "image/heic").status_code == 204
        fields = settled(device, evidence["record_id"])
        assert (fields["media"]["state"], fields["media"]["exif"]["model"]) == ("verified", "iPhone 17")
        assert device.owner
        small = device.owner.get(f"/media/{sha256(content)}/thumb").content
        with Image.open(BytesIO(small)) as shown:
            assert shown.size == (240, 320)


def test_what_is_not_as_told_is_named() -> None:
    told = {"mime_type": "image/jpeg", "pillow_decodes": True, "datetime_original": None, "gps_latitude": None,
            "gps_longitude": None, "software": "GIMP 2.10", "ends_with_eoi": True,
            "djpeg_says": ["Corrupt JPEG data: 2 extraneous bytes before marker 0xdb"]}
    assert state_of(told, modern=False) == "verified"
    assert state_of({**told, "djpeg_says": ["... bytes before marker 0xd1"]}, modern=False) == "damaged"
    assert state_of({**told, "mime_type": "image/avif"}, modern=False) == "refused"
    assert flag_differences(told, ["late", "edited_software"], damaged=False) == ["late is there"]
    assert flag_differences(told, [], damaged=False) == ["edited_software is not there"]
