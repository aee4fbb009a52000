"""docs/verify-the-journal.md: its program, run as a reader would, on a journal of our own making."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.merkle import consistency_path, inclusion_path, leaf_hash, root_of
from sync.notes import key_line, sign_checkpoint

PAGE = Path(__file__).parents[2] / "docs" / "verify-the-journal.md"
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32) for byte in (1, 2))
ORIGIN = "menqian.example/log"

ENTRIES = [{"at": f"2026-11-22T01:02:{number:02d}.000Z", "kind": "change", "actor": "王", "about": None,
            "body": {"version": number, "share": number / 7, "tiny": 1e-9, "text": "门前\n\"\u0001é"}}
           for number in range(23)]
LEAVES = [leaf_hash(rfc8785.dumps(entry)) for entry in ENTRIES]


def subtree(level, index):
    return root_of(LEAVES[index << level: index + 1 << level])


def checkpoint(size, key=KEY, origin=ORIGIN, leaves=LEAVES):
    return sign_checkpoint(origin, size, root_of(leaves[:size]), key)


def answer(hashes):
    return json.dumps({"hashes": [each.hex() for each in hashes]})


def run(directory, *texts):
    """Run the program on `key` and on the texts, each as a file but for the mode's name."""
    (directory / "verify_journal.py").write_text(PROGRAM)
    arguments = []
    for number, text in enumerate([key_line(ORIGIN, KEY.public_key()) + "\n", *texts]):
        if text in ("entry", "older"):
            arguments.append(text)
            continue
        (directory / f"file{number}").write_text(text)
        arguments.append(f"file{number}")
    return subprocess.run([sys.executable, "verify_journal.py", *arguments], cwd=directory, capture_output=True,
                          text=True, check=False)


def served(at, /, **change):
    return json.dumps({"entries": [{"index": at, **ENTRIES[at], "leaf_hash": LEAVES[at].hex()} | change]})


def test_a_signed_checkpoint_is_right(tmp_path):
    told = run(tmp_path, checkpoint(23))
    assert told.returncode == 0, told.stderr
    assert told.stdout == f"right: a log of 23 entries with root {root_of(LEAVES).hex()}\n"


@pytest.mark.parametrize("note", [checkpoint(23, OTHER_KEY), checkpoint(23, origin="other.example"),
                                  checkpoint(23).replace("\n23\n", "\n22\n")])
def test_a_checkpoint_that_the_key_did_not_sign_is_wrong(note, tmp_path):
    told = run(tmp_path, note)
    assert (told.returncode, told.stderr[:6]) == (1, "WRONG:")


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 23), (7, 8), (16, 23), (20, 23), (22, 23)])
def test_an_entry_of_the_log_is_right(index, size, tmp_path):
    told = run(tmp_path, checkpoint(size), "entry", served(index), answer(inclusion_path(index, size, subtree)))
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("change", [{"actor": "李"}, {"at": "2026-11-22T01:02:04.000Z"}, {"index": 4}, {"body": {}}])
def test_a_changed_entry_is_wrong(change, tmp_path):
    told = run(tmp_path, checkpoint(23), "entry", served(3, **change), answer(inclusion_path(3, 23, subtree)))
    assert told.stderr == "WRONG: the entry is not in the log\n"


@pytest.mark.parametrize(("old", "new"), [(1, 23), (8, 23), (11, 20), (16, 17), (22, 23), (23, 23)])
def test_a_log_that_only_grew_is_right(old, new, tmp_path):
    told = run(tmp_path, checkpoint(new), "older", checkpoint(old), answer(consistency_path(old, new, subtree)))
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("old", [8, 11, 23])
def test_a_rewritten_past_is_wrong(old, tmp_path):
    rewritten = checkpoint(old, leaves=[leaf_hash(b"another past"), *LEAVES[1:]])
    told = run(tmp_path, checkpoint(23), "older", rewritten, answer(consistency_path(old, 23, subtree)))
    assert (told.returncode, told.stderr[:6]) == (1, "WRONG:")


def test_a_log_that_shrank_is_wrong(tmp_path):
    told = run(tmp_path, checkpoint(20), "older", checkpoint(23), answer([]))
    assert told.stderr == "WRONG: the older checkpoint is not older\n"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2**53 + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner))


@given(json_values)
def test_the_page_s_canonical_json_is_rfc_8785(value):
    page = {}
    exec(PROGRAM.split("\n\n\nkey_line, what = ")[0], page)
    assert page["canonical"](json.loads(json.dumps(value))).encode() == rfc8785.dumps(value)
