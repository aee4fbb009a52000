"""The street plan of the synthetic town: streets, their crossings, the strips of pavement before the buildings.

Serves `fronts` and `town`. All in metres on a plane x, y, before the town is turned and laid on the earth; a street
knows its places by `along` and `across`. Three names with their sections are real (武宜路, 花园街, 鸣新中路); every
position and the other streets are invented.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
Ring = list[Point]


@dataclass(frozen=True)
class Street:
    """A straight street along one axis of the plan: at `centre_m` on the other axis, from `start_m` to `stop_m`."""

    name: str
    vertical: bool
    centre_m: float
    start_m: float
    stop_m: float
    carriageway_m: float
    section: str
    name_is_real: bool = False

    @property
    def half_m(self) -> float:
        return self.carriageway_m / 2

    def point(self, along: float, across: float) -> Point:
        """Return the plan's x, y of a place `along` the street and `across` m right of its centre line."""
        return (self.centre_m + across, along) if self.vertical else (along, self.centre_m + across)

    def reaches(self, other: "Street", side: int) -> bool:
        """Tell whether the street goes on to that side (1 or -1) of a street that it meets."""
        return self.stop_m > other.centre_m if side > 0 else self.start_m < other.centre_m

    def meets(self, other: "Street") -> bool:
        return (
            self.vertical != other.vertical
            and self.start_m <= other.centre_m <= self.stop_m
            and other.start_m <= self.centre_m <= other.stop_m
        )


STREETS = (
    Street("武宜路", True, -500, -700, 700, 22, "武宜路(长虹路-人民路)", name_is_real=True),
    Street("花园街", True, 0, -700, 700, 18, "花园街(长虹路-延政路)", name_is_real=True),
    Street("鸣新中路", False, 150, -500, 500, 16, "鸣新中路(常武路-武宜路)", name_is_real=True),
    Street("槐花巷", False, 500, -500, 0, 9, "槐花巷"),
    Street("竹篮巷", False, -350, 0, 500, 9, "竹篮巷"),
    Street("书带巷", True, -250, 150, 500, 8, "书带巷"),
    Street("石磨巷", True, 260, -350, 150, 8, "石磨巷"),
)


@dataclass(frozen=True)
class Block:
    """One side of a street from crossing to crossing; `before` and `after` are the streets that bound it, if any."""

    street: Street
    side: int
    start_m: float
    stop_m: float
    before: Street | None
    after: Street | None

    @property
    def ends(self) -> Iterator[tuple[Street, bool]]:
        """Yield the bounding streets, each with whether it bounds the block's start."""
        if self.before:
            yield self.before, True
        if self.after:
            yield self.after, False

    def outline(self, start: float, stop: float, depth: float) -> Ring:
        """Return the corners of a strip between kerb and wall, not closed."""
        kerb, wall = self.side * self.street.half_m, self.side * (self.street.half_m + depth)
        return [self.street.point(*place) for place in ((start, kerb), (stop, kerb), (stop, wall), (start, wall))]


def blocks_of(street: Street, streets: tuple[Street, ...] = STREETS) -> Iterator[Block]:
    """Yield the blocks of both sides, from the street's start to its stop."""
    for side in (1, -1):
        bounds = [
            other for other in streets
            if street.meets(other)
            and (other.reaches(street, side) or other.centre_m in (street.start_m, street.stop_m))
        ]
        bounds.sort(key=lambda other: other.centre_m)
        open_start = not bounds or bounds[0].centre_m > street.start_m
        open_stop = not bounds or bounds[-1].centre_m < street.stop_m
        for before, after in pairwise([None] * open_start + bounds + [None] * open_stop):
            start = before.centre_m + before.half_m if before else street.start_m
            stop = after.centre_m - after.half_m if after else street.stop_m
            yield Block(street, side, start, stop, before, after)


def corner_outline(
    block: Block, at_start: bool, depth: float, frontage: float, other_depth: float, other: float
) -> Ring:
    """Return the L-shaped strip before a corner shop, six corners, not closed.

    The shop has `frontage` m behind a strip of `depth` m on the block's street, and `other` m behind `other_depth` m on
    the street that bounds the block.
    """
    step = 1 if at_start else -1
    kerb, edge = block.side * block.street.half_m, block.start_m if at_start else block.stop_m
    wall = kerb + block.side * depth
    places = (
        (edge, kerb),
        (edge + step * (other_depth + frontage), kerb),
        (edge + step * (other_depth + frontage), wall),
        (edge + step * other_depth, wall),
        (edge + step * other_depth, wall + block.side * other),
        (edge, wall + block.side * other),
    )
    return [block.street.point(*place) for place in places]
