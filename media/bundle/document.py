"""Setting a document as a PDF: headings, facts, tables, photos, with page numbers, Chinese set in Noto Sans.

It is called in a child process (media/sandbox.py), because fonts and pictures take more memory and time than a web
worker should. The document comes as a JSON file, a list of blocks:
`{title, text}`, `{heading, room?}` (millimetres that must follow it on its page), `{text}`, `{lines: [text]}`,
`{facts: [[label, value]]}`, `{table: {head, widths, rows, size_pt?}}` (millimetres), `{photo: path, facts}`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue
from PIL import Image

from media import sandbox

MARGIN_MM, FOOT_MM = 18, 16
PHOTO_MM = (174, 84)  # two to a page
LABEL_MM = 40
LINE_MM = 4.8
INK, FAINT, RULE = (20, 20, 20), (110, 110, 110), (205, 205, 205)


def set_apart(story: Path, target: Path, fonts: Path) -> None:
    """Set the document in the bounded process; raises sandbox.OutOfBounds, CallFailed, ChildLost."""
    sandbox.run(set_document, *(str(path.resolve()) for path in (story, target, fonts)))


def set_document(story: str, target: str, fonts: str) -> None:
    """Write the PDF of a document `{title, foot, at, blocks}`; `fonts` is the directory of the two fonts."""
    logging.getLogger("fpdf").setLevel(logging.ERROR)  # it warns of each sign that the font does not have
    told = json.loads(Path(story).read_bytes())
    sheet = _Sheet(told["foot"])
    for style, name in (("", "Regular"), ("B", "Bold")):
        sheet.add_font("Noto", style, Path(fonts) / f"NotoSansHans-{name}.otf")
    sheet.set_title(told["title"])
    sheet.set_lang("zh-CN")
    sheet.set_creation_date(datetime.fromisoformat(told["at"]))
    sheet.add_page()
    for block in told["blocks"]:
        for kind, put in BLOCKS.items():
            if kind in block:
                put(sheet, block)
                break
    sheet.output(target)


class _Sheet(FPDF):
    """A4 pages with a foot."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self.foot = foot
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, MARGIN_MM + FOOT_MM / 2)

    def footer(self) -> None:
        self.set_y(-FOOT_MM)
        self.set_font("Noto", size=7.5)
        self.set_text_color(*FAINT)
        self.cell(self.epw - FOOT_MM, 4, self.foot)
        self.cell(FOOT_MM, 4, f"{self.page_no()} / {{nb}}", align="R")
        self.set_text_color(*INK)

    def write_in(self, text: str, size_pt: float, *, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
        """A paragraph, and the way to the next line."""
        self.set_font("Noto", "B" if bold else "", size_pt)
        self.write_row([text], (self.epw,), size_pt * 0.5, (colour,))

    def write_row(self, cells: Sequence[str], widths: Sequence[float], line_mm: float,
                  colours: Sequence[tuple[int, int, int]]) -> None:
        """Cells beside each other, each broken into lines by its width in mm; a row may run over to the next page."""
        columns = [self._lines(cell, width) for cell, width in zip(cells, widths, strict=True)]
        for line in zip_longest(*columns, fillvalue=""):
            if self.room_mm() < line_mm:
                self.add_page()
            self.set_x(self.l_margin)
            for text, width, colour in zip(line, widths, colours, strict=True):
                self.set_text_color(*colour)
                self.cell(width, line_mm, text)
            self.ln(line_mm)
        self.set_text_color(*INK)

    def _lines(self, text: str, width_mm: float) -> list[str]:
        """The text in lines of this width. Breaking costs a hundred times what measuring does, and most texts fit."""
        if "\n" not in text and self.get_string_width(text) <= width_mm - 2 * self.c_margin:
            return [text]
        return cast(list[str], self.multi_cell(width_mm, 1, text, align="L", dry_run=True,
                                               output=MethodReturnValue.LINES))

    def room_mm(self) -> float:
        return float(self.page_break_trigger - self.get_y())


def _title(sheet: _Sheet, block: dict[str, Any]) -> None:
    sheet.write_in(block["title"], 18, bold=True)
    sheet.ln(1)
    sheet.write_in(block["text"], 9, colour=FAINT)
    sheet.ln(3)


def _heading(sheet: _Sheet, block: dict[str, Any]) -> None:
    if sheet.room_mm() < block.get("room", 40):
        sheet.add_page()
    sheet.ln(4)
    sheet.write_in(block["heading"], 12, bold=True)
    sheet.set_draw_color(*FAINT)
    sheet.line(MARGIN_MM, sheet.get_y() + 0.6, sheet.w - MARGIN_MM, sheet.get_y() + 0.6)
    sheet.ln(2.5)


def _text(sheet: _Sheet, block: dict[str, Any]) -> None:
    sheet.write_in(block["text"], 9)
    sheet.ln(1)


def _lines(sheet: _Sheet, block: dict[str, Any]) -> None:
    for line in block["lines"]:
        sheet.write_in(line, 8)
        sheet.ln(0.6)


def _facts(sheet: _Sheet, block: dict[str, Any]) -> None:
    sheet.set_font("Noto", size=8)
    for row in block["facts"]:
        sheet.write_row(row, (LABEL_MM, sheet.epw - LABEL_MM), LINE_MM, (FAINT, INK))
    sheet.ln(1.5)


def _table(sheet: _Sheet, block: dict[str, Any]) -> None:
    told = block["table"]
    widths, colours = told["widths"], [INK] * len(told["widths"])
    sheet.set_draw_color(*RULE)
    for place, row in enumerate([told["head"], *told["rows"]]):
        sheet.set_font("Noto", "" if place else "B", told.get("size_pt", 8))
        sheet.write_row(row, widths, LINE_MM, colours)
        sheet.line(MARGIN_MM, sheet.get_y(), sheet.w - MARGIN_MM, sheet.get_y())
    sheet.ln(1.5)


def _photo(sheet: _Sheet, block: dict[str, Any]) -> None:
    with Image.open(block["photo"]) as picture:
        wide, high = picture.size
    scale = min(PHOTO_MM[0] / wide, PHOTO_MM[1] / high)
    if sheet.room_mm() < high * scale + LINE_MM * (len(block["facts"]) + 1):
        sheet.add_page()
    sheet.image(block["photo"], w=wide * scale, h=high * scale)
    sheet.ln(1.5)
    _facts(sheet, block)


BLOCKS: dict[str, Callable[[_Sheet, dict[str, Any]], None]] = {
    "title": _title, "heading": _heading, "photo": _photo, "table": _table, "lines": _lines, "facts": _facts,
    "text": _text}
