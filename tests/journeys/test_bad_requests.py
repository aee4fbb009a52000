"""Hostile requests: sizes, encodings, addresses, headers. Refused early, bounded while inflating, never a 5xx."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from typing import Any

import httpx
import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import Person, Wire, a_finding, granted, new_id, refused

SCOPE = "320411105"


@pytest.fixture(scope="module")
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture(scope="module")
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=(SCOPE,))


@pytest.fixture
def fresh(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


def half_sent(device: Wire, path: str, *headers: str) -> httpx.Response:
    """The answer to a request whose body never comes."""
    url = httpx.URL(device.url(path))
    head = [f"POST {url.raw_path.decode()} HTTP/1.1", f"Host: {url.host}:{url.port}", "Connection: close",
            f"Authorization: Bearer {device.token}", *headers]
    with socket.create_connection((url.host, url.port), timeout=10) as line:
        line.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        received = b""
        while chunk := line.recv(65536):
            received += chunk
    top, _, body = received.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:])
    fields = {name: value for name, value in fields.items() if name.lower() not in ("transfer-encoding",)}
    return httpx.Response(int(lines[0].split()[1]), headers=fields, content=body, request=httpx.Request("POST", url))


@pytest.mark.parametrize("path", ["/sync/push", "/records/finding", "/zones/import", "/sessions", "/uploads"])
def test_what_is_too_large_is_413_before_it_is_read(device: Handheld, admin: Person, path: str) -> None:
    answer = half_sent(device if path in ("/sync/push", "/uploads") else admin, path, "Content-Type: application/json",
                       "Content-Length: 99999999999", "Tus-Resumable: 1.0.0", "Upload-Length: 99999999999")
    problem = refused(answer, 413)
    assert problem["code"]


def test_a_line_stays_usable_or_is_closed_openly_after_a_refusal(bureau: Bureau) -> None:
    person = bureau.person("inspector", scopes=(SCOPE,))
    headers = {"Content-Type": "application/json"}
    for path in ("/sync/push", "/zones/import", f"/reviews/{new_id()}/claim") * 5:
        answer = person.http.post(person.url(path), content=b"[" * 300_000, headers=headers)
        refused(answer, (400, 403, 404))
        granted(person.get("/hello"))


def test_a_body_over_the_limit_is_413(fresh: Handheld) -> None:
    refused(fresh.send(b'{"mutations": [' + b" " * 8_388_608 + b"]}"), 413)


def test_a_body_in_chunks_is_a_body(fresh: Handheld) -> None:
    body = json.dumps({"mutations": [fresh.create("finding", SCOPE, a_finding())]}).encode()
    headers = {"Content-Type": "application/json", "Menqian-Signature": fresh.sign(body)}
    answer = fresh.http.post(fresh.url("/sync/push"), content=iter([body[:50], body[50:]]), headers=headers)
    if answer.status_code != 411:
        assert granted(answer)["outcomes"][0]["outcome"] == "applied"


def test_a_body_in_chunks_is_counted_too(fresh: Handheld) -> None:
    def endless() -> Any:
        yield b'{"mutations": ['
        for _ in range(200):
            yield b" " * 65536

    headers = {"Content-Type": "application/json", "Menqian-Signature": fresh.sign(b"".join(endless()))}
    try:
        answer = fresh.http.post(fresh.url("/sync/push"), content=endless(), headers=headers)
    except httpx.HTTPError:
        return  # it hung up: the rest was not read
    refused(answer, (400, 411, 413, 422))


def test_a_bomb_of_zeros_is_not_inflated(fresh: Handheld) -> None:
    bomb = gzip.compress(b" " * 200_000_000, 9)
    refused(inflated(fresh, bomb), 413)


def test_a_bomb_of_many_members_is_not_inflated(fresh: Handheld) -> None:
    refused(inflated(fresh, gzip.compress(b" " * 4_000_000) * 20), 413)


WHOLE = gzip.compress(b"{}", mtime=0)  # a time in it would give the tests other names in each process


@pytest.mark.parametrize("body", [b"", b"not gzip", WHOLE[:-4], WHOLE[:10], WHOLE[:2], WHOLE + b"trailing rubbish",
                                  zlib.compress(b"{}")],
                         ids=["nothing", "text", "no end", "only a head", "half a head", "rubbish behind", "zlib"])
def test_what_cannot_be_inflated_is_a_problem(fresh: Handheld, body: bytes) -> None:
    refused(inflated(fresh, body), (400, 401, 422))


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "rubbish", "deflate"])
def test_an_unknown_content_encoding_is_a_problem(fresh: Handheld, encoding: str) -> None:
    refused(fresh.send(b'{"mutations": []}', **{"Content-Encoding": encoding}), (400, 415, 422))


def inflated(device: Handheld, compressed: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Menqian-Signature": device.sign(b"{}")}
    return device.http.post(device.url("/sync/push"), content=compressed, headers=headers)


def test_several_members_of_gzip_are_one_body(fresh: Handheld) -> None:
    body = json.dumps({"mutations": [fresh.create("finding", SCOPE, a_finding())]}).encode()
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Menqian-Signature": fresh.sign(body)}
    members = gzip.compress(body[:20]) + gzip.compress(body[20:])
    answer = granted(fresh.http.post(fresh.url("/sync/push"), content=members, headers=headers))
    assert answer["outcomes"][0]["outcome"] == "applied"


ADDRESSES = ("/records/finding/{}", "/records/{}/00000000-0000-7000-8000-000000000000", "/records/finding/{}/history",
             "/records?type={}", "/records?type=finding&scope={}", "/records?type=finding&cursor={}",
             "/records?type=finding&zone_id={}", "/records?type=finding&updated_since={}",
             "/records?type=finding&limit={}", "/sync/pull?cursor={}", "/sync/pull?limit={}", "/media/{}",
             "/media/{}/thumb", "/zones.geojson?bbox={}",
             "/zones.geojson?at={}", "/zones/attribute?lon={}&lat=1&crs=EPSG:4326", "/reviews?state={}",
             "/quarantine?limit={}", "/spot-checks/{}/proof", "/journal/entries?from={}", "/users?limit={}")
RUBBISH = ("%00", "a%00b", "%ff%fe", "..%2f..%2f", "'", "%27%20OR%201=1--", "%F0%9F%98%80", "x" * 3000, "-1", "1e999",
           "NaN", "9" * 60, "%E2%80%AE", "%5B%5D", "{}", "null", "%0d%0aX:1")


@pytest.mark.parametrize("address", ADDRESSES)
def test_rubbish_in_an_address_is_never_a_crash(admin: Person, supervisor: Person, device: Handheld,
                                                address: str) -> None:
    for reader in (admin, supervisor, device):
        for rubbish in RUBBISH:
            answer = reader.http.get(reader.url(address.replace("{}", rubbish, 1)))
            if answer.status_code >= 300:
                refused(answer, (400, 401, 403, 404, 405, 409, 410, 414, 422))


@pytest.mark.parametrize("header", ["Bearer", "Basic eDp5", "Bearer " + "x" * 4000, "Bearer \u00ff",
                                    "bearer x y z"])
def test_rubbish_for_a_token_is_401(device: Handheld, header: str) -> None:
    answer = httpx.get(device.url("/hello"), headers=[(b"Authorization", header.encode("latin-1"))])
    refused(answer, 401, action="relogin")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                                  "image/jpeg", ""])
def test_another_content_type_is_a_problem(device: Handheld, kind: str) -> None:
    body = b'{"mutations": []}'
    answer = device.send(body, **{"Content-Type": kind})
    if answer.status_code != 200:
        refused(answer, (400, 415, 422))


def test_a_refusal_shows_nothing_of_the_inside(device: Handheld) -> None:
    for answer in (device.get("/nowhere"), device.send(b"{"), device.get("/records/finding/x")):
        assert "Traceback" not in answer.text
        assert ".py" not in answer.text
        assert "sqlalchemy" not in answer.text.lower()
