"""Hebb's rule: connections grow between what is active together."""

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
    """Units that associate inputs with the targets given with them, and slowly forget.

    For each row, ``w_k ← (1 − decay) w_k + lr · y_k x``. A constant pair of ones drives its
    weight to ``lr / decay``; without decay, one pass over the rows gives ``W = lr Xᵀ Y``, the
    linear associator. Units respond by ``a = 1 where w·x + bias > 0, else 0``.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``, or ``(n_samples, n_units)``.

    Args:
        lr: Learning rate.
        decay: The fraction of the weights forgotten with each row.
        bias: Added to w·x.
        n_epochs: The number of passes of `fit` over all rows.

    Attributes:
        weights_: One column per unit, ``(features, units)``; 0 at the start.
        one_output_: Whether y was a single column, ``(n_samples)``.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option is invalid, a value is missing or infinite, or the weights
            overflow.

    Reference:
        D. O. Hebb, "The Organization of Behavior", 1949; M. T. Hagan et al., "Neural Network
        Design", chapters on Hebbian and associative learning. Here the targets alone determine
        how much is learnt, not the response.

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
        lr, retained = float(self.lr), 1 - float(self.decay)
        # Unrolled over n rows: row i is multiplied by (1 − decay) at each of the n − 1 − i
        # later rows, and the weights from before at all n.
        later = np.arange(len(signals))[::-1, None]
        everything = np.full(signals.shape[1], retained ** len(signals))
        return everything, lr * signals * retained**later
