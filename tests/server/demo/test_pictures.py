"""Synthetic photographs: files as a phone makes them, different from each other, marked as invented."""

import io
from datetime import UTC, datetime
from itertools import combinations, product

import pytest
from PIL import ExifTags, Image
from simplejpeg import decode_jpeg, decode_jpeg_header

from server.demo import lettering
from server.demo.pictures import LARGE, SCENES, SMALL, make_photo

TAKEN_AT = datetime(2026, 3, 4, 2, 5, 6, 789_000, tzinfo=UTC)
ALIKE_BITS = 24  # two pictures whose 256-bit difference hashes are this near are taken for one


def photo(seed: int = 1, *, sign: str = "老槐面馆", scene: str = "goods", size=SMALL, **changed) -> bytes:
    arguments = {"taken_at": TAKEN_AT, "lon": 119.9451317, "lat": 31.6935478} | changed
    return make_photo(seed, sign=sign, scene=scene, size=size, **arguments)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def difference_hash(content: bytes) -> int:
    """Return 16 x 16 bits, each whether a place is brighter than its right neighbour."""
    grey = list(opened(content).convert("L").resize((17, 16)).tobytes())
    bits = [grey[17 * y + x] > grey[17 * y + x + 1] for y in range(16) for x in range(16)]
    return sum(bit << place for place, bit in enumerate(bits))


@pytest.mark.parametrize("scene", SCENES)
def test_a_small_photograph_is_a_sound_jpeg_of_the_asked_size(scene):
    content = photo(scene=scene)
    assert 150_000 < len(content) < 400_000
    assert content.endswith(b"\xff\xd9")
    assert decode_jpeg(content, strict=True).shape == (1200, 1600, 3)


def test_a_large_photograph_has_twelve_megapixels():
    content = photo(size=LARGE)
    height, width, *_ = decode_jpeg_header(content)
    assert (width, height) == LARGE
    assert 1_000_000 < len(content) < 8_000_000


def test_the_same_arguments_give_the_same_bytes():
    assert photo(7) == photo(7)
    assert photo(7) != photo(8)


def test_exif_tells_time_place_and_camera():
    exif = opened(photo()).getexif()
    taken, place = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert exif[ExifTags.Base.Make] == "SYNTHETIC"
    assert exif[ExifTags.Base.Model].startswith("Demo ")
    assert taken[ExifTags.Base.DateTimeOriginal] == "2026:03:04 10:05:06"
    assert taken[ExifTags.Base.OffsetTimeOriginal] == "+08:00"
    assert taken[ExifTags.Base.SubsecTimeOriginal] == "789"
    assert place[ExifTags.GPS.GPSDateStamp] == "2026:03:04"
    assert [float(part) for part in place[ExifTags.GPS.GPSTimeStamp]] == [2, 5, 6]
    for tag, reference, degrees in (
        (ExifTags.GPS.GPSLatitude, "N", 31.6935478), (ExifTags.GPS.GPSLongitude, "E", 119.9451317),
    ):
        whole, minutes, seconds = (float(part) for part in place[tag])
        assert place[tag - 1] == reference
        assert whole + minutes / 60 + seconds / 3600 == pytest.approx(degrees, abs=1e-7)


def test_positions_south_and_west_keep_their_sign():
    place = opened(photo(lon=-0.5, lat=-33.25, size=(320, 240))).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert (place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLongitudeRef]) == ("S", "W")
    assert [float(part) for part in place[ExifTags.GPS.GPSLatitude]] == [33, 15, 0]


def test_photographs_are_never_taken_for_copies_of_each_other():
    places = product(("老槐面馆", "半亩花店", "巷口五金店"), SCENES)
    hashes = [
        difference_hash(photo(seed, sign=sign, scene=scene, size=(640, 480)))
        for seed, (sign, scene) in enumerate(places)
    ]
    assert min((one ^ other).bit_count() for one, other in combinations(hashes, 2)) > 2 * ALIKE_BITS


def test_the_picture_says_that_it_is_invented():
    marked = opened(photo()).convert("RGB").crop((1000, 1100, 1590, 1190))
    assert "SYNTHETIC" in opened(photo()).getexif()[ExifTags.Base.ImageDescription]
    yellow = sum(red > 180 and green > 150 and blue < 100 for red, green, blue in marked.get_flattened_data())
    assert yellow > 2_000


def test_night_is_darker_than_day():
    night = photo(taken_at=datetime(2026, 3, 4, 13, tzinfo=UTC), size=(320, 240))
    day = photo(size=(320, 240))
    brightness = [sum(opened(content).convert("L").tobytes()) for content in (night, day)]
    assert brightness[0] < 0.8 * brightness[1]


def test_without_a_chinese_font_the_words_are_latin(monkeypatch):
    monkeypatch.setattr(lettering, "_CHINESE_FONTS", ())
    lettering.chinese_font.cache_clear()
    lettering.font.cache_clear()
    try:
        assert lettering.writable("演示", "DEMO") == "DEMO"
        assert decode_jpeg(photo(size=(320, 240)), strict=True).shape == (240, 320, 3)
    finally:
        lettering.chinese_font.cache_clear()
        lettering.font.cache_clear()


def test_an_unknown_scene_and_a_time_without_zone_are_refused():
    with pytest.raises(ValueError, match="no scene 'flood'"):
        photo(scene="flood")
    with pytest.raises(ValueError, match="time zone"):
        photo(taken_at=datetime(2026, 3, 4))
