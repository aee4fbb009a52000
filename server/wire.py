"""How bodies are read and written: orjson, and gzip bodies inflated within bounds."""

from __future__ import annotations

import json
import zlib
from typing import Any

import flask
import orjson
from flask.json.provider import JSONProvider
from gunicorn.http.errors import NoMoreData, ParseException
from marshmallow import missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from schemas.problems import Problem

CHUNK = 65_536
SLICE = 16_384
MOST_MEMBERS = 1_000
LONG = b"0" * 19
MOST_DIGITS = 20
DIGITS_ALIKE = bytes(ord("0") if ord("0") <= byte <= ord("9") else byte for byte in range(256))
SPARE_LEVELS = 24  # orjson writes at most 254 levels; what is stored wraps a value in a few more


class OrJson(JSONProvider):
    """orjson for everything; a list keeps its order, a time must be text already."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return parse(s)

    def response(self, *args: Any, **kwargs: Any) -> flask.Response:
        return self._app.response_class(orjson.dumps(self._prepare_response_obj(args, kwargs)),
                                        mimetype="application/json")


class Request(flask.Request):
    """A request whose body may be gzip; inflated it may not exceed the limit that holds for a plain one."""

    _inflated: bytes | None = None
    _broken: Problem | None = None

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any:
        data = self._whole(cache, parse_form_data)
        most = self.max_content_length
        if most is not None and self.content_length is None and len(data) >= most:
            raise RequestEntityTooLarge(f"body exceeds {most} bytes")  # a body in chunks was cut off there, not refused
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        if encoding in ("", "identity"):
            return data.decode() if as_text else data
        if encoding not in ("gzip", "x-gzip"):
            raise Problem("invalid_encoding", f"Content-Encoding {encoding!r} is not supported")
        if self._inflated is None:
            self._inflated = inflate(data, self.max_content_length or 8 * 1024 * 1024)
        return self._inflated.decode() if as_text else self._inflated


    def _whole(self, cache: bool, parse_form_data: bool) -> bytes:
        """The body as it was sent; raises `invalid_encoding` for one that broke off or whose chunks are none."""
        if self._broken:  # whoever asks again would be given nothing, as if nothing had been sent
            raise self._broken
        try:
            data = super().get_data(cache=cache, as_text=False, parse_form_data=parse_form_data)
        except (ParseException, NoMoreData, ClientDisconnected) as error:
            self._broken = Problem("invalid_encoding", f"请求体不完整 the body broke off: {error}")
            raise self._broken from None
        if self.is_json and len(data) < (self.content_length or 0):
            raise Problem("invalid_encoding", f"请求体不完整 only {len(data)} of {self.content_length} bytes came")
        return data


def inflate(data: bytes, limit: int) -> bytes:
    """The inflated gzip body, all members of it, never more than `limit` bytes in memory.

    Raises 413 over the limit and `invalid_encoding` for what is no whole gzip stream, or one of too many members.
    """
    parts: list[bytes] = []
    size = members = 0
    member = zlib.decompressobj(wbits=31)
    for start in range(0, len(data), SLICE):
        pending = data[start:start + SLICE]  # in slices, so that no call copies the rest of a long body
        while pending:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
                members += 1
            try:
                part = member.decompress(pending, CHUNK)
            except zlib.error as error:
                raise Problem("invalid_encoding", f"gzip: {error}") from None
            size += len(part)
            if size > limit:
                raise RequestEntityTooLarge(f"inflated body exceeds {limit} bytes")
            if members > MOST_MEMBERS:
                raise Problem("invalid_encoding", f"gzip: more than {MOST_MEMBERS} members")
            parts.append(part)
            pending = member.unused_data if member.eof else member.unconsumed_tail
    if data and not member.eof:
        raise Problem("invalid_encoding", "gzip: the stream ends early")
    return b"".join(parts)


def read_json(request: flask.Request) -> Any:
    """The JSON body of a request, whatever its content type says; raises `invalid_json`, `unreadable_value`."""
    body = request.get_data()
    value = parse(body)
    check_integers(body)
    return value


def may_be_altered(text: bytes) -> bool:
    """Does the JSON text hold as many digits in a row as an integer beyond 64 bits? orjson reads such as a float."""
    return text.translate(DIGITS_ALIKE).find(LONG) >= 0


def check_integers(text: bytes) -> None:
    """Raise `unreadable_value` for a JSON text with an integer beyond 64 bits, which would not come back as it is."""
    if may_be_altered(text):
        json.loads(text, parse_int=_of_64_bits)


def _of_64_bits(text: str) -> int:
    if len(text) > MOST_DIGITS or not -2**63 <= int(text) < 2**64:
        raise Problem("unreadable_value", f"整数超出 64 位 an integer beyond 64 bits: {text[:40]}")
    return int(text)


def parse(text: str | bytes) -> Any:
    """The value of a JSON text; raises `invalid_json`, also for one nested deeper than could be written back, and for
    an object that gives a member twice (RFC 8259, section 4: which one counts is not said)."""
    try:
        value = orjson.loads(text)
        wrapped = value
        for _ in range(SPARE_LEVELS):
            wrapped = [wrapped]
        written = orjson.dumps(wrapped)
    except orjson.JSONDecodeError as error:
        raise Problem("invalid_json", f"not valid JSON: {error.msg} at {error.pos}") from None
    except (orjson.JSONEncodeError, RecursionError):
        raise Problem("invalid_json", "the JSON is nested too deep") from None
    raw = text.encode() if isinstance(text, str) else text
    # Each member has a colon, and those in texts stay, unless one is spelled as an escape: what is less was dropped.
    if raw.count(b":") != written.count(b":") or b"\\u003" in raw:
        json.loads(raw, object_pairs_hook=_each_once, parse_int=str, parse_float=str)
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    """Raise `invalid_json` for an object that gives a member twice."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise Problem("invalid_json", f"成员重复 a member is given twice: {name[:40]!r}")
        seen.add(name)


class Arguments(FlaskParser):
    """webargs' parser, reading bodies as everything else does: bounded, inflated, with the same problems."""

    def _raw_load_json(self, req: flask.Request) -> Any:
        return read_json(req) if req.get_data() else missing


def answer(document: Any, status: int = 200) -> flask.Response:
    """A JSON response; values may be `orjson.Fragment`."""
    return flask.Response(orjson.dumps(document), status=status, mimetype="application/json")
