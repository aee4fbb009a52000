"""Photos move to another store while the server serves: copied, compared by digest, held there, and then used."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from media.stores import open_store
from media.stores.contract import key_of
from tests.bureau import PASSWORD, Bureau, a_photo, eventually
from tests.conftest import Engine, Places, installed
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, sha256

SCOPE = "320412114"
pytestmark = pytest.mark.slow


@pytest.fixture
def own(engine: Engine, tmp_path: Path) -> Iterator[Server]:
    server = installed(tmp_path / "own", engine.another()).start()
    yield server
    server.stop()


@pytest.fixture
def target(places: Places) -> str:
    """A new bucket with Object Lock; the old store is a directory in one engine, a bucket without it in the other."""
    grown = places.once(("engine", "grown"), lambda: places.engine("grown"))
    return str(grown.another().media_url) + "&lock=hold"


@pytest.fixture
def device(own: Server) -> Handheld:
    return Bureau(own.url, Person(own.url, "root", PASSWORD)).handheld(SCOPE)


def photographed(device: Handheld) -> Callable[[], bool]:
    """A photo of an open case is delivered; tells whether it is checked."""
    content = a_photo()
    evidence = device.capture(SCOPE, content, ("finding", device.report(SCOPE)))
    device.deliver(evidence)
    assert device.upload(content).status_code == 204
    return lambda: bool(device.owner.record("evidence", evidence["record_id"])["fields"]["media"]["state"]
                        == "verified")


def media_url(server: Server) -> str:
    return server.environment.get("MENQIAN_MEDIA_URL") or (server.directory / "data" / "media").as_uri()


def moved(server: Server, target: str, *options: str, code: int = 0) -> dict[str, Any]:
    done = server.cli("media", "move", *options, "-", stdin=target + "\n", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_all_move_while_more_come_and_the_server_goes_on_with_the_new_store(own: Server, device: Handheld,
                                                                            target: str) -> None:
    checks = [photographed(device) for _ in range(3)]
    over = threading.Event()

    def keep_coming() -> None:
        while not over.is_set():
            checks.append(photographed(device))

    coming = threading.Thread(target=keep_coming)
    coming.start()
    try:
        first = moved(own, target)
    finally:
        over.set()
        coming.join()
    assert first["copied"] >= 3 and first["stood"] == 0 and "secret" not in first["to"]
    assert all(eventually(check, within_s=60) for check in checks)
    second = moved(own, target)
    assert second["photos"] == len(checks) and second["renditions"] == 2 * len(checks)
    assert second["copied"] + second["stood"] == 3 * len(checks) and second["holds"] == len(checks)
    own.stop()
    old, own.environment["MENQIAN_MEDIA_URL"] = media_url(own), target
    own.start()
    again = moved(own, target, "--from", old)
    assert (again["copied"], again["stood"], again["missing"], again["damaged"]) == (0, 3 * len(checks), [], [])
    found = json.loads(own.cli("verify").stdout)
    assert found["ok"] and found["holding"] and found["checked"]["holds"] == len(checks)
    assert eventually(photographed(device), within_s=60)
    assert eventually(lambda: json.loads(own.cli("verify", check=False).stdout)["checked"]["holds"] == len(checks) + 1)
    assert "ok   holds: on" in own.cli("doctor", check=False).stdout


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_what_is_missing_or_damaged_is_named_and_all_else_moves(own: Server, device: Handheld, target: str) -> None:
    for check in [photographed(device) for _ in range(4)]:
        assert eventually(check, within_s=60)
    root, new = own.directory / "data" / "media", open_store(target)
    own.cli("verify")
    digests = [path.name for path in sorted((root / "sha256").glob("*/*")) if path.stat().st_size > 20_000]
    originals = [digest for digest in digests if device.owner.head(f"/media/{digest}").status_code == 200][:3]
    gone, damaged, elsewhere = originals
    (root / key_of(gone)).unlink()
    (root / key_of(damaged)).chmod(0o600)
    (root / key_of(damaged)).write_bytes(b"other bytes")
    new.check()
    new._client.put_object(Bucket=new.bucket, Key=key_of(elsewhere), Body=b"other bytes")
    found = moved(own, target, code=1)
    assert (found["missing"], found["damaged"], found["copied"]) == ([gone], [damaged], 10)
    assert new.holds(elsewhere) and new.holds(gone) is None and new.holds(damaged) is None
    assert (root / key_of(elsewhere)).exists(), "nothing goes from the old store"
    (root / key_of(damaged)).unlink()
    (root / key_of(damaged)).write_bytes(b"".join(new.open(elsewhere)))
    assert moved(own, target, code=1)["damaged"] == [damaged]


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
def test_a_killed_move_is_run_again_and_one_that_makes_no_sense_is_refused(own: Server, device: Handheld,
                                                                           tmp_path: Path) -> None:
    assert eventually(photographed(device), within_s=60)
    new = (tmp_path / "new").as_uri()
    own.cli_killed("server.media_move._holds", "media", "move", new)
    assert moved(own, new)["stood"] == 3
    for to, said in ((media_url(own), "both stores are"), ("s3://bucket?lock=never", "lock is one of"),
                     ("s3://bucket?endpoint_url=http://192.0.2.1", "unencrypted"), ("nowhere", "a media store is")):
        done = own.cli("media", "move", to, check=False)
        assert done.returncode in (1, 2) and said in done.stderr and "Traceback" not in done.stderr
    full = own.cli("media", "move", f"file://{own.log}/under-a-file", check=False)
    assert full.returncode == 1 and "media" in full.stderr and "Traceback" not in full.stderr
    assert sha256(b"") not in {path.name for path in (tmp_path / "new").rglob("*")}
