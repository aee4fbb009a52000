"""Which files are pictures, and which of them are whole."""

import json
import os
import struct
import time

import pytest
from PIL import Image

from media.pictures import MediaTypeRefused, Picture, TooManyPixels, decode, inspect, sniff
from tests.darkroom import PHOTOS, bomb, chunk, encoded, jpeg, png_header, scene, segment, with_photos

JPEG = encoded(scene(), quality=90)


@pytest.fixture
def file(tmp_path):
    """Write bytes to a file named like a photo, whatever they are."""
    def write(content: bytes):
        path = tmp_path / "photo.jpg"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_whole_picture_is_taken(file, kind, media_type):
    path = file(encoded(scene((64, 48)), kind))
    sniffed = sniff(path)
    assert (sniffed.media_type, sniffed.width, sniffed.height) == (media_type, 64, 48)
    assert inspect(path) == Picture(media_type, 64, 48)


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 30}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}])
def test_every_kind_of_webp_tells_its_size(file, options):
    assert inspect(file(encoded(scene((65, 47)), "WEBP", **options))) == Picture("image/webp", 65, 47)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
@pytest.mark.parametrize("progressive", [False, True])
def test_every_kind_of_jpeg_decodes(file, mode, progressive):
    path = file(encoded(scene((70, 50)).convert(mode), progressive=progressive))
    assert inspect(path) == Picture("image/jpeg", 70, 50)


@pytest.mark.parametrize("content", [
    b"", b"\xff", b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"%!PS-Adobe-3.0 EPSF", b"%PDF-1.7",
    b"GIF89a\x01\0\x01\0\0\0\0;", b"II*\0\x08\0\0\0", b"PK\x03\x04", b"\xff\xd8<?php system($_GET[0]);",
    b"\xff\xd8\xff<?php ?>", b"RIFF\x04\0\0\0WAVE", b"\x89PNG\r\n\x1a\nnothing", b"\0" * 5000, b"\0\0\0\x18ftypqt  ",
])
def test_what_is_no_picture_is_refused_whatever_its_name(file, content):
    with pytest.raises(MediaTypeRefused):
        sniff(file(content))
    assert decode(file(content)).damaged == "not a picture"


