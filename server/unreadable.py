"""Pushes in which a mutation holds what cannot be kept as JSON: half a surrogate pair, 1e400, an integer beyond 64
bits, nesting without end, a member that is given twice. It delays no other: its source text is kept for the quarantine,
its neighbours are read.

Serves `server/api/push.py`. Every other body is read whole or refused (`server/wire.py`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from operator import itemgetter
from typing import Any, NoReturn

from schemas.problems import Problem
from schemas.push import Unreadable
from server.wire import check_integers, may_be_altered, parse

STRING = r'"(?:[^"\\]++|\\.)*+"'
SCALAR = re.compile(STRING + r'|[^\s,:\[\]{}"]++', re.DOTALL)
BRACKETS = re.compile(STRING + r"|[\[{]++|[\]}]++", re.DOTALL)
SPACE = re.compile(r"[ \t\n\r]*+")
NAMED_AT_MOST = 20


def read_push(body: bytes, most: int) -> Any:
    """The value of a push's body, in which a mutation that cannot be kept as JSON is an `Unreadable`.

    Raises `invalid_json` for what is no JSON, `batch_too_large` for more than `most` mutations where one is unreadable.
    """
    try:
        value = parse(body)
        if not may_be_altered(body):
            return value
    except Problem:
        if not body.lstrip(b" \t\n\r").startswith(b"{"):
            raise
    try:
        return _apart(body.decode(), most)
    except (ValueError, IndexError) as error:
        raise Problem("invalid_json", f"not valid JSON: {error}") from None


def _apart(text: str, most: int) -> dict[str, Any]:
    """The envelope with each mutation read by itself."""
    start = _skip(text, 0)
    if text[start] != "{" or _skip(text, _end(text, start)) != len(text):
        raise ValueError("one object, and nothing behind it")
    envelope: dict[str, Any] = {}
    for name, source in _parts(text, start):
        if name in envelope:
            raise ValueError(f"the envelope has {name!r} twice")
        if name == "mutations" and source[0] == "[":
            envelope[name] = []
            for _, mutation in _parts(source, 0):
                if len(envelope[name]) == most:
                    raise Problem("batch_too_large", f"at most {most} mutations in a push", limit=most)
                envelope[name].append(_mutation(mutation))
        else:
            (name or "").encode()  # raises for half a surrogate pair, of which nothing could be said
            envelope[name or ""] = _read(source)
    return envelope


def _mutation(source: str) -> Any:
    try:
        return _read(source)
    except Problem:
        canonical = _canonical(source)
    if source[0] != "{":
        return None  # no mutation at all: the envelope says so
    members, wrong = _readable(source)
    if "set" in wrong:
        fields = [part for name, part in _parts(source, 0) if name == "set"]
        if len(fields) == 1 and fields[0][0] == "{":
            members["set"], names = _readable(fields[0])
            wrong = [*(name for name in wrong if name != "set"), *names]
    members["unreadable"] = {"source": source, "members": wrong[:NAMED_AT_MOST]}
    return Unreadable(members, hashlib.sha256(canonical.encode()).hexdigest())


def _readable(source: str) -> tuple[dict[str, Any], list[str]]:
    """The members of an object that can be read, and the names of the others. What is given twice says nothing."""
    found: dict[str, Any] = {}
    wrong: dict[str, None] = {}
    for name, part in _parts(source, 0):
        shown = (name or "").encode(errors="replace").decode()
        if shown != name or shown in found or shown in wrong:
            wrong[shown] = None
            found.pop(shown, None)
            continue
        try:
            found[shown] = _read(part)
        except Problem:
            wrong[shown] = None
    return found, list(wrong)


def _read(source: str) -> Any:
    """The value of a JSON text; raises `invalid_json`, `unreadable_value`."""
    value = parse(source)
    check_integers(source.encode())
    return value


def _canonical(source: str) -> str:
    """A spelling of a mutation without its number that does not depend on space and order; raises ValueError for no
    JSON. What is nested beyond reading is its own spelling."""
    def number(text: str) -> dict[str, str]:
        return {"number": text}

    def members(pairs: list[tuple[str, Any]]) -> Any:
        named = dict(pairs)
        return named if len(named) == len(pairs) else sorted(pairs, key=itemgetter(0))  # of one name: as they came

    try:
        value = json.loads(source, parse_int=number, parse_float=number, parse_constant=_refuse,
                           object_pairs_hook=members)
        if isinstance(value, dict):
            value.pop("n", None)
        elif source[0] == "{":  # with a member given twice
            value = [(name, part) for name, part in value if name != "n"]
        return json.dumps(value, sort_keys=True)
    except RecursionError:
        return source


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _parts(text: str, at: int) -> Iterator[tuple[str | None, str]]:
    """(name, source) of each member of the object, or (None, source) of each entry of the list, that begins at `at`."""
    named, last = text[at] == "{", {"{": "}", "[": "]"}[text[at]]
    at = _skip(text, at + 1)
    if text[at] == last:
        return
    while True:
        name = None
        if named:
            end = _end(text, at)
            name = json.loads(text[at:end])
            if not isinstance(name, str):
                raise ValueError(f"a name at {at} is no text")
            at = _after(text, _skip(text, end), ":")
        end = _end(text, at)
        yield name, text[at:end]
        at = _skip(text, end)
        if text[at] == last:
            return
        at = _after(text, at, ",")


def _end(text: str, at: int) -> int:
    """Where the value that begins at `at` ends. Walks over brackets, never into itself."""
    if text[at] not in "[{":
        scalar = SCALAR.match(text, at)
        if scalar is None:
            raise ValueError(f"no value at {at}")
        return scalar.end()
    depth = 0
    for match in BRACKETS.finditer(text, at):
        length = match.end() - match.start()
        kind = text[match.start()]
        depth += length if kind in "[{" else -length if kind in "]}" else 0
        if depth <= 0:
            return match.end() + depth
    raise ValueError(f"what begins at {at} does not end")


def _skip(text: str, at: int) -> int:
    space = SPACE.match(text, at)
    return space.end() if space else at


def _after(text: str, at: int, mark: str) -> int:
    if text[at] != mark:
        raise ValueError(f"expected {mark!r} at {at}")
    return _skip(text, at + 1)
