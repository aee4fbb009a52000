"""Pictures like photographs, as far as their hashes are concerned: 1/f noise, lighter above or below, clipped to black
and white in places, as skies and shadows are.

Light, contrast and tilt are set so that as many neighbours are equal as in the reference photos (median 0.07, one in
ten over 0.3), for equal neighbours are what makes some keys of the index hot.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from media.reuse import LEAST_STEP, LEAST_STEPS, SIDE

Grey = NDArray[np.float64]
AT_ONCE = 5_000
TURNS = {1: lambda p: p, 2: lambda p: p[:, :, ::-1], 3: lambda p: p[:, ::-1, ::-1], 4: lambda p: p[:, ::-1],
         5: lambda p: p.transpose(0, 2, 1), 6: lambda p: p.transpose(0, 2, 1)[:, :, ::-1],
         7: lambda p: p[:, ::-1, ::-1].transpose(0, 2, 1), 8: lambda p: p.transpose(0, 2, 1)[:, ::-1]}


def hashes(random: np.random.Generator, count: int) -> Iterator[NDArray[np.uint8]]:
    """So many hashes of pictures with detail, 32 bytes each, in lots."""
    while count > 0:
        bits = bits_of(pictures(random, AT_ONCE, SIDE, SIDE + 1))[0][:count]
        count -= len(bits)
        yield packed(bits)


def queries(random: np.random.Generator, count: int) -> list[dict[int, int]]:
    """The hashes of so many pictures in each orientation, as media.reuse.dhashes gives them."""
    found: list[dict[int, int]] = []
    while len(found) < count:
        fine = pictures(random, 500, 2 * SIDE, 2 * SIDE)
        made: list[dict[int, int]] = [{} for _ in fine]
        for number, turn in TURNS.items():
            bits, kept = bits_of(_reduced(turn(fine)))
            for place, row in zip(np.flatnonzero(kept), packed(bits), strict=True):
                made[place][number] = int.from_bytes(row.tobytes())
        found += [one for one in made if 1 in one]
    return found[:count]


def pictures(random: np.random.Generator, count: int, height: int, width: int) -> Grey:
    """So many grey pictures, 0 to 255."""
    side = 2 * max(height, width - 1)
    far = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    shape = (count, side, side // 2 + 1)
    waves = (random.normal(size=shape) + 1j * random.normal(size=shape)) / np.maximum(far, 1 / side)
    waves[:, 0, 0] = 0
    noise = np.fft.irfft2(waves, s=(side, side))[:, :height, :width]
    noise /= noise.std(axis=(1, 2), keepdims=True)
    contrast, light, tilt = (draw[:, None, None] for draw in (
        random.uniform(20, 90, count), random.normal(128, 80, count), random.normal(0, 1, count)))
    return np.clip(np.round((noise + tilt * np.linspace(1, -1, height)[None, :, None]) * contrast + light), 0, 255)


def bits_of(grey: Grey) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The 256 bits of each 17 x 16 picture that has enough detail, and which have."""
    steps = np.diff(grey, axis=2).reshape(len(grey), SIDE * SIDE)
    kept = (np.abs(steps) >= LEAST_STEP).sum(axis=1) >= LEAST_STEPS
    return (steps > 0)[kept], kept


def packed(bits: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Rows of 32 bytes; the first step is the lowest bit, as in media.reuse."""
    return np.packbits(bits[:, ::-1], axis=1)


def _reduced(fine: Grey) -> Grey:
    """The 17 x 16 reduction of square pictures, each point the mean of what it covers."""
    return np.round(_weights(SIDE, fine.shape[1]) @ fine @ _weights(SIDE + 1, fine.shape[2]).T)


def _weights(to: int, side: int) -> Grey:
    edges = np.linspace(0, side, to + 1)
    covered = np.minimum(edges[1:, None], np.arange(1, side + 1)) - np.maximum(edges[:-1, None], np.arange(side))
    return np.clip(covered, 0, None) * to / side
