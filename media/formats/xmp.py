"""Reads the few XMP properties (ISO 16684-1) and IPTC datasets (IIM 4.2) that evidence needs. Serves media/exif.py."""

import re
from xml.parsers import expat

EXIF, TIFF, XMP = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/xap/1.0/"
WANTED = {
    **{f"{TIFF} {name}": name for name in ("Make", "Model", "Orientation", "Software")},
    **{f"{EXIF} {name}": name for name in ("DateTimeOriginal", "GPSLatitude", "GPSLongitude")},
    f"{XMP} CreatorTool": "Software",
}
LONGEST_TEXT = 1024
IPTC_RESOURCE = b"8BIM\x04\x04"
IPTC_DATASETS = {0x37: "DateCreated", 0x3C: "TimeCreated"}


class _Declared(Exception):
    """The packet declares a document type, which XMP forbids and only entity bombs need."""


def read_xmp(packet: bytes) -> tuple[dict[str, str], list[str]]:
    """Return the wanted properties by name, written as attributes or as elements, and what could not be read."""
    found: dict[str, str] = {}
    open_elements: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        open_elements.append(name)
        for key, text in attributes.items():
            keep(key, text)

    def keep(key: str, text: str) -> None:
        if key in WANTED and text.strip():
            name = WANTED[key]
            found[name] = (found.get(name, "") + text)[:LONGEST_TEXT]

    def refuse(*_: object) -> None:
        raise _Declared

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: open_elements.pop()
    parser.CharacterDataHandler = lambda text: keep(open_elements[-1], text)
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(packet.strip(b"\0 \r\n\t"), True)
    except _Declared:
        return {}, ["XMP: declares a document type"]
    except (expat.ExpatError, ValueError) as error:
        return found, [f"XMP: {error}"]
    return found, []


def read_iptc(block: bytes) -> dict[str, str]:
    """Return date and time of creation from a Photoshop resource block: `20090909`, `170000+0000`."""
    found: dict[str, str] = {}
    at = block.find(IPTC_RESOURCE)
    if at < 0:
        return found
    for dataset in re.finditer(rb"\x1c\x02([\x37\x3c])\x00([\x08\x0b])", block[at : at + 64 * 1024]):
        length = dataset[2][0]
        text = block[at + dataset.end() : at + dataset.end() + length]
        if len(text) == length and re.fullmatch(rb"[0-9+-]+", text):
            found.setdefault(IPTC_DATASETS[dataset[1][0]], text.decode("ascii"))
    return found
