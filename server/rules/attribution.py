"""Which frontage zone a position speaks of: candidates with probabilities, and the decision (protocol.md section 8).

A fix is a two-dimensional Gaussian whose 68 % radius is `accuracy_m`. A zone's probability is that Gaussian
integrated over its polygon, so touching neighbours share their common edge and no place counts twice. Figures that
are not protocol stand in
`server/reference/attribution.json`. Serves `ZoneIndex` (zones.py); pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from server.reference import settings
from server.rules.plane import Shapes

SIGMAS_IN_68_PERCENT = math.sqrt(-2 * math.log(1 - 0.68))  # radius that holds 68 % of a 2-D Gaussian, in sigmas


@dataclass(frozen=True)
class Candidate:
    """One zone version that may be meant; `distance_m` from the position to its polygon, None without a position."""

    zone_id: str
    version: int
    name: str
    party: dict[str, Any]
    probability: float
    distance_m: float | None
    inside: bool
    method: str

    def as_wire(self) -> dict[str, Any]:
        """The candidate without its party's `contact`."""
        party = dict(self.party)
        party.pop("contact", None)
        return {"zone_id": self.zone_id, "version": self.version, "name": self.name, "party": party,
                "probability": self.probability, "distance_m": self.distance_m, "inside": self.inside,
                "method": self.method}


@dataclass(frozen=True)
class Attribution:
    """`decision` is certain, probable, ambiguous or none; candidates come most probable first. `asked_by` is `sticker`
    where nothing but a sticker was known, else `position`."""

    decision: str
    candidates: tuple[Candidate, ...] = ()
    asked_by: str = "position"

    def as_wire(self) -> dict[str, Any]:
        """The answer of GET /zones/attribute; without any party's `contact`: anybody may ask."""
        return {"decision": self.decision, "candidates": [one.as_wire() for one in self.candidates]}

    def as_field(self) -> dict[str, Any]:
        """`finding.zone`: the first candidate when the decision is certain or probable, else no zone yet."""
        decided = self.decision in ("certain", "probable")
        first = self.candidates[0] if decided else None
        return {
            "zone_id": first.zone_id if first else None,
            "version": first.version if first else None,
            "method": first.method if first else self.asked_by,
            "decision": self.decision,
            "probability": first.probability if first else None,
            "distance_m": first.distance_m if first else None,
            "candidates": self.as_wire()["candidates"],
        }


NO_ZONE = Attribution("none")
UNKNOWN_STICKER = Attribution("none", asked_by="sticker")


def usable_accuracy_m(accuracy_m: float | None) -> float:
    """The accuracy to reckon with: a default for a missing or senseless one, a floor for a boastful one."""
    limits = settings("attribution")
    if accuracy_m is None or not math.isfinite(accuracy_m) or accuracy_m < 0:
        return float(limits["default_accuracy_m"])
    return max(accuracy_m, float(limits["least_accuracy_m"]))


