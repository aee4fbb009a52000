"""The file of all that a device could not deliver, for a phone that dies (sync/README.md). Pure; serves both ends.

A zip of stored members and nothing else: `outbox.json` says whose it is and names the rest by number, size and SHA-256,
`outbox.sig` is the device's signature over it; `pushes/000001.json` … are bodies as `POST /sync/push` takes them, each
with its signature in `outbox.json`; `photos/SHA256` are the exact bytes. What comes from outside is bounded and checked
here before anybody acts on it: only the photos' own digests are left to the door through which they go.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from schemas.values import SHA256_HEX, is_time, is_uuid
from sync.signing import verify

FORMAT = "menqian-outbox/1"
MANIFEST, SEAL = "outbox.json", "outbox.sig"
LARGEST_BYTES = 16 * 1024 * 1024
"""Of `outbox.json`, and of the zip's directory, which is read whole: enough for a hundred thousand photos."""
PUSHES_BYTES = 256 * 1024 * 1024
"""Of all pushes together, which are held at once: a quarter of a million mutations, more than any phone made."""
END, END64_LOCATOR, END64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
PRINTABLE_BYTES = 100


class OutboxFileInvalid(ValueError):
    """It is no such file, or not as its device wrote it; says what is wrong, in words."""


@dataclass(frozen=True, slots=True)
class Push:
    """A body as it is sent, its numbers, and the device's signature over it."""

    body: bytes
    first: int
    last: int
    signature: str | None


@dataclass(frozen=True, slots=True)
class PhotoBytes:
    """A photo in the file."""

    sha256: str
    bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class OutboxFile:
    """The open file: `said` is its `outbox.json`. Photos come as blocks, so that none is ever held whole."""

    said: Mapping[str, Any]
    sha256: str
    pushes: list[Push]
    photos: list[PhotoBytes]
    _zip: zipfile.ZipFile
    _manifest: bytes
    _seal: str | None

    def must_be_of(self, public_key: Mapping[str, object] | None) -> None:
        """Raise OutboxFileInvalid unless the holder of this key signed the file and each push; without a key nothing
        can be signed."""
        if public_key is None:
            return
        if not verify(public_key, self._seal, self._manifest):
            raise OutboxFileInvalid(f"{MANIFEST} 的签名不符 is not as the device signed it")
        for push in self.pushes:
            if not verify(public_key, push.signature, push.body):
                raise OutboxFileInvalid(f"第 {push.first}–{push.last} 号的签名不符 numbers {push.first} to {push.last} "
                                        "are not as the device signed them")

    def blocks_of(self, photo: PhotoBytes, size: int = 1 << 18) -> Iterator[bytes]:
        """The photo's bytes; raises OutboxFileInvalid when the file is damaged there."""
        try:
            with self._zip.open(photo_name(photo.sha256)) as content:
                while block := content.read(size):
                    yield block
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise OutboxFileInvalid(f"照片在文件中已损坏 this photo is damaged in the file: {error}") from error


def push_name(number: int) -> str:
    """Where the push of that number stands, counted from 1."""
    return f"pushes/{number:06d}.json"


def photo_name(sha256: str) -> str:
    """Where the photo stands."""
    return f"photos/{sha256}"


@contextmanager
def opened(path: Path, *, push_bytes: int, upload_bytes: int) -> Iterator[OutboxFile]:
    """The file, checked as far as it can be without knowing its device; raises OutboxFileInvalid.

    `push_bytes` and `upload_bytes` bound a push and a photo.
    """
    with path.open("rb") as file:
        size = _must_be_small(file)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            with zipfile.ZipFile(file) as archive:
                yield _checked(archive, size, sha256, push_bytes, upload_bytes)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, struct.error, UnicodeDecodeError) as error:
            raise OutboxFileInvalid(f"不是完整的发件箱文件 not a whole outbox file: {error}") from error


def _must_be_small(file: BinaryIO) -> int:
    """The size of a file whose directory, read whole before anything else can be asked, is not too large."""
    size = file.seek(0, 2)
    most = END.size + END64_LOCATOR.size + END64.size
    file.seek(max(0, size - most))
    tail = file.read(most)
    if len(tail) < END.size or tail[-END.size:-END.size + 4] != b"PK\5\6":
        raise OutboxFileInvalid("不是发件箱文件,或未传完 not an outbox file, or not all of it")
    directory = END.unpack(tail[-END.size:])[5]
    if len(tail) == most and tail[END64.size:END64.size + 4] == b"PK\6\7":
        directory = max(directory if directory != 0xFFFFFFFF else 0, END64.unpack(tail[:END64.size])[8])
    if directory > LARGEST_BYTES:
        raise OutboxFileInvalid("目录过大 its directory is too large")
    file.seek(0)
    return size


