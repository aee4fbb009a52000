"""Bringing photos: tus 1.0.0 with checksums, resumed after any cut (protocol section 6). Serves `device`.

What the server has is asked, never assumed: after a cut the next byte is the one that HEAD names, so at most one chunk
travels twice.
"""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import urlsplit

from sync.device.client import PASSING, Client, Problem, Unreachable
from sync.device.files import File, Files

TUS = {"Tus-Resumable": "1.0.0"}
CHUNK_BYTES = 1 << 20
MISMATCHES_AT_MOST = 3
"""After so many refusals for its digest a photo stays here, marked damaged."""
GONE = (404, 410)
REFUSED = (413, 415, 422)
"""Refusals of this photo for what it is."""
STOPS = (401, 403, 507)
"""Refusals that concern the device or the server, not this one photo."""


class Uploads:
    """Uploads the files that wait, oldest first."""

    def __init__(self, files: Files, client: Client) -> None:
        self._files, self._client = files, client

    def upload(self, chunk_bytes: int = CHUNK_BYTES) -> int:
        """Bring every waiting file; gives how many the server has now that it had not (all of) before.

        A file that the server refuses for what it is stays here with the reason. Raises Problem and Unreachable when
        the rest must wait.
        """
        done = 0
        for file in self._files.all("waiting"):
            try:
                if self._deliver(file, chunk_bytes):
                    self._files.note(file.sha256, state="stored", offset=file.bytes, problem=None)
                    done += 1
            except Problem as problem:
                if problem.status in STOPS or problem.status in PASSING:
                    raise
                self._note_refusal(file, problem)
        return done

    def _deliver(self, file: File, chunk_bytes: int) -> bool:
        """Send the file from where the server stands; gives up after as many failures in a row as patience has tries.

        False when the bytes are no longer those of the capture, or were too often damaged on their way.
        """
        if self._is_stored(file):
            return True
        if not self._files.sound(file.sha256):
            self._files.note(file.sha256, state="damaged", problem="digest_mismatch")
            return False
        url, offset = self._resume(file, file.url)
        failures, mismatches = 0, file.mismatches
        while offset < file.bytes:
            try:
                offset = self._send_chunk(file, url, offset, chunk_bytes)
                failures = 0
            except (Problem, Unreachable) as failure:
                failures += 1
                mismatches += isinstance(failure, Problem) and failure.code == "digest_mismatch"
                self._files.note(file.sha256, mismatches=mismatches)
                if mismatches >= MISMATCHES_AT_MOST:
                    self._files.note(file.sha256, state="damaged", problem="digest_mismatch")
                    return False
                patience = self._client.patience
                if failures >= patience.tries or not _may_resume(failure) or patience.is_short_for(failure):
                    raise
                patience.wait(patience.delay_s(failures, failure) or 0)
                if self._is_stored(file):
                    return True
                url, offset = self._resume(file, url)
            self._files.note(file.sha256, url=url, offset=offset)
        return True

    def cancel(self, sha256: str) -> None:
        """Terminate a begun upload on the server; the photo goes on waiting here."""
        file = next((file for file in self._files.all("waiting") if file.sha256 == sha256), None)
        if file and file.url:
            try:
                self._client.request("DELETE", file.url, headers=TUS)
            except Problem as problem:
                if problem.status not in GONE:
                    raise
            self._files.note(sha256, url=None, offset=0)

    def _note_refusal(self, file: File, problem: Problem) -> None:
        """A photo refused for what it is stops here, one that met with trouble waits for the next time."""
        final = problem.status in REFUSED and problem.code != "digest_mismatch"
        self._files.note(file.sha256, state="refused" if final else "waiting", problem=problem.code)

    def _is_stored(self, file: File) -> bool:
        try:
            self._client.request("HEAD", f"/media/{file.sha256}")
        except Problem as problem:
            if problem.status == 404:
                return False
            raise
        return True

    def _resume(self, file: File, url: str | None) -> tuple[str, int]:
        """The upload's address and the next byte it wants; a new one where there is none or the old one has expired."""
        if url:
            try:
                answer = self._client.request("HEAD", url, headers=TUS)
                return url, int(answer.headers["Upload-Offset"])
            except Problem as problem:
                if problem.status not in GONE:
                    raise
        metadata = {"sha256": file.sha256, "filetype": file.media_type}
        answer = self._client.request("POST", "/uploads", headers={
            **TUS, "Upload-Length": str(file.bytes),
            "Upload-Metadata": ",".join(f"{name} {_base64(value.encode())}" for name, value in metadata.items())})
        url = _path_of(answer.headers["Location"])
        offset = int(answer.headers.get("Upload-Offset", 0))  # another device may just have brought the same photo
        self._files.note(file.sha256, url=url, offset=offset)
        return url, offset

    def _send_chunk(self, file: File, url: str, offset: int, chunk_bytes: int) -> int:
        """One PATCH, never repeated blindly; gives the server's new offset."""
        chunk = self._files.read(file.sha256, offset, chunk_bytes)
        answer = self._client.request("PATCH", url, content=chunk, tries=1, headers={
            **TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream",
            "Upload-Checksum": f"sha256 {_base64(hashlib.sha256(chunk).digest())}"})
        return int(answer.headers["Upload-Offset"])


def _may_resume(failure: Problem | Unreachable) -> bool:
    """A cut, an expired upload, a lock, another offset, a damaged chunk: ask where the server stands and go on."""
    return isinstance(failure, Unreachable) or failure.action == "retry" or failure.status in (*GONE, 409, 423, 460)


def _path_of(location: str) -> str:
    """The upload's path at the server's root; whatever host a proxy wrote, the token goes only to our own."""
    return "/" + urlsplit(location).path


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
