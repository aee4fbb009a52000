"""Where photographs come from: a directory first, then the synthetic town."""

from datetime import UTC, datetime

import pytest

from media.pictures import sniff
from server.demo.camera import Camera, photographs
from server.demo.town import make_town

AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop():
    return make_town(1).shops[0]


def test_without_a_directory_each_photograph_is_synthetic_and_another(shop, tmp_path):
    camera = Camera()
    taken = [camera.take(shop, "goods", AT) for _ in range(2)]
    assert taken[0] != taken[1]
    assert camera.real == 0
    (tmp_path / "taken").write_bytes(taken[0])
    assert sniff(tmp_path / "taken", heif=False).media_type == "image/jpeg"


def test_real_photographs_come_first_each_once(shop, tmp_path):
    (tmp_path / "b.JPG").write_bytes(b"second")
    (tmp_path / "a.png").write_bytes(b"first")
    (tmp_path / "c.jpeg").write_bytes(b"first")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "notes.txt").write_text("no picture")
    camera = Camera(tmp_path)
    assert [camera.take(shop, "goods", AT) for _ in range(2)] == [b"first", b"second"]
    assert len(camera.take(shop, "goods", AT)) > 10_000
    assert camera.real == 2


def test_a_directory_without_photographs_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no photographs"):
        photographs(tmp_path)
    with pytest.raises(FileNotFoundError):
        Camera(tmp_path / "nowhere")
