"""A bundle of large photos goes through the server, not into its memory."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

from PIL import Image

from tests.server.indoors import Indoors, indoors
from tests.wire import sha256

SCOPE = "320412100"
MEGABYTE = 2**20


def large_photo(seed: int) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((2600, 1900 + seed), 90).convert("RGB").save(out, "JPEG", quality=97)
    return out.getvalue()


def test_large_photos_take_no_memory(tmp_path: Path) -> None:
    with indoors(tmp_path / "data") as office:
        _measure(office)


def _measure(office: Indoors) -> None:
    reviewer, device = office.person("reviewer", scopes=(SCOPE,)), office.handheld(SCOPE)
    finding = device.report(SCOPE)
    total = 0
    for number in range(10):
        content = large_photo(number)
        device.deliver(device.capture(SCOPE, content, ("finding", finding)))
        assert device.upload(content, digest=sha256(content)).status_code == 204
        total += len(content)
    assert total > 32 * MEGABYTE
    with office.app.test_client() as client:
        tracemalloc.start()
        answer = client.get(f"/api/v1/reviews/{finding}/bundle?profile=court",
                            headers={"Authorization": f"Bearer {reviewer.token}"}, buffered=False)
        sent = sum(len(block) for block in answer.response)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        answer.close()
    assert sent > total
    assert most < 16 * MEGABYTE
