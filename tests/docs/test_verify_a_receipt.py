"""docs/verify-a-receipt.md: its program, run as a reader would, on receipts of our own making."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.notes import NoteInvalid, key_line, sign_checkpoint, verify_note
from sync.statements import photos_root, read_statement, sign_statement

PAGE = Path(__file__).parents[2] / "docs" / "verify-a-receipt.md"
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32) for byte in (1, 2))
ORIGIN = "menqian.example/log"
PHOTOS = {f"photo-{number}": b"photo %d" % number for number in range(7)}
DIGESTS = sorted(hashlib.sha256(content).hexdigest() for content in PHOTOS.values())


def statement(digests=DIGESTS):
    return {"origin": ORIGIN, "device_id": "d", "last_n": 7, "epoch": "e", "at": "2026-11-22T01:02:03.456Z",
            "photos": {"verified": len(digests), "root": photos_root(digests)}}


def run(directory, note, *texts):
    """Run the program on key, receipt and further arguments; what begins with a brace is written to a file."""
    (directory / "verify_receipt.py").write_text(PROGRAM)
    arguments = []
    for number, text in enumerate([key_line(ORIGIN, KEY.public_key()) + "\n", note, *texts]):
        if text == "photos":
            arguments.append(text)
            continue
        (directory / f"file{number}").write_bytes(text.encode())
        arguments.append(f"file{number}")
    return subprocess.run([sys.executable, "verify_receipt.py", *arguments], cwd=directory, capture_output=True,
                          text=True, check=False)


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for name, content in PHOTOS.items():
        (tmp_path / "photos" / name).write_bytes(content)
    return tmp_path


def test_a_receipt_is_right_with_its_photos(photos):
    told = run(photos, sign_statement(statement(), ORIGIN, KEY), json.dumps({"photos": DIGESTS}), "photos")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.removeprefix("right: ")) == statement()


@pytest.mark.parametrize("number", range(8))
def test_the_root_is_the_same_for_every_number_of_photos(number, tmp_path):
    digests = DIGESTS[:number]
    told = run(tmp_path, sign_statement(statement(digests), ORIGIN, KEY), json.dumps({"photos": digests}))
    assert told.returncode == 0, told.stderr


def test_a_photo_that_is_not_in_the_receipt_is_named(photos):
    (photos / "photos" / "late").write_bytes(b"taken later")
    told = run(photos, sign_statement(statement(), ORIGIN, KEY), json.dumps({"photos": DIGESTS}), "photos")
    assert (told.returncode, told.stderr) == (1, "WRONG: late is not among the verified photos\n")


@pytest.mark.parametrize("listed", [DIGESTS[1:], DIGESTS[::-1], [*DIGESTS, DIGESTS[0]]],
                         ids=["fewer", "unsorted", "twice"])
def test_another_list_of_photos_is_wrong(listed, tmp_path):
    told = run(tmp_path, sign_statement(statement(), ORIGIN, KEY), json.dumps({"photos": listed}))
    assert (told.returncode, told.stderr[:6]) == (1, "WRONG:")


@pytest.mark.parametrize("note", [sign_statement(statement(), ORIGIN, OTHER_KEY),
                                  sign_statement(statement(), ORIGIN, KEY).replace('"last_n":7', '"last_n":8'),
                                  sign_checkpoint(ORIGIN, 7, b"\0" * 32, KEY)], ids=["key", "changed", "checkpoint"])
def test_what_the_key_did_not_say_is_wrong(note, tmp_path):
    told = run(tmp_path, note)
    assert (told.returncode, told.stderr[:6]) == (1, "WRONG:")
    with pytest.raises(NoteInvalid):
        read_statement(note, key_line(ORIGIN, KEY.public_key()))


def test_a_receipt_is_no_checkpoint():
    with pytest.raises(NoteInvalid):
        verify_note(sign_statement(statement(), ORIGIN, KEY), key_line(ORIGIN, KEY.public_key()))
