"""Uploads (protocol section 6): tus 1.0.0 with its extensions, cuts and resumption, limits, what is refused."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import socket
import struct
import threading
import zlib

import httpx
import pytest
from PIL import Image

from tests.bureau import Bureau, a_photo, eventually
from tests.enrolled import Handheld
from tests.wire import Wire, granted, new_id, refused, sha256

SCOPE = "320412110"


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header claims this size and whose picture is empty: a header bomb."""
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def gif() -> bytes:
    out = io.BytesIO()
    Image.new("P", (8, 8)).save(out, "GIF")
    return out.getvalue()


def test_options_names_version_extensions_and_limit(bureau: Bureau) -> None:
    answer = httpx.options(f"{bureau.url}/api/v1/uploads")
    assert answer.status_code in (200, 204)
    assert "1.0.0" in answer.headers["Tus-Version"].split(",")
    assert {"creation", "creation-with-upload", "checksum", "expiration", "termination"} <= set(
        answer.headers["Tus-Extension"].replace(" ", "").split(","))
    assert {"sha1", "sha256"} <= set(answer.headers["Tus-Checksum-Algorithm"].replace(" ", "").split(","))
    assert answer.headers["Tus-Max-Size"] == "67108864"


def test_a_photo_in_chunks_is_stored_byte_for_byte(device: Handheld) -> None:
    content = a_photo()
    assert device.head(f"/media/{sha256(content)}").status_code == 404
    answer = device.upload(content, chunk=5000)
    assert answer.status_code == 204, answer.text
    assert answer.headers["Upload-Offset"] == str(len(content))
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert device.head(f"/media/{sha256(content)}").status_code == 200


def test_creation_with_upload_takes_the_first_bytes(device: Handheld) -> None:
    content = a_photo()
    half = len(content) // 2
    created = device.create_upload(len(content), sha256(content), content=content[:half])
    assert created.status_code == 201, created.text
    assert created.headers["Upload-Offset"] == str(half)
    assert device.head_upload(created.headers["Location"]).headers["Upload-Offset"] == str(half)
    assert device.patch_upload(created.headers["Location"], half, content[half:]).status_code == 204
    assert device.head(f"/media/{sha256(content)}").status_code == 200


def test_the_offset_tells_where_to_go_on(device: Handheld) -> None:
    content = a_photo()
    location = device.create_upload(len(content), sha256(content)).headers["Location"]
    device.patch_upload(location, 0, content[:1000])
    seen = device.head_upload(location)
    assert seen.status_code in (200, 204)
    assert seen.headers["Upload-Offset"] == "1000"
    assert seen.headers["Upload-Length"] == str(len(content))
    assert "no-store" in seen.headers["Cache-Control"]
    refused(device.patch_upload(location, 0, content[:1000]), 409)
    refused(device.patch_upload(location, 2000, content[2000:]), 409)
    assert device.patch_upload(location, 1000, content[1000:]).status_code == 204


def test_an_unfinished_upload_tells_when_it_expires(device: Handheld) -> None:
    content = a_photo()
    created = device.create_upload(len(content), sha256(content))
    part = device.patch_upload(created.headers["Location"], 0, content[:100])
    assert created.headers.get("Upload-Expires") or part.headers.get("Upload-Expires")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_chunk_with_a_wrong_checksum_is_not_kept(device: Handheld, algorithm: str) -> None:
    content = a_photo()
    location = device.create_upload(len(content), sha256(content)).headers["Location"]
    wrong = base64.b64encode(hashlib.new(algorithm, b"other").digest()).decode()
    refused(device.patch_upload(location, 0, content, **{"Upload-Checksum": f"{algorithm} {wrong}"}), 460)
    assert device.head_upload(location).headers["Upload-Offset"] == "0"
    right = base64.b64encode(hashlib.new(algorithm, content).digest()).decode()
    assert device.patch_upload(location, 0, content, **{"Upload-Checksum": f"{algorithm} {right}"}).status_code == 204


