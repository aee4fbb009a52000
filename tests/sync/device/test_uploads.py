"""Photos against the real server: each arrives whole and once, and nothing here is removed too early."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sync.device.client import Problem, Unreachable
from sync.device.device import Device
from sync.device.faulty import Odds
from sync.device.uploads import TUS
from tests.bureau import a_photo
from tests.sync.device.office import HURRIED, SCOPE, Office, quiet, report

CHUNK = 4096


class Counting(httpx.BaseTransport):
    """Counts the bytes of each PATCH on its way to the server; `breaks_after` loses the requests that come later."""

    def __init__(self, inner, breaks_after=None):
        self.inner, self.breaks_after = inner, breaks_after
        self.sent = []

    def handle_request(self, request):
        if request.method == "PATCH":
            if self.breaks_after is not None and len(self.sent) >= self.breaks_after:
                raise httpx.ConnectError("out of reach", request=request)
            self.sent.append(int(request.headers["Content-Length"]))
        return self.inner.handle_request(request)


def photographed(device, photo=None):
    """A finding with a photo; (id of the evidence, bytes)."""
    photo = photo or a_photo()
    finding = report(device)
    return device.capture(photo, about=("finding", finding), role="scene"), photo


def media(device, evidence):
    return device.get("evidence", evidence).fields["media"]["state"]


def states(device):
    return [(file.state, file.problem) for file in device.photos()]


def test_a_photo_arrives_and_is_removed_here_once_it_is_verified(office, tmp_path):
    device = office.device(tmp_path / "a", keep=timedelta())
    evidence, photo = photographed(device)
    sha256 = device.photos()[0].sha256
    device.push()
    assert device.upload(CHUNK) == 1 and states(device) == [("stored", None)] and device.files.sound(sha256)
    device.pull()
    assert media(device, evidence) == "verified" and not device.files.path(sha256).exists()
    original = office.admin.request("GET", f"/media/{sha256}", params={"reason": "测试"})
    assert original.content == photo
    flags = {flag["code"] for flag in device.get("evidence", evidence).fields.get("flags") or ()}
    assert not flags & {"signature_invalid", "unsigned", "chain_gap", "chain_fork"}


@pytest.mark.parametrize(("before", "after"), [(-400, 0), (0, 400)])
def test_a_device_whose_clock_jumps_keeps_its_verified_photos(office, tmp_path, before, after):
    error = timedelta(days=before)
    device = office.device(tmp_path / "a", clock=lambda: datetime.now(UTC) + error)
    photographed(device)
    quiet(device)
    assert states(device) == [("verified", None)]
    error = timedelta(days=after)
    quiet(device)
    assert device.files.sound(device.photos()[0].sha256)


def test_an_upload_goes_on_where_it_was_cut_even_in_another_process(office, device, tmp_path):
    _, photo = photographed(device)
    device.client.close()
    cut = Counting(office.transport, breaks_after=3)
    first = Device.open(tmp_path / "a", transport=cut, patience=HURRIED)
    with pytest.raises(Unreachable):
        first.upload(CHUNK)
    first.close()
    whole = Counting(office.transport)
    second = Device.open(tmp_path / "a", transport=whole, patience=HURRIED)
    assert second.photos()[0].offset == 3 * CHUNK
    assert second.upload(CHUNK) == 1
    assert sum(cut.sent) == 3 * CHUNK and sum(cut.sent) + sum(whole.sent) == len(photo)


@pytest.mark.parametrize("seed", range(3))
def test_over_a_bad_network_at_most_one_chunk_a_fault_travels_twice(office, tmp_path, seed):
    office.device(tmp_path / "a").close()
    counting = Counting(office.transport)
    network = office.network(seed, Odds(lose_request=0.1, lose_answer=0.1, duplicate=0.05, cut=0.15))
    network.inner = counting
    device = Device.open(tmp_path / "a", transport=network, patience=HURRIED)
    photographed(device)
    size = device.photos()[0].bytes
    for _ in range(50):
        try:
            device.sync(chunk_bytes=CHUNK)
        except Unreachable:
            continue
        if not device.photos("waiting"):
            break
    network.odds = Odds()
    device.sync()
    assert states(device) == [("verified", None)]
    faults = [fault for fault, where in network.faults if where.startswith("PATCH")]
    assert faults and sum(counting.sent) <= size + CHUNK * len(faults)


def test_what_the_server_has_is_not_sent_again(office, device, tmp_path):
    _, photo = photographed(device)
    device.sync()
    counting = Counting(office.transport)
    other = office.device(tmp_path / "b", transport=counting)
    photographed(other, photo)
    other.sync()
    other.pull()
    assert counting.sent == [] and states(other) == [("verified", None)]


@pytest.fixture
def interrupted(office, tmp_path):
    """A device whose upload broke off after two chunks; the way to the server is open again."""
    counting = Counting(office.transport, breaks_after=2)
    device = office.device(tmp_path / "interrupted", transport=counting)
    photographed(device)
    with pytest.raises(Unreachable):
        device.upload(CHUNK)
    counting.breaks_after = None
    return device


def test_an_upload_that_the_server_gave_up_is_begun_again(interrupted):
    interrupted.client.request("DELETE", interrupted.photos()[0].url, headers=TUS)
    assert interrupted.upload(CHUNK) == 1


def test_an_upload_can_be_cancelled_and_taken_up_later(interrupted):
    file, = interrupted.photos()
    interrupted.cancel_upload(file.sha256)
    with pytest.raises(Problem):
        interrupted.client.request("HEAD", file.url, headers=TUS)
    assert interrupted.photos()[0].offset == 0 and interrupted.upload() == 1


def test_a_file_that_is_no_picture_stays_here_and_stands_in_nobodys_way(device):
    refused, _ = photographed(device, b"<html>no picture</html>")
    good, _ = photographed(device)
    done = device.sync()
    assert (done.uploaded, done.photos_waiting) == (1, 0)
    device.sync()
    assert sorted(states(device)) == [("refused", "media_type_refused"), ("verified", None)]
    assert media(device, refused) == "refused" and media(device, good) == "verified"
    assert device.files.sound(device.photos("refused")[0].sha256)
    device.sync()
    assert device.everything_delivered()                 # with the server's receipt for all but what it refused


def test_a_photo_that_changed_on_this_device_is_not_sent(office, device):
    photographed(device)
    file, = device.photos()
    device.files.path(file.sha256).write_bytes(b"rotten")
    assert device.upload() == 0 and states(device) == [("damaged", "digest_mismatch")]
    device.sync()
    assert device.delivery.receipt and not device.everything_delivered()


def test_news_come_although_no_photo_goes_through(office, other, tmp_path):
    line = Counting(office.transport, breaks_after=0)
    device = office.device(tmp_path / "c", transport=line)
    photographed(device)
    news = report(other)
    other.sync()
    with pytest.raises(Unreachable):
        device.sync()
    assert device.get("finding", news) and device.photos("waiting")
    line.breaks_after = None
    assert device.sync().uploaded == 1


def test_a_revoked_device_keeps_its_photos(office, device):
    photographed(device)
    office.admin.post(f"/devices/{device.id}/revoke", {"reason": "丢失"})
    with pytest.raises(Problem, match="device_revoked"):
        device.upload()
    assert states(device) == [("waiting", None)] and device.state == "revoked"


def test_a_restored_server_gets_the_photo_again(tmp_path):
    office = Office(tmp_path / "data")
    device = office.device(tmp_path / "a")
    evidence, _ = photographed(device)
    device.push()
    backup = office.back_up(tmp_path / "backup")
    device.upload()
    office.restore(backup)
    for _ in range(3):
        device.sync()
    assert media(device, evidence) == "verified" and device.get("evidence", evidence).scope == SCOPE
