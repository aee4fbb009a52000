"""Redacted copies: what lies under a box is gone, the rest is as it was."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from media import sandbox
from media.redactions import CELLS, MARGIN_PX, TONES, area_of, mosaic, recipe_of, redact, redact_apart
from media.renditions import NotRendered
from tests.darkroom import encoded, jpeg, scene, text, tiff

BOX = {"x": 0.25, "y": 0.5, "width": 0.25, "height": 0.2}
PRIVATE = tiff([text(0x010F, "SECRET-MAKER"), (0x0112, 3, 1, b"\6\0")])


def stored(path: Path, picture: Image.Image) -> Path:
    path.write_bytes(encoded(picture, "PNG"))
    return path


def with_inside(size: tuple[int, int], seed: int) -> Image.Image:
    """The same picture but for what lies under BOX."""
    picture = scene(size)
    corner = round(BOX["x"] * size[0]), round(BOX["y"] * size[1])
    picture.paste(scene((round(BOX["width"] * size[0]), round(BOX["height"] * size[1])), seed), corner)
    return picture


@pytest.mark.parametrize("size", [(4000, 3000), (1600, 1200), (2501, 1873), (640, 480)])
def test_nothing_of_what_is_covered_survives(tmp_path: Path, size: tuple[int, int]) -> None:
    """Whatever lay under the box, the very same bytes come out."""
    copies = {redact(stored(tmp_path / "photo.png", with_inside(size, seed)), [BOX], "black") for seed in (1, 2, 3)}
    assert len(copies) == 1


def test_a_box_is_black_and_the_rest_as_it_was(tmp_path: Path) -> None:
    path = stored(tmp_path / "photo.png", scene((640, 480)))
    with Image.open(BytesIO(redact(path, [BOX], "black"))) as shown:
        left, upper, right, lower = area_of(BOX, shown.size)
        inside = shown.crop((left + 8, upper + 8, right - 8, lower - 8))
        assert max(high for _, high in inside.getextrema()) <= 3
        before, after = (picture.convert("RGB").getpixel((20, 20)) for picture in (scene((640, 480)), shown))
    assert max(abs(one - other) for one, other in zip(before, after, strict=True)) < 12


def test_a_box_reaches_a_little_further_than_it_was_drawn_and_never_outside() -> None:
    assert area_of({"x": 0.125, "y": 0.1251, "width": 0.25, "height": 0.25}, (1000, 1000)) == (
        125 - MARGIN_PX, 125 - MARGIN_PX, 375 + MARGIN_PX, 376 + MARGIN_PX)
    assert area_of({"x": 0, "y": 0, "width": 1, "height": 1.0000001}, (40, 30)) == (0, 0, 40, 30)


def test_a_mosaic_keeps_a_few_tones_in_a_few_cells(tmp_path: Path) -> None:
    """Two number plates cannot be told apart; no cell is finer and no tone closer than promised."""
    plates = []
    for number in ("320412", "874659"):
        picture = Image.new("RGB", (640, 480), "grey")
        ImageDraw.Draw(picture).text((170, 250), number, "white", font_size=40)
        content = redact(stored(tmp_path / "plate.png", picture), [BOX], "pixelate")
        with Image.open(BytesIO(content)) as shown:
            plates.append(shown.crop(area_of(BOX, shown.size)))
    assert plates[0].tobytes() == plates[1].tobytes()
    colours = mosaic(scene((300, 200))).getcolors(CELLS * CELLS)
    assert colours is not None, "more colours than cells"
    assert len({tone for _, colour in colours for tone in colour}) <= TONES


def test_the_boxes_are_those_of_the_upright_picture(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(PRIVATE, picture=Image.new("RGB", (400, 300), "white")))
    with Image.open(BytesIO(redact(path, [{"x": 0, "y": 0, "width": 1, "height": 0.25}], "black"))) as shown:
        assert shown.size == (300, 400)
        assert max(shown.getpixel((150, 50))) < 10 and min(shown.getpixel((150, 350))) > 245


def test_nothing_of_the_metadata_goes_along(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(PRIVATE, "<x/>", comment=b"SECRET-COMMENT", icc_profile=b"SECRET-ICC") + b"SECRET-TAIL")
    content = redact(path, [BOX], "black")
    assert b"SECRET" not in content
    with Image.open(BytesIO(content)) as shown:
        assert not shown.getexif() and "comment" not in shown.info


def test_the_bounded_process_gives_the_same_bytes_and_what_fails_leaves_no_file(tmp_path: Path) -> None:
    path = stored(tmp_path / "photo.png", scene((640, 480)))
    redact_apart(path, tmp_path / "copy", [BOX], "pixelate")
    assert (tmp_path / "copy").read_bytes() == redact(path, [BOX], "pixelate")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(NotRendered):
        redact_apart(path, tmp_path / "none", [BOX], "black")
    assert not (tmp_path / "none").exists()


def test_the_recipe_says_what_makes_the_copy_again() -> None:
    made = recipe_of([BOX], "pixelate")
    assert made["params"] == {"method": "pixelate", "boxes": [BOX]}
    assert {"tool", "version", "codec", "quality", "long_side_px", "margin_px", "cells", "tones"} <= made.keys()


def teardown_module() -> None:
    sandbox.close()
