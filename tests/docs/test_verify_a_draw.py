"""docs/verify-a-draw.md: the program that it names, run as a reader would, with the standard library alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.rules.sampling import allocate, prove

DOCS = Path(__file__).parents[2] / "docs"
NAMED = "../server/static/verify_draw.py"
PROGRAM = (DOCS / NAMED).read_text()
FRAME = [(f"01936b7e-0000-7000-8000-{number:012x}", ["王", "李", "c d"][number % 7 % 3]) for number in range(30)]
PROOF = prove(FRAME, 8, "be" * 32, "5e" * 32)


def run(proof, directory):
    (directory / "verify_draw.py").write_text(PROGRAM)
    (directory / "proof.json").write_text(json.dumps(proof))
    return subprocess.run([sys.executable, "-I", "-S", "verify_draw.py", "proof.json"], cwd=directory,
                          capture_output=True, text=True, check=False)


def test_the_page_names_the_program_and_holds_no_other():
    page = (DOCS / "verify-a-draw.md").read_text()
    assert f"]({NAMED})" in page
    assert "```" not in page


def test_a_true_proof_is_right(tmp_path):
    told = run(PROOF, tmp_path)
    assert (told.returncode, told.stdout) == (0, "the draw of 8 from 30 is right\n"), told.stderr


@pytest.mark.parametrize(("frame", "size"), [([], 5), (FRAME, 0), (FRAME, 1), (FRAME, 2), (FRAME, 99), (FRAME[:1], 1)])
def test_proofs_at_the_edges_are_right(frame, size, tmp_path):
    assert run(prove(frame, size, "00" * 32, "ff" * 32), tmp_path).returncode == 0


@pytest.mark.parametrize(("change", "wrong"), [
    ({"sample": PROOF["sample"][1:]}, "sample"),
    ({"sample": [*PROOF["sample"][:-1], PROOF["sample"][-1] | {"record_id": FRAME[0][0]}]}, "sample"),
    ({"secret": "5f" * 32}, "commitment"),
    ({"beacon": "bf" * 32}, "seed"),
    ({"frame": PROOF["frame"][1:]}, "frame_digest"),
    ({"allocation": {"王": 6, "李": 1, "c d": 1}}, "allocation"),
    ({"frame": [PROOF["frame"][0], *PROOF["frame"]]}, "frame"),
    ({"algorithm": "by-hand"}, "algorithm"),
])
def test_a_steered_draw_is_found(change, wrong, tmp_path):
    told = run(PROOF | change, tmp_path)
    assert told.returncode == 1
    assert wrong in told.stdout.removeprefix("wrong: ").strip().split(", ")


@settings(max_examples=200)
@given(st.dictionaries(st.text(max_size=4), st.integers(1, 40), max_size=8), st.integers(0, 200))
def test_the_page_s_allocation_is_the_server_s(counts, size):
    page = {}
    exec(PROGRAM.split("\n\n\nwith open")[0], page)
    assert page["allocate"](counts, min(size, sum(counts.values()))) == allocate(counts, size)
