"""Uploads: tus 1.0.0 with creation, creation-with-upload, checksum, expiration, termination (protocol section 6)."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import timedelta
from email.utils import format_datetime
from threading import Timer
from uuid import UUID

from flask import Flask, Response, current_app, request, url_for

from media import uploads
from media.models import Upload
from schemas.problems import Problem
from schemas.values import SHA256_HEX, parse_time
from server import arrivals, intake, jobs
from server.api import blueprint
from server.api.media import may_see
from server.api.openapi import body, header, told
from server.arriving import Arriving
from server.auth import ROLES, me, must_have_role
from server.db import db, jotting, writing
from server.errors import answer as problem_answer
from server.house import house

blp = blueprint("uploads", "上传 Uploads (tus 1.0.0)")
VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
CONTENT_TYPE = "application/offset+octet-stream"
TUS = header("Tus-Resumable", "the version of tus", required=True, const=VERSION)
OFFSET = header("Upload-Offset", "how many bytes came before", "integer", required=True, minimum=0)
CHECKSUM = header("Upload-Checksum", "`sha1` or `sha256`, a blank, and the digest of this body in base64")
BYTES = body({"type": "string", "format": "binary"}, CONTENT_TYPE)
ARRIVED = told(Upload_Offset="how many bytes have arrived", Upload_Expires="until when the rest may come",
               Tus_Resumable=VERSION)
WRITERS = tuple(role for role in ROLES if role != "auditor")  # an auditor changes nothing (protocol section 1)
PARTIAL_AFTER_SECONDS = 2.0
PATIENCE_SECONDS = 2.0


@blp.before_request
def _check_version() -> None:
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
        raise Problem("tus_version", f"Tus-Resumable must be {VERSION}")


@blp.after_request
def _name_version(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    if request.method == "OPTIONS" or response.status_code == 412:
        response.headers["Tus-Version"] = VERSION
    if request.method == "OPTIONS":
        response.headers.update({
            "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(house().settings.upload_bytes),
            "Tus-Checksum-Algorithm": ",".join(uploads.ALGORITHMS)})
    return response


@blp.post("/uploads")
@blp.doc(parameters=[TUS, header("Upload-Length", "bytes in all", "integer", required=True, minimum=1),
                     header("Upload-Metadata", "`sha256` and `filetype`, each in base64", required=True), CHECKSUM],
         requestBody=BYTES | {"required": False})
@blp.response(201, empty=True, headers=ARRIVED | told(Location="where the upload is"))
def create_upload() -> Response:
    """Begin an upload of `Upload-Length` bytes; `Upload-Metadata` names `sha256` and `filetype`. May bring bytes.

    403 `role_forbidden` for one who only reads.
    """
    must_have_role(*WRITERS)
    if "Upload-Concat" in request.headers:
        raise Problem("invalid_request", "parts cannot be joined here: the extension `concatenation` is not offered",
                      errors={"Upload-Concat": ["not offered"]})
    settings = house().settings
    length = _number("Upload-Length")
    if length > settings.upload_bytes:
        raise Problem("too_large", f"at most {settings.upload_bytes} bytes")
    if length == 0:
        raise Problem("invalid_request", "Upload-Length must be at least 1", errors={"Upload-Length": ["from 1"]})
    metadata = _metadata(request.headers.get("Upload-Metadata", ""))
    brings = request.mimetype == CONTENT_TYPE
    if request.content_length and not brings:
        raise Problem("unsupported_media_type", f"a body must be {CONTENT_TYPE}")
    # A photo that the caller may not see is no less new to him: who only knows its digest brings nothing.
    known = uploads.stands(db.session(), house().store, metadata["sha256"], length) and may_see(metadata["sha256"])
    if not known:
        intake.must_not_have_too_many(db.session(), me().id)
        intake.must_have_room(length)
    new_id = str(UUID(bytes=house().random_bytes(16), version=4))
    with jotting() as session:  # an upload that a power cut takes is created again
        upload = uploads.create(session, settings.spool, house().clock(), new_id, sha256=metadata["sha256"],
                                media_type=metadata["filetype"], length=length, owner=me().id,
                                lifetime=timedelta(hours=settings.upload_hours), known=known)
    where = url_for("uploads.head_upload", upload_id=upload.id)
    try:
        offset = _receive(upload, 0)[0] if brings else length if upload.state in uploads.WHOLE else 0
    except Problem as problem:
        if problem.code != "checksum_mismatch":
            raise
        refusal = problem_answer(problem)  # the upload stands, empty: the bytes may be sent again there
        refusal.headers["Location"] = where
        return refusal
    answer = _answer(201, upload, offset)
    answer.headers["Location"] = where
    return answer


@blp.route("/uploads/<upload_id>", methods=["HEAD"])
@blp.doc(parameters=[TUS])
@blp.response(200, empty=True, headers=ARRIVED | told(Upload_Length="bytes in all"))
def head_upload(upload_id: str) -> Response:
    """How many bytes have arrived. A whole upload that waits for the store is tried again."""
    upload = _own(upload_id)
    offset = upload.length
    if upload.state not in uploads.WHOLE:
        with uploads.held(house().settings.spool, upload, PATIENCE_SECONDS) as file:
            offset = uploads.offset_of(file)
            if offset == upload.length:
                arrivals.complete(upload)
        if offset == upload.length:
            jobs.check_photo(upload.sha256, upload.length)
    answer = _answer(200, upload, offset)
    answer.headers.update({"Upload-Length": str(upload.length), "Cache-Control": "no-store"})
    return answer


@blp.patch("/uploads/<upload_id>")
@blp.doc(parameters=[TUS, OFFSET, CHECKSUM], requestBody=BYTES)
@blp.response(204, headers=ARRIVED)
def patch_upload(upload_id: str) -> Response:
    """Bring bytes from `Upload-Offset` on. What arrives of a request that is cut is kept."""
    upload = _own(upload_id)
    if request.mimetype != CONTENT_TYPE:
        raise Problem("unsupported_media_type", f"the body must be {CONTENT_TYPE}")
    offset, gave_up = _receive(upload, _number("Upload-Offset"))
    if gave_up:
        raise Problem("request_timeout", f"the line was too slow; {offset} bytes are here", offset=offset)
    return _answer(204, upload, offset)


@blp.delete("/uploads/<upload_id>")
@blp.doc(parameters=[TUS])
@blp.response(204)
def delete_upload(upload_id: str) -> Response:
    """Give an upload up. A photo that is stored already stays."""
    upload = _own(upload_id)
    if upload.state in uploads.WHOLE:
        with writing() as door:
            uploads.terminate(door, upload)
        return Response(status=204)
    spool = house().settings.spool
    with uploads.held(spool, upload, PATIENCE_SECONDS):
        with writing() as door:
            uploads.terminate(door, upload)
        (spool / upload.id).unlink()
    return Response(status=204)


@blp.post("/uploads/<upload_id>")
@blp.doc(parameters=[TUS, header("X-HTTP-Method-Override", "PATCH, DELETE or HEAD", required=True)])
@blp.response(204)
def override_method(upload_id: str) -> Response:
    """`X-HTTP-Method-Override`, for lines that let no PATCH or DELETE through."""
    named = {"PATCH": patch_upload, "DELETE": delete_upload, "HEAD": head_upload}
    view = named.get(request.headers.get("X-HTTP-Method-Override", "").upper())
    if view is None:
        raise Problem("method_not_allowed", "X-HTTP-Method-Override names PATCH, DELETE or HEAD")
    answer: Response = view(upload_id)
    return answer


def _own(upload_id: str) -> Upload:
    """The caller's upload; the transaction that read it is over, for bytes may take long to come."""
    upload = uploads.find(db.session(), upload_id, me().id, house().clock())
    db.session.rollback()
    return upload


