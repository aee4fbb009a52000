"""The face of the device: opening, refusing, and what a power cut leaves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sync.device.device import Device
from tests.sync.device.office import SCOPE, URL, report

ROOT = Path(__file__).resolve().parents[3]
ENROLMENT = {"device_id": "device-1", "token": "t", "user": {"username": "huang"}, "scopes": [SCOPE]}
WORKING = """
import sys
from pathlib import Path
from sync.device.device import Device

device = Device(Path(sys.argv[1]), base_url="http://menqian.test")
while True:
    with device.group():
        finding = device.create("finding", {"text": "a"}, "320412100")
        photo = device.capture(b"\\xff\\xd8\\xff" + finding.encode(), about=("finding", finding), role="scene")
    print(finding, photo, flush=True)
"""


def enrolled(directory):
    """A device as an enrolment left it, without any server."""
    device = Device(directory, base_url=URL)
    device.identity.take(ENROLMENT, None)
    return device


def test_what_was_made_outlives_a_power_cut(tmp_path):
    enrolled(tmp_path / "a").close()
    made = []
    for _ in range(3):
        worker = subprocess.Popen([sys.executable, "-c", WORKING, str(tmp_path / "a")], cwd=ROOT, text=True,
                                  stdout=subprocess.PIPE)
        made += [worker.stdout.readline().split() for _ in range(5)]
        os.kill(worker.pid, signal.SIGKILL)
        made += [line.split() for line in worker.communicate()[0].splitlines() if len(line) == 73]
    device = Device.open(tmp_path / "a")
    unsent = device.unsent()
    assert [each["n"] for each in unsent] == list(range(1, len(unsent) + 1))
    assert {id for pair in made for id in pair} <= {each["record_id"] for each in unsent}
    assert {each["group"] for each in unsent[0::2]} == {each["group"] for each in unsent[1::2]}
    captures = [each["set"]["capture"]["seq"] for each in unsent if each["type"] == "evidence"]
    assert captures == list(range(1, len(captures) + 1))
    assert all(device.files.sound(file.sha256) for file in device.photos()) and len(device.photos()) == len(captures)


def test_only_an_enrolled_device_can_be_opened(tmp_path):
    with pytest.raises(FileNotFoundError):
        Device.open(tmp_path / "a")
    Device(tmp_path / "a", base_url=URL).close()
    with pytest.raises(FileNotFoundError):
        Device.open(tmp_path / "a")


def test_a_directory_holds_one_device(tmp_path):
    enrolled(tmp_path / "a").close()
    with pytest.raises(FileExistsError):
        Device.enrol(URL, "code", "测试机", tmp_path / "a")


def test_what_is_not_there_cannot_be_edited(tmp_path):
    device = enrolled(tmp_path / "a")
    with pytest.raises(LookupError):
        device.edit("finding", "unknown", {"text": "a"})
    device.edit("finding", "unknown", {"text": "a"}, base=3)
    assert [each["base"] for each in device.unsent()] == [3]


def test_within_a_group_nothing_is_sent(tmp_path):
    device = enrolled(tmp_path / "a")
    for talk in (device.sync, device.push, device.pull, device.upload):
        with pytest.raises(RuntimeError, match="group"), device.group():
            talk()


def test_what_the_server_holds_otherwise_is_found(device):
    report(device)
    device.sync()
    device.store.run("UPDATE row SET version = version + 1 WHERE type = 'finding'")
    assert device.verify() == [(SCOPE, "finding")]
