"""The hash that finds the same picture again."""

from itertools import combinations

import pytest
from PIL import Image, ImageDraw, ImageEnhance

from media.reuse import NEAR_BITS, dhash256, distance
from tests.darkroom import PHOTOS, encoded, jpeg, scene, tiff, with_photos


@pytest.fixture
def hashed(tmp_path):
    def hash_of(content: bytes):
        (tmp_path / "photo").write_bytes(content)
        return dhash256(tmp_path / "photo")

    return hash_of


def watermarked(picture):
    copy = picture.copy()
    ImageDraw.Draw(copy).rectangle((8, 200, 150, 232), fill="white")
    return copy


@pytest.mark.parametrize("change", [
    lambda picture: encoded(picture, quality=35), lambda picture: encoded(picture, "WEBP", quality=50),
    lambda picture: encoded(picture.resize((160, 120))), lambda picture: encoded(picture.resize((1280, 960))),
    lambda picture: encoded(ImageEnhance.Brightness(picture).enhance(0.7)),
    lambda picture: encoded(watermarked(picture)),
    lambda picture: jpeg(tiff([(0x0112, 3, 1, b"\6\0")]), picture=picture.transpose(Image.Transpose.ROTATE_90)),
], ids=["quality", "webp", "half", "double", "darker", "watermark", "turned"])
def test_a_changed_copy_is_near(hashed, change):
    assert distance(hashed(encoded(scene())), hashed(change(scene()))) <= NEAR_BITS


def test_other_scenes_are_far(hashed):
    hashes = [hashed(encoded(scene(seed=seed))) for seed in range(12)]
    assert min(distance(one, other) for one, other in combinations(hashes, 2)) > 2 * NEAR_BITS


@pytest.mark.parametrize("picture", [Image.new("RGB", (200, 150), "skyblue"), Image.linear_gradient("L"),
                                     Image.effect_noise((400, 300), 4)])
def test_a_picture_without_detail_has_no_hash(hashed, picture):
    assert hashed(encoded(picture.convert("RGB"))) is None


def test_distance_counts_the_bits_that_differ():
    assert (distance(0, 0), distance(0, 2**256 - 1), distance(0b1010, 0b0110)) == (0, 256, 2)


@with_photos
def test_of_the_reference_photos_only_copies_are_near():
    names = [path.name for path in sorted(PHOTOS.glob("*.[jw][pe][gb]*")) if "truncated" not in path.name
             and "header" not in path.name and not path.name.startswith("orientation_")]
    hashes = {name: found for name in names if (found := dhash256(PHOTOS / name)) is not None}
    near = {frozenset(pair) for pair in combinations(hashes, 2)
            if distance(hashes[pair[0]], hashes[pair[1]]) <= NEAR_BITS}
    assert near == {frozenset(pair) for pair in [
        ("htc_desire_gps.jpg", "htc_desire_gps.webp"), ("fujifilm_s2pro_gps.jpg", "trailing_zip.jpg"),
        ("fujifilm_s2pro_gps.jpg", "two_frames.mpo.jpg"), ("trailing_zip.jpg", "two_frames.mpo.jpg"),
        ("damaged_bit_in_scan.jpg", "sony_cybershot_house.jpg"), ("damaged_zero_tail.jpg", "sony_dsc_hx5v_gps.jpg")]}