def test_an_unknown_checksum_algorithm_is_refused(device: Handheld) -> None:
    content = a_photo()
    location = device.create_upload(len(content), sha256(content)).headers["Location"]
    refused(device.patch_upload(location, 0, content, **{"Upload-Checksum": "md5 AAAAAAAAAAAAAAAAAAAAAA=="}), 400)
    refused(device.patch_upload(location, 0, content, **{"Upload-Checksum": "sha256 !!"}), (400, 422, 460))


def test_a_terminated_upload_is_gone(device: Handheld) -> None:
    location = device.create_upload(1000, sha256(b"x")).headers["Location"]
    answer = device.http.delete(device.absolute(location), headers={"Tus-Resumable": "1.0.0"})
    assert answer.status_code == 204
    assert device.head_upload(location).status_code in (404, 410)
    refused(device.patch_upload(location, 0, b"x"), (404, 410))


def test_bytes_that_do_not_hash_to_what_was_named_are_not_kept(device: Handheld) -> None:
    content = a_photo()
    named = sha256(b"something else")
    refused(device.upload(content, digest=named, chunk=20_000), 422, "digest_mismatch")
    assert device.head(f"/media/{named}").status_code == 404
    assert device.head(f"/media/{sha256(content)}").status_code == 404


@pytest.mark.parametrize("content", [
    gif(), b"<html><script>alert(1)</script></html>", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    b"%PDF-1.7\n%%EOF", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"II*\x00" + b"\x00" * 64, b"PK\x03\x04" + b"\x00" * 64,
    b"MZ" + b"\x00" * 200, b"plain text", b"\x00" * 100, b"\xff\xd8"], ids=range(11))
def test_what_is_not_a_picture_is_refused_with_the_last_byte(device: Handheld, content: bytes) -> None:
    content += os.urandom(8)
    refused(device.upload(content), (415, 422))
    assert device.head(f"/media/{sha256(content)}").status_code == 404


def test_a_picture_of_another_kind_is_named_as_such(device: Handheld) -> None:
    refused(device.upload(gif() + os.urandom(4)), 415, "media_type_refused")


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (250_001, 1_000)])
def test_a_header_bomb_has_too_many_pixels(device: Handheld, size: tuple[int, int]) -> None:
    refused(device.upload(png_of_size(*size) + os.urandom(4), "image/png"), 422, "too_many_pixels")


def test_a_file_over_the_limit_is_refused_before_it_is_read(device: Handheld) -> None:
    refused(device.create_upload(67_108_865, sha256(b"x")), 413)
    refused(device.create_upload(10**30, sha256(b"x")), (400, 413, 422))


def test_uploading_what_is_stored_is_idempotent(bureau: Bureau, device: Handheld) -> None:
    content = a_photo()
    assert device.upload(content).status_code == 204
    for again in (device, bureau.handheld(SCOPE)):
        answer = again.upload(content)
        assert answer.status_code in (200, 201, 204), answer.text
    assert device.head(f"/media/{sha256(content)}").status_code == 200


def test_two_devices_may_upload_the_same_photo_at_once(bureau: Bureau) -> None:
    content, answers = a_photo(), []
    devices = [bureau.handheld(SCOPE) for _ in range(3)]
    threads = [threading.Thread(target=lambda device: answers.append(device.upload(content, chunk=8000)), args=(each,))
               for each in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {200, 201, 204}
    assert devices[0].head(f"/media/{sha256(content)}").status_code == 200


def test_two_patches_of_one_upload_at_once_do_not_mix(device: Handheld) -> None:
    content = a_photo()
    location = device.create_upload(len(content), sha256(content)).headers["Location"]
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(device.patch_upload(location, 0, content).status_code))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(204) == 1, answers
    assert set(answers) <= {204, 404, 409, 410, 423}
    assert device.head(f"/media/{sha256(content)}").status_code == 200


def test_another_persons_upload_is_out_of_reach(bureau: Bureau, device: Handheld) -> None:
    content = a_photo()
    location = device.create_upload(len(content), sha256(content)).headers["Location"]
    stranger = bureau.handheld("320402001")
    assert stranger.head_upload(location).status_code in (403, 404)
    refused(stranger.patch_upload(location, 0, content), (403, 404))
    assert Wire(bureau.url).head_upload(location).status_code == 401


