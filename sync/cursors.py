"""Opaque, signed cursors: how far a reader came, under which scopes, what of a change of scopes is still to send."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.problems import Problem

TAG_BYTES = 16


@dataclass(slots=True)
class Cursor:
    """`seq`: all changes up to it are sent for `codes`. `pending`: segments [kind, codes, position] still to send,
    kind `forget` (scopes withdrawn), `left` (what had left those just before) or `backfill` (scopes granted). `began`:
    the log's number when a pass from the beginning began; it holds nothing that left before."""

    epoch: str
    reader: str
    seq: int = 0
    codes: tuple[str, ...] = ()
    pending: list[list[Any]] = field(default_factory=list)
    began: int = 0

    def text(self, secret: bytes) -> str:
        """The cursor as it crosses the wire."""
        body = orjson.dumps([self.epoch, self.reader, self.seq, self.codes, self.pending, self.began])
        return base64.urlsafe_b64encode(_tag(secret, body) + body).decode().rstrip("=")

    def turn_to(self, codes: Sequence[str]) -> None:
        """Plan what a change of scopes demands: forget what was withdrawn, send whole what was granted."""
        now, before = set(codes), set(self.codes)
        if now == before:
            return
        if withdrawn := sorted(before - now):
            self.pending += [["forget", withdrawn, ""], ["left", withdrawn, self.seq]]
        if self.seq and (granted := sorted(now - before)):
            self.pending.append(["backfill", granted, 0])
        self.codes = tuple(sorted(now))


def read_cursor(text: str, secret: bytes, reader: str, epoch: str, seq: int, floor: int) -> Cursor:
    """The cursor of a text, for this reader, against a log in this epoch that goes from `floor` to `seq`.

    Raises `cursor_invalid` (tampered, foreign), `log_forked` (restored server), `cursor_expired`.
    """
    cursor = _opened(text, secret)
    if cursor.reader != reader:
        raise Problem("cursor_invalid", "this cursor was given to somebody else")
    if cursor.epoch != epoch or cursor.seq > seq:
        raise Problem("log_forked")
    if 0 < cursor.seq < floor and cursor.began < floor:
        raise Problem("cursor_expired")
    return cursor


def acknowledges(text: str, secret: bytes, reader: str, codes: Sequence[str]) -> bool:
    """Does the cursor show that its reader was told these scopes, with all that their change demanded of him?"""
    try:
        cursor = _opened(text, secret)
    except Problem:  # the pull that brought it refuses it
        return False
    return cursor.reader == reader and set(cursor.codes) == set(codes) and not cursor.pending


def _opened(text: str, secret: bytes) -> Cursor:
    try:
        raw = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise Problem("cursor_invalid") from None
    tag, body = raw[:TAG_BYTES], raw[TAG_BYTES:]
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != text or not hmac.compare_digest(tag, _tag(secret, body)):
        raise Problem("cursor_invalid")
    epoch, reader, seq, codes, pending, *began = orjson.loads(body)  # an older release gave five parts
    return Cursor(epoch, reader, seq, tuple(codes), pending, *began)


def _tag(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, b"cursor\0" + body, hashlib.sha256).digest()[:TAG_BYTES]
