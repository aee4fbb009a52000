"""Photographs of the field against what others read in them: all through a real server, each with its evidence record.

`python -m tests.photographs DIRECTORY [--engine grown] [--modern]` takes a directory of pictures with an
`expected.json` (what exiftool, Pillow and djpeg say of each), uploads each to a server of its own, and compares what
its evidence shows in the end: state, code, size, frames, camera, time, place, flags, and copies. It prints a table and
ends with 1 when something differs. `--modern` switches HEIC and AVIF on.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from tests.bureau import PASSWORD, Bureau, eventually, with_root
from tests.engines import running_postgres, running_s3
from tests.enrolled import Handheld
from tests.running import Server
from tests.wire import Person, position, refused, sha256

SCOPE = "320412002"  # of its own: zones drawn in it would say where its photographs may lie
PLACE = (119.97, 31.81)
MODERN = ("image/heic", "image/avif")
EDITORS = ("photoshop", "imageready", "bridge", "gimp", "olympus master", "photo desk")
PADDING = re.compile(r"extraneous bytes before marker 0x(?!d[0-7])")  # between segments, not within the coded picture
AS_IT_COMES = ("exif_invalid", "edited_software", "reused_exact", "reused_near")  # the last: what else the server has
DONE = ("verified", "damaged", "refused")
Expected = Mapping[str, Any]


class Judged(NamedTuple):
    """What became of one photograph, and what is not as it should be."""

    name: str
    state: str
    flags: list[str]
    differs: list[str]


def play(device: Handheld, directory: Path, *, modern: bool) -> list[Judged]:
    """Bring every photograph of the directory's `expected.json`, and judge each once its evidence is settled."""
    expected = json.loads((directory / "expected.json").read_text())["files"]
    finding, evidence = device.report(SCOPE), {}
    for name, told in expected.items():
        content = (directory / name).read_bytes()
        mutation = device.capture(SCOPE, content, ("finding", finding), position=position(*PLACE),
                                  media_type=told["mime_type"])
        device.deliver(mutation)
        evidence[name] = mutation["record_id"]
        answer = device.upload(content, told["mime_type"], chunk=200_000)
        if state_of(told, modern=modern) == "refused":
            refused(answer, 415, "media_type_refused")
        else:
            assert answer.status_code == 204, (name, answer.text)
    return [judge(device, name, told, (directory / name).read_bytes(), settled(device, evidence[name]), modern=modern)
            for name, told in expected.items()]


def settled(device: Handheld, evidence: str) -> dict[str, Any]:
    """The fields of an evidence record once its photo has been checked, or refused."""
    assert device.owner is not None
    fields: dict[str, Any] = {}

    def look() -> bool:
        assert device.owner
        fields.update(device.owner.record("evidence", evidence)["fields"])
        return fields["media"]["state"] in DONE

    eventually(look, within_s=120)
    return fields


def judge(device: Handheld, name: str, told: Expected, content: bytes, fields: Mapping[str, Any], *,
          modern: bool) -> Judged:
    media, flags = fields["media"], sorted({flag["code"] for flag in fields["flags"]})
    state = state_of(told, modern=modern)
    differs = [] if media["state"] == state else [f"state is {media['state']}, not {state}"]
    if sha256(content) != told["sha256"]:
        differs.append("the file itself is another")
    if state == "refused":
        if media.get("code") != "media_type_refused":
            differs.append(f"code is {media.get('code')}")
    else:
        differs += differences(told, media) + flag_differences(told, flags, damaged=state == "damaged")
        if device.get(f"/media/{sha256(content)}").content != content:
            differs.append("the original came back changed")
    if state == "verified":
        differs += copy_differences(device, sha256(content))
    return Judged(name, media["state"], flags, differs)


def state_of(told: Expected, *, modern: bool) -> str:
    """What must become of a file: refused for its type, damaged where a strict decoder finds damage, else verified."""
    kind = told["mime_type"]
    if kind in MODERN:
        return "verified" if modern and (kind == "image/avif" or find_spec("pillow_heif")) else "refused"
    warnings = [said for said in told.get("djpeg_says", ()) if not PADDING.search(said)]
    return "damaged" if not told["pillow_decodes"] or warnings else "verified"