def _receive(upload: Upload, offset: int) -> tuple[int, bool]:
    """Take the body in; gives the new offset, and whether the line was too slow."""
    left = upload.length - offset
    body = Arriving(request.environ, most=max(0, left))
    if upload.state in uploads.WHOLE:
        return _take_no_more(upload, offset, body), False
    if left > 0:
        intake.must_have_room(left)
    with intake.receiving(), uploads.held(house().settings.spool, upload) as file:
        if (here := uploads.offset_of(file)) != offset:
            raise Problem("offset_mismatch", f"the offset is {here}", offset=here)
        if body.length is not None and body.length > left:
            raise Problem("too_large", f"{left} bytes are missing, {body.length} were announced")
        end = _write(file, upload, offset, body)
        if end == upload.length:
            arrivals.complete(upload)
    if end == upload.length:
        jobs.check_photo(upload.sha256, upload.length)
    elif end and upload.state == "open":
        _tell_partial(upload)
    return end, body.gave_up


def _write(file: uploads.FileIO, upload: Upload, offset: int, body: Arriving) -> int:
    """Write the body; when that takes long, evidence shows `partial` meanwhile."""
    given = request.headers.get("Upload-Checksum")
    checksum = uploads.checksum_of(given) if given else None
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # the app behind flask's proxy
    slow = Timer(PARTIAL_AFTER_SECONDS, _tell_partial_apart, (app, upload))
    slow.daemon = True
    try:
        return uploads.receive(file, upload, offset, body, checksum=checksum, came_whole=lambda: body.whole,
                               begun=slow.start)
    finally:
        slow.cancel()


def _take_no_more(upload: Upload, offset: int, body: Arriving) -> int:
    """The photo is stored. A client that did not ask may send what was known beforehand; it is read and dropped."""
    if upload.state == "done" and offset != upload.length:
        raise Problem("offset_mismatch", f"the offset is {upload.length}", offset=upload.length)
    if body.length is not None and body.length > upload.length:
        raise Problem("too_large", f"{body.length} bytes were announced for an upload of {upload.length}")
    with intake.receiving():
        for _ in body:
            pass
    return upload.length


def _tell_partial(upload: Upload) -> None:
    with writing() as door:
        uploads.show_partial(door, upload)


def _tell_partial_apart(app: Flask, upload: Upload) -> None:
    with app.app_context():
        _tell_partial(upload)


def _answer(status: int, upload: Upload, offset: int) -> Response:
    answer = Response(status=status)
    answer.headers["Upload-Offset"] = str(offset)
    answer.headers["Upload-Expires"] = format_datetime(parse_time(upload.expires_at), usegmt=True)
    return answer


def _number(header: str) -> int:
    """A header that is a whole number; raises `invalid_request`."""
    text = request.headers.get(header, "")
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise Problem("invalid_request", f"{header} must be a whole number", errors={header: ["not a whole number"]})
    return int(text)


def _metadata(header: str) -> dict[str, str]:
    """`Upload-Metadata`: comma-separated pairs of a key and a value in base64; raises `invalid_request`."""
    found: dict[str, str] = {}
    for pair in header.split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Problem("invalid_request", f"Upload-Metadata: {key} is not UTF-8 in base64") from None
    if not SHA256_HEX.fullmatch(found.get("sha256", "")):
        raise Problem("invalid_request", "Upload-Metadata must name sha256, 64 lower-case hex digits")
    filetype = found.get("filetype", "")
    if not 0 < len(filetype) <= 100 or not filetype.isprintable():
        raise Problem("invalid_request", "Upload-Metadata must name filetype, at most 100 printable characters")
    return found
