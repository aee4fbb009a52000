"""Section 6: uploads by tus, originals and renditions, what becomes of a photo."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress

import httpx

from tests.conformance.checks import must, must_be, subject
from tests.conformance.device import Device
from tests.conformance.office import Office
from tests.conformance.pictures import METADATA, a_photo, size_of, too_many_pixels
from tests.conformance.wire import Parts, Wire, refused, sha256

holds = subject("media", "6")
TUS = {"Tus-Resumable": "1.0.0"}
CHECKED_WITHIN_S = 60


def create(wire: Wire, length: int, digest: str, kind: str = "image/png", content: bytes | None = None,
           **headers: str) -> httpx.Response:
    """tus creation; `content` for creation-with-upload."""
    named = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}"
                     for name, value in (("sha256", digest), ("filetype", kind)))
    sent = {**TUS, "Upload-Length": str(length), "Upload-Metadata": named, **headers}
    if content is not None:
        sent["Content-Type"] = "application/offset+octet-stream"
    return wire.call("POST", "/uploads", headers=sent, content=content or b"")


def begun(wire: Wire, length: int, digest: str) -> str:
    """Where a new upload is."""
    answer = create(wire, length, digest)
    must_be(answer.status_code, 201, "status of a creation")
    return answer.headers["Location"]


def patch(wire: Wire, where: str, offset: int, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    sent = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream", **headers}
    return wire.call("PATCH", where, headers=sent, content=content)


def offset_of(wire: Wire, where: str) -> httpx.Response:
    return wire.call("HEAD", where, headers=TUS)


def upload(wire: Wire, content: bytes, digest: str | None = None) -> httpx.Response:
    """Create and send in two chunks; the last answer."""
    where, half = begun(wire, len(content), digest or sha256(content)), len(content) // 2
    first = patch(wire, where, 0, content[:half])
    return patch(wire, where, half, content[half:]) if first.status_code == 204 else first


def stored(wire: Wire, content: bytes) -> int:
    return wire.call("HEAD", f"/media/{sha256(content)}").status_code


def shot_of(device: Device, content: bytes) -> str:
    """Deliver an evidence record that names these bytes; its id."""
    mutation = device.capture(content, device.report())
    device.give(mutation)
    return mutation["record_id"]


def media_of(device: Device, evidence: str, *states: str) -> Parts:
    """`media` of the record once it is in one of these states."""
    def look() -> Parts | None:
        media = device.owner.fields("evidence", evidence)["media"]
        return media if media["state"] in states else None

    found = device.until(look, within_s=CHECKED_WITHIN_S)
    must(found is not None, f"media.state {' or '.join(states)}", device.owner.fields("evidence", evidence)["media"])
    return found


@holds("Upload is tus 1.0.0 at /uploads: core, creation, creation-with-upload, checksum (sha1, sha256), expiration, "
       "termination")
def options_name_version_extensions_and_limit(office: Office) -> None:
    headers = office.anyone.call("OPTIONS", "/uploads").headers
    must("1.0.0" in headers.get("Tus-Version", "").split(","), "Tus-Version 1.0.0", headers.get("Tus-Version"))
    extensions = set(headers.get("Tus-Extension", "").replace(" ", "").split(","))
    wanted = {"creation", "creation-with-upload", "checksum", "expiration", "termination"}
    must(wanted <= extensions, f"Tus-Extension {sorted(wanted)}", sorted(extensions))
    algorithms = set(headers.get("Tus-Checksum-Algorithm", "").replace(" ", "").split(","))
    must({"sha1", "sha256"} <= algorithms, "Tus-Checksum-Algorithm sha1,sha256", sorted(algorithms))
    must_be(headers.get("Tus-Max-Size"), "67108864", "Tus-Max-Size")


@holds("HEAD /media/{sha256}: 200 when the bytes are stored, else 404")
def a_photo_in_chunks_is_stored(office: Office) -> None:
    device, content = office.device(), a_photo()
    must_be(stored(device, content), 404, "HEAD before")
    answer = upload(device, content)
    must_be((answer.status_code, answer.headers.get("Upload-Offset")), (204, str(len(content))), "last PATCH")
    must_be(stored(device, content), 200, "HEAD after")


@holds("Upload is tus 1.0.0 at /uploads: core, creation, creation-with-upload")
def the_offset_tells_where_to_go_on(office: Office) -> None:
    device, content = office.device(), a_photo()
    where = begun(device, len(content), sha256(content))
    must_be(patch(device, where, 0, content[:100]).status_code, 204, "status of a PATCH")
    seen = offset_of(device, where)
    must_be((seen.headers.get("Upload-Offset"), seen.headers.get("Upload-Length")), ("100", str(len(content))), "HEAD")
    must("no-store" in seen.headers.get("Cache-Control", ""), "Cache-Control: no-store", dict(seen.headers))
    refused(patch(device, where, 0, content[:100]), 409)
    refused(patch(device, where, 200, content[200:]), 409)
    must_be(patch(device, where, 100, content[100:]).status_code, 204, "status of the rest")


@holds("core, creation, creation-with-upload, checksum (sha1, sha256), expiration, termination")
def creation_with_upload_takes_the_first_bytes(office: Office) -> None:
    device, content = office.device(), a_photo()
    answer = create(device, len(content), sha256(content), content=content[:200])
    must_be((answer.status_code, answer.headers.get("Upload-Offset")), (201, "200"), "creation with 200 bytes")
    must_be(patch(device, answer.headers["Location"], 200, content[200:]).status_code, 204, "status of the rest")


@holds("core, creation, creation-with-upload, checksum (sha1, sha256), expiration, termination")
def a_chunk_with_a_wrong_checksum_is_not_kept(office: Office) -> None:
    device, content = office.device(), a_photo()
    for algorithm in ("sha1", "sha256"):
        where = begun(device, len(content), sha256(content))
        wrong, right = (base64.b64encode(hashlib.new(algorithm, each).digest()).decode()
                        for each in (b"other", content[:300]))
        answer = patch(device, where, 0, content[:300], **{"Upload-Checksum": f"{algorithm} {wrong}"})
        refused(answer, 460)
        must_be(offset_of(device, where).headers.get("Upload-Offset"), "0", "Upload-Offset after a wrong checksum")
        answer = patch(device, where, 0, content[:300], **{"Upload-Checksum": f"{algorithm} {right}"})
        must_be(answer.status_code, 204, "status with the right checksum")


@holds("core, creation, creation-with-upload, checksum (sha1, sha256), expiration, termination")
def an_unfinished_upload_tells_when_it_expires(office: Office) -> None:
    device, content = office.device(), a_photo()
    created = create(device, len(content), sha256(content))
    part = patch(device, created.headers["Location"], 0, content[:50])
    expires = created.headers.get("Upload-Expires") or part.headers.get("Upload-Expires")
    must(expires is not None, "Upload-Expires at the creation or a PATCH", expires)


@holds("What arrived of a PATCH that was cut is kept, and partial shows within 10 s")
def what_arrived_of_a_cut_patch_is_kept(office: Office) -> None:
    device, content = office.device(), a_photo(1200, 900) + os.urandom(150_000)
    evidence, where = shot_of(device, content), begun(device, len(content), sha256(content))

    def cut() -> Iterator[bytes]:
        yield content[:120_000]
        raise ConnectionAbortedError

    with suppress(ConnectionAbortedError):
        patch(device, where, 0, cut(), **{"Content-Length": str(len(content))})
    offset = device.until(lambda: int(offset_of(device, where).headers.get("Upload-Offset", 0)), within_s=10)
    must(0 < offset <= 120_000, "an offset behind what arrived", offset)
    state = device.until(lambda: device.owner.fields("evidence", evidence)["media"]["state"] == "partial", within_s=10)
    must(state, "media.state partial", device.owner.fields("evidence", evidence)["media"])
    must_be(patch(device, where, offset, content[offset:]).status_code, 204, "status of the rest")


@holds("core, creation, creation-with-upload, checksum (sha1, sha256), expiration, termination")
def a_terminated_upload_is_gone(office: Office) -> None:
    device = office.device()
    where = begun(device, 1000, sha256(os.urandom(8)))
    must_be(device.call("DELETE", where, headers=TUS).status_code, 204, "status of a DELETE")
    must(offset_of(device, where).status_code in (404, 410), "an upload that is gone", "still there")


@holds("The bytes must hash to what was named: else 422 digest_mismatch on the last PATCH and nothing is kept")
def other_bytes_than_named_are_not_kept(office: Office) -> None:
    device, content, named = office.device(), a_photo(), a_photo()
    refused(upload(device, content, sha256(named)), 422, "digest_mismatch")
    must_be((stored(device, content), stored(device, named)), (404, 404), "HEAD of both digests")


@holds("A file over the limit is 413 before it is read")
def a_file_over_the_limit_is_refused_at_creation(office: Office) -> None:
    refused(create(office.device(), 67_108_865, sha256(b"x")), 413)


@holds("Uploading what is already stored is idempotent")
def uploading_again_is_idempotent(office: Office) -> None:
    device, other = office.pair()
    content = a_photo()
    upload(device, content)
    for again in (device, other):
        answer = create(again, len(content), sha256(content))
        must(answer.status_code in (200, 201, 204), "no refusal of what is stored", answer.status_code)
    must_be(stored(device, content), 200, "HEAD")


@holds("What is not a picture (JPEG incl. MPO, PNG, WebP; HEIC and AVIF where switched on) gets 415 media_type_refused")
def what_is_not_a_picture_is_refused(office: Office) -> None:
    device = office.device()
    for head in (b"<html><script>", b"%PDF-1.7\n", b"PK\x03\x04", b"GIF89a"):
        content = head + os.urandom(200)
        refused(upload(device, content), 415, "media_type_refused")
        must_be(stored(device, content), 404, "HEAD of what was refused")


@holds("Those bytes are not kept and the evidence record's state becomes refused with that code")
def a_refused_file_shows_on_its_record(office: Office) -> None:
    device, content = office.device(), b"<html>" + os.urandom(100)
    evidence = shot_of(device, content)
    refused(upload(device, content), 415)
    must_be(media_of(device, evidence, "refused").get("code"), "media_type_refused", "media.code")


@holds("over 250 megapixels or a decompression bomb, 422 too_many_pixels")
def too_many_pixels_are_refused(office: Office) -> None:
    refused(upload(office.device(), too_many_pixels()), 422, "too_many_pixels")


@holds("A record never waits for its photo nor a photo for its record")
def record_and_photo_come_in_any_order(office: Office) -> None:
    device, first, second = office.device(), a_photo(), a_photo()
    evidence = shot_of(device, first)
    must_be(media_of(device, evidence, "expected")["state"], "expected", "media.state before the photo")
    device.catch_up()
    must_be(upload(device, first).status_code, 204, "status of the upload")
    must_be(upload(device, second).status_code, 204, "status of the upload before its record")
    for record in (evidence, shot_of(device, second)):
        media_of(device, record, "verified")
    device.catch_up()
    must_be(device.rows["evidence", evidence]["fields"]["media"]["state"], "verified", "media.state in a pull")
    must(sha256(first) not in device.page(device.cursor)["media_wanted"], "no digest wanted that is stored", "wanted")


@holds("Truncated or zeroed pictures, and any damage that a strict decoder sees, are kept and become damaged in the "
       "background check")
def a_truncated_photo_is_kept_and_damaged(office: Office) -> None:
    device, whole = office.device(), a_photo()
    content = whole[:len(whole) * 6 // 10]
    evidence = shot_of(device, content)
    must_be(upload(device, content).status_code, 204, "status of the upload")
    media_of(device, evidence, "damaged")
    must_be(device.get(f"/media/{sha256(content)}").content, content, "the bytes")


@holds("GET /media/{sha256}: the original, as an attachment, byte for byte")
def the_original_comes_back_byte_for_byte(office: Office) -> None:
    device, content = office.device(), a_photo()
    evidence = shot_of(device, content)
    upload(device, content)
    media_of(device, evidence, "verified")
    answer = device.get(f"/media/{sha256(content)}")
    must(answer.content == content, "the original byte for byte", f"{len(answer.content)} bytes, {answer.status_code}")
    disposition = answer.headers.get("Content-Disposition", "")
    must(disposition.startswith("attachment"), "an attachment", disposition)


@holds("GET needs a right to a record that names the digest, HEAD only a token; each opening of an original is "
       "journalled, with ?reason= required from people")
def people_say_why_they_open_an_original(office: Office) -> None:
    device, content = office.device(), a_photo()
    evidence = shot_of(device, content)
    upload(device, content)
    media_of(device, evidence, "verified")
    reviewer = office.person("reviewer")
    refused(reviewer.get(f"/media/{sha256(content)}"), (400, 422))
    must_be(reviewer.get(f"/media/{sha256(content)}", reason="审核").content, content, "the original, with a reason:")
    stranger = office.person("reviewer", scopes=(office.elsewhere,))
    refused(stranger.get(f"/media/{sha256(content)}", reason="好奇"), (403, 404))
    must_be(stored(stranger, content), 200, "HEAD by a stranger")


@holds("with thumb (320 px) or screen (1600 px), both re-encoded without metadata")
def renditions_are_small_and_without_metadata(office: Office) -> None:
    device, content = office.device(), a_photo(1700, 900)
    evidence = shot_of(device, content)
    upload(device, content)
    media_of(device, evidence, "verified")
    for rendition, longest in (("thumb", 320), ("screen", 1600)):
        answer = device.get(f"/media/{sha256(content)}/{rendition}")
        must_be(answer.status_code, 200, f"status of {rendition}")
        must(METADATA not in answer.content, f"no metadata in {rendition}", "the camera's text")
        size = size_of(answer.content)
        must(size is None or max(size) == longest, f"{rendition} of {longest} px", size)
