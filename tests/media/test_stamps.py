"""Display copies: the picture stays free, the band below says what it is told, the code can be read."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
import segno
from PIL import Image, ImageChops

from media import sandbox
from media.renditions import NotRendered
from media.stamps import LABEL, QUIET_MODULES, recipe_of, stamp, stamp_apart
from tests.darkroom import encoded, jpeg, scene, text, tiff

FONT = Path(__file__).parents[2] / "server" / "static" / "vendor" / "fonts" / "NotoSansHans-Regular.otf"
CODE = "https://menqian.example/records/evidence/01234567-89ab-4cde-8f01-23456789abcd"
LINES = [("时间 Time", "不早于 not before 2026-11-27 09:12:03 · 不晚于 not after 2026-11-27 11:40:10 (UTC+8)"),
         ("地点 Place", "延政中路 · 119.947600, 31.701300"), ("拍摄 Taken by", "张敏 zhang.min")]


def shown(path: Path, lines: list[tuple[str, str]] = LINES, code: str = CODE) -> Image.Image:
    with Image.open(BytesIO(stamp(path, lines, code, FONT))) as picture:
        return picture.convert("RGB")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(scene((800, 600)), "PNG"))
    return path


def test_the_band_stands_below_the_picture_and_covers_nothing_of_it(photo: Path) -> None:
    sheet = shown(photo)
    assert sheet.width == 800 and sheet.height > 600
    above = (0, 0, 800, 592)
    difference = ImageChops.difference(sheet.crop(above), scene((800, 600)).crop(above)).convert("L")
    assert difference.getextrema()[1] < 64, "no more than what encoding changes"


@pytest.mark.parametrize("size", [(1600, 1200), (800, 600), (300, 400), (60, 40)])
def test_the_code_can_be_read_where_it_stands(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(Image.new("RGB", size, "grey"), "PNG"))
    sheet = shown(path)
    matrix = segno.make_qr(CODE, error="m").matrix
    side = len(matrix) + 2 * QUIET_MODULES
    scale = max(2, sheet.width // 4 // side)
    under_the_label = next(y for y in range(size[1] + 4, sheet.height) if min(sheet.getpixel((0, y))) > 200)
    corner = sheet.crop((sheet.width - side * scale, under_the_label, sheet.width, sheet.height)).convert("L")
    dark = corner.point(lambda value: 255 * (value < 128))
    left, upper, right, lower = dark.getbbox()
    assert (right - left, lower - upper) == (len(matrix) * scale,) * 2, "nothing else stands beside the code"
    assert min(left, upper, corner.width - right) >= QUIET_MODULES * scale - 4
    assert [[bool(dark.getpixel((left + x * scale + scale // 2, upper + y * scale + scale // 2)))
             for x in range(len(matrix))] for y in range(len(matrix))] == [list(map(bool, row)) for row in matrix]


def test_long_words_go_on_in_the_next_row_and_nothing_turns_them(photo: Path) -> None:
    short, long = shown(photo, [("地点", "路")] * 12), shown(photo, [("地点", "延政中路" * 40)] * 12)
    assert long.height > short.height
    assert shown(photo, [("地点", "甲\u202e乙\n")]).tobytes() == shown(photo, [("地点", "甲乙")]).tobytes()


def test_nothing_of_the_metadata_goes_along(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(jpeg(tiff([text(0x010F, "SECRET-MAKER")]), "<x/>", comment=b"SECRET-COMMENT"))
    content = stamp(path, LINES, CODE, FONT)
    assert b"SECRET" not in content
    with Image.open(BytesIO(content)) as picture:
        assert not picture.getexif() and "comment" not in picture.info


def test_the_bounded_process_gives_the_same_bytes(photo: Path, tmp_path: Path) -> None:
    stamp_apart(photo, tmp_path / "copy.jpg", LINES, CODE, FONT)
    assert (tmp_path / "copy.jpg").read_bytes() == stamp(photo, LINES, CODE, FONT)
    photo.write_bytes(b"no picture")
    with pytest.raises(NotRendered):
        stamp_apart(photo, tmp_path / "none.jpg", LINES, CODE, FONT)


def test_the_recipe_says_what_the_band_says() -> None:
    made = recipe_of(LINES, CODE)
    assert made["params"] == {"label": LABEL, "code": CODE}
    assert made["said"] == {"lines": [list(line) for line in LINES]}
    assert "显示件" in LABEL and "非原件" in LABEL


def teardown_module() -> None:
    sandbox.close()
