"""Hebb's rule: what is active together is joined."""

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
class HebbRule(Association):
    """Units that join inputs with the targets that come with them, and slowly forget.

    Row after row, ``w_k ← (1 − decay) w_k + lr · y_k x``. A pair that always comes drives the
    weight to ``lr / decay``; without decay, one pass over rows gives ``W = lr Xᵀ Y``, the
    linear associator. Units respond by ``a = 1 where w·x + bias > 0, else 0``.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``, or ``(n_samples, n_units)``.

    Args:
        lr: How much a pair of input and target adds.
        decay: Which part of the weights is forgotten at each row.
        bias: What is added to w·x.
        n_epochs: How often `fit` goes through all rows.

    Attributes:
        weights_: One column a unit, ``(features, units)``; at first 0.
        one_output_: Whether y came as a single column, ``(n_samples)``.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: When an option cannot be, a value is missing or infinite, or weights grow
            beyond all numbers.

    Reference:
        D. O. Hebb, "The Organization of Behavior", 1949; M. T. Hagan et al., "Neural Network
        Design", chapters on Hebbian and associative learning. Here the targets alone say how
        much is learnt, not the response.

    Example:
        >>> food_alone, both, bell_alone = [0.0], [1.0], [1.0]
        >>> model = HebbRule(lr=0.5, decay=0.25, n_epochs=1).fit(
        ...     [both, food_alone, both], [1, 1, 1]
        ... )
        >>> model.weights_.tolist()  # ((0 + 0.5) · 0.75 + 0) · 0.75 + 0.5
        [[0.78125]]
        >>> model.predict([bell_alone, food_alone]).tolist()
        [1.0, 0.0]
    """

    _: KW_ONLY
    lr: float = 0.1
    decay: float = 0.05
    bias: float = -0.5
    n_epochs: int = 10

    rules: ClassVar[Rules] = Association.rules | {
        "lr": interval("(0, 1e300)"),
        "decay": interval("[0, 1]"),
    }

    @override
    def gains(self, signals: Floats) -> tuple[Floats, Floats]:
        lr, kept = float(self.lr), 1 - float(self.decay)
        later = np.arange(len(signals))[::-1, None]
        everything = np.full(signals.shape[1], kept ** len(signals))
        return everything, lr * signals * kept**later
