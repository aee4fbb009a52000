"""Originals and renditions of photos (protocol section 6). Each opening of an original is journalled."""

from __future__ import annotations

from mimetypes import guess_extension

from flask import Response, request
from werkzeug.datastructures import ContentRange
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import quote_etag

from media import disposal, sources
from media.models import Photo, Rendition
from schemas.problems import Problem
from schemas.values import SHA256_HEX
from server import reuse
from server.api import blueprint
from server.api.openapi import header, query
from server.auth import me, needs_role
from server.db import db, reading, writing
from server.derivatives import visible
from server.house import house
from server.keeping.models import Disposal
from server.wire import answer

blp = blueprint("media", "照片 Photos")
LONGEST_REASON = 500
LOST = "照片不在存储中,请重新上传 The photo is not in the store: upload it again"
# What an original holds was written by a stranger: it is never shown in a page of ours (evidence.md, threat 26).
LOCKED = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}


@blp.route("/media/<sha256>", methods=["HEAD"])
@blp.response(200, empty=True)
def head_original(sha256: str) -> Response:
    """Say whether the bytes are stored, which is asked of the store itself; any token may ask."""
    photo = _photo(sha256)
    if not house().store.has(sha256):
        raise Problem("not_found", LOST)
    answer = Response(mimetype=photo.media_type, headers={"Accept-Ranges": "bytes", **LOCKED})
    answer.set_etag(sha256)
    if not _is_known(sha256):
        answer.headers["Content-Length"] = str(photo.bytes)
        return answer
    answer.status_code = 304
    return answer


@blp.get("/media/<sha256>")
@blp.doc(parameters=[query("reason", "why it is opened; required from people"), header("Range", "one range of bytes"),
                     header("If-Range", "the `ETag` of which the range is a part")])
@blp.response(200, content_type="application/octet-stream")
@blp.ranged("application/octet-stream")
def get_original(sha256: str) -> Response:
    """The original, byte for byte, as an attachment; people give a `reason`. One byte range may be asked for."""
    return original(sha256, request.args.get("reason", ""))


@blp.get("/media/<sha256>/reuse")
@needs_role("reviewer", "supervisor", "auditor")
@blp.response(200)
def get_reuse(sha256: str) -> Response:
    """Evidence of other cases with the same picture: `items`, nearest first, each `{evidence_id, distance, orientation,
    other}`; no distance for the same bytes; turned as EXIF's `orientation` says, the photo looks like the other.
    `out_of_scope` tells only that there is more that the caller may not see."""
    with reading():
        found = reuse.reuse_of(db.session(), me().scopes, _photo(sha256).sha256)
    return answer(found)


@blp.get("/media/<sha256>/<kind>")
@blp.response(200, content_type="image/jpeg")
def get_rendition(sha256: str, kind: str) -> Response:
    """The `thumb` (320 px), the `screen` (1600 px), or a copy that a person made, all without metadata; 404 until it
    is made."""
    return rendition(sha256, kind)


def original(sha256: str, reason: str) -> Response:
    """The response for the one who asks, whose opening is journalled first. Raises `not_found`, `disposed`,
    `reason_required`."""
    photo = _photo(sha256)
    media_type, size = photo.media_type, photo.bytes
    record_id = _record_that_allows(sha256)
    reason = reason.strip()[:LONGEST_REASON]
    if not any(sign.isalnum() for sign in reason) and me().device_id is None:
        raise Problem("reason_required", "请填写打开原图的理由 why is the original opened? (reason)",
                      errors={"reason": ["required"]})
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "private, no-store", "ETag": quote_etag(sha256), **LOCKED}
    if _is_known(sha256):
        return Response(status=304, headers=headers)
    start, end = _range(size, quote_etag(sha256))
    content = house().store.open(sha256, start, end)
    with writing() as door:
        door.record_entry("opened", me().user_id, sha256, {
            "evidence_id": record_id, "device_id": me().device_id, "bytes": [start, end]},
            aside={"reason": reason} if reason else None)
    answer = Response(content, mimetype=media_type, direct_passthrough=True, headers=headers)
    answer.headers["Content-Length"] = str(end - start)
    answer.headers["Content-Disposition"] = f"attachment; filename={sha256}{guess_extension(media_type) or ''}"
    if (start, end) != (0, size):
        answer.status_code = 206
        answer.content_range = ContentRange("bytes", start, end, size)
    return answer


