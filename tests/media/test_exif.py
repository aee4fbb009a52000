"""What a photo's metadata claims, read from sound, odd and hostile files."""

import json
import random
import struct
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.exif import LonLat, read_exif, reading_of
from media.formats import Layout
from tests.darkroom import (
    PHOTOS,
    chunk,
    encoded,
    jpeg,
    place,
    png_header,
    rationals,
    scene,
    segment,
    text,
    tiff,
    with_photos,
)

CHANGZHOU = place(((31, 1), (48, 1), (3000, 100)), ((119, 1), (58, 1), (1200, 100)))
XMP = ('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
       'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
       'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{attributes}>'
       '{elements}</rdf:Description></rdf:RDF></x:xmpmeta>')


def reading(exif=b"", xmp=None, **layout):
    return reading_of(Layout(exif=exif or None, xmp=xmp and xmp.encode(), **layout))


def taken(written, offset=None):
    return reading(tiff(exif=[text(0x9003, written)] + ([text(0x9011, offset)] if offset else [])))


def test_camera_time_and_place_are_read_from_a_jpeg(tmp_path):
    exif = tiff([text(0x010F, "HUAWEI"), text(0x0110, "Mate 60"), text(0x0131, "4.2"), (0x0112, 3, 1, b"\6\0")],
                [text(0x9003, "2026:11:22 09:02:03"), text(0x9011, "+08:00"), text(0x9291, "45")],
                [*CHANGZHOU, text(29, "2026:11:22"), rationals(7, (1, 1), (2, 1), (1, 1))])
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(exif))
    found = read_exif(path)
    assert (found.make, found.model, found.software, found.orientation) == ("HUAWEI", "Mate 60", "4.2", 6)
    assert (found.datetime_original, found.datetime_group, found.offset) == ("2026:11:22 09:02:03", "EXIF", "+08:00")
    assert found.taken_at == datetime(2026, 11, 22, 1, 2, 3, 450_000, tzinfo=UTC)
    assert found.gps_at == datetime(2026, 11, 22, 1, 2, 1, tzinfo=UTC)
    assert found.position == LonLat(pytest.approx(119.97), pytest.approx(31.808333333))
    assert (found.width, found.height, found.assumed_offset, found.problems) == (320, 240, False, [])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "HEIF"])
def test_every_format_carries_the_same_claims(tmp_path, kind):
    path = tmp_path / "photo"
    exif = tiff([text(0x010F, "vivo")], [text(0x9003, "2026:11:22 09:02:03")], CHANGZHOU)
    path.write_bytes(encoded(scene(), kind, exif=exif))
    found = read_exif(path)
    assert (found.make, found.taken_at, found.problems) == ("vivo", datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC), [])
    assert found.position is not None


def test_a_time_without_offset_counts_as_china_time_and_says_so():
    found = taken("2026:11:22 09:02:03")
    assert (found.taken_at, found.assumed_offset) == (datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC), True)


