"""Checkpoints are stamped once a day by an authority outside, here OpenSSL's own; one that is away stops nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import load_pem_x509_certificates

from server import jobs, timestamps
from server.config import Settings, UnsafeSettings
from tests import bundles
from tests.authority import Authority, running_authority
from tests.server.indoors import Indoors, indoors
from tests.server.pages.conftest import Visitor
from tests.server.tampering import audited
from tests.wire import granted

SCOPE = "320412110"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with running_authority(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture
def office(authority: Authority, tmp_path: Path) -> Iterator[Indoors]:
    authority.asked.clear()
    with indoors(tmp_path / "data") as office:
        state = office.app.extensions["menqian"]
        state.settings = replace(state.settings, tsa_url=authority.url, tsa_ca=authority.ca)
        yield office


def work(office: Indoors, **time: float) -> None:
    """Somebody reports something, and the worker's hour comes round."""
    office.clock.put_on(**time)
    office.known.clear()
    granted(office.admin.post("/sessions", {"username": "root", "password": "Correct-Horse-9-Battery"}), 201)
    office.clock.put_on(seconds=10)
    with office.app.app_context():
        jobs._tick()
        jobs._timestamp()


def stamped(office: Indoors) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = granted(office.person("auditor").get("/journal/timestamps"))["timestamps"]
    return found


def test_a_checkpoint_a_day_is_stamped_and_openssl_agrees(office: Indoors, authority: Authority) -> None:
    work(office)
    work(office)
    one, = stamped(office)
    assert authority.verifies(base64.b64decode(one["response"]), one["note"].encode())
    assert not authority.verifies(base64.b64decode(one["response"]), b"other")
    query, = authority.asked
    assert sha256(one["note"].encode()).digest() in query and one["note"].encode() not in query
    assert int(one["note"].splitlines()[1]) == one["size"]
    found = audited(office)
    assert found["ok"] and found["checked"]["timestamps"] == 1
    kinds = [entry["kind"] for entry in granted(office.person("auditor").get("/journal/entries?limit=100"))["entries"]]
    assert kinds.count("timestamped") == 1
    office.app.extensions["menqian"].settings = replace(
        office.app.extensions["menqian"].settings, tsa_url="", tsa_ca=None)
    assert audited(office)["checked"]["timestamps"] == 1


def test_the_next_day_brings_the_next(office: Indoors, authority: Authority) -> None:
    work(office)
    first = len(stamped(office))
    office.app.extensions["menqian"].settings = replace(
        office.app.extensions["menqian"].settings, login_hours=100)
    office.admin = type(office.admin)(office.url, "root", "Correct-Horse-9-Battery")
    work(office, hours=25)
    assert len(stamped(office)) == first + 1 == len(authority.asked)


def test_an_authority_that_is_away_stops_nothing_and_is_asked_again(office: Indoors, authority: Authority) -> None:
    authority.away = True
    try:
        work(office)
        assert stamped(office) == [] and len(authority.asked) == 1
        assert "尚无" in Visitor(office.url).signed_in(office.admin).see("/audits")
    finally:
        authority.away = False
    work(office)
    one, = stamped(office)
    page = Visitor(office.url).signed_in(office.admin).see("/audits")
    assert "最近的时间戳" in page and f"{one['size']:,}" in page


def test_a_stamp_by_somebody_else_or_over_other_bytes_is_refused(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    with pytest.raises(timestamps.NotStamped, match=r"verif|certificate"):
        timestamps.ask(authority.url, b"bytes", load_pem_x509_certificates(other.ca.read_bytes()))
    trusted = timestamps.authorities(authority.ca)
    answer, at = timestamps.ask(authority.url, b"bytes", trusted)
    assert timestamps.verified(answer, b"bytes", trusted) == at
    for wrong in ({"content": b"other"}, {"answer": b"x"}, {"answer": answer[:-1]}, {"nonce": 1}):
        with pytest.raises(timestamps.NotStamped):
            timestamps.verified(**{"answer": answer, "content": b"bytes", "authorities": trusted, **wrong})
    for url in ("http://127.0.0.1:1/", "http://[", f"{authority.url}/no-such-host\n"):
        with pytest.raises(timestamps.NotStamped):
            timestamps.ask(url, b"bytes", [])


@pytest.mark.parametrize("change", ["at = '2026-01-01T00:00:00.000Z'", "note = 'x'", "response = 'AAAA'",
                                    "size = size + 1"])
def test_a_stamp_that_was_altered_is_found(office: Indoors, tampered: Any, change: str) -> None:
    work(office)
    assert "timestamp_wrong" in tampered(f"UPDATE journal_timestamp SET {change}")["found"]


def test_settings_that_would_believe_anybody_are_refused(authority: Authority, tmp_path: Path) -> None:
    def settings(**given: str) -> Settings:
        return Settings.from_environment({"MENQIAN_DATA": str(tmp_path), **given})

    for given in ({"MENQIAN_TSA_URL": authority.url}, {"MENQIAN_TSA_CA": str(tmp_path / "none.pem")},
                  {"MENQIAN_TSA_URL": "ftp://a", "MENQIAN_TSA_CA": str(authority.ca)}):
        with pytest.raises(UnsafeSettings, match="MENQIAN_TSA"):
            settings(**given)
    assert settings(MENQIAN_TSA_URL=authority.url, MENQIAN_TSA_CA=str(authority.ca)).tsa_ca == authority.ca


def test_a_bundle_carries_the_stamp_over_its_case(office: Indoors, authority: Authority, tmp_path: Path) -> None:
    case = bundles.a_case(office, SCOPE, photos=1)

    def exported(name: str) -> Path:
        answer = office.person("reviewer", scopes=(SCOPE,)).get(f"/reviews/{case.finding}/bundle?profile=court")
        return bundles.unpacked(answer, tmp_path / name)

    assert "No authority outside" in bundles.verify(exported("before")).stdout
    work(office)
    work(office)
    one, = stamped(office)
    bag = exported("after")
    told = bundles.verify(bag, "--key", bundles.key_line(office))
    assert told.returncode == 0, told.stdout
    assert f"before {one['at'][:19]}Z" in told.stdout
    assert "stamped.tsr" in (bag / "index.html").read_text(encoding="utf-8")
    journal = bag / "data" / "journal"
    assert authority.verifies((journal / "stamped.tsr").read_bytes(), (journal / "stamped.txt").read_bytes())
    for name in ("stamped.txt", "stamped.tsr", "stamped.consistency"):
        kept = (journal / name).read_bytes()
        (journal / name).write_bytes(kept[:-9] + bytes([kept[-9] ^ 1]) + kept[-8:])
        found = bundles.verify(bag)
        assert found.returncode == 1 and name in found.stdout
        (journal / name).write_bytes(kept)
