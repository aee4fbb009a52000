"""Setting a document as a PDF: headings, facts, tables, photos, with page numbers, Chinese set in Noto Sans.

It is called in a child process (media/sandbox.py), because fonts and pictures take more memory and time than a web
worker should. The document comes as a JSON file, a list of blocks:
`{title, text}`, `{heading, room?}` (millimetres that must follow it on its page), `{text}`, `{lines: [text]}`,
`{facts: [[label, value]]}`, `{table: {head, widths, rows}}`, `{photo: path, facts}`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace
from PIL import Image

from media import sandbox

MARGIN_MM, FOOT_MM = 18, 16
PHOTO_MM = (174, 84)  # two to a page
LABEL_MM = 40
LINE_MM = 4.8
INK, FAINT = (20, 20, 20), (110, 110, 110)


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
        self.write_in(self.foot, 7.5, colour=FAINT)
        self.set_y(-FOOT_MM + 4)
        self.set_font("Noto", size=7.5)
        self.cell(0, 4, f"{self.page_no()} / {{nb}}", align="R")

    def write_in(self, text: str, size_pt: float, *, bold: bool = False, colour: tuple[int, int, int] = INK) -> None:
        """A paragraph, and the way to the next line."""
        self.set_font("Noto", "B" if bold else "", size_pt)
        self.set_text_color(*colour)
        self.multi_cell(0, size_pt * 0.5, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_color(*INK)

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
    _rows(sheet, block["facts"], (LABEL_MM, sheet.epw - LABEL_MM), None, TableBordersLayout.NONE)
    sheet.ln(1.5)


def _table(sheet: _Sheet, block: dict[str, Any]) -> None:
    told = block["table"]
    _rows(sheet, told["rows"], tuple(told["widths"]), told["head"], TableBordersLayout.HORIZONTAL_LINES)
    sheet.ln(1.5)


def _rows(sheet: _Sheet, rows: list[list[str]], widths: tuple[float, ...], head: list[str] | None,
          borders: TableBordersLayout) -> None:
    sheet.set_font("Noto", size=8)
    with sheet.table(col_widths=widths, width=sheet.epw, line_height=LINE_MM, borders_layout=borders, align="L",
                     text_align="LEFT", headings_style=FontFace(emphasis="B"),
                     first_row_as_headings=head is not None) as table:
        for row in [head, *rows] if head else rows:
            cells = table.row()
            for place, cell in enumerate(row):
                faint = head is None and place == 0
                cells.cell(cell, style=FontFace(color=FAINT) if faint else None)


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