def test_an_offset_is_believed():
    assert taken("2026:11:22 09:02:03", "-04:00").taken_at == datetime(2026, 11, 22, 13, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize("blank", ["    :  :     :  :  ", "", " " * 19])
def test_a_blank_time_is_unknown_and_no_problem(blank):
    found = taken(blank)
    assert (found.datetime_original, found.taken_at, found.problems) == (blank, None, [])


@pytest.mark.parametrize(("written", "offset"), [
    ("0000:00:00 00:00:00", None), ("9999:12:31 23:59:59", "-12:00"), ("2026:02:30 10:00:00", None),
    ("yesterday", None), ("2026:11:22 25:00:00", None), ("1026:11:22 10:00:00", None),
    ("2026:11:22 10:00:00", "+99:00"), ("2026:11:22 10:00:00", "noon"), ("<script>alert(1)</script>", None)])
def test_an_impossible_time_is_a_problem_and_no_time(written, offset):
    found = taken(written, offset)
    assert found.taken_at is None
    assert len(found.problems) == 1


@pytest.mark.parametrize("gps", [
    place(((4294967295, 1),), ((10, 1),)), place(((91, 1), (0, 1), (0, 1)), ((10, 1), (0, 1), (0, 1))),
    place(((0, 1),) * 3, ((0, 1),) * 3), place(((31, 1),), ((200, 1),)), place(((31, 1),), ((119, 1),), north="X"),
    place(((31, 0),), ((119, 1),)), place(((31, 1),) * 9, ((119, 1),)), [text(2, "31"), text(4, "119")],
    [rationals(2, (31, 1))]])
def test_an_impossible_place_is_a_problem_and_no_place(gps):
    found = reading(tiff(gps=gps))
    assert found.position is None
    assert found.problems


def test_a_camera_without_a_fix_is_no_problem():
    found = reading(tiff(gps=place(((0, 0),) * 3, ((0, 0),) * 3)))
    assert (found.position, found.problems) == (None, [])


def test_degrees_alone_and_the_southern_west_are_read():
    assert reading(tiff(gps=place(((335, 10),), ((705, 10),), "S", "W"))).position == LonLat(-70.5, -33.5)


def test_xmp_is_read_as_attributes_and_as_elements():
    attributes = ' exif:DateTimeOriginal="2013-07-05T03:18:27Z" tiff:Make="Make" exif:GPSLatitude="31,48.5N"'
    found = reading(xmp=XMP.format(attributes=attributes, elements="<exif:GPSLongitude>119,58,12E</exif:GPSLongitude>"))
    assert (found.datetime_group, found.taken_at) == ("XMP", datetime(2013, 7, 5, 3, 18, 27, tzinfo=UTC))
    assert (found.make, found.offset, found.problems) == ("Make", "Z", [])
    assert found.position == LonLat(pytest.approx(119.97), pytest.approx(31.808333333))


def test_exif_goes_before_xmp():
    xmp = XMP.format(attributes=' exif:DateTimeOriginal="2013-07-05T03:18:27Z" exif:GPSLatitude="1,1N"', elements="")
    found = reading(tiff(exif=[text(0x9003, "2026:11:22 09:02:03")], gps=CHANGZHOU), xmp)
    assert (found.datetime_group, found.taken_at.year, found.problems) == ("EXIF", 2026, [])


def test_entities_in_xmp_are_refused():
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    found = reading(xmp=f'<!DOCTYPE x [<!ENTITY l0 "lol">{lol}]>' + XMP.format(attributes="", elements="&l9;"))
    assert found.problems == ["XMP: declares a document type"]


def test_deep_and_broken_xmp_does_no_harm():
    for packet in ("<a>" * 200_000, "<a", "\0\0", "\ud7ff<", "<a xmlns:x=''/>"):
        assert reading(xmp=packet).problems


def test_texts_are_clipped_and_lose_what_is_not_shown():
    nasty = "\u202egnp.exe\u200b\x07\x1b[31m" + "界" * 600
    found = reading(tiff([text(0x010F, nasty), text(0x0110, b"\xff\xfe\x00 later"), text(0x0131, "<b>&")]))
    assert found.make == "gnp.exe[31m" + "界" * (256 - 11)
    assert (found.model, found.software) == ("��", "<b>&")


def test_an_empty_text_is_none():
    assert reading(tiff([(0x010F, 2, 0, b""), text(0x0110, "")])).make is None


def test_a_directory_that_leads_back_is_read_once():
    exif = bytearray(tiff(exif=[text(0x9003, "2026:11:22 09:02:03")]))
    at = exif.index(struct.pack("<HHI", 0x8769, 4, 1)) + 8
    exif[at : at + 4] = struct.pack("<I", 8)
    assert reading(bytes(exif)).problems == ["Exif: the directory refers back to an earlier one"]


def test_a_pointer_of_the_wrong_type_is_not_followed():
    exif = tiff([(0x8769, 2, 4, b"\x08\0\0\0")])
    assert reading(exif).problems == ["Exif: the pointer has the wrong type"]


def test_a_directory_of_65535_entries_over_the_whole_file_is_quick():
    entry = struct.pack("<HHII", 0x010F, 2, 700_000, 8)
    exif = b"II*\0\x08\0\0\0\xff\xff" + entry * 65_535
    began = time.monotonic()
    assert reading(exif).problems == []
    assert reading(exif[: 12 * 500]).problems
    assert time.monotonic() - began < 2


def test_an_orientation_out_of_range_is_a_problem():
    found = reading(tiff([(0x0112, 3, 1, b"\x09\0")]))
    assert (found.orientation, found.problems) == (None, ["Orientation: not 1 to 8"])


def test_iptc_gives_a_time_when_nothing_else_does(tmp_path):
    iptc = b"\x1c\x02\x37\0\x0820260911" + b"\x1c\x02\x3c\0\x0b170000+0800"
    block = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc
    plain = encoded(scene())
    path = tmp_path / "photo.jpg"
    path.write_bytes(plain[:2] + segment(0xED, block) + plain[2:])
    found = read_exif(path)
    assert (found.datetime_group, found.taken_at) == ("IPTC", datetime(2026, 9, 11, 9, tzinfo=UTC))


def test_the_software_of_a_png_is_its_text_chunk(tmp_path):
    path = tmp_path / "screenshot.png"
    path.write_bytes(png_header(8, 8) + chunk(b"tEXt", b"Software\0GIMP") + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    assert read_exif(path).software == "GIMP"


def test_a_file_that_is_no_picture_claims_nothing(tmp_path):
    for content in (b"", b"%PDF", b"\xff\xd8"):
        (tmp_path / "file").write_bytes(content)
        assert read_exif(tmp_path / "file").problems == ["no picture"]


@settings(max_examples=200, deadline=1000)
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 40))
def test_no_scrambled_metadata_makes_the_reader_fail(seed, flips):
    exif = bytearray(tiff([text(0x010F, "Make"), (0x0112, 3, 1, b"\6\0")], [text(0x9003, "2026:11:22 09:02:03")],
                          CHANGZHOU))
    random_ = random.Random(seed)
    for _ in range(flips):
        exif[random_.randrange(8, len(exif))] = random_.randrange(256)
    found = reading(bytes(exif[: random_.randrange(8, len(exif) + 1)]))
    assert found.position is None or abs(found.position.lat) <= 90