@pytest.mark.parametrize("brand", [b"heic", b"avif", b"mif1"])
def test_modern_formats_are_refused_unless_switched_on(file, brand):
    with pytest.raises(MediaTypeRefused, match="not switched on"):
        sniff(file(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0" + brand + b"miaf"))


@pytest.mark.parametrize(("kind", "media_type"), [("AVIF", "image/avif"), ("HEIF", "image/heic")])
def test_modern_formats_are_taken_when_switched_on(file, kind, media_type):
    assert inspect(file(encoded(scene((128, 64)), kind)), heif=True) == Picture(media_type, 128, 64, orientation=1)


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_a_modern_picture_with_a_part_missing_is_damaged(file, kind):
    content = encoded(scene((640, 480)), kind)
    assert inspect(file(content[:len(content) * 2 // 3]), heif=True).damaged


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_a_modern_pictures_own_properties_turn_it_and_not_its_exif(file, kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(scene((64, 48)), kind, exif=exif.tobytes())
    assert inspect(file(content), heif=True).orientation == 6
    assert b"irot" in content
    assert inspect(file(content.replace(b"irot", b"free")), heif=True).orientation == 1


def test_a_png_that_claims_3600_megapixels_is_refused_at_once(file):
    path = file(png_header(60_000, 60_000) + chunk(b"IDAT", b"\0") + chunk(b"IEND", b""))
    began = time.monotonic()
    with pytest.raises(TooManyPixels, match="60000 x 60000"):
        sniff(path)
    assert time.monotonic() - began < 0.5


def test_a_jpeg_or_webp_that_claims_too_much_is_refused(file):
    at = JPEG.index(b"\xff\xc0") + 5
    with pytest.raises(TooManyPixels):
        sniff(file(JPEG[:at] + struct.pack(">HH", 60_000, 60_000) + JPEG[at + 4 :]))
    webp = bytearray(encoded(scene(), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"))
    webp[24:30] = b"\xff\xff\xff\xff\xff\xff"
    with pytest.raises(TooManyPixels):
        sniff(file(bytes(webp)))


@pytest.mark.parametrize(("kind", "head"), [(b"zTXt", b"Comment\0\0"), (b"iCCP", b"profile\0\0"),
                                            (b"iTXt", b"Comment\0\1\0\0\0")])
def test_a_chunk_that_inflates_to_60_megabytes_is_refused_at_once(file, kind, head):
    path = file(png_header(8, 8) + chunk(kind, head + bomb()) + chunk(b"IEND", b""))
    began = time.monotonic()
    with pytest.raises(TooManyPixels, match="inflates"):
        sniff(path)
    assert time.monotonic() - began < 1


def test_a_bomb_behind_the_pixels_is_found_by_the_full_check(file):
    whole = encoded(scene((64, 48)), "PNG")
    hidden = whole[:-12] + chunk(b"zTXt", b"Comment\0\0" + bomb()) + whole[-12:]
    assert "inflates" in decode(file(hidden)).damaged


def test_a_profile_of_two_megabytes_is_no_bomb(file):
    path = file(encoded(scene((64, 48)), "PNG", icc_profile=os.urandom(2_000_000)))
    assert inspect(path).damaged is None


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture_is_kept_but_damaged(file, kind, share):
    whole = encoded(scene(), kind)
    path = file(whole[: max(40, int(len(whole) * share))])
    sniff(path)
    assert decode(path).damaged


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_with_a_zeroed_tail_is_damaged(file, kind):
    whole = encoded(scene((1600, 1200)), kind, quality=95)
    cut = len(whole) * 6 // 10 // 4096 * 4096
    assert decode(file(whole[:cut] + bytes(len(whole) - cut))).damaged


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_with_a_zeroed_page_in_the_middle_is_damaged(file, kind):
    noise = Image.frombytes("RGB", (400, 300), os.urandom(360_000))
    whole = encoded(noise, kind, quality=90)
    middle = len(whole) // 2 // 4096 * 4096
    assert decode(file(whole[:middle] + bytes(8192) + whole[middle + 8192 :])).damaged


def test_a_jpeg_that_lacks_only_its_end_marker_is_damaged(file):
    assert decode(file(JPEG[:-2])).damaged == "the file ends before the picture does"


def test_a_png_without_iend_is_damaged_though_it_shows(file):
    assert "IEND" in decode(file(encoded(scene(), "PNG")[:-12])).damaged


def test_a_flipped_bit_in_a_png_is_damage(file):
    whole = bytearray(encoded(scene(), "PNG"))
    whole[len(whole) // 2] ^= 1
    assert "checksum" in decode(file(bytes(whole))).damaged


def test_an_evenly_black_picture_is_sound(file):
    for kind in ("JPEG", "PNG", "WEBP"):
        assert decode(file(encoded(Image.new("RGB", (4000, 3000)), kind))).damaged is None, kind


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("trailer", [b"PK\x03\x04 and so on", b"<?php echo 1; ?>\n", b"\xff\xd9", b"\0" * 30, b"x"])
def test_bytes_behind_the_picture_are_counted_exactly_and_do_not_damage_it(file, kind, trailer):
    picture = decode(file(encoded(scene((64, 64)), kind) + trailer))
    assert (picture.trailing_bytes, picture.damaged) == (len(trailer), None)


def test_the_second_frame_of_an_mpo_is_no_trailing_data(file):
    whole = encoded(scene(), "MPO", save_all=True, append_images=[scene(seed=8), scene(seed=9)])
    assert inspect(file(whole)) == Picture("image/jpeg", 320, 240, frames=3)
    assert decode(file(whole + b"tail")).trailing_bytes == 4


def test_an_index_that_points_at_no_picture_hides_nothing(file):
    whole = encoded(scene(), "MPO", save_all=True, append_images=[scene(seed=8)])
    second = whole.index(b"\xff\xd8\xff", 4)
    picture = decode(file(whole[:second] + b"PK" + whole[second + 2 :]))
    assert (picture.frames, picture.trailing_bytes) == (1, len(whole) - second)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_frames_of_an_animation_are_counted(file, kind):
    whole = encoded(scene((64, 64)), kind, save_all=True, append_images=[scene((64, 64), seed) for seed in (1, 2)])
    assert (picture := decode(file(whole))).frames == 3
    assert picture.damaged is None


def test_two_bytes_between_header_segments_are_no_damage(file):
    at = JPEG.index(b"\xff\xdb")
    assert decode(file(JPEG[:at] + b"\0\0" + JPEG[at:])).damaged is None


def test_padding_in_the_header_hides_no_damage_in_the_scan(file):
    at, scan = JPEG.index(b"\xff\xdb"), JPEG.index(b"\xff\xda") + 400
    broken = JPEG[:at] + b"\0\0" + JPEG[at:scan] + bytes(600) + JPEG[scan + 600 :]
    assert decode(file(broken)).damaged


def test_a_zeroed_header_segment_is_damage(file):
    content = jpeg(exif=b"II*\0" + os.urandom(4000))
    assert decode(file(content[:2] + bytes(4012) + content[4014:])).damaged
    at = content.index(b"\xff\xdb")
    assert decode(file(content[:at] + bytes(200) + content[at:])).damaged


def test_a_thumbnail_inside_the_metadata_does_not_end_the_picture(file):
    thumbnail = encoded(scene((32, 24)))
    assert decode(file(JPEG[:2] + segment(0xE1, b"Exif\0\0II*\0" + thumbnail) + JPEG[2:])).trailing_bytes == 0


def test_the_orientation_is_told(file):
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(file(encoded(scene(), exif=exif))).orientation == 6


@pytest.mark.slow
def test_a_picture_of_108_megapixels_decodes_within_the_bounds(file):
    path = file(encoded(Image.effect_mandelbrot((12_000, 9_000), (-2, -1, 1, 1), 20).convert("RGB"), quality=60))
    assert inspect(path) == Picture("image/jpeg", 12_000, 9_000)


@with_photos
def test_the_reference_photos_are_judged_as_they_are():
    for name, expected in json.loads((PHOTOS / "expected.json").read_text())["files"].items():
        if name.endswith((".heic", ".avif")):
            with pytest.raises(MediaTypeRefused):
                sniff(PHOTOS / name)
            continue
        picture = inspect(PHOTOS / name)
        assert (picture.width, picture.height) == (expected["width"], expected["height"]), name
        assert bool(picture.damaged) == name.startswith("damaged_"), (name, picture.damaged)
        assert picture.frames == (2 if name == "two_frames.mpo.jpg" else 1), name
        padded = {"trailing_zip.jpg": 964, "date_blank.jpg": 43_978, "kodak_proback_ifd_loop.jpg": 198_338}
        assert picture.trailing_bytes == padded.get(name, 0), name


def test_a_small_picture_of_hundreds_of_scans_holds_nobody_up_for_long(file):
    whole = encoded(Image.new("L", (4000, 3000), 100), progressive=True)
    last = whole.rfind(b"\xff\xda")
    path = file(whole[:-2] + whole[last:-2] * 2000 + b"\xff\xd9")
    assert path.stat().st_size < 30_000_000
    assert "took more than" in str(decode(path).damaged)
