"""Operation (protocol section 12): health, metrics, description, the command line."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from tests.bureau import PASSWORD, Bureau
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Wire, granted, refused

SCOPE = "320412120"


def test_the_process_lives_and_is_ready(server: Server) -> None:
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    answer = httpx.get(f"{server.url}/readyz")
    assert answer.status_code == 200
    for part in ("database", "media", "queue"):
        assert part in answer.text


def test_metrics_are_in_the_form_of_prometheus(server: Server) -> None:
    answer = httpx.get(f"{server.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE" in answer.text


def test_metrics_tell_what_all_processes_counted(bureau: Bureau) -> None:
    device = bureau.handheld(SCOPE)
    before = counted(bureau, "menqian_gate_seconds_count")
    asked = sum(counted(bureau, "menqian_requests_total").values())
    for done in range(1, 21):  # on new connections, of which any worker may take each
        device.report(SCOPE)
        httpx.get(f"{bureau.url}/healthz")
        now = sum(counted(bureau, "menqian_requests_total").values())
        assert now >= asked + 2 * done
        gate = counted(bureau, "menqian_gate_seconds_count")
        assert all(gate[part] >= before[part] + done for part in ('part="held"', 'part="waited"'))
    assert counted(bureau, "menqian_waiting").keys() == {
        f'what="{what}"' for what in ("held", "quarantined", "unchecked_photos")}
    assert counted(bureau, "menqian_seq")[""] >= 20


def counted(bureau: Bureau, name: str) -> dict[str, float]:
    """The values of one metric by its labels, as one scrape tells them."""
    found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", httpx.get(f"{bureau.url}/metrics").text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


DESCRIBED = {
    "/sessions": "post", "/sessions/current": "delete", "/devices/invitations": "post", "/devices": "post",
    "/users": "post", "/hello": "get", "/sync/push": "post", "/sync/pull": "get", "/sync/verify": "post",
    "/quarantine": "get", "/records": "get", "/uploads": "post", "/zones.geojson": "get", "/zones/import": "post",
    "/roads": "get", "/roads/import": "post",
    "/zones/attribute": "get", "/journal/checkpoint": "get", "/journal/key": "get", "/journal/entries": "get",
    "/journal/inclusion": "get", "/journal/consistency": "get", "/reviews": "get", "/spot-checks": "post",
}


def test_all_of_the_protocol_is_described(bureau: Bureau) -> None:
    description = granted(Wire(bureau.url).get("/openapi.json"))
    paths = {path.removeprefix("/api/v1"): verbs for path, verbs in description["paths"].items()}
    missing = [path for path, verb in DESCRIBED.items() if verb not in paths.get(path, {})]
    assert not missing


@pytest.mark.parametrize(("verb", "path", "status"), [
    ("GET", "/api/v1/nowhere", 404), ("DELETE", "/api/v1/hello", 405), ("PUT", "/api/v1/sync/push", 405),
    ("GET", "/api/v1/../../etc/passwd", 404), ("GET", "/api/v1/records/finding/%00", 404)])
def test_unknown_paths_and_verbs_are_problems(bureau: Bureau, verb: str, path: str, status: int) -> None:
    person = bureau.person("inspector")
    answer = person.http.request(verb, bureau.url + path)
    if path.startswith("/api/v1/.."):
        assert answer.status_code == 404
    else:
        refused(answer, (status, 422) if "%00" in path else status)


def test_the_doctor_finds_nothing_wrong(server: Server) -> None:
    done = server.cli("doctor", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_verify_prints_json_and_holds(server: Server) -> None:
    done = server.cli("verify", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert isinstance(json.loads(done.stdout), dict)


def test_initialising_again_changes_nothing(server: Server, bureau: Bureau) -> None:
    person = bureau.person("inspector", scopes=(SCOPE,))
    epoch = person.hello()["epoch"]
    server.cli("init")
    assert person.hello()["epoch"] == epoch


def test_a_restart_forgets_nothing(server: Server, bureau: Bureau) -> None:
    device = bureau.handheld(SCOPE)
    finding = device.report(SCOPE)
    device.catch_up()
    before = device.hello()
    server.restart()
    after = device.hello()
    assert after["epoch"] == before["epoch"]
    assert after["device"] == {"id": device.id, "last_n": 1}
    assert device.owner.record("finding", finding)["version"] == 1
    assert granted(device.pull(device.cursor))["changes"] == []
    outcome, = device.deliver(device.edit("finding", finding, 1, set={"text": "重启之后"}))
    assert outcome["version"] == 2


@pytest.mark.parametrize("arguments", [
    ("user", "add", "bad-role", "--name", "x", "--role", "wizard", "--scope", "3204", "--password-stdin"),
    ("user", "add", "root", "--name", "x", "--role", "admin", "--scope", "32", "--password-stdin"),
    ("device", "invite", "nobody-of-that-name"), ("zones", "import", "no-such-file.geojson"), ("fly",)])
def test_a_command_that_cannot_be_ends_in_a_clear_sentence(server: Server, arguments: tuple[str, ...]) -> None:
    done = server.cli(*arguments, stdin=PASSWORD + "\n", check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def device_at(device: Handheld, server: Server) -> Handheld:
    """The same device with the same token and key, talking to another server."""
    moved = object.__new__(Handheld)
    moved.__dict__.update(device.__dict__, root=server.url, rows={}, settled=[])
    return moved
