"""Bags: BagIt 1.0 as the Library of Congress's own package judges it, written while they are streamed."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import bagit
import pytest

from media.bag import Bag, Part, part_of

NOW = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)
MEGABYTE = bytes(range(256)) * 4096


def bag_of(*parts: Part) -> Bag:
    return Bag("case-1", parts, {"External-Identifier": "一号 1"}, NOW)


def unpacked(content: bytes, directory: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        archive.extractall(directory)
    return directory / "case-1"


def test_a_bag_of_bytes_files_and_streams_is_valid(tmp_path: Path) -> None:
    (tmp_path / "story").write_bytes(b"story")
    bag = bag_of(part_of("data/a.json", b"{}"), part_of("data/b.txt", tmp_path / "story"),
                 Part("data/c.jpg", lambda: iter([b"one", b"two"]), sha256(b"onetwo").hexdigest(), 6),
                 part_of("verify.py", b"print()"))
    content = b"".join(bag.stream())
    base = unpacked(content, tmp_path / "out")
    opened = bagit.Bag(str(base))
    opened.validate()
    assert opened.info == {"External-Identifier": "一号 1", "Bagging-Date": "2026-11-27", "Payload-Oxum": "13.3"}
    assert (base / "tagmanifest-sha256.txt").read_text().count("\n") == 4
    assert (bag.written, bag.sha256) == (len(content), sha256(content).hexdigest())


def test_pictures_are_stored_and_texts_deflated(tmp_path: Path) -> None:
    content = b"".join(bag_of(part_of("data/a.jpg", MEGABYTE), part_of("data/b.json", MEGABYTE)).stream())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        kinds = {one.filename: one.compress_type for one in archive.infolist()}
    assert kinds["case-1/data/a.jpg"] == zipfile.ZIP_STORED
    assert kinds["case-1/data/b.json"] == zipfile.ZIP_DEFLATED


def test_the_manifest_says_what_was_written_and_not_what_was_promised(tmp_path: Path) -> None:
    base = unpacked(b"".join(bag_of(Part("data/a.jpg", lambda: iter([b"other"]), "00" * 32, 5)).stream()), tmp_path)
    assert (base / "manifest-sha256.txt").read_text() == f"{sha256(b'other').hexdigest()}  data/a.jpg\n"


def test_what_a_source_raises_ends_the_stream() -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(bag_of(Part("data/a.jpg", broken)).stream())


def test_photos_take_no_memory() -> None:
    photos = [Part(f"data/{number}.jpg", lambda: (MEGABYTE for _ in range(3)), size=3 * len(MEGABYTE))
              for number in range(40)]
    tracemalloc.start()
    written = sum(map(len, bag_of(*photos).stream()))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert written > 120 * len(MEGABYTE)
    assert most < 4 * len(MEGABYTE)
