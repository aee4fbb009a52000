"""The frontages of the synthetic town on its plan: runs of shops, corner shops, walls between. Serves `town`.

Neighbours in a run share the two points of their common edge; a corner shop has an L-shaped strip on two streets.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from server.demo.streets import STREETS, Block, Ring, Street, blocks_of, corner_outline

NARROWEST_M, WIDEST_M = 4.0, 12.0
SHALLOWEST_M, DEEPEST_M = 3.0, 8.0
# A wall at a crossing without a corner shop, longer than the deepest strip of the crossing street.
CLEAR_M = 14.0
CORNER_SHOPS = 0.6
SHOPS_IN_A_RUN = (4, 12)
WALL_M = (25.0, 100.0)

# Street, side and start of a block; vertical street, horizontal street and the sides in x and y of a crossing's corner.
Strip = tuple[str, int, float]
Quadrant = tuple[str, str, int, int]


@dataclass(frozen=True)
class Front:
    """One frontage: its outline on the plan (not closed), and where it stands along its street."""

    street: Street
    side: int
    along_m: float
    outline: Ring
    frontage_m: float
    depth_m: float
    second_street: Street | None = None


@dataclass(frozen=True)
class Corner:
    """A corner shop: the street it is numbered in, and its frontage on the vertical and the horizontal street."""

    owner: Street
    vertical_m: float
    horizontal_m: float

    def frontage_on(self, street: Street) -> float:
        return self.vertical_m if street.vertical else self.horizontal_m


def make_fronts(rng: Random, streets: tuple[Street, ...] = STREETS) -> list[Front]:
    """Lay the frontages of all streets, street by street, in the order of their position along it."""
    blocks = [block for street in streets for block in blocks_of(street, streets)]
    depths = {_strip(block): _metres(rng, SHALLOWEST_M, DEEPEST_M) for block in blocks}
    corners = _corners(rng, blocks)
    fronts = [front for block in blocks for front in _fronts_of(rng, block, depths, corners)]
    return sorted(fronts, key=lambda front: (streets.index(front.street), front.along_m, front.side))


def _strip(block: Block) -> Strip:
    return block.street.name, block.side, block.start_m


def _quadrant(block: Block, bound: Street, at_start: bool) -> Quadrant:
    """Name a corner of a crossing, alike from both streets."""
    ahead = 1 if at_start else -1
    if block.street.vertical:
        return block.street.name, bound.name, block.side, ahead
    return bound.name, block.street.name, ahead, block.side


def _corners(rng: Random, blocks: list[Block]) -> dict[Quadrant, Corner]:
    corners = {}
    for block in blocks:
        for bound, at_start in block.ends:
            if not block.street.vertical or rng.random() > CORNER_SHOPS:
                continue
            owner = max(block.street, bound, key=lambda street: street.carriageway_m)
            corner = Corner(owner, _metres(rng, NARROWEST_M, 9), _metres(rng, NARROWEST_M, 9))
            corners[_quadrant(block, bound, at_start)] = corner
    return corners


def _fronts_of(
    rng: Random, block: Block, depths: dict[Strip, float], corners: dict[Quadrant, Corner]
) -> Iterator[Front]:
    """Yield the fronts of one block: corner shops that belong to its street, and runs of shops with walls between."""
    depth = depths[_strip(block)]
    start, stop = block.start_m, block.stop_m
    for bound, at_start in block.ends:
        corner = corners.get(_quadrant(block, bound, at_start))
        kept = CLEAR_M
        if corner:
            other_depth = depths[_strip_round_the_corner(block, bound, at_start)]
            frontage, other = corner.frontage_on(block.street), corner.frontage_on(bound)
            kept = other_depth + frontage
            if corner.owner is block.street:
                outline = corner_outline(block, at_start, depth, frontage, other_depth, other)
                along = block.start_m if at_start else block.stop_m
                yield Front(block.street, block.side, along, outline, round(frontage + other, 2), depth, bound)
        start, stop = (start + kept, stop) if at_start else (start, stop - kept)
    yield from _runs(rng, block, start, stop, depth)


def _strip_round_the_corner(block: Block, bound: Street, at_start: bool) -> Strip:
    """Return the strip of the bounding street that starts or stops at this block's street."""
    side = 1 if at_start else -1
    for other in blocks_of(bound):
        if other.side == side and (other.before if block.side > 0 else other.after) is block.street:
            return _strip(other)
    raise LookupError(f"{bound.name} has no strip at {block.street.name}")


def _runs(rng: Random, block: Block, start: float, stop: float, depth: float) -> Iterator[Front]:
    """Yield runs of shops from start to stop, with walls and entrances of no zone between them."""
    along = start
    while True:
        for _ in range(rng.randint(*SHOPS_IN_A_RUN)):
            width = _metres(rng, NARROWEST_M, WIDEST_M)
            if along + width > stop:
                return
            outline = block.outline(along, round(along + width, 2), depth)
            yield Front(block.street, block.side, along, outline, width, depth)
            along = round(along + width, 2)
        along = round(along + _metres(rng, *WALL_M), 2)


def _metres(rng: Random, least: float, most: float) -> float:
    return round(rng.uniform(least, most), 1)
