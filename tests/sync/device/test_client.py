import httpx
import pytest

from sync.device.client import Client, Patience, Problem, Unreachable


def answering(*answers, patience=None):
    """A client whose requests get these answers in turn, and the list of requests."""
    seen, left = [], list(answers)

    def answer(request):
        seen.append(request)
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    return Client("http://menqian/", "t0k", transport=httpx.MockTransport(answer), patience=patience), seen


def problem(status, code, headers=None, **members):
    return httpx.Response(status, headers=headers, json={"code": code, "status": status, "action": "retry", **members})


def waiting(waits, tries=4):
    return Patience(tries=tries, first_s=1, longest_s=8, wait=waits.append)


def test_a_call_carries_the_token_and_gives_the_json():
    client, seen = answering(httpx.Response(200, json={"a": [1]}))
    assert client.get("/hello", {"limit": 5, "cursor": None}) == {"a": [1]}
    assert str(seen[0].url) == "http://menqian/api/v1/hello?limit=5"
    assert seen[0].headers["Authorization"] == "Bearer t0k"


def test_a_path_with_two_slashes_stands_at_the_root():
    client, seen = answering(httpx.Response(200, text="pong", headers={"Content-Type": "text/plain; charset=utf-8"}))
    assert client.get("//readyz") == "pong"
    assert seen[0].url.path == "/readyz"


def test_a_refusal_is_a_problem_with_all_that_it_says():
    client, _ = answering(problem(409, "sequence_gap", detail="expected 3", expect=3))
    with pytest.raises(Problem) as refusal:
        client.post("/sync/push", {})
    caught = refusal.value
    assert (caught.code, caught.status, caught.action, caught.detail) == ("sequence_gap", 409, "retry", "expected 3")
    assert caught.body["expect"] == 3 and caught.retry_after is None


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]"])
def test_a_refusal_that_is_not_ours_keeps_its_status(body):
    client, _ = answering(httpx.Response(502, content=body))
    with pytest.raises(Problem, match="http_502") as refusal:
        client.get("/hello")
    assert refusal.value.action == "retry"


def test_a_captive_portal_is_no_answer():
    client, _ = answering(httpx.Response(200, html="<h1>Welcome to our wifi</h1>"))
    with pytest.raises(Unreachable, match="text/html"):
        client.post("/sync/push", {})


def test_a_redirect_is_no_success():
    client, _ = answering(httpx.Response(302, headers={"Location": "http://elsewhere/"}))
    with pytest.raises(Problem, match="http_302"):
        client.get("/hello")


def test_a_patient_client_waits_longer_each_time_and_gives_up():
    waits = []
    client, seen = answering(*[httpx.ConnectError("down")] * 4, patience=waiting(waits))
    with pytest.raises(Unreachable, match="down"):
        client.get("/hello")
    assert waits == [1, 2, 4] and len(seen) == 4


def test_a_patient_client_waits_as_long_as_it_was_asked_to():
    waits = []
    client, _ = answering(problem(503, "busy", {"Retry-After": "5"}), httpx.Response(204), patience=waiting(waits))
    assert client.delete("/sessions/current") is None
    assert waits == [5]


def test_a_wait_that_is_too_long_is_left_to_the_caller():
    waits = []
    client, _ = answering(problem(429, "too_many_requests", {"Retry-After": "600"}), patience=waiting(waits))
    with pytest.raises(Problem) as refusal:
        client.get("/hello")
    assert refusal.value.retry_after == 600 and waits == []


def test_a_refusal_that_will_not_pass_is_not_repeated():
    waits = []
    client, seen = answering(problem(401, "device_revoked"), patience=waiting(waits))
    with pytest.raises(Problem, match="device_revoked"):
        client.get("/hello")
    assert len(seen) == 1


def test_a_repeated_request_carries_the_same_bytes():
    client, seen = answering(httpx.ReadError("lost"), httpx.Response(200, json={}), patience=waiting([]))
    client.post_bytes("/sync/push", b"exactly these", {"Menqian-Signature": "s"})
    sent = [(request.content, request.headers["Menqian-Signature"]) for request in seen]
    assert sent == [(b"exactly these", "s")] * 2


def test_logging_in_keeps_the_token():
    client, seen = answering(httpx.Response(201, json={"token": "new", "user": {"name": "黄"}}), httpx.Response(204))
    assert client.log_in("huang", "secret") == {"name": "黄"}
    client.get("/hello")
    assert seen[1].headers["Authorization"] == "Bearer new"
