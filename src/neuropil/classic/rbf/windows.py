"""Gaussian windows over data: what GRNN and PNN share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuropil.classic.base import ClassicNetwork
from neuropil.classic.rbf.loops import add_windows

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

# A tile of distances stays in the processor's cache, and is no small product.
QUERIES, DATA = 512, 512


class WindowNetwork(ClassicNetwork):
    """A network of one Gaussian window for each row of data."""

    sigma_: Floats
    feature_sigma_: Floats
    center_: Floats
    windows_: Floats

    def fixed_sigma(self, n_features: int | None) -> Floats:
        """Return the widths that were given as numbers: one, or one a feature.

        Args:
            n_features: How many features there are; None where that is not known yet.

        Raises:
            ValueError: When they are not positive, or as many.
        """
        given: Any = getattr(self, "sigma")  # noqa: B009 - each network has its own kind of it
        try:
            widths = np.asarray(given, float)
        except (TypeError, ValueError):
            self.refuse("sigma", self.right_sigma(n_features))
        several = widths.shape if n_features is None else (n_features,)
        right = widths.shape in ((), several) and widths.ndim <= 1 and np.isfinite(widths).all()
        if not right or isinstance(given, bool) or not (widths > 0).all():
            self.refuse("sigma", self.right_sigma(n_features))
        return widths

    def right_sigma(self, n_features: int | None) -> str:
        """Return what a width may be, in words."""
        several = "one of them per feature" if n_features is None else f"{n_features} of them"
        return f"'shared', 'feature', a positive number, or {several}"

    def place(self, X: Floats, sigma: Floats) -> None:
        """Set windows over rows of data.

        Args:
            X: The data.
            sigma: Width of the windows, one or one a feature.
        """
        self.center_ = X.mean(axis=0)
        self.feature_sigma_ = np.asarray(sigma, X.dtype)
        data = self.scale(X)
        # The last column holds what the product of two rows lacks of their distance.
        self.windows_ = np.column_stack([data, (data**2).sum(1) / -2])

    def scale(self, X: Floats) -> Floats:
        """Return rows in widths from the middle of the data.

        Raises:
            ValueError: When a square would overflow.
        """
        X = X.astype(self.center_.dtype, copy=False)
        return self.squarable((X - self.center_) / self.feature_sigma_)

    def window_sums(
        self, Q: Floats, targets: Floats, bounds: Integers, scales: Floats
    ) -> tuple[Floats, Floats]:
        """Return the peaks, and sums of ``e^(power − peak)`` without and with each target.

        A power is ``scale · (q·x − ‖x‖² / 2)``: of the distance, what depends on the data.

        Args:
            Q: Queries, scaled.
            targets: What is summed after the windows themselves, outputs × data; at least one
                output.
            bounds: Where each class begins among the data, and the end.
            scales: What the powers of each class are multiplied by.
        """
        dtype = self.windows_.dtype
        negligible = float(np.log(np.finfo(dtype).eps / len(self.windows_)))
        scales = scales.astype(dtype)
        peaks = np.full((len(Q), len(scales)), -np.inf, dtype)
        sums = np.zeros((*peaks.shape, 1 + len(targets)), dtype)
        tile = np.empty(QUERIES * DATA, dtype)
        for i in range(0, len(Q), QUERIES):
            block = slice(i, i + QUERIES)
            queries = np.column_stack([Q[block], np.ones(len(Q[block]), dtype)])
            for j in range(0, len(self.windows_), DATA):
                data = self.windows_[j : j + DATA]
                powers = tile[: len(queries) * len(data)].reshape(len(queries), -1)
                np.matmul(queries, data.T, out=powers)
                within = np.clip(bounds - j, 0, powers.shape[1])
                add_windows(
                    powers, targets, j, within, scales, negligible, peaks[block], sums[block]
                )
        return peaks, sums
