"""One edition of the handheld: what is served, under which policy, for how long, and how large it is."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from flask.testing import FlaskClient
from PIL import Image

from server.config import Settings, UnsafeSettings
from server.handheld.edition import APP, TOLD_DIGITS, edition
from tests.server.indoors import indoors

BUDGET_BYTES = 250_000
ROOT = "/handheld"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    with indoors(tmp_path_factory.mktemp("edition")) as office:
        yield office.app.test_client()


def told(script: str) -> dict[str, object]:
    """What the line in front of the worker says."""
    line, _, _ = script.partition("\n")
    found: dict[str, object] = json.loads(line.removeprefix("self.EDITION = ").removesuffix(";"))
    return found


def test_each_file_is_served_under_its_version_for_ever_with_the_digest_that_the_worker_expects(client):
    said = told(client.get(f"{ROOT}/worker.js").text)
    assert said["version"] == edition().version and len(said["files"]) > 20
    for name, sha256 in said["files"].items():
        answer = client.get(f"{ROOT}/{said['version']}/{name}")
        assert answer.status_code == 200 and hashlib.sha256(answer.data).hexdigest()[:TOLD_DIGITS] == sha256, name
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = client.get(f"{ROOT}/{said['version']}/{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    assert hashlib.sha256(client.get(f"{ROOT}/").data).hexdigest()[:TOLD_DIGITS] == said["shell"]


def test_scripts_and_styles_have_the_types_that_browsers_insist_on(client):
    for name, kind in (("main.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml"),
                       ("reference.json", "application/json"), ("icon-192.png", "image/png")):
        assert client.get(f"{ROOT}/{edition().version}/{name}").mimetype == kind


@pytest.mark.parametrize("path", ["0123456789abcdef/main.js", "{version}/nothing.js", "{version}/device/types.d.ts",
                                  "{version}/package.json", "{version}/../edition.py", "{version}/worker.js",
                                  "{version}/vendor/preact/LICENSE"])
def test_another_edition_and_what_is_no_file_of_this_one_are_not_found(client, path):
    answer = client.get(f"{ROOT}/{path.format(version=edition().version)}")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert "immutable" not in answer.headers.get("Cache-Control", "")


@pytest.mark.parametrize("path", ["/", "/worker.js", "/worker-classic.js", "/manifest.webmanifest"])
def test_what_has_no_version_in_its_address_is_asked_for_again(client, path):
    answer = client.get(ROOT + path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


def test_without_the_slash_it_leads_to_where_the_scope_begins(client):
    assert client.get(ROOT).status_code == 308


def test_the_policy_lets_nothing_in_but_our_own_files_and_the_import_map(client):
    page = client.get(f"{ROOT}/")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
    inline = re.findall(r'<script type="importmap">(.*?)</script>', page.text)
    digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
    assert policy["default-src"] == "'none'" and policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert (policy["style-src"], policy["connect-src"], policy["worker-src"]) == ("'self'",) * 3
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert len(inline) == 1 and page.text.count("<script") == 2
    assert " style=" not in page.text and " on" not in re.sub(r">[^<]*<", "><", page.text)
    assert client.get(f"{ROOT}/worker.js").headers["Content-Security-Policy"] == \
        page.headers["Content-Security-Policy"]


def test_map_tiles_come_only_from_the_host_that_a_setting_names(tmp_path):
    with indoors(tmp_path, MENQIAN_TILE_URL="https://{s}.tiles.example:8443/{z}/{x}/{y}.png") as office:
        client = office.app.test_client()
        page = client.get(f"{ROOT}/")
        version = told(client.get(f"{ROOT}/worker.js").text)["version"]
        said = client.get(f"{ROOT}/{version}/reference.json").json
    assert "img-src 'self' data: blob: https://*.tiles.example:8443;" in page.headers["Content-Security-Policy"]
    assert said["map"] == {"tile_url": "https://{s}.tiles.example:8443/{z}/{x}/{y}.png"}
    assert version != edition().version


def test_a_setting_of_tiles_cannot_write_another_policy(tmp_path):
    with pytest.raises(UnsafeSettings, match="MENQIAN_TILE_URL"):
        Settings.from_environment({"MENQIAN_DATA": str(tmp_path),
                                   "MENQIAN_TILE_URL": "https://tiles.example; script-src */{z}/{x}/{y}"})


def test_every_address_on_the_page_is_of_this_edition(client):
    page = client.get(f"{ROOT}/").text
    named = re.findall(r'"(/handheld/[^"]+)"', page)
    assert "{version}" not in page and len(named) >= 6
    for address in named:
        assert client.get(address).status_code == 200, address


def test_the_worker_imports_from_its_own_edition_and_the_classic_one_imports_nothing(client):
    module, classic = (client.get(f"{ROOT}/{name}").text for name in ("worker.js", "worker-classic.js"))
    imports = re.compile(r'\bimport\b[^;]*?"([^"]*)";')
    assert imports.findall(module.partition("\n")[2]) == [f"{ROOT}/{edition().version}/delivering.js"]
    assert not imports.search(classic.partition("\n")[2]) and " = null;" in classic and told(module) == told(classic)


def test_any_change_of_a_file_is_another_edition():
    here = edition()
    one, files = next(iter(here.files)), dict(here.files)
    files[one] = type(files[one])(b"other", files[one].media_type, hashlib.sha256(b"other").hexdigest())
    versions = {type(here)(*parts).version for parts in (
        (here.files, here._shell, here._worker), (files, here._shell, here._worker),
        (here.files, here._shell + " ", here._worker), (here.files, here._shell, here._worker + " "))}
    assert len(versions) == 4 and here.version in versions


def test_it_can_be_installed(client):
    manifest = client.get(f"{ROOT}/manifest.webmanifest")
    said = manifest.json
    assert manifest.mimetype == "application/manifest+json"
    assert (said["display"], said["start_url"], said["scope"], said["id"]) == ("standalone", *[f"{ROOT}/"] * 3)
    assert said["name"] and said["short_name"]
    assert {(one["sizes"], one["purpose"]) for one in said["icons"]} >= {
        ("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}
    for one in said["icons"]:
        answer = client.get(one["src"])
        assert answer.mimetype == one["type"]
        if one["type"] == "image/png":
            assert "x".join(map(str, Image.open(io.BytesIO(answer.data)).size)) == one["sizes"]
    apple = re.search(r'<link rel="apple-touch-icon" href="([^"]+)"', client.get(f"{ROOT}/").text)
    assert apple
    picture = Image.open(io.BytesIO(client.get(apple[1]).data))
    assert picture.size == (180, 180) and picture.convert("RGBA").getchannel("A").getextrema() == (255, 255)


@pytest.mark.parametrize(("coding", "decode"), [("gzip", gzip.decompress), ("br", brotli.decompress)])
def test_all_scripts_together_are_light_enough_for_a_slow_line(client, coding, decode):
    version, scripts = edition().version, {name: one for name, one in edition().files.items() if name.endswith(".js")}
    sizes = {}
    for path in ["worker.js", *(f"{version}/{name}" for name in scripts)]:
        answer = client.get(f"{ROOT}/{path}", headers={"Accept-Encoding": coding})
        assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == (coding, "Accept-Encoding")
        assert decode(answer.data) == client.get(f"{ROOT}/{path}").data
        sizes[path] = len(answer.data)
    assert sum(sizes.values()) <= BUDGET_BYTES, sorted(sizes.items(), key=lambda item: -item[1])[:10]


def test_no_script_writes_markup_or_reaches_out():
    """Data is never markup, and nothing is loaded from elsewhere: our own scripts have no way to do either."""
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://(?!www\.w3\.org)")
    own = [path for path in sorted(Path(APP).rglob("*.js")) if "vendor" not in path.parts]
    found = [f"{path.relative_to(APP)}:{number}" for path in own
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
             if forbidden.search(line) and not line.strip().startswith(("//", "*", "/**"))]
    assert found == []