def search_radius_m(accuracies_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far from each position zones are looked for."""
    limits = settings("attribution")
    wanted = limits["search_accuracies"] * accuracies_m + limits["search_beyond_m"]
    return np.asarray(np.minimum(wanted, limits["search_most_m"]))


def weigh(zones: Sequence[Any], chances: Sequence[float], distances: Sequence[float], accuracy_m: float,
          sticker: int | None) -> Attribution:
    """Decide among versions by their masses (of sum at most 1) and distances in metres; `sticker`: place of the one
    whose sticker was read."""
    limits = settings("attribution")
    plausible = sticker is not None and distances[sticker] <= _sticker_reach_m(accuracy_m)
    if plausible:
        sure = limits["sticker_probability"]
        chances = [chance * (1 - sure) + (sure if n == sticker else 0) for n, chance in enumerate(chances)]
    listed = [
        _candidate(zone, chances[n], distances[n], "sticker" if n == sticker else "position")
        for n, zone in enumerate(zones)
        if chances[n] >= limits["listed_from"] or distances[n] <= limits["search_beyond_m"] or n == sticker
    ]
    listed.sort(key=lambda one: (-one.probability, one.distance_m, one.zone_id))
    decision = "certain" if plausible else _decision(chances, accuracy_m)
    return Attribution(decision, tuple(listed[: int(limits["candidates_most"])]))


def by_sticker_alone(zone: Any) -> Attribution:
    """A sticker was read and no position is known: the sticker names its zone."""
    chance = float(settings("attribution")["sticker_probability"])
    named = Candidate(zone.zone_id, zone.version, zone.name, zone.party, chance, None, False, "sticker")
    return Attribution("certain", (named,))


@dataclass(frozen=True)
class Edges:
    """The edges of oriented (multi)polygons, metres: those of outline n are rows first[n] to first[n + 1]."""

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    first: NDArray[np.int64]


def edges_of(outlines: Shapes) -> Edges:
    """The edges of each outline, those of no length left out."""
    parts, outline_of_part = shapely.get_parts(outlines, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    proper = (ring_of_point[1:] == ring_of_point[:-1]) & np.any(points[1:] != points[:-1], axis=1)
    owners = outline_of_part[part_of_ring[ring_of_point[:-1][proper]]]
    first = np.searchsorted(owners, np.arange(len(outlines) + 1))
    return Edges(points[:-1][proper], points[1:][proper], first)


def gaussian_mass(edges: Edges, places: NDArray[np.int64], centres: NDArray[np.float64],
                  sigmas_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mass of Gaussian k, about centres[k] (metres), on outline places[k]; shape (len(places),).

    Each edge adds the mass of the triangle that it spans with the centre, signed by its turn: with h the distance of
    its line and s the place along it, in sigmas, [atan(s/h)/2 pi - T(h, s/h)] between its ends, T being Owen's function
    (D. B. Owen, Annals of Mathematical Statistics 27, 1956).
    """
    counts = edges.first[places + 1] - edges.first[places]
    pair = np.repeat(np.arange(len(places)), counts)
    row = np.arange(len(pair)) + np.repeat(edges.first[places] - np.cumsum(counts) + counts, counts)
    starts = (edges.starts[row] - centres[pair]) / sigmas_m[pair, None]
    ends = (edges.ends[row] - centres[pair]) / sigmas_m[pair, None]
    return np.clip(np.bincount(pair, weights=_edge_masses(starts, ends), minlength=len(places)), 0.0, 1.0)


def _edge_masses(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    steps = ends - starts
    units = steps / np.hypot(steps[:, 0], steps[:, 1])[:, None]
    turn = starts[:, 0] * units[:, 1] - starts[:, 1] * units[:, 0]
    height = np.maximum(np.abs(turn), 1e-12)  # an edge that points at the centre spans nothing
    low, high = ((points * units).sum(axis=1) / height for points in (starts, ends))
    from scipy.special import owens_t  # slow to load, and most commands ask for no zone
    masses = (np.arctan(high) - np.arctan(low)) / (2 * math.pi) - (owens_t(height, high) - owens_t(height, low))
    return np.where(np.abs(turn) > 1e-12, np.sign(turn) * masses, 0.0)


def _sticker_reach_m(accuracy_m: float) -> float:
    limits = settings("attribution")
    return float(limits["sticker_within_m"] + limits["sticker_accuracies"] * accuracy_m)


def _candidate(zone: Any, chance: float, distance: float, method: str) -> Candidate:
    """Rounded downwards, so that the listed probabilities never sum to more than 1."""
    probability = math.floor(chance * 1e6) / 1e6
    distance_m, inside = round(distance, 2), distance == 0
    return Candidate(zone.zone_id, zone.version, zone.name, zone.party, probability, distance_m, inside, method)


def _decision(chances: Sequence[float], accuracy_m: float) -> str:
    """A fix too coarse to rule zones out says ambiguous, never none: a person or a sticker decides (domain.md 17.3)."""
    limits = settings("attribution")
    best = max(chances, default=0.0)
    if best >= limits["certain_from"]:
        return "certain"
    if best >= limits["probable_from"]:
        return "probable"
    coarse = accuracy_m > limits["ask_sticker_above_m"]
    return "ambiguous" if coarse or sum(chances) >= limits["none_below"] else "none"
