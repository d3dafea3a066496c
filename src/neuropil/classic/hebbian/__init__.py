"""Associative networks: rules by which connections strengthen what occurs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.classic.hebbian.hebb import HebbRule
    from neuropil.classic.hebbian.instar import Instar
    from neuropil.classic.hebbian.kohonen import Kohonen
    from neuropil.classic.hebbian.oja import Oja

__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.classic.hebbian.hebb": ("HebbRule",),
        "neuropil.classic.hebbian.instar": ("Instar",),
        "neuropil.classic.hebbian.kohonen": ("Kohonen",),
        "neuropil.classic.hebbian.oja": ("Oja",),
    },
)

__all__ = ["HebbRule", "Instar", "Kohonen", "Oja"]
