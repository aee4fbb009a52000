"""The document of a bundle: a PDF in which Chinese is set, in a process of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from media.bundle.document import set_apart
from media.sandbox import CallFailed
from tests.bureau import a_photo

FONTS = Path(__file__).parents[3] / "server" / "static" / "vendor" / "fonts"


def a_story(directory: Path, *blocks: dict[str, object]) -> Path:
    (directory / "story.json").write_text(json.dumps({
        "title": "证据材料", "foot": "门前", "at": "2026-11-27T01:02:03.000Z", "blocks": blocks}))
    return directory / "story.json"


def test_a_document_of_every_kind_of_block_is_set(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(a_photo())
    target = tmp_path / "case.pdf"
    set_apart(a_story(
        tmp_path, {"title": "证据材料 Evidence", "text": "法院"}, {"heading": "照片", "room": 140},
        {"photo": str(tmp_path / "photo.jpg"), "facts": [["拍摄人", "张敏"]]}, {"text": "门前堆物 𠀀 😀"},
        {"facts": [["摘要", "ab" * 32]]}, {"lines": ["经过"] * 120},
        {"table": {"head": ["时间", "环节"], "widths": [40, 134], "rows": [["2026", "接收"]] * 80}}), target, FONTS)
    content = target.read_bytes()
    assert content.startswith(b"%PDF-1.")
    assert b"/DCTDecode" in content, "the JPEG is taken over as it is"
    assert len(re.findall(rb"/Type /Page\b", content)) >= 4
    assert b"(D:20261127010203" in content
    assert b"<8BC1>" in content, "what is set can be searched and copied: U+8BC1 is 证"


def test_a_story_that_cannot_be_set_says_so(tmp_path: Path) -> None:
    with pytest.raises(CallFailed, match="FileNotFoundError"):
        set_apart(a_story(tmp_path, {"photo": str(tmp_path / "gone.jpg"), "facts": []}), tmp_path / "case.pdf", FONTS)
