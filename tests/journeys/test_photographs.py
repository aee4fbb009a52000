"""The reference photographs through a real server, on both engines, against what others read in them."""

from __future__ import annotations

from tests.bureau import Bureau
from tests.darkroom import PHOTOS, with_photos
from tests.photographs import SCOPE, flag_differences, play, state_of


@with_photos
def test_every_reference_photograph_ends_as_it_should(bureau: Bureau) -> None:
    judged = play(bureau.handheld(SCOPE), PHOTOS, modern=False)
    assert [one for one in judged if one.differs] == [] and len(judged) > 40


def test_what_is_not_as_told_is_named() -> None:
    told = {"mime_type": "image/jpeg", "pillow_decodes": True, "datetime_original": None, "gps_latitude": None,
            "gps_longitude": None, "software": "GIMP 2.10", "ends_with_eoi": True,
            "djpeg_says": ["Corrupt JPEG data: 2 extraneous bytes before marker 0xdb"]}
    assert state_of(told, modern=False) == "verified"
    assert state_of({**told, "djpeg_says": ["... bytes before marker 0xd1"]}, modern=False) == "damaged"
    assert state_of({**told, "mime_type": "image/avif"}, modern=False) == "refused"
    assert flag_differences(told, ["late", "edited_software"], damaged=False) == ["late is there"]
    assert flag_differences(told, [], damaged=False) == ["edited_software is not there"]
