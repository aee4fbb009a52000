import stat
from contextlib import suppress

import pytest

from sync.device.store import FILE_NAME, SCHEMAS, Store


def test_settings_outlive_the_process(tmp_path):
    Store(tmp_path).put("cursor", {"at": [1, "湖塘"]})
    assert Store(tmp_path).get("cursor") == {"at": [1, "湖塘"]}


def test_an_absent_setting_is_its_default(store):
    store.put("cursor", "c")
    store.put("cursor", None)
    assert store.get("cursor") is None and store.get("cursor", 7) == 7


def test_a_failed_transaction_leaves_nothing(store):
    with suppress(ZeroDivisionError), store.transaction():
        store.put("cursor", "c")
        with store.transaction():
            store.put("epoch", "e")
        raise ZeroDivisionError
    assert store.get("cursor") is None and store.get("epoch") is None and not store.busy


def test_a_commit_is_on_disk_when_it_returns(store):
    assert store.one("PRAGMA synchronous") == 2 and store.one("PRAGMA journal_mode") == "wal"


def test_only_the_owner_reads_the_file(tmp_path):
    Store(tmp_path / "device")
    assert stat.S_IMODE((tmp_path / "device" / FILE_NAME).stat().st_mode) == 0o600


def test_a_file_of_newer_software_is_refused_and_left_alone(tmp_path):
    store = Store(tmp_path)
    store.run(f"PRAGMA user_version = {len(SCHEMAS) + 1}")
    store.close()
    with pytest.raises(RuntimeError, match="newer software"):
        Store(tmp_path)


def test_times_that_an_older_version_took_from_the_devices_clock_are_forgotten(tmp_path):
    store = Store(tmp_path)
    store.run("INSERT INTO file (sha256, bytes, media_type, added_at, state, verified_at)"
              " VALUES ('ab', 1, 'image/jpeg', '', 'verified', '2025-01-01T00:00:00.000Z')")
    store.run("PRAGMA user_version = 2")
    store.close()
    assert Store(tmp_path).one("SELECT verified_at FROM file") is None