@settings(max_examples=200, deadline=1000)
@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(content):
    reading(b"II*\0" + content, None, iptc=b"8BIM\x04\x04" + content, software=content.decode("latin-1"))


@with_photos
def test_the_reference_photos_are_read_as_exiftool_reads_them():
    for name, expected in json.loads((PHOTOS / "expected.json").read_text())["files"].items():
        found = read_exif(PHOTOS / name)
        assert (found.width, found.height) == (expected["width"], expected["height"]), name
        assert (found.orientation or 1) == (expected["orientation"] or 1), name
        written = found.datetime_original and found.datetime_original.replace("T", " ").replace("-", ":", 2)
        if found.datetime_group == "XMP":
            assert written == expected["datetime_original"], name
        else:
            assert found.datetime_original == expected["datetime_original"], name
        if expected["offset_time_original"]:
            assert found.offset == expected["offset_time_original"], name
        _check_place(name, found.position, expected)
        for tag in ("make", "model"):
            assert getattr(found, tag) == (expected[tag] if expected[tag] is None else str(expected[tag])), name


def _check_place(name, position, expected):
    if not expected["gps_latitude"]:  # none, or null island
        assert position is None, name
    else:
        assert position is not None, name
        assert position.lat == pytest.approx(expected["gps_latitude"], abs=1e-7), name
        assert position.lon == pytest.approx(expected["gps_longitude"], abs=1e-7), name
