"""Associative networks: rules by which connections strengthen what occurs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.algorithms.associative.hebb import HebbRule
    from neuropil.algorithms.associative.instar import Instar
    from neuropil.algorithms.associative.kohonen import Kohonen
    from neuropil.algorithms.associative.oja import Oja

__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.algorithms.associative.hebb": ("HebbRule",),
        "neuropil.algorithms.associative.instar": ("Instar",),
        "neuropil.algorithms.associative.kohonen": ("Kohonen",),
        "neuropil.algorithms.associative.oja": ("Oja",),
    },
)

__all__ = ["HebbRule", "Instar", "Kohonen", "Oja"]
