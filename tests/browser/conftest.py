"""A real server and Debian's chromium; whatever the browser complains about on the way fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.bureau import PASSWORD, Bureau, a_photo, eventually, with_root
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, position

DESK, PHONE = {"width": 1366, "height": 768}, {"width": 360, "height": 740}
SCOPE = "320412100"
PLACE = (119.9476, 31.7013)


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """An installation of its own, so that its queue holds only what these tests put there."""
    server = with_root(Server(tmp_path_factory.mktemp("browser"))).start()
    try:
        yield Bureau(server.url, Person(server.url, "root", PASSWORD))
    finally:
        server.stop()


class Desk:
    """A person at a browser. `complaints` are errors of scripts and of the policy; refused forms are none."""

    def __init__(self, browser: Browser, url: str, person: Person) -> None:
        self.url = url
        self.complaints: list[str] = []
        self.page: Page = browser.new_context(viewport=DESK, locale="zh-CN", accept_downloads=True).new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)
        self.see("/sign-in")
        self.page.fill("[name=username]", person.username)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click(".sign-in button.primary")
        self.page.wait_for_url(lambda where: "sign-in" not in where)

    def see(self, path: str) -> None:
        self.page.goto(self.url + path)
        self.page.wait_for_load_state("networkidle")

    def overflow_px(self) -> int:
        """How much wider the page is than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)


@pytest.fixture(scope="session")
def device(office: Bureau) -> Handheld:
    return office.handheld(SCOPE)


def photographed(device: Handheld, text: str, photos: int = 1) -> str:
    """The id of a finding whose photos are checked."""
    finding = device.report(SCOPE, text=text, position=position(*PLACE))
    for role in ("scene", "close", "sign", "after")[:photos]:
        content = a_photo()
        capture = device.capture(SCOPE, content, ("finding", finding), role=role, position=position(*PLACE))
        device.deliver(capture)
        assert device.upload(content).status_code == 204
        assert eventually(partial(is_checked, device, capture["record_id"]), within_s=30)
    return finding


def is_checked(device: Handheld, evidence: str) -> bool:
    return bool(device.owner.record("evidence", evidence)["fields"]["media"]["state"] == "verified")


@pytest.fixture
def seat(chromium: Browser, office: Bureau) -> Iterator[Callable[[str], Desk]]:
    """Seats somebody of a role; nothing may have been complained about when the test ends."""
    desks: list[Desk] = []

    def sit(role: str) -> Desk:
        desks.append(Desk(chromium, office.url, office.person(role, scopes=(SCOPE,))))
        return desks[-1]

    yield sit
    for desk in desks:
        desk.page.context.close()
        assert desk.complaints == []
