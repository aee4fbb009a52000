"""A real server of its own and phones to hold against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.bureau import PASSWORD, Bureau, with_root
from tests.patrols import HERE, SHOPS, a_street, begin, inspector_of
from tests.phones import Phone
from tests.running import Server
from tests.wire import Person


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """An installation of its own, so that its queue holds only what these tests put there."""
    server = with_root(Server(tmp_path_factory.mktemp("handheld"))).start()
    try:
        yield Bureau(server.url, Person(server.url, "root", PASSWORD))
    finally:
        server.stop()


@pytest.fixture
def phone(chromium: Browser, office: Bureau) -> Iterator[Callable[..., Phone]]:
    """Hands out phones, not yet enrolled; nothing may have been complained about when the test ends."""
    phones: list[Phone] = []

    def take(**options: object) -> Phone:
        phones.append(Phone(chromium, office.url, **options))
        return phones[-1]

    yield take
    for one in phones:
        one.close()
        assert one.complaints == []


@pytest.fixture(scope="session")
def street(office: Bureau) -> dict[str, str]:
    return a_street(office)


@pytest.fixture
def inspector(phone: Callable[..., Phone], office: Bureau, street: dict[str, str]) -> Callable[..., Phone]:
    """Hands out phones of the street's inspector that have its zones and, unless `online`, no network any more."""
    def take(*, online: bool = False, **options: object) -> Phone:
        one = phone(**options)
        one.context.set_geolocation(HERE)
        one.enrol(office.invite(inspector_of(office).username))
        one.see("/map").get_by_text(f"{len(SHOPS)} 个责任区").wait_for(timeout=20_000)
        begin(one)  # its scripts are there, then
        one.context.set_offline(not online)
        return one
    return take
