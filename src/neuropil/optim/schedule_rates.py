"""Learning rates as functions of time, relative to the first rate.

Closed forms do not accumulate rounding errors, are defined after their end, and have a state of
plain numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from typing_extensions import override


@dataclass
class Steps:
    """``factor ^ ⌊t / length⌋``."""

    length: int
    factor: float

    def __call__(self, t: int) -> float:
        return self.factor ** (t // self.length)


@dataclass
class Exponential(Steps):
    """``factor ^ (t / length)``."""

    @override
    def __call__(self, t: int) -> float:
        return self.factor ** (t / self.length)


@dataclass
class Polynomial:
    """From 1 to ``floor``, as a power of the remaining time."""

    length: int
    power: float
    floor: float

    def __call__(self, t: int) -> float:
        left = 1 - min(t, self.length) / self.length
        return self.floor + (1 - self.floor) * left**self.power


@dataclass
class Cosine:
    """From 1 to ``floor``, along half a cosine wave."""

    length: int
    floor: float

    def __call__(self, t: int) -> float:
        return self.floor + (1 - self.floor) * wave_down(t / self.length)


@dataclass
class Cycle:
    """Half a wave up from ``start`` to 1 in the first ``rise``, half a wave down to ``end``.

    As in torch's `OneCycleLR`, the top is at time ``rise · length − 1`` and the end at
    ``length − 1``: the last of ``length`` steps is taken at the last rate.
    """

    length: int
    rise: float
    start: float
    end: float

    def height(self, t: int) -> float:
        """Return the height of the wave at time t, from 0 to 1."""
        if t > self.top:
            return wave_down((t - self.top) / (self.length - 1 - self.top))
        return 1 - wave_down(t / self.top) if self.top else 1.0

    @property
    def top(self) -> float:
        """The time of the peak; below 0 if the cycle begins on the way down."""
        return self.rise * self.length - 1

    def __call__(self, t: int) -> float:
        foot = self.end if t > self.top else self.start
        return foot + (1 - foot) * self.height(t)


def wave_down(progress: float) -> float:
    """Return half a cosine wave: 1 at progress 0, falling to 0 at progress 1 and beyond."""
    return (1 + math.cos(math.pi * min(1.0, progress))) / 2
