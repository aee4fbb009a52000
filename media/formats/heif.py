"""Walks HEIC and AVIF files (ISO/IEC 23008-12 on ISO/IEC 14496-12 boxes): size of the picture, how it is to be turned,
and place of its EXIF."""

from collections.abc import Iterable, Iterator

from media.formats.layout import Buffer, Layout, metadata

MOST_BOXES = 4096
C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.1, 11.3.3.2
TO_SAMPLES = (b"trak", b"mdia", b"minf", b"stbl", b"stsz")  # from `moov` (ISO/IEC 14496-12, 8.7.3)
KNOWN_AT_TOP = {b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"idat", b"uuid", b"mpvd", b"sefd", b"wide"}

# EXIF's numbers: is the picture mirrored left to right, and by how many quarters is it turned clockwise then?
ORIENTATIONS = {(False, 0): 1, (True, 0): 2, (False, 2): 3, (True, 2): 4, (True, 3): 5, (False, 1): 6, (True, 1): 7,
                (False, 3): 8}

Box = tuple[bytes, int, int]  # kind, start and end of the content


def walk(data: Buffer, header_only: bool) -> Layout:
    """Walk the boxes; trailing bytes are those behind the last known one. Both walks are quick."""
    layout, behind, coded = Layout(), 0, False
    meta: Box | None = None
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind not in KNOWN_AT_TOP:
            break
        behind = min(end, len(data))
        coded = coded or kind == b"mdat"
        if end > len(data):
            layout.spoil("the file ends before the picture does")
        layout.c2pa = layout.c2pa or (kind == b"uuid" and data[start : start + 16] == C2PA_UUID)
        if kind == b"moov":
            layout.frames = max(layout.frames, _frames(data, start, behind))
        meta = meta or ((kind, start + 4, behind) if kind == b"meta" else None)
    layout.trailing_bytes = len(data) - behind
    if meta is None:
        layout.spoil("the file holds no picture")
        return layout
    if not coded and not any(kind == b"idat" for kind, *_ in _boxes(data, meta[1], meta[2])):
        layout.spoil("the file ends before the picture does")
    _read_meta(layout, data, meta)
    return layout


def _read_meta(layout: Layout, data: Buffer, meta: Box) -> None:
    parts = {kind: (start, end) for kind, start, end in _boxes(data, meta[1], meta[2])}
    about = {kind: (start, end) for kind, start, end in _boxes(data, *parts.get(b"iprp", (0, 0)))}
    properties = [*_boxes(data, *about.get(b"ipco", (0, 0)))]
    shown = _shown(data, parts[b"pitm"][0]) if b"pitm" in parts else None
    of_shown = next((found for number, found in _associated(data, *about.get(b"ipma", (0, 0))) if number == shown), [])
    its = [properties[n - 1] for n in of_shown if 0 < n <= len(properties)]
    layout.orientation = _orientation(data, its)
    sizes = [(_uint(data, at + 4, 4), _uint(data, at + 8, 4)) for kind, at, _ in properties if kind == b"ispe"]
    if sizes:  # tiles and thumbnails are smaller than the picture that they belong to
        layout.width, layout.height = max(sizes, key=lambda size: size[0] * size[1])
    kinds = dict(_declared(data, *parts.get(b"iinf", (0, 0))))
    for number, start, end in _located(data, *parts.get(b"iloc", (0, 0))):
        if kinds.get(number) == b"Exif" and layout.exif is None:
            skip = _uint(data, start, 4)  # to the TIFF structure
            layout.exif = metadata(data, start + 4 + skip, end)
        elif kinds.get(number) == b"mime" and layout.xmp is None:
            layout.xmp = metadata(data, start, end)


def _frames(data: Buffer, start: int, end: int, path: tuple[bytes, ...] = TO_SAMPLES) -> int:
    """How many pictures the longest track of a `moov` box says that it has."""
    found = (box for box in _boxes(data, start, end) if box[0] == path[0])
    if len(path) == 1:
        return max((_uint(data, at + 8, 4) for _, at, _ in found), default=1)
    return max((_frames(data, at, min(stop, end), path[1:]) for _, at, stop in found), default=1)


def _boxes(data: Buffer, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes from `start` on; the last one may claim to end behind `end`."""
    for _ in range(MOST_BOXES):
        if start + 8 > end:
            return
        size, kind, head = _uint(data, start, 4), bytes(data[start + 4 : start + 8]), 8
        if size == 1:
            size, head = _uint(data, start + 8, 8), 16
        elif size == 0:
            size = end - start
        if size < head:
            return
        yield kind, start + head, start + size
        start += size


def _orientation(data: Buffer, properties: Iterable[Box]) -> int:
    """EXIF's number for the rotations (anti-clockwise) and mirrors of an item, in their order. They alone turn it: what
    its EXIF says of that is for information (6.5.10, 6.5.12)."""
    mirrored, quarters = False, 0
    for kind, at, _ in properties:
        if kind == b"irot":
            quarters -= _uint(data, at, 1) & 3
        elif kind == b"imir":  # 1 exchanges left and right, 0 top and bottom
            mirrored, quarters = not mirrored, -quarters if _uint(data, at, 1) & 1 else 2 - quarters
    return ORIENTATIONS[mirrored, quarters % 4]


def _shown(data: Buffer, start: int) -> int:
    """The item that `pitm` names as the picture to be shown."""
    return _uint(data, start + 4, 4 if _uint(data, start, 1) else 2)


def _associated(data: Buffer, start: int, end: int) -> Iterator[tuple[int, list[int]]]:
    """Yield each item's number and those of its properties, counted from 1, in the order of `ipma`."""
    wide, step = 4 if _uint(data, start, 1) else 2, 1 + (_uint(data, start + 3, 1) & 1)
    at = start + 8
    for _ in range(min(_uint(data, start + 4, 4), MOST_BOXES)):
        if at >= end:
            return
        number, first = _uint(data, at, wide), at + wide + 1
        at = first + step * _uint(data, first - 1, 1)
        yield number, [_uint(data, n, step) & (1 << 8 * step - 1) - 1 for n in range(first, min(at, end), step)]


def _uint(data: Buffer, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _declared(data: Buffer, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and type of each entry of `iinf`."""
    first = start + (6 if data[start : start + 1] == b"\0" else 8)
    for kind, at, _ in _boxes(data, first, end):
        if kind == b"infe":
            wide = 4 if data[at : at + 1] == b"\3" else 2
            at += 4
            yield _uint(data, at, wide), bytes(data[at + wide + 2 : at + wide + 6])


def _located(data: Buffer, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of each entry of `iloc` that lies in one piece of the file."""
    if end - start < 8:
        return
    version, sizes = _uint(data, start, 1), _uint(data, start + 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    number_size = 4 if version == 2 else 2
    at = start + 6

    def take(size: int) -> int:
        nonlocal at
        at += size
        return _uint(data, at - size, size)

    for _ in range(min(take(number_size), MOST_BOXES)):
        number = take(number_size)
        method = take(2) & 15 if version else 0
        take(2)  # the file itself holds the data
        base, pieces = take(base_size), take(2)
        if at > end or pieces > MOST_BOXES:
            return
        extents = [(take(index_size), take(offset_size), take(length_size)) for _ in range(pieces)]
        if method == 0 and len(extents) == 1:
            begin = base + extents[0][1]
            yield number, begin, min(begin + extents[0][2], len(data))
