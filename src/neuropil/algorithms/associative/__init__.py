"""Associative networks: rules by which connections strengthen what occurs together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.lazy import lazily

if TYPE_CHECKING:
    from neuropil.algorithms.associative.kohonen import Kohonen

__getattr__, __dir__ = lazily(
    __name__,
    {
        "neuropil.algorithms.associative.kohonen": ("Kohonen",),
    },
)

__all__ = ["Kohonen"]
