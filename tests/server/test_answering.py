"""What gunicorn answers by itself, and how a line ends: over real sockets, against the served application."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from tests.bureau import Bureau

HOST = b"Host: x\r\n"
MALFORMED = {
    "no request line": (b"nonsense\r\n\r\n", 400, "malformed_request"),
    "a strange version": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", 400, "malformed_request"),
    "a header without a name": (b"GET / HTTP/1.1\r\n" + HOST + b": x\r\n\r\n", 400, "malformed_request"),
    "a long address": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "address_too_long"),
    "a long header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431, "headers_too_large"),
    "an unknown coding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: brotli\r\n\r\n", 501, "not_implemented"),
    "an unknown expectation": (b"POST / HTTP/1.1\r\n" + HOST + b"Expect: tea\r\nContent-Length: 1\r\n\r\n", 417,
                               "expectation_failed")}


def answer_to(bureau: Bureau, sent: bytes) -> httpx.Response:
    """All that comes until the line ends."""
    url = httpx.URL(bureau.admin.url("/hello"))
    with socket.create_connection((url.host, url.port), timeout=20) as line:
        line.sendall(sent)
        came = b""
        while part := line.recv(65536):
            came += part
    head, _, body = came.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    return httpx.Response(int(status.split()[1]), headers=[field.split(": ", 1) for field in fields], content=body)


@pytest.mark.parametrize(("sent", "status", "code"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_request_is_answered_by_a_problem(bureau: Bureau, sent: bytes, status: int, code: str) -> None:
    answer = answer_to(bureau, sent)
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["Content-Type"] == "application/problem+json" and answer.headers["Connection"] == "close"
    assert {"type", "title", "detail", "action"} <= problem.keys()


def request_of(token: str, *more: str) -> bytes:
    head = ["POST /api/v1/zones/import HTTP/1.1", "Host: x", "Content-Type: application/json",
            f"Authorization: Bearer {token}", *more]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


@pytest.mark.parametrize(("length", "status"), [(99_000_000_000, 413), (2_000_000, 401)])
def test_a_line_that_ends_on_an_unread_body_says_so(bureau: Bureau, length: int, status: int) -> None:
    token = bureau.admin.token if status == 413 else "nobody"
    answer = answer_to(bureau, request_of(token, f"Content-Length: {length}"))
    assert (answer.status_code, answer.headers["Connection"]) == (status, "close")


def test_a_line_whose_body_was_read_stays(bureau: Bureau) -> None:
    with httpx.Client(base_url=bureau.admin.url("")) as line:
        for _ in range(2):
            answer = line.post("/sync/push", content=b"x" * 500_000, headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.headers["Connection"]) == (401, "keep-alive")


def test_chunks_that_are_refused_unread_end_the_line_openly(bureau: Bureau) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    answer = answer_to(bureau, request_of("nobody", "Transfer-Encoding: chunked") + chunk * 3)
    assert (answer.status_code, answer.headers["Connection"]) == (401, "close")
