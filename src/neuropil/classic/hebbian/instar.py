"""Grossberg's instar: a unit that learns the inputs that occur with a signal."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from typing_extensions import override

from neuropil.checks import interval
from neuropil.classic.hebbian.base import Association

if TYPE_CHECKING:
    from neuropil.checks import Rules
    from neuropil.classic.base import Floats


@final
@dataclass(eq=False, repr=False)
class Instar(Association):
    """Units whose weights move to the inputs that occur with a signal.

    For each row, ``w_k ← w_k + lr · y_k (x − w_k)`` with the unconditioned signal y, 1 or 0:
    the weights are a running mean of the inputs while the signal is on, and do not change while
    it is off. Afterwards the input alone makes the unit respond,
    ``a = 1 where w·x + bias > 0, else 0``.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``, or ``(n_samples, n_units)``.

    Args:
        lr: The fraction of the way that weights move towards an input.
        bias: Added to w·x; its negative is the w·x above which a unit responds.
        n_epochs: The number of passes of `fit` over all rows.
        binarize: Signals above it are on; None takes 0 and 1, or −1 and 1, unchanged.

    Attributes:
        weights_: One column per unit, ``(features, units)``; 0 at the start.
        one_output_: Whether y was a single column, ``(n_samples)``.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option is invalid, the signal is not binary where it must be, or a
            value is missing or infinite.

    Reference:
        S. Grossberg, "Adaptive pattern classification and universal recoding", Biological
        Cybernetics 23 (1976); M. T. Hagan et al., "Neural Network Design", chapter on
        associative learning. Here the signal alone decides when to learn, not the response.

    Example:
        >>> orange = [1.0, -1.0, -1.0]  # round, rough, light
        >>> model = Instar(lr=1.0, bias=-2.0).fit([orange, [-1.0, 1.0, 1.0]], [1, 0])
        >>> model.weights_.ravel().tolist()
        [1.0, -1.0, -1.0]
        >>> model.predict([orange, [1.0, 1.0, -1.0]]).tolist()
        [1.0, 0.0]
    """

    _: KW_ONLY
    lr: float = 0.1
    bias: float = -0.5
    n_epochs: int = 10
    binarize: float | None = 0.0

    rules: ClassVar[Rules] = Association.rules | {"lr": interval("(0, 1]")}

    @override
    def gains(self, signals: Floats) -> tuple[Floats, Floats]:
        lr = float(self.lr)
        on = self.bits(signals, self.binarize).astype(np.int64)
        # Unrolled: the part of a row is multiplied by (1 − lr) at each later row whose signal
        # is on.
        later = on.sum(axis=0) - np.cumsum(on, axis=0)
        return (1 - lr) ** on.sum(axis=0).astype(np.float64), lr * on * (1 - lr) ** later