def _checked(archive: zipfile.ZipFile, size: int, sha256: str, push_bytes: int, upload_bytes: int) -> OutboxFile:
    """Each member is stored, is named, and is no larger than what it is for; together they are no larger than the file,
    so that none of them lies within another."""
    members = {member.filename: member for member in archive.infolist()}
    _must(len(members) == len(archive.infolist()), "同名成员 two members have one name")
    for name, member in members.items():
        _must(member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
              and not member.flag_bits & 1, f"{name[:80]}: 须为未压缩 members are stored, not compressed")
    _must(sum(member.file_size for member in members.values()) <= size, "成员相叠 members lie within each other")
    manifest = _read(archive, members, MANIFEST, LARGEST_BYTES)
    said = _parsed(manifest)
    told = sum(member.file_size for name, member in members.items() if name.startswith("pushes/"))
    _must(told <= PUSHES_BYTES, f"操作过多 the pushes have more than {PUSHES_BYTES} bytes together")
    pushes = [_push(archive, members, number, one, push_bytes) for number, one in enumerate(said["pushes"], 1)]
    photos = [_photo(members, told, upload_bytes) for told in said["photos"]]
    seal = _read(archive, members, SEAL, PRINTABLE_BYTES).decode("ascii", "replace") if SEAL in members else None
    named = {MANIFEST, *([SEAL] if seal else []), *(push_name(number) for number in range(1, len(pushes) + 1)),
             *(photo_name(photo.sha256) for photo in photos)}
    if strange := sorted(members.keys() - named):
        raise OutboxFileInvalid(f"多余的成员 {strange[0][:80]!r} is not named in {MANIFEST}")
    _must(all(later.first > earlier.last for earlier, later in pairwise(pushes)),
          "编号次序不对 the numbers of the pushes do not follow each other")
    return OutboxFile(said, sha256, pushes, photos, archive, manifest, seal)


def _parsed(manifest: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(manifest)
    except orjson.JSONDecodeError as error:
        raise OutboxFileInvalid(f"{MANIFEST}: 不是 JSON not JSON: {error}") from error
    _must(isinstance(said, dict) and isinstance(said.get("format"), str), f"{MANIFEST}: 不是发件箱 this is no outbox")
    _must(said["format"] == FORMAT, f"不认识的格式 unknown format {str(said['format'])[:40]!r}; this reads {FORMAT}")
    _must(is_uuid(said.get("device_id")), f"{MANIFEST}: device_id")
    _must(is_time(said.get("made_at")), f"{MANIFEST}: made_at")
    for name in ("pushes", "photos"):
        _must(isinstance(said.get(name), list) and all(isinstance(one, dict) for one in said[name]),
              f"{MANIFEST}: {name}")
    return dict(said)


def _push(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], number: int, told: Mapping[str, Any],
          most: int) -> Push:
    body = _read(archive, members, push_name(number), most)
    _must(hashlib.sha256(body).hexdigest() == told.get("sha256"), f"{push_name(number)} 已改动 was changed")
    first, last, signature = told.get("first"), told.get("last"), told.get("signature")
    if not (isinstance(first, int) and isinstance(last, int) and isinstance(signature, str | None)):
        raise OutboxFileInvalid(f"{MANIFEST}: {push_name(number)}")
    return Push(body, first, last, signature)


def _photo(members: Mapping[str, zipfile.ZipInfo], told: Mapping[str, Any], most: int) -> PhotoBytes:
    sha256, media_type = told.get("sha256"), told.get("media_type")
    if not (isinstance(sha256, str) and SHA256_HEX.fullmatch(sha256) and isinstance(media_type, str)
            and 0 < len(media_type) <= PRINTABLE_BYTES and media_type.isprintable()):
        raise OutboxFileInvalid(f"{MANIFEST}: photos")
    member = members.get(photo_name(sha256))
    if member is None:
        raise OutboxFileInvalid(f"缺照片 the photo {sha256[:12]}… is missing in the file")
    _must(0 < member.file_size <= most, f"照片过大 the photo {sha256[:12]}… has more than {most} bytes, or none")
    _must(member.file_size == told.get("bytes"), f"照片大小不符 the photo {sha256[:12]}… has another size than told")
    return PhotoBytes(sha256, member.file_size, media_type)


def _read(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str, most: int) -> bytes:
    if name not in members:
        raise OutboxFileInvalid(f"缺 {name} is missing: not an outbox file, or not all of it")
    _must(members[name].file_size <= most, f"{name}: 过大 more than {most} bytes")
    try:
        return archive.read(name)
    except zipfile.BadZipFile as error:
        raise OutboxFileInvalid(f"{name} 已改动或损坏 was changed or damaged: {error}") from error


def _must(held: bool, what: str) -> None:
    if not held:
        raise OutboxFileInvalid(what)
