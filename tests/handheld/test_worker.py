"""The service worker in Debian's chromium: without a network, at an update, with two windows, with a damaged file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.bureau import PASSWORD, Bureau, eventually, with_root
from tests.editions import Editions
from tests.phones import ARGUMENTS, CHROMIUM
from tests.wire import Person, granted

SIZE = {"width": 360, "height": 640}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editions]:
    with pytest.MonkeyPatch.context() as patch:
        server = with_root(Editions(tmp_path_factory.mktemp("editions"), patch))
        yield server
        server.kill()


@pytest.fixture
def server(installed: Editions) -> Editions:
    """It serves some edition; the browser of each test is new."""
    return installed if installed.process else installed.start()


@pytest.fixture
def phone(play: Playwright, tmp_path: Path) -> Iterator[BrowserContext]:
    context = play.chromium.launch_persistent_context(
        str(tmp_path / "profile"), executable_path=str(CHROMIUM), args=ARGUMENTS, viewport=SIZE, locale="zh-CN")
    context.set_default_timeout(60_000)
    yield context
    context.close()


def opened(phone: BrowserContext, url: str) -> Page:
    page = phone.new_page()
    page.goto(f"{url}/handheld/")
    page.wait_for_selector("#app > :not(.loading)")
    return page


def kept(page: Page) -> None:
    """Wait until the page's edition is kept for use without a network."""
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")


def version(page: Page) -> str:
    found: str = page.evaluate("document.querySelector('link[rel=stylesheet]').href.split('/')[4]")
    return found


def caches(page: Page) -> dict[str, list[str]]:
    found: dict[str, list[str]] = page.evaluate("""async () => {
        const found = {};
        for (const name of await caches.keys()) {
            found[name] = (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname);
        }
        return found;
    }""")
    return found


def later(page: Page, edition: str) -> str:
    """What a script says that the page asks for only now."""
    said: str = page.evaluate("(of) => import(`/handheld/${of}/later.js`).then((one) => one.said)", edition)
    return said


def asked_for(server: Editions, endpoint: str) -> float:
    """How often the server answered that."""
    told = re.findall(rf'^menqian_requests_total\{{endpoint="{endpoint}".*\}} (.*)$',
                      httpx.get(f"{server.url}/metrics").text, re.MULTILINE)
    return sum(map(float, told))


def offer(page: Page) -> Any:
    return page.get_by_role("button", name="更新", exact=True)


def changed(server: Editions) -> str:
    """Another edition under the same address; gives what the one before said."""
    before = server.said
    server.stop()
    server.change()
    server.start()
    return before


