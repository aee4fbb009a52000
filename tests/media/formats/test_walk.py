"""The walks through hostile files: they end soon, and never raise but for a bomb."""

import random
import time
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.exif import reading_of
from media.formats import TooManyPixels, mapped, type_of, walk
from tests.darkroom import c2pa_store, chunk, encoded, jpeg, place, png_header, scene, segment, text, tiff, with_c2pa

EXIF = tiff([text(0x010F, "Make")], [text(0x9003, "2026:11:22 09:02:03")], place(((31, 1),), ((119, 1),)))
KINDS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "HEIF")


@cache
def whole(kind):
    more = {"save_all": True, "append_images": [scene((40, 30), 8)]} if kind == "MPO" else {}
    return encoded(scene((40, 30)), kind, exif=EXIF, **more)


@settings(max_examples=300, deadline=2000)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32))
def test_no_scrambled_file_makes_a_walk_fail(kind, seed):
    random_ = random.Random(seed)
    content = bytearray(whole(kind))
    for _ in range(random_.randrange(1, 30)):  # most of the structure stands at the beginning
        content[random_.randrange(min(len(content), random_.choice((60, 600, 10**9))))] = random_.randrange(256)
    content = bytes(content[: random_.randrange(len(content) + 1)])
    media_type = type_of(content)
    if media_type:
        with suppress(TooManyPixels):
            reading_of(walk(media_type, content))
        with suppress(TooManyPixels):
            walk(media_type, content, header_only=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_noticed_or_has_no_type(kind):
    content = whole(kind)
    for length in range(0, len(content) - 2, 7):
        media_type = type_of(content[:length])
        if media_type and not (kind == "MPO" and content[:length].count(b"\xff\xd9") > 0):
            assert walk(media_type, content[:length]).damaged, length


@pytest.mark.parametrize("content", [
    b"\xff\xd8" + b"\xff\xd0" * 2_000_000, b"\xff\xd8" + segment(0xFE, b"") * 1_000_000, jpeg() + b"\xff" * 5_000_000,
    b"\xff\xd8" + segment(0xDA, b"") + b"\xff\x00" * 3_000_000, png_header(8, 8) + chunk(b"tEXt", b"") * 500_000,
    b"RIFF\xff\xff\xff\x7fWEBP" + b"JUNK\0\0\0\0" * 500_000,
    b"\0\0\0\x18ftypavif\0\0\0\0avifmiaf" + b"\0\0\0\x08free" * 500_000,
], ids=["restarts", "comments", "fill", "stuffing", "texts", "junk", "boxes"])
def test_a_file_of_nothing_but_structure_is_walked_soon(content):
    began = time.monotonic()
    walk(str(type_of(content)), content)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_content_credentials_are_seen_and_never_raise(kind):
    def seen(store):
        content = with_c2pa(kind, store)
        layout = walk(str(type_of(content)), content)
        assert layout.damaged is None and layout.trailing_bytes == 0
        return layout.c2pa
    assert seen(c2pa_store()) and seen(c2pa_store(b"\xff" * 5000))
    for other in (b"", b"\0", c2pa_store()[:16], b"c2pa" * 100, c2pa_store().replace(b"jumdc2pa", b"jumdjson")):
        assert not seen(other)
    for number in range(len(c2pa_store())):
        seen(c2pa_store()[:number])
    plain = encoded(scene((64, 48)), kind)
    assert not walk(str(type_of(plain)), plain).c2pa


def test_content_credentials_of_heif_stand_in_a_box_of_their_own():
    credentials = b"\0\0\0\x1cuuid" + bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + b"\0\0\0\0"
    content = whole("AVIF")
    begin = int.from_bytes(content[:4], "big")
    assert not walk("image/avif", content).c2pa
    assert walk("image/avif", content[:begin] + credentials + content[begin:]).c2pa


def test_the_pictures_of_an_avif_sequence_are_counted():
    moving = encoded(scene((40, 30)), "AVIF", save_all=True, append_images=[scene((40, 30), 8), scene((40, 30), 9)])
    assert walk("image/avif", moving).frames == 3
    assert walk("image/avif", whole("AVIF")).frames == 1


def test_frames_that_a_png_does_not_announce_are_counted():
    plain = encoded(scene((40, 30)), "PNG")
    control = chunk(b"fcTL", bytes(26))
    assert walk("image/png", plain[:33] + control * 3 + plain[33:]).frames == 3


def test_a_mapped_file_is_walked_like_its_bytes(tmp_path):
    for kind in KINDS:
        (tmp_path / kind).write_bytes(whole(kind))
        with mapped(tmp_path / kind) as data:
            media_type = type_of(data)
            assert walk(str(media_type), data) == walk(str(media_type), whole(kind))