def differences(told: Expected, media: Mapping[str, Any]) -> list[str]:
    """What the evidence shows of a kept file against what is told of it: kind, size, frames, camera, time, place."""
    exif = media["exif"]
    pairs: dict[str, tuple[Any, Any]] = {
        "media_type": (media["media_type"], told["mime_type"]), "bytes": (media["bytes"], told["bytes"]),
        "width": (media["width"], told["width"]), "height": (media["height"], told["height"]),
        "orientation": (exif.get("orientation", 1), told["orientation"] or 1),
        "taken_at": ((exif.get("taken_at") or "")[:19], moment_of(told)),  # exiftool's list has no fractions
        **{tag: (exif.get(tag), told[tag] and str(told[tag])) for tag in ("make", "model")}}
    if told["pillow_frames"] or told["number_of_images"]:
        pairs["frames"] = (media["frames"], told["number_of_images"] or told["pillow_frames"])
    if told["software"] is not None:  # exiftool's list leaves xmp:CreatorTool out, and has numbers for some texts
        pairs["software"] = (str(exif.get("software")).split(), str(told["software"]).split())
    differs = [f"{what} is {found!r}, not {wanted!r}" for what, (found, wanted) in pairs.items() if found != wanted]
    place = exif.get("position") or {}
    for axis, tag in (("lat", "gps_latitude"), ("lon", "gps_longitude")):
        wanted = told[tag] if has_place(told) else None
        if (place.get(axis) is None) != (wanted is None) or abs(place.get(axis, 0) - (wanted or 0)) > 1e-7:
            differs.append(f"{axis} is {place.get(axis)}, not {wanted}")
    return differs


def has_place(told: Expected) -> bool:
    """A position that is none of the camera's zeros."""
    return bool(told["gps_latitude"] or told["gps_longitude"])


def moment_of(told: Expected) -> str:
    """The UTC second that the written time means; +08:00 where no offset is written, empty for blanks and zeros."""
    written = told["datetime_original"]
    if not written or not written.strip(" :0"):
        return ""
    zone = written[19:] or told["offset_time_original"] or "+08:00"
    taken = datetime.strptime(written[:19] + zone.replace("Z", "+00:00"), "%Y:%m:%d %H:%M:%S%z")
    return taken.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def flag_differences(told: Expected, flags: list[str], *, damaged: bool) -> list[str]:
    """Flags that the figures call for and that are not there, or the other way round. The photographs are old, and of
    other places than the one where the device claims to be."""
    written = told["datetime_original"] or ""
    zeros = told["gps_latitude"] == 0 == told["gps_longitude"] or ("0" in written and not written.strip(" :0"))
    wanted = {"time_conflict": bool(moment_of(told)), "place_conflict": has_place(told),
              "trailing_data": told["ends_with_eoi"] is False and not damaged}
    if told["software"] is not None:
        wanted["edited_software"] = any(editor in str(told["software"]).casefold() for editor in EDITORS)
    if zeros:
        wanted["exif_invalid"] = True
    return [f"{code} is {'not ' if wants else ''}there" for code, wants in wanted.items() if wants != (code in flags)] \
        + [f"{code} is there" for code in flags if code not in (*wanted, *AS_IT_COMES)]


def copy_differences(device: Handheld, digest: str) -> list[str]:
    """The copies that pages show: small, and with nothing attached."""
    differs = []
    for kind, longest in (("thumb", 320), ("screen", 1600)):
        answer = device.get(f"/media/{digest}/{kind}")
        if answer.status_code != 200:
            differs.append(f"no {kind}: {answer.status_code}")
            continue
        copy = Image.open(io.BytesIO(answer.content))
        if max(copy.size) > longest or copy.getexif():
            differs.append(f"{kind} is {copy.size}, with {dict(copy.getexif())}")
    return differs


@contextmanager
def served(folder: Path, engine: str, *, modern: bool) -> Iterator[Handheld]:
    """A device of a new installation on SQLite and files, or on PostgreSQL and S3, while the context lasts."""
    with ExitStack() as stack:
        urls = {}
        if engine == "grown":
            urls = {"database_url": stack.enter_context(running_postgres(folder / "postgres")),
                    "media_url": stack.enter_context(running_s3(folder / "s3"))}
        server = with_root(Server(folder / "server", settings={"MENQIAN_HEIF": str(int(modern))}, **urls))
        stack.callback(server.stop)
        server.start()
        yield Bureau(server.url, Person(server.url, "root", PASSWORD)).handheld(SCOPE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.photographs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="pictures and their expected.json")
    parser.add_argument("--engine", choices=("embedded", "grown"), default="embedded")
    parser.add_argument("--modern", action="store_true", help="take HEIC and AVIF")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="menqian-photographs-") as folder, \
            served(Path(folder), given.engine, modern=given.modern) as device:
        judged = play(device, given.directory, modern=given.modern)
    print("| photograph | state | flags | as told |\n|---|---|---|---|")
    print("\n".join(f"| {one.name} | {one.state} | {', '.join(one.flags)} | {'; '.join(one.differs) or 'yes'} |"
                    for one in judged))
    wrong = sum(bool(one.differs) for one in judged)
    print(f"\n{len(judged)} photographs, {len(judged) - wrong} as told, {wrong} not ({given.engine})")
    return 1 if wrong or not judged else 0


if __name__ == "__main__":
    sys.exit(main())
