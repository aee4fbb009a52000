"""Two tus clients that we did not write: tuspy, and tus-js-client in node."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from tests.bureau import Bureau, a_photo
from tests.enrolled import Handheld
from tests.running import ROOT
from tests.wire import sha256

SCOPE = "320412110"
PACKAGE = ROOT / "node_modules" / "tus-js-client"
NODE = shutil.which("node")
SCRIPT = """
const fs = require('fs'); const tus = require(process.argv[1]);
const {endpoint, token, file, sha256, stopAt} = JSON.parse(process.argv[2]);
const content = fs.readFileSync(file);
const options = {endpoint, chunkSize: 20000, retryDelays: [0, 200, 500], headers: {Authorization: `Bearer ${token}`},
  metadata: {sha256, filetype: 'image/jpeg'},
  onError: error => { console.error(String(error)); process.exit(1); },
  onSuccess: () => { console.log(JSON.stringify({url: upload.url})); }};
let upload = new tus.Upload(content, options);
if (stopAt) {
  options.onChunkComplete = (size, accepted) => {
    if (accepted < stopAt || upload.resumed) return;
    const url = upload.url;
    upload.abort().then(() => { upload = new tus.Upload(content, {...options, uploadUrl: url, onChunkComplete: null});
                                upload.resumed = true; upload.start(); });
  };
  upload = new tus.Upload(content, options);
}
upload.start();
"""


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


def test_tuspy_uploads_in_chunks_with_checksums(device: Handheld) -> None:
    content = a_photo()
    client = TusClient(device.url("/uploads"), headers={"Authorization": f"Bearer {device.token}"})
    uploader = client.uploader(file_stream=io.BytesIO(content), chunk_size=7000, upload_checksum=True,
                               metadata={"sha256": sha256(content), "filetype": "image/jpeg"})
    uploader.upload()
    assert device.head(f"/media/{sha256(content)}").status_code == 200


def test_tuspy_resumes_where_it_was_cut(device: Handheld) -> None:
    content = a_photo()
    client = TusClient(device.url("/uploads"), headers={"Authorization": f"Bearer {device.token}"})
    metadata = {"sha256": sha256(content), "filetype": "image/jpeg"}
    first = client.uploader(file_stream=io.BytesIO(content), chunk_size=5000, metadata=metadata)
    first.upload_chunk()
    first.upload_chunk()
    second = client.uploader(file_stream=io.BytesIO(content), chunk_size=5000, url=first.url, metadata=metadata)
    assert second.offset == 10_000
    second.upload()
    assert device.head(f"/media/{sha256(content)}").status_code == 200


def test_tuspy_learns_that_the_digest_is_wrong(device: Handheld) -> None:
    client = TusClient(device.url("/uploads"), headers={"Authorization": f"Bearer {device.token}"})
    metadata = {"sha256": "0" * 64, "filetype": "image/jpeg"}
    uploader = client.uploader(file_stream=io.BytesIO(a_photo()), metadata=metadata)
    with pytest.raises(TusCommunicationError):
        uploader.upload()


@pytest.mark.skipif(not PACKAGE.exists() or NODE is None, reason="node or tus-js-client is not installed")
@pytest.mark.parametrize("stop_at", [None, 40_000])
def test_tus_js_client_uploads_and_resumes(device: Handheld, tmp_path: Path, stop_at: int | None) -> None:
    content = a_photo(size=(1600, 1200))
    assert len(content) > 60_000
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)
    given = {"endpoint": device.url("/uploads"), "token": device.token, "file": str(file), "sha256": sha256(content),
             "stopAt": stop_at}
    done = subprocess.run([str(NODE), "-e", SCRIPT, str(PACKAGE), json.dumps(given)], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    assert device.head(f"/media/{sha256(content)}").status_code == 200
