"""The program that a bundle carries, as one file: `python3 -I` hides whatever lies beside it.

Its parts are modules here, so that they are checked like all others; joined, they import nothing but the library that
comes with Python.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

PARTS = ("curves", "log", "telling", "history", "photos", "stamp", "verify")
FUTURE = "from __future__ import annotations\n"
OURS = re.compile(r"^from media\.bundle\.\w+ import .*\n", re.MULTILINE)
DOCSTRING = re.compile(r'\A"""(.*?)"""\n', re.DOTALL)


@cache
def verify_program() -> bytes:
    """The text of verify.py."""
    sources = [(Path(__file__).with_name(part + ".py")).read_text(encoding="utf-8") for part in PARTS]
    told = DOCSTRING.match(sources[-1])
    assert told is not None
    bodies = [OURS.sub("", DOCSTRING.sub("", source, count=1)).replace(FUTURE, "", 1).strip("\n")
              for source in sources]
    return "\n\n\n".join([f"#!/usr/bin/env python3\n{told[0]}\n{FUTURE.strip()}", *bodies, ""]).rstrip("\n").encode() \
        + b"\n"
