"""Which frontage zone a position speaks of: candidates with probabilities, and the decision (protocol.md section 8).

A fix is a two-dimensional Gaussian whose 68 % radius is `accuracy_m`. A zone's probability is that Gaussian
integrated over its polygon, so touching neighbours share their common edge and no place counts twice. Figures that
are not protocol stand in
`server/reference/attribution.json`. Serves `ZoneIndex` (zones.py); pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from server.reference import settings
from server.rules.plane import Shapes

SIGMAS_IN_68_PERCENT = math.sqrt(-2 * math.log(1 - 0.68))  # radius that holds 68 % of a 2-D Gaussian, in sigmas
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)


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


@dataclass(frozen=True)
class Attribution:
    """`decision` is certain, probable, ambiguous or none; candidates come most probable first."""

    decision: str
    candidates: tuple[Candidate, ...] = ()

    def as_wire(self) -> dict[str, Any]:
        """The answer of GET /zones/attribute: parties without `contact`, since whoever asks may ask about any place."""
        return {"decision": self.decision, "candidates": [
            {**asdict(one), "party": {name: value for name, value in one.party.items() if name != "contact"}}
            for one in self.candidates]}

    def as_field(self) -> dict[str, Any]:
        """`finding.zone`: the first candidate when the decision is certain or probable, else no zone yet."""
        decided = self.decision in ("certain", "probable")
        first = self.candidates[0] if decided else None
        return {
            "zone_id": first.zone_id if first else None,
            "version": first.version if first else None,
            "method": first.method if first else "position",
            "decision": self.decision,
            "probability": first.probability if first else None,
            "distance_m": first.distance_m if first else None,
            "candidates": self.as_wire()["candidates"],
        }


NO_ZONE = Attribution("none")


def usable_accuracy_m(accuracy_m: float | None) -> float:
    """The accuracy to reckon with: a default for a missing or senseless one, a floor for a boastful one."""
    limits = settings("attribution")
    if accuracy_m is None or not math.isfinite(accuracy_m) or accuracy_m < 0:
        return float(limits["default_accuracy_m"])
    return max(accuracy_m, float(limits["least_accuracy_m"]))


def search_radius_m(accuracy_m: float) -> float:
    """How far from the position zones are looked for."""
    limits = settings("attribution")
    return float(min(limits["search_accuracies"] * accuracy_m + limits["search_beyond_m"], limits["search_most_m"]))


def weigh(
    zones: Sequence[Any], outlines: Shapes, x: float, y: float, accuracy_m: float, sticker: int | None
) -> Attribution:
    """Decide among versions with metric outlines around (x, y); `sticker`: place of the one whose sticker was read."""
    limits = settings("attribution")
    distances = shapely.distance(outlines, shapely.Point(x, y))
    chances = gaussian_mass(outlines, x, y, accuracy_m / SIGMAS_IN_68_PERCENT)
    chances /= max(1.0, float(chances.sum()))
    plausible = sticker is not None and distances[sticker] <= _sticker_reach_m(accuracy_m)
    if plausible:
        chances *= 1 - limits["sticker_probability"]
        chances[sticker] += limits["sticker_probability"]
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


def gaussian_mass(outlines: Shapes, x: float, y: float, sigma_m: float) -> NDArray[np.float64]:
    """The mass of a Gaussian about (x, y) on each oriented (multi)polygon, to about 1e-6, shape (len(outlines),).

    Each edge adds the mass of the triangle that it spans with the centre, signed by its turn:
    1/(2 pi) * integral over the edge of d/(d^2+s^2) * (1 - exp(-(d^2+s^2)/2)) ds, with d the distance of its line and
    s the place along it, both in sigmas; s = hypot(d, 1) * sinh(u) makes the integrand smooth for Gauss-Legendre.
    """
    parts, zone_of_part = shapely.get_parts(outlines, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    points = (points - (x, y)) / sigma_m
    along = ring_of_point[1:] == ring_of_point[:-1]
    starts, ends = points[:-1][along], points[1:][along]
    steps = ends - starts
    lengths = np.hypot(*steps.T)
    proper = lengths > 0
    starts, ends, steps, lengths = starts[proper], ends[proper], steps[proper], lengths[proper]
    masses = _edge_masses(starts, ends, steps / lengths[:, None])
    owners = zone_of_part[part_of_ring[ring_of_point[:-1][along][proper]]]
    return np.clip(np.bincount(owners, weights=masses, minlength=len(outlines)), 0.0, 1.0)


def _edge_masses(
    starts: NDArray[np.float64], ends: NDArray[np.float64], units: NDArray[np.float64]
) -> NDArray[np.float64]:
    clearance = starts[:, 0] * units[:, 1] - starts[:, 1] * units[:, 0]
    scale = np.hypot(clearance, 1.0)
    low = np.arcsinh((starts * units).sum(axis=1) / scale)
    high = np.arcsinh((ends * units).sum(axis=1) / scale)
    half = (high - low) / 2
    places = (low + half)[:, None] + half[:, None] * NODES
    along = scale[:, None] * np.sinh(places)
    energy = (clearance[:, None] ** 2 + along**2) / 2
    falloff = np.ones_like(energy)
    np.divide(-np.expm1(-energy), energy, out=falloff, where=energy > 1e-12)
    values = falloff * np.cosh(places) @ WEIGHTS
    return np.asarray(clearance * scale * half * values / (4 * math.pi))


def _sticker_reach_m(accuracy_m: float) -> float:
    limits = settings("attribution")
    return float(limits["sticker_within_m"] + limits["sticker_accuracies"] * accuracy_m)


def _candidate(zone: Any, chance: float, distance: float, method: str) -> Candidate:
    """Rounded downwards, so that the listed probabilities never sum to more than 1."""
    probability = math.floor(chance * 1e6) / 1e6
    distance_m, inside = round(float(distance), 2), bool(distance == 0)
    return Candidate(zone.zone_id, zone.version, zone.name, zone.party, probability, distance_m, inside, method)


def _decision(chances: NDArray[np.float64], accuracy_m: float) -> str:
    """A fix too coarse to rule zones out says ambiguous, never none: a person or a sticker decides (domain.md 17.3)."""
    limits = settings("attribution")
    best = float(chances.max(initial=0.0))
    if best >= limits["certain_from"]:
        return "certain"
    if best >= limits["probable_from"]:
        return "probable"
    coarse = accuracy_m > limits["ask_sticker_above_m"]
    return "ambiguous" if coarse or float(chances.sum()) >= limits["none_below"] else "none"
