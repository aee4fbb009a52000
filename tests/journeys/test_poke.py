"""Live lines (sync/README.md): a poke when there is something to pull, nothing but a hint, and no thread for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from sync.device.device import Device
from tests.bureau import PASSWORD, Bureau, eventually
from tests.conftest import Engine, installed
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, Wire, a_finding, granted, refused

SCOPE, OTHER = "320413106", "320413108"


class Ear:
    """One open line and what was heard on it."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.heard: list[str] = []
        self.ended = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def pokes(self) -> int:
        return self.heard.count("event: poke")

    def _listen(self) -> None:
        try:
            for text in self.answer.iter_lines():
                self.heard.append(text)
        except httpx.HTTPError:
            self.heard.append("cut")
        self.ended.set()


@contextmanager
def listening(who: Wire, cursor: str | None = None) -> Iterator[Ear]:
    with httpx.Client(timeout=60) as client, client.stream(
            "GET", who.url("/sync/poke"), params={"cursor": cursor} if cursor else {},
            headers={"Authorization": f"Bearer {who.token}"}) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
        line = answer.extensions["network_stream"].get_extra_info("socket")
        ear = Ear(answer)
        try:
            yield ear
        finally:
            with suppress(OSError):  # a thread that waits in recv(2) would keep a closed line open
                line.shutdown(socket.SHUT_RDWR)
            ear.ended.wait(10)


def caught_up(bureau: Bureau, scope: str = SCOPE) -> Handheld:
    device = bureau.handheld(scope)
    device.catch_up()
    return device


def test_a_line_ends_with_the_rights_that_it_was_opened_with(bureau: Bureau) -> None:
    revoked, person = caught_up(bureau), bureau.newcomer("supervisor", scopes=(SCOPE,))
    moved = bureau.handheld(owner=bureau.newcomer("inspector", scopes=(SCOPE,)))
    moved.catch_up()
    stays = caught_up(bureau)
    with listening(revoked, revoked.cursor) as first, listening(moved, moved.cursor) as second, \
            listening(person) as third, listening(stays, stays.cursor) as fourth:
        granted(bureau.admin.post(f"/devices/{revoked.id}/revoke", {"reason": "遗失"}))
        granted(bureau.admin.patch(f"/users/{moved.user['id']}", {"scopes": [OTHER]}))
        person.delete("/sessions/current")
        assert eventually(lambda: first.ended.is_set() and second.ended.is_set() and third.ended.is_set())
        assert not fourth.ended.is_set() and first.pokes == second.pokes == third.pokes == 0
    with listening(moved, moved.cursor) as again:
        assert eventually(lambda: again.pokes), "it has other scopes to pull"


def test_a_change_in_scope_pokes_and_one_elsewhere_does_not(bureau: Bureau) -> None:
    device, far = caught_up(bureau), caught_up(bureau, OTHER)
    writer = bureau.handheld(SCOPE)
    with listening(device, device.cursor) as near, listening(far, far.cursor) as away:
        assert near.pokes == 0
        writer.report(SCOPE)
        assert eventually(lambda: near.pokes)
        assert away.pokes == 0
        heard = [text for text in near.heard if text and not text.startswith(("retry:", ":"))]
        assert set(heard) == {"event: poke", "data: {}"}
        before = near.pokes
        writer.report(SCOPE)
        assert eventually(lambda: near.pokes > before)


def test_a_device_that_is_behind_or_has_no_cursor_is_poked_at_once(bureau: Bureau) -> None:
    device = caught_up(bureau)
    bureau.handheld(SCOPE).report(SCOPE)
    for cursor in (device.cursor, None, "forged"):
        with listening(device, cursor) as ear:
            assert eventually(lambda ear=ear: ear.pokes) == 1


def test_a_settlement_pokes_its_device(bureau: Bureau) -> None:
    device = bureau.handheld(SCOPE)
    outcome, = device.deliver(device.create("finding", OTHER, a_finding()))
    assert outcome["outcome"] == "quarantined"
    device.catch_up()
    supervisor = bureau.person("supervisor", scopes=("320413",))
    entry, = (each for each in granted(supervisor.get("/quarantine"))["items"] if each["device_id"] == device.id)
    with listening(device, device.cursor) as ear:
        granted(supervisor.post(f"/quarantine/{entry['id']}/dismiss", {"reason": "不在辖区"}))
        assert eventually(lambda: ear.pokes)


def test_a_changed_scope_is_news_at_the_next_line(bureau: Bureau, admin: Person) -> None:
    owner = bureau.newcomer("inspector", scopes=(SCOPE,))
    device = bureau.handheld(owner=owner)
    device.catch_up()
    granted(admin.patch(f"/users/{owner.id}", {"scopes": [SCOPE, OTHER]}))
    with listening(device, device.cursor) as ear:
        assert eventually(lambda: ear.pokes)


