"""The copies that pages show."""

from io import BytesIO

import pytest
from PIL import Image

from media import sandbox
from media.renditions import RECIPE, NotRendered, render, render_apart
from tests.darkroom import PHOTOS, encoded, jpeg, place, scene, text, tiff, with_photos

PRIVATE = tiff([text(0x010F, "SECRET-MAKER"), (0x0112, 3, 1, b"\6\0")], gps=place(((31, 1),), ((119, 1),)))


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(PRIVATE, "<x/>", scene((2400, 1800)), comment=b"SECRET-COMMENT", icc_profile=b"SECRET-ICC"))
    return path


@pytest.mark.parametrize(("kind", "size"), [("thumb", (240, 320)), ("screen", (1200, 1600))])
def test_the_long_side_is_as_promised_and_the_picture_upright(photo, kind, size):
    with Image.open(BytesIO(render(photo, kind))) as shown:
        assert (shown.format, shown.mode, shown.size) == ("JPEG", "RGB", size)


def test_nothing_of_the_metadata_goes_along(photo):
    for kind in ("thumb", "screen"):
        content = render(photo, kind)
        assert b"SECRET" not in content
        with Image.open(BytesIO(content)) as shown:
            assert set(shown.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert not shown.getexif()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_every_format_is_turned_once(tmp_path, kind, orientation):
    """Seen by which corner the red quarter of the coded picture comes into (CIPA DC-008, Orientation)."""
    picture = Image.new("RGB", (320, 240), "white")
    picture.paste("red", (0, 0, 160, 120))
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "photo").write_bytes(encoded(picture, kind, exif=exif.tobytes()))
    with Image.open(BytesIO(render(tmp_path / "photo", "thumb"))) as shown:
        right, bottom = shown.width - 9, shown.height - 9
        corners = {"top left": (8, 8), "top right": (right, 8), "bottom right": (right, bottom),
                   "bottom left": (8, bottom)}
        red = [name for name, place in corners.items() if shown.getpixel(place)[1] < 128]
        assert shown.size == ((320, 240) if orientation < 5 else (240, 320))
    assert red == [[*corners][(orientation - 1) % 4]]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "HEIF"])
def test_metadata_of_other_formats_stays_behind_too(tmp_path, kind):
    path = tmp_path / "photo"
    path.write_bytes(encoded(scene(), kind, exif=PRIVATE, icc_profile=b"SECRET-ICC"))
    content = render(path, "thumb")
    assert b"SECRET" not in content
    with Image.open(BytesIO(content)) as shown:
        assert shown.size == (240, 320)


def test_what_hangs_behind_the_picture_stays_behind(photo):
    photo.write_bytes(photo.read_bytes() + b"<?php SECRET ?>")
    assert b"SECRET" not in render(photo, "screen")


def test_the_same_photo_gives_the_same_bytes(photo):
    assert render(photo, "thumb") == render(photo, "thumb")


def test_a_small_picture_is_not_blown_up(tmp_path):
    path = tmp_path / "small.png"
    path.write_bytes(encoded(scene((40, 30)), "PNG"))
    with Image.open(BytesIO(render(path, "screen"))) as shown:
        assert shown.size == (40, 30)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path, orientation):
    """A red upper left and a blue lower right quarter must stand there again, whichever way it was stored."""
    upright = Image.new("RGB", (160, 120), "white")
    upright.paste("red", (0, 0, 80, 60))
    upright.paste("blue", (80, 60, 160, 120))
    turns = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
             4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
             7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}
    turn = turns[orientation]
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(tiff([(0x0112, 3, 1, bytes((orientation, 0)))]),
                          picture=upright.transpose(turn) if turn is not None else upright))
    with Image.open(BytesIO(render(path, "thumb"))) as shown:
        assert shown.size == (160, 120)
        red, blue, white = (shown.getpixel(at) for at in ((20, 20), (140, 100), (140, 20)))
    assert red[0] > 200 > 100 > red[2]
    assert blue[2] > 200 > 100 > blue[0]
    assert min(white) > 200


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "I;16", "1", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / "photo"
    picture = Image.new("I;16", (50, 40), 30_000) if mode == "I;16" else scene((50, 40)).convert(mode)
    path.write_bytes(encoded(picture, "JPEG" if mode == "CMYK" else "PNG"))
    with Image.open(BytesIO(render(path, "thumb"))) as shown:
        assert shown.mode == "RGB"


def test_what_is_transparent_is_shown_on_white(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "PNG"))
    with Image.open(BytesIO(render(path, "thumb"))) as shown:
        assert shown.getpixel((20, 20)) == (255, 255, 255)


def test_the_bounded_process_renders_into_a_file(photo, tmp_path):
    render_apart(photo, "thumb", tmp_path / "thumb.jpg")
    assert (tmp_path / "thumb.jpg").read_bytes() == render(photo, "thumb")


def test_what_cannot_be_shown_is_named_and_leaves_no_file(photo, tmp_path):
    photo.write_bytes(photo.read_bytes()[:3000])
    with pytest.raises(NotRendered):
        render(photo, "thumb")
    with pytest.raises(NotRendered):
        render_apart(photo, "thumb", tmp_path / "thumb.jpg")
    assert not (tmp_path / "thumb.jpg").exists()


def test_a_postscript_file_named_jpg_is_never_interpreted(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    with pytest.raises(NotRendered):
        render(path, "thumb")


def test_the_recipe_names_tool_version_and_parameters():
    assert {"tool", "version", "codec", "long_side_px", "quality"} <= RECIPE.keys()


@with_photos
def test_the_reference_photos_are_shown():
    for path in sorted(PHOTOS.glob("*.[jwp][pen][gb]*")):
        if not path.name.startswith("damaged_"):
            with Image.open(BytesIO(render(path, "thumb"))) as shown:
                assert max(shown.size) <= 320, path.name


def teardown_module():
    sandbox.close()