def rendition(sha256: str, kind: str) -> Response:
    """The response for the one who asks. Raises `not_found`."""
    must_know_of(sha256)
    made = db.session.get(Rendition, (sha256, kind))
    if made is not None and made.disposed_at is not None:
        _must_not_be_disposed(sha256)
    if made is None or made.disposed_at is not None or not visible(db.session(), me().scopes, [made]):
        raise Problem("not_found", f"no rendition {kind[:20]!r} (yet)")
    answer = Response(mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=86400", **LOCKED})
    answer.set_etag(made.sha256)
    if _is_known(made.sha256):
        answer.status_code = 304
        return answer
    answer.response = house().store.open(made.sha256)
    answer.headers["Content-Length"] = str(made.bytes)
    return answer


def must_know_of(sha256: str) -> None:
    """Raises `not_found` for what is no photo, or for one that no record in the caller's scopes names; `disposed`."""
    _photo(sha256)
    _record_that_allows(sha256)


def may_see(sha256: str) -> bool:
    """Did the caller bring the photo, or does a record in his scopes open it?"""
    session = db.session()
    return sources.brought(session, sha256, me().user_id) \
        or any(me().covers(scope) for scope in sources.opening(session, [sha256]).values())


def _photo(sha256: str) -> Photo:
    photo = db.session.get(Photo, sha256) if SHA256_HEX.fullmatch(sha256) else None
    if photo is None:
        _must_not_be_disposed(sha256)
        raise Problem("not_found", reuse.UNKNOWN_PHOTO)
    return photo


def _must_not_be_disposed(sha256: str) -> None:
    """Raise `disposed`, with when and on which approval, for a photo whose bytes were given up; `not_found` for one who
    may not know of it."""
    row = disposal.disposal_of(db.session(), sha256) if request.method != "HEAD" else None
    if row is not None:
        _record_that_allows(sha256)
        approved = db.session.get_one(Disposal, row.disposal_id)
        told = {"id": approved.id, "removed_at": row.removed_at, "approved_by": approved.decided_by,
                "approved_at": approved.decided_at}
        raise Problem("disposed", f"照片已于 {row.removed_at} 按批准销毁 disposed of on approval", disposal=told)


def _record_that_allows(sha256: str) -> str:
    """The id of an evidence record in the caller's scopes that opens the photo (media/sources.py); raises
    `not_found`."""
    for record_id, scope in sources.opening(db.session(), [sha256]).items():
        if me().covers(scope):
            return record_id
    raise Problem("not_found", reuse.UNKNOWN_PHOTO, hidden=True)


def _is_known(etag: str) -> bool:
    """Does the caller have what bears this strong tag? Raises `precondition_failed` where he wants another (RFC 9110,
    13.2.2)."""
    wanted, known = request.if_match, request.if_none_match
    if wanted and not (wanted.star_tag or wanted.is_strong(etag)):
        raise Problem("precondition_failed", "If-Match 所指的不是现有内容 what is here is not what If-Match names")
    return bool(known) and known.contains_weak(etag)


def _range(size: int, etag: str) -> tuple[int, int]:
    """The bytes that are asked for, as start and end; what is not one range means all (RFC 9110, 14.2), as does an
    `If-Range` that is not the strong tag of what is here (13.1.5). Raises 416 for one that begins behind the end."""
    asked = request.range if request.headers.get("If-Range", etag).strip() == etag else None
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return 0, size
    start, end = asked.ranges[0]
    if start >= size:
        raise RequestedRangeNotSatisfiable(size)
    return (max(size + start, 0), size) if start < 0 else (start, min(end or size, size))
