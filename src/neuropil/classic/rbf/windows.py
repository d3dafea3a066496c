"""Base class of GRNN and PNN: Gaussian windows over data."""

from __future__ import annotations

from typing import Any

import numpy as np
from typing_extensions import override

from neuropil.classic.base import ClassicNetwork, Floats, Integers
from neuropil.classic.rbf.loops import add_windows

# The size of a tile of distances: it fits the cache, and is large enough for a fast product.
QUERIES, DATA = 512, 512


class WindowNetwork(ClassicNetwork):
    """A network with one Gaussian window for each row of data."""

    sigma_: Floats
    feature_sigma_: Floats
    center_: Floats
    windows_: Floats

    @override
    def consistent(self) -> bool:
        widths = bool((self.sigma_ > 0).all() and (self.feature_sigma_ > 0).all())
        # One column more than the features: −½ of the squared lengths.
        return widths and self.windows_.shape[1] == self.n_features_in_ + 1

    def fixed_sigma(self, n_features: int | None) -> Floats:
        """Return the widths that were given as numbers: one, or one per feature.

        Args:
            n_features: The number of features; None if it is not known yet.

        Raises:
            ValueError: If a width is not positive, or their number is wrong.
        """
        given: Any = getattr(self, "sigma")  # noqa: B009 - each network declares its own type
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
        """Return the allowed widths, in words."""
        several = "one of them per feature" if n_features is None else f"{n_features} of them"
        return f"'shared', 'feature', a positive number, or {several}"

    def place(self, X: Floats, sigma: Floats) -> None:
        """Set windows over rows of data.

        Args:
            X: The data.
            sigma: Width of the windows, one or one per feature.
        """
        self.center_ = X.mean(axis=0)
        self.feature_sigma_ = np.asarray(sigma, X.dtype)
        data = self.scale(X)
        # −‖q − x‖² / 2 = q·x − ‖x‖² / 2 − ‖q‖² / 2: with a 1 after each query, the last column
        # makes the product of two rows equal to all of it but the part of the query alone.
        self.windows_ = np.column_stack([data, (data**2).sum(1) / -2])

    def scale(self, X: Floats) -> Floats:
        """Return centred rows, divided by the widths.

        Raises:
            ValueError: If a square would overflow.
        """
        X = X.astype(self.center_.dtype, copy=False)
        return self.check_magnitude((X - self.center_) / self.feature_sigma_)

    def window_sums(
        self, Q: Floats, targets: Floats, bounds: Integers, scales: Floats
    ) -> tuple[Floats, Floats]:
        """Return the peaks, and sums of ``e^(power − peak)`` without and with each target.

        A power is ``scale · (q·x − ‖x‖² / 2)``, the part of the exponent that depends on the
        data.

        Args:
            Q: Queries, scaled.
            targets: What is summed after the windows themselves, outputs × data; at least one
                output.
            bounds: Where each class begins among the data, and the end.
            scales: What the powers of each class are multiplied by.
        """
        dtype = self.windows_.dtype
        # All windows below this, relative to the peak, add up to less than one rounding error.
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
                # The bounds of the classes, relative to this tile.
                within = np.clip(bounds - j, 0, powers.shape[1])
                add_windows(
                    powers, targets, j, within, scales, negligible, peaks[block], sums[block]
                )
        return peaks, sums