def test_what_arrived_of_a_patch_that_was_cut_is_kept_and_shows(device: Handheld) -> None:
    content = a_photo() + os.urandom(200_000)
    finding = device.report(SCOPE)
    evidence = device.capture(SCOPE, content, ("finding", finding))
    device.deliver(evidence)
    location = device.create_upload(len(content), sha256(content)).headers["Location"]
    url = httpx.URL(device.absolute(location))
    head = (f"PATCH {url.raw_path.decode()} HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nTus-Resumable: 1.0.0\r\n"
            f"Authorization: Bearer {device.token}\r\nUpload-Offset: 0\r\nContent-Length: {len(content)}\r\n"
            "Content-Type: application/offset+octet-stream\r\n\r\n")
    with socket.create_connection((url.host, url.port)) as line:
        line.sendall(head.encode() + content[:150_000])
    offset = eventually(lambda: int(device.head_upload(location).headers.get("Upload-Offset", 0)), within_s=10)
    assert 100_000 <= offset <= 150_000

    def state() -> str:
        return device.owner.record("evidence", evidence["record_id"])["fields"]["media"]["state"]

    assert eventually(lambda: state() == "partial", within_s=10), state()
    answer = device.patch_upload(location, offset, content[offset:])
    assert answer.status_code == 204, answer.text


@pytest.mark.parametrize(("headers", "status"), [
    ({"Tus-Resumable": "0.2.2"}, 412),
    ({"Upload-Length": "-1"}, (400, 422)), ({"Upload-Length": "many"}, (400, 422)),
    ({"Upload-Length": ""}, (400, 411, 422)),
    ({"Upload-Metadata": "sha256 %%%"}, (400, 422)), ({"Upload-Metadata": ""}, (400, 422)),
    ({"Upload-Metadata": "sha256 " + base64.b64encode(b"../../etc/passwd").decode()}, (400, 422)),
    ({"Upload-Metadata": "sha256"}, (400, 422)), ({"Upload-Defer-Length": "1", "Upload-Length": ""}, (400, 411, 422))])
def test_a_creation_that_makes_no_sense_is_a_problem(device: Handheld, headers: dict[str, str],
                                                     status: int | tuple[int, ...]) -> None:
    refused(device.create_upload(10, sha256(b"0123456789"), **headers), status)


@pytest.mark.parametrize(("headers", "status"), [
    ({"Upload-Offset": "-1"}, (400, 409, 422)), ({"Upload-Offset": "x"}, (400, 409, 422)),
    ({"Content-Type": "image/jpeg"}, 415), ({"Tus-Resumable": "2.0.0"}, 412)])
def test_a_patch_that_makes_no_sense_is_a_problem(device: Handheld, headers: dict[str, str],
                                                  status: int | tuple[int, ...]) -> None:
    location = device.create_upload(10, sha256(b"0123456789")).headers["Location"]
    sent = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    refused(device.http.patch(device.absolute(location), headers=sent | headers, content=b"01234"), status)


def test_more_bytes_than_announced_are_refused(device: Handheld) -> None:
    location = device.create_upload(10, sha256(b"0123456789")).headers["Location"]
    refused(device.patch_upload(location, 0, b"x" * 1000), (400, 409, 413, 422))


def test_an_upload_that_never_was_is_not_found(device: Handheld) -> None:
    for id in (new_id(), "..%2f..%2fetc", "x" * 300):
        refused(device.patch_upload(f"/api/v1/uploads/{id}", 0, b"x"), (400, 404, 410))


def test_a_webp_and_a_png_are_pictures_too(device: Handheld) -> None:
    for kind in ("PNG", "WEBP"):
        out = io.BytesIO()
        Image.frombytes("RGB", (32, 32), os.urandom(3072)).save(out, kind)
        assert device.upload(out.getvalue(), f"image/{kind.lower()}").status_code == 204
        assert device.head(f"/media/{sha256(out.getvalue())}").status_code == 200


def test_a_digest_that_is_none_is_not_found(device: Handheld) -> None:
    for digest in ("x", "A" * 64, "0" * 63, "g" * 64, "..%2f..%2fetc%2fpasswd"):
        assert device.head(f"/media/{digest}").status_code in (400, 404, 422)
        refused(device.get(f"/media/{digest}"), (400, 404, 422))
    assert granted(device.get("/hello"))
