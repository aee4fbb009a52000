"""The checks of a zone import: each feature by itself, then against its neighbours in the file and the zones in force.

Pure: it says which features may become zone versions and why the others may not, one by one (protocol.md section 8).
Built for 50,000 features in one file. Serves server/zones.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from server.reference import settings
from server.rules.features import KNOWN_SCOPE, FeatureRefused, Rejection
from server.rules.plane import Plane, Shapes
from server.rules.zone_features import Accepted, read_feature
from server.rules.zones import ZoneIndex, ZoneVersion

BATCH = 512  # features compared at once: bounds the pairs in memory when a hostile file lays all of them on one place
Pairs = Iterator[tuple[int, int]]


def check_features(
    features: object, existing: ZoneIndex, scopes: Sequence[str] | None, known_scope: KNOWN_SCOPE
) -> tuple[list[Accepted], list[Rejection]]:
    """What may be imported and what may not, both in file order; raises nothing, whatever came.

    `scopes`: what the importer covers, None for everything. A feature with the id of an existing zone becomes its
    next version and takes the place of the older ones from its valid_from on, which is no earlier than theirs. One
    without an id that has scope, name and outline of an existing zone is that zone. Of two features that exclude each
    other the first stays.
    """
    rejected: list[Rejection] = []
    standing = _read(features, scopes, known_scope, rejected)
    standing = _recognised(standing, existing)
    standing = _without_twins(standing, rejected)
    standing = _without_backdated(standing, existing, rejected)
    standing = _within_reach(standing, existing, rejected)
    known = {version.zone_id for version in existing.versions}
    while True:
        clashes = _sticker_clashes(standing, existing)
        clashes |= _overlaps([one for one in standing if one.index not in clashes], existing)
        rejected += clashes.values()
        replaced_in_vain = any(one.index in clashes and one.zone_id in known for one in standing)
        standing = [one for one in standing if one.index not in clashes]
        if not replaced_in_vain:  # else zones that were to make room stay as they are: look again
            return standing, sorted(rejected, key=lambda one: one.index)


def _read(
    features: object, scopes: Sequence[str] | None, known_scope: KNOWN_SCOPE, rejected: list[Rejection]
) -> list[Accepted]:
    standing = []
    for index, feature in enumerate(features if isinstance(features, list | tuple) else [features]):
        try:
            standing.append(read_feature(index, feature, scopes, known_scope))
        except FeatureRefused as refused:
            rejected.append(Rejection.of(index, feature, refused))
    return standing


def _without_twins(standing: list[Accepted], rejected: list[Rejection]) -> list[Accepted]:
    """Only the first feature of each zone id."""
    first: dict[str, int] = {}
    for one in standing:
        if one.zone_id and first.setdefault(one.zone_id, one.index) != one.index:
            n = first[one.zone_id]
            said = f"文件中第 {n} 个要素已用此 zone_id。Feature {n} of the file has this zone_id already."
            rejected.append(Rejection(one.index, one.name, "duplicate_zone", said))
    return [one for one in standing if not one.zone_id or first[one.zone_id] == one.index]


def _recognised(standing: list[Accepted], existing: ZoneIndex) -> list[Accepted]:
    """The features, those without an id with that of the zone which they draw again at the same time."""
    if all(one.zone_id for one in standing):
        return standing
    drawn: dict[tuple[str, str, bytes], list[int]] = {}
    for n, (version, outline) in enumerate(zip(existing.versions, _spellings(existing.versions), strict=True)):
        drawn.setdefault((version.scope, version.name, outline), []).append(n)
    found = []
    for one, outline in zip(standing, _spellings(standing), strict=True):
        same = [existing.versions[n].zone_id for n in drawn.get((one.scope, one.name, outline), ())
                if _together(*_span(one), existing.starts[n], existing.ends[n])]
        found.append(replace(one, zone_id=same[0]) if same and not one.zone_id else one)
    return found


def _spellings(drawn: Sequence[Accepted] | Sequence[ZoneVersion]) -> list[bytes]:
    """One spelling of each outline, wherever its rings begin and however they turn."""
    return list(shapely.to_wkb(shapely.normalize(np.array([one.outline for one in drawn], dtype=object))))


def _without_backdated(standing: list[Accepted], existing: ZoneIndex, rejected: list[Rejection]) -> list[Accepted]:
    """Only features that change no time before the newest version of their zone: what was in force then, was."""
    kept = []
    for one in standing:
        newest = existing.newest(one.zone_id)
        if newest is None or one.valid_from >= newest.valid_from:
            kept.append(one)
            continue
        since = newest.valid_from.isoformat()
        said = (f"属性 valid_from 早于该责任区第 {newest.version} 版的生效时间 {since}。"
                f"Property valid_from lies before {since}, the beginning of version {newest.version} of the zone.")
        rejected.append(Rejection(one.index, one.name, "invalid_property", said))
    return kept


def _within_reach(standing: list[Accepted], existing: ZoneIndex, rejected: list[Rejection]) -> list[Accepted]:
    """Only features that the metric plane of the deployment can hold."""
    bounds = np.reshape(shapely.bounds(_metric(standing, existing)), (-1, 4))
    reached = [bool(np.isfinite(corners).all()) for corners in bounds]
    said = "边界距现有责任区过远。The outline lies too far from the other zones."
    far = [one for one, fits in zip(standing, reached, strict=True) if not fits]
    rejected += [Rejection(one.index, one.name, "invalid_geometry", said) for one in far]
    return [one for one, fits in zip(standing, reached, strict=True) if fits]


def _metric(standing: Sequence[Accepted], existing: ZoneIndex) -> Shapes:
    outlines = np.array([one.outline for one in standing], dtype=object)
    plane = existing.plane if existing.versions else Plane.around(outlines)
    return plane.shapes(outlines)


def _sticker_clashes(standing: list[Accepted], existing: ZoneIndex) -> dict[int, Rejection]:
    """Features whose sticker another zone bears at the same time."""
    clashes: dict[int, Rejection] = {}
    bearers: dict[str, list[Accepted]] = {}
    successors = _successors(standing)
    for one in standing:
        if not one.sticker_serial:
            continue
        for n in existing.with_sticker(one.sticker_serial):
            if existing.versions[n].zone_id != one.zone_id and _reigns_beside(one, existing, n, successors):
                clashes[one.index] = _sticker_clash(one, existing.versions[n].name)
        for other in bearers.setdefault(one.sticker_serial, []):
            if other.index not in clashes and _together(*_span(one), *_span(other)):
                clashes[one.index] = _sticker_clash(one, other.name)
        bearers[one.sticker_serial].append(one)
    return clashes


def _sticker_clash(one: Accepted, bearer: str) -> Rejection:
    said = f"贴花编号 {one.sticker_serial} 已属于“{bearer}”。Sticker {one.sticker_serial} belongs to “{bearer}”."
    return Rejection(one.index, one.name, "duplicate_sticker", said)


def _overlaps(standing: list[Accepted], existing: ZoneIndex) -> dict[int, Rejection]:
    """Features whose ground belongs to another zone at the same time, by more than a sliver."""
    clashes: dict[int, Rejection] = {}
    shapes = shapely.make_valid(_metric(standing, existing))
    successors = _successors(standing)
    kept: list[tuple[shapely.STRtree, NDArray[np.intp]]] = []
    for start in range(0, len(standing), BATCH):
        batch = np.arange(start, min(start + BATCH, len(standing)))
        for mine, theirs in _sharing(shapes, batch, existing.tree, existing.outlines):
            one, other = standing[mine], existing.versions[theirs]
            if other.zone_id != one.zone_id and _reigns_beside(one, existing, theirs, successors):
                clashes.setdefault(one.index, _overlap(one, f"现有责任区“{other.name}”", f"the zone “{other.name}”"))
        for tree, members in kept:
            batch = _unclashed(standing, batch, clashes)
            _drop_later(standing, _sharing(shapes, batch, tree, shapes[members]), members, clashes)
        batch = _unclashed(standing, batch, clashes)
        _drop_later(standing, _sharing(shapes, batch, shapely.STRtree(shapes[batch]), shapes[batch]), batch, clashes)
        batch = _unclashed(standing, batch, clashes)
        kept.append((shapely.STRtree(shapes[batch]), batch))
    return clashes


def _unclashed(standing: list[Accepted], batch: NDArray[np.intp], clashes: dict[int, Rejection]) -> NDArray[np.intp]:
    return np.array([n for n in batch if standing[n].index not in clashes], dtype=np.intp)


def _drop_later(
    standing: list[Accepted], pairs: Pairs, members: NDArray[np.intp], clashes: dict[int, Rejection]
) -> None:
    """Of two features of the file that share ground at one time, reject the later one, if the earlier one stands."""
    for mine, theirs in pairs:
        one, other = standing[mine], standing[members[theirs]]
        if other.index < one.index and other.index not in clashes and _together(*_span(one), *_span(other)):
            place = f"文件中第 {other.index} 个要素“{other.name}”", f"feature {other.index} of the file, “{other.name}”"
            clashes.setdefault(one.index, _overlap(one, *place))


def _sharing(shapes: Shapes, batch: NDArray[np.intp], tree: shapely.STRtree, others: Shapes) -> Pairs:
    """Pairs (place in `shapes`, place in the tree) that share more than a sliver of ground, in file order."""
    if not len(batch) or not len(others):
        return
    mine, theirs = tree.query(shapes[batch], predicate="intersects")
    shared_m2 = shapely.area(shapely.intersection(shapes[batch][mine], others[theirs]))
    real = shared_m2 > settings("attribution")["sliver_m2"]
    order = np.lexsort((theirs[real], mine[real]))
    yield from zip(batch[mine[real]][order].tolist(), theirs[real][order].tolist(), strict=True)


def _overlap(one: Accepted, chinese: str, english: str) -> Rejection:
    return Rejection(one.index, one.name, "overlapping", f"与{chinese}重叠。It overlaps {english}.")


def _successors(standing: Iterable[Accepted]) -> dict[str, float]:
    """When zones that the file redraws make room: zone id -> POSIX seconds."""
    return {one.zone_id: one.valid_from.timestamp() for one in standing if one.zone_id}


def _reigns_beside(one: Accepted, existing: ZoneIndex, n: int, successors: dict[str, float]) -> bool:
    ends = min(existing.ends[n], successors.get(existing.versions[n].zone_id, math.inf))
    return _together(*_span(one), existing.starts[n], ends)


def _span(one: Accepted) -> tuple[float, float]:
    return one.valid_from.timestamp(), one.valid_to.timestamp() if one.valid_to else math.inf


def _together(start: float, end: float, other_start: float, other_end: float) -> bool:
    """Whether two half-open spans of time share a moment; an empty span shares none."""
    return max(start, other_start) < min(end, other_end)