def test_a_person_is_poked_by_bearer_and_strangers_and_revoked_devices_are_not(bureau: Bureau, server: Server) -> None:
    device, reviewer = caught_up(bureau), bureau.person("reviewer", scopes=(SCOPE,))
    with listening(reviewer) as ear:
        device.report(SCOPE)
        assert eventually(lambda: ear.pokes)
    refused(httpx.get(f"{server.url}/api/v1/sync/poke"), 401, "login_required")
    granted(bureau.admin.post(f"/devices/{device.id}/revoke", {"reason": "丢失"}))
    refused(device.get("/sync/poke"), 401, "device_revoked")


def test_many_lines_take_no_thread_from_the_others(bureau: Bureau, server: Server) -> None:
    device = caught_up(bureau)
    listeners = [caught_up(bureau) for _ in range(5)]
    with ExitStack() as stack:
        ears = [stack.enter_context(listening(each, each.cursor)) for each in listeners for _ in range(3)]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: httpx.get(f"{server.url}/healthz", timeout=20).status_code, range(40)))
        assert answers == [200] * 40
        device.report(SCOPE)
        assert eventually(lambda: all(ear.pokes for ear in ears), within_s=30)


def test_the_oldest_line_of_a_reader_gives_way(bureau: Bureau, admin: Person) -> None:
    device = caught_up(bureau)
    with ExitStack() as stack:
        ears = [stack.enter_context(listening(device, device.cursor)) for _ in range(9)]
        # each web process holds four lines of one reader
        assert eventually(lambda: any(ear.ended.is_set() for ear in ears))
        assert not ears[-1].ended.is_set()


@pytest.fixture(scope="module")
def small(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Bureau]]:
    """An installation that holds few lines, and not for long."""
    server = installed(tmp_path_factory.mktemp("small"), engine.another(), workers=1,
                       settings={"MENQIAN_POKE_LINES": "2"})
    server.start()
    try:
        yield server, Bureau(server.url, Person(server.url, "root", PASSWORD))
    finally:
        server.stop()


def test_beyond_the_bound_the_answer_is_503_and_a_place_that_was_left_is_free(
        small: tuple[Server, Bureau]) -> None:
    _, bureau = small
    first, second, third = (caught_up(bureau) for _ in range(3))
    with listening(first), listening(second):
        answer = third.get("/sync/poke")
        refused(answer, 503, "unavailable", "retry")
        assert int(answer.headers["Retry-After"]) > 0
    assert eventually(lambda: _opens(third))


def _opens(device: Handheld) -> bool:
    with httpx.Client(timeout=30) as client, client.stream(
            "GET", device.url("/sync/poke"), headers={"Authorization": f"Bearer {device.token}"}) as answer:
        return answer.status_code == 200


def test_a_stop_ends_all_lines_at_once_and_a_new_start_takes_them_again(small: tuple[Server, Bureau]) -> None:
    server, bureau = small
    device = caught_up(bureau)
    assert eventually(lambda: _opens(device))
    with listening(device, device.cursor) as ear:
        began = time.monotonic()
        server.stop()
        assert ear.ended.wait(10)
        assert time.monotonic() - began < 10
    server.start()
    with listening(device, device.cursor) as ear:
        device.report(SCOPE)
        assert eventually(lambda: ear.pokes)


def test_the_reference_device_waits_for_a_poke(server: Server, bureau: Bureau, tmp_path: Path) -> None:
    code = bureau.invite(bureau.person("inspector", scopes=(SCOPE,)).username)
    device = Device.enrol(server.url, code, "测试机", tmp_path / "device")
    assert device.wait_for_poke(30)
    device.sync()
    assert not device.wait_for_poke(0.5)
    writer, made = bureau.handheld(SCOPE), list[str]()
    threading.Timer(0.5, lambda: made.append(writer.report(SCOPE))).start()
    assert device.wait_for_poke(60)
    device.sync()
    assert device.get("finding", made[0])


def test_a_device_waits_its_time_out_where_nobody_can_tell(small: tuple[Server, Bureau], tmp_path: Path) -> None:
    server, bureau = small
    code = bureau.invite(bureau.person("inspector", scopes=(SCOPE,)).username)
    waited: list[float] = []
    device = Device.enrol(server.url, code, "测试机", tmp_path / "device")
    device.pull()
    device.client.patience = type(device.client.patience)(tries=1, wait=lambda seconds: waited.append(seconds))
    device.client.base_url = f"{server.url}/nowhere"
    assert not device.wait_for_poke(0.4)
    assert waited
