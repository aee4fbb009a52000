"""Notes against published vectors (facts, each named with its source), and against tampering."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.notes import (
    Checkpoint,
    NoteInvalid,
    key_hash,
    key_line,
    open_note,
    read_checkpoint,
    sign_checkpoint,
    sign_note,
    verify_note,
)

# The example of C2SP signed-note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_TEXT = "This is an example message.\n"
SPEC_SIGNATURE = ("— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1"
                  "Yu72IneyaQM=\n")
# Key pair, text and signature in the tests of golang.org/x/mod/sumdb/note, the format's first implementation.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_PRIVATE = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = ("If you think cryptography is the answer to your problem,\n"
           "then you don't know what your problem is.\n")
GO_SIGNATURE = ("— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6"
                "RyyBwJnAM=\n")

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "menqian.example/changzhou"
LINE = key_line(ORIGIN, KEY.public_key())
ROOT = bytes(range(100, 132))
SPELLED = base64.b64encode(ROOT).decode()
NOTE = sign_checkpoint(ORIGIN, 4096, ROOT, KEY)


def body(note):
    return note[:note.index("\n\n") + 1]


def test_the_specification_s_example_opens():
    assert open_note(f"{SPEC_TEXT}\n{SPEC_SIGNATURE}", SPEC_KEY) == SPEC_TEXT


def test_signing_gives_the_published_bytes():
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(GO_PRIVATE)[1:])
    assert key_line("PeterNeumann", private.public_key()) == GO_KEY
    assert key_hash("PeterNeumann", private.public_key()).hex() == "c74f20a3"
    assert sign_note(GO_TEXT, "PeterNeumann", private) == f"{GO_TEXT}\n{GO_SIGNATURE}"


def test_a_checkpoint_has_origin_size_and_root_over_a_blank_line():
    lines = NOTE.split("\n")
    assert lines[:4] == [ORIGIN, "4096", SPELLED, ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


def test_a_checkpoint_comes_back_as_it_was_signed():
    assert verify_note(NOTE, LINE) == read_checkpoint(NOTE) == Checkpoint(ORIGIN, 4096, ROOT)


def test_a_key_line_may_end_in_a_newline_as_it_is_served():
    assert verify_note(NOTE, LINE + "\n").size == 4096


def test_signatures_by_others_are_ignored_but_never_enough():
    other = sign_note(body(NOTE), "witness.example", Ed25519PrivateKey.from_private_bytes(b"w" * 32))
    cosigned = NOTE + other.split("\n\n")[1]
    assert verify_note(cosigned, LINE) == verify_note(NOTE, LINE)
    with pytest.raises(NoteInvalid, match="not signed by"):
        open_note(other, LINE)


def test_one_bad_signature_by_the_known_key_spoils_the_note():
    bad = sign_note("other\n", ORIGIN, KEY).split("\n\n")[1]
    for note in (NOTE + bad, f"{body(NOTE)}\n{bad}{NOTE.split(chr(10) * 2)[1]}"):
        with pytest.raises(NoteInvalid, match="does not verify"):
            verify_note(note, LINE)


def test_a_checkpoint_of_another_log_under_our_key_is_refused():
    with pytest.raises(NoteInvalid, match="not of the log"):
        verify_note(sign_note(body(NOTE).replace(ORIGIN, "other.example"), ORIGIN, KEY), LINE)


def test_extension_lines_are_signed_and_passed_over():
    extended = sign_note(body(NOTE) + "an extension\n", ORIGIN, KEY)
    assert verify_note(extended, LINE) == Checkpoint(ORIGIN, 4096, ROOT)


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_no_changed_character_passes(at, by):
    changed = NOTE[:at] + chr(ord(NOTE[at]) ^ by) + NOTE[at + 1:]
    with pytest.raises(NoteInvalid):
        verify_note(changed, LINE)


@given(st.integers(0, len(NOTE) - 1), st.integers(0, len(NOTE)))
def test_no_cut_passes(start, length):
    with pytest.raises(NoteInvalid):
        verify_note(NOTE[:start] + NOTE[start + max(length, 1):], LINE)


@given(st.text())
def test_no_text_breaks_the_reader(text):
    for note in (text, text + "\n\n" + text + "\n", text + NOTE, NOTE + text):
        try:
            assert read_checkpoint(note).size >= 0
        except NoteInvalid:
            continue


@pytest.mark.parametrize("size", ["", "-1", "01", "+1", "1 ", "1_0", "１", "1" * 20, "0x10"])
def test_a_size_has_one_spelling(size):
    with pytest.raises(NoteInvalid):
        verify_note(sign_note(body(NOTE).replace("4096", size), ORIGIN, KEY), LINE)


@pytest.mark.parametrize("root", ["", "AAAA", SPELLED.rstrip("="), SPELLED + " ", SPELLED + "\n"])
def test_a_root_is_32_bytes_in_strict_base64(root):
    with pytest.raises(NoteInvalid):
        verify_note(sign_note(f"{ORIGIN}\n4096\n{root}\n", ORIGIN, KEY), LINE)


@pytest.mark.parametrize("line", [
    "", "a", "a+b", "a+b+c", ORIGIN, LINE[:-1], LINE.replace("+", " "), "x" + LINE, LINE + "A", "\ud800" + LINE,
    "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # another algorithm
])
def test_a_mangled_key_line_is_refused(line):
    with pytest.raises(NoteInvalid):
        verify_note(NOTE, line)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u3000b", "a\u2028b"])
def test_a_name_with_spaces_or_plus_never_signs(name):
    with pytest.raises(ValueError, match="name"):
        key_line(name, KEY.public_key())
    with pytest.raises(ValueError, match="name"):
        sign_checkpoint(name, 1, ROOT, KEY)


@pytest.mark.parametrize(("size", "root"), [(-1, ROOT), (1, ROOT[:-1])])
def test_an_impossible_checkpoint_is_not_signed(size, root):
    with pytest.raises(ValueError, match="checkpoint"):
        sign_checkpoint(ORIGIN, size, root, KEY)


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\r\n"])
def test_a_text_that_is_no_note_is_not_signed(text):
    with pytest.raises(ValueError, match="newline"):
        sign_note(text, ORIGIN, KEY)