def told_of_update(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.getRegistration().then((its) => its.update())")
    offer(page).wait_for()


def test_from_the_second_start_on_it_opens_without_a_network(server, phone):
    page = opened(phone, server.url)
    kept(page)
    seen = page.inner_text("#app")
    page.close()
    server.stop()
    again = phone.new_page()
    failures: list[str] = []
    again.on("requestfailed", lambda request: failures.append(request.url))
    answer = again.goto(f"{server.url}/handheld/?code=AAAAA-BBBBB-CCCCC#/tasks")
    assert answer.from_service_worker and answer.status == 200
    assert "script-src" in answer.headers["content-security-policy"]
    again.wait_for_selector("#app > :not(.loading)")
    assert again.inner_text("#app") == seen
    assert later(again, version(again)) == server.said
    assert [url for url in failures if f"/{version(again)}/" in url] == []


def test_a_browser_whose_workers_take_no_modules_opens_without_a_network_too(server, phone):
    page = phone.new_page()
    page.add_init_script("""const its = ServiceWorkerContainer.prototype, register = its.register;
        its.register = function (url, options) {
            if (options?.type === "module") return Promise.reject(new TypeError("no modules"));
            return register.call(this, url, options);
        };""")
    page.goto(f"{server.url}/handheld/")
    kept(page)
    assert page.evaluate("navigator.serviceWorker.controller.scriptURL") == f"{server.url}/handheld/worker-classic.js"
    server.stop()
    assert page.reload().from_service_worker
    page.wait_for_selector("#app > :not(.loading)")


def test_only_the_files_of_the_edition_are_kept_and_calls_pass_it_by(server, phone):
    page = opened(phone, server.url)
    kept(page)
    answers: dict[str, bool] = {}
    page.on("response", lambda answer: answers.update({answer.url: answer.from_service_worker}))
    for path in ("/api/v1/journal/key", "/healthz", "/handheld/manifest.webmanifest"):
        page.evaluate("(path) => fetch(path).then((answer) => answer.text())", path)
    page.evaluate("(path) => fetch(path, {method: 'POST'})", f"/handheld/{version(page)}/main.js")
    page.evaluate("fetch('/handheld/')")
    assert answers and not any(answers.values()), answers
    (name, paths), = caches(page).items()
    assert name == f"menqian-handheld-{version(page)}"
    assert all(path == "/handheld/" or path.startswith(f"/handheld/{version(page)}/") for path in paths)


def test_an_update_is_offered_and_begins_when_it_is_tapped(server, phone):
    page = opened(phone, server.url)
    kept(page)
    first = version(page)
    before = changed(server)
    page.reload()
    assert version(page) == first  # nobody asked for another
    told_of_update(page)
    assert offer(page).bounding_box()["height"] >= 48
    assert version(page) == first and len(caches(page)) == 2
    assert later(page, first) == before
    with page.expect_navigation():
        offer(page).click()
    page.wait_for_selector("#app > :not(.loading)")
    second = version(page)
    assert second != first
    assert later(page, second) == server.said
    assert eventually(lambda: list(caches(page)) == [f"menqian-handheld-{second}"])


def test_a_look_for_news_costs_the_worker_alone(server, phone):
    page = opened(phone, server.url)
    kept(page)
    worker, files = asked_for(server, "handheld.worker"), asked_for(server, "handheld.file")
    page.reload()
    page.evaluate("navigator.serviceWorker.getRegistration().then((its) => its.update())")
    assert asked_for(server, "handheld.worker") > worker
    assert asked_for(server, "handheld.file") == files


def test_a_window_of_the_old_edition_runs_to_its_end_beside_one_of_the_new(server, phone):
    old, new = opened(phone, server.url), opened(phone, server.url)
    kept(old)
    first = version(old)
    before = changed(server)
    told_of_update(new)
    with new.expect_navigation():
        offer(new).click()
    assert eventually(lambda: version(new) != first, within_s=60)
    assert later(old, first) == before
    offer(old).wait_for()
    old.evaluate("location.hash = '/letter'")  # where something may be half done it is not offered
    offer(old).wait_for(state="hidden")
    assert len(caches(new)) == 2
    old.close()
    new.reload()
    assert eventually(lambda: len(caches(new)) == 1)


class Spoiling(BaseHTTPRequestHandler):
    """A line to the server on which, as long as `spoils`, one file arrives with other bytes."""

    protocol_version = "HTTP/1.1"
    office = httpx.Client()
    spoils = False

    def do_GET(self) -> None:
        answer = self.office.get(self.path)
        content = answer.content + b" " if self.spoils and self.path.endswith("/later.js") else answer.content
        self.send_response(answer.status_code)
        for name in ("Content-Type", "Content-Security-Policy", "Cache-Control"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(ConnectionError):  # the browser did not want it any more
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """A test prints nothing."""


@pytest.fixture
def line(server: Editions) -> Iterator[str]:
    Spoiling.spoils = False
    with httpx.Client(base_url=server.url) as Spoiling.office, \
            ThreadingHTTPServer(("127.0.0.1", 0), Spoiling) as line:
        line.daemon_threads = True
        Thread(target=line.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{line.server_port}"
        line.shutdown()


def test_an_edition_that_does_not_come_whole_never_begins(server, phone, line):
    page = opened(phone, line)
    kept(page)
    first = version(page)
    before = changed(server)
    Spoiling.spoils = True
    state = page.evaluate("""navigator.serviceWorker.getRegistration().then(async (its) => {
        await its.update();
        const coming = its.installing;
        const over = () => !coming || ["installed", "redundant"].includes(coming.state);
        while (!over()) await new Promise((on) => setTimeout(on, 50));
        return coming?.state;
    })""")
    assert state == "redundant"
    page.reload()
    assert version(page) == first and later(page, first) == before and offer(page).count() == 0
    Spoiling.spoils = False
    told_of_update(page)


def test_a_file_that_the_cache_lost_is_put_back_at_the_next_start(server, phone):
    page = opened(phone, server.url)
    kept(page)
    cache = f"menqian-handheld-{version(page)}"
    lost = f"/handheld/{version(page)}/reference.json"
    assert page.evaluate("([name, path]) => caches.open(name).then((one) => one.delete(path))", [cache, lost])
    page.reload()
    assert eventually(lambda: lost in caches(page)[cache])


def test_what_waits_is_delivered_with_no_page_open(server, phone):
    bureau = Bureau(server.url, Person(server.url, "root", PASSWORD))
    code = bureau.invite(bureau.person("inspector").username)
    page = opened(phone, server.url)
    kept(page)
    finding = page.evaluate("""async ([version, code]) => {
        const { enrolDevice } = await import(`/handheld/${version}/device/device.js`);
        const reference = await (await fetch(`/handheld/${version}/reference.json`)).json();
        const device = await enrolDevice({ base: "", code, name: "测试机", reference });
        const id = await device.create("finding", { class_scheme: "GB/T 30428.2-2013:event", class_code: "0504",
            text: "门前堆物", address: "武宜路2号", observed_at: new Date().toISOString() }, "320412100");
        device.close();
        return id;
    }""", [version(page), code])
    found: list[dict[str, Any]] = []
    line = phone.new_cdp_session(page)
    line.on("ServiceWorker.workerRegistrationUpdated", lambda said: found.extend(said["registrations"]))
    line.send("ServiceWorker.enable")
    assert eventually(lambda: page.wait_for_timeout(50) or found)
    page.goto("about:blank")
    assert bureau.admin.get(f"/records/finding/{finding}").status_code == 404
    line.send("ServiceWorker.dispatchSyncEvent", {"origin": server.url, "registrationId": found[0]["registrationId"],
                                                  "tag": "menqian", "lastChance": False})
    assert eventually(lambda: page.wait_for_timeout(100) or bureau.admin.get(
        f"/records/finding/{finding}").status_code == 200, within_s=60)
    assert granted(bureau.admin.get(f"/records/finding/{finding}"))["fields"]["text"] == "门前堆物"
