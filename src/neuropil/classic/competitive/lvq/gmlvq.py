"""Generalised matrix learning vector quantisation: the metric is learnt too."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from typing_extensions import override

from neuropil.checks import interval
from neuropil.classic.competitive.lvq.glvq import MarginLVQ
from neuropil.classic.competitive.lvq.gmlvq_loops import learn_metric
from neuropil.classic.competitive.lvq.loops import nearest
from neuropil.classic.fitted_state import array

if TYPE_CHECKING:
    from neuropil.checks import Rules
    from neuropil.classic.base import Floats, Indices
    from neuropil.classic.competitive.lvq.loops import Pass


@final
@dataclass(eq=False, repr=False)
class GMLVQ(MarginLVQ):
    """Generalised matrix LVQ: learns prototypes and which directions of the data matter.

    Like `GLVQ`, with the distance ``d(x, w) = (x − w)ᵀ Λ (x − w)``, ``Λ = Ωᵀ Ω``,
    ``tr Λ = 1``. Up to a constant factor each step follows the gradient, with σ² as in `GLVQ`
    and ``g = f′(μ) / (d⁺ + d⁻)²``,

    ``w⁺ ← w⁺ + lr σ² g d⁻ Λ (x − w⁺)``, ``w⁻ ← w⁻ − lr σ² g d⁺ Λ (x − w⁻)``,
    ``Ω ← Ω − lr metric_share g Ω (d⁻ (x − w⁺)(x − w⁺)ᵀ − d⁺ (x − w⁻)(x − w⁻)ᵀ)``,

    and then ``Ω ← Ω / √tr Λ``. Ω starts as I / √D. Columns should have the same scale
    (`sklearn.preprocessing.StandardScaler`).

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``.

    Args:
        prototypes_per_class: Prototypes per class, at most the number of its rows; or a dict
            with a number for each class, or a list of them in the order of the sorted classes.
        init: ``"kmeans"`` starts on the means of clusters within each class, ``"sample"`` on
            rows of each class; an array has the prototypes themselves, class by class.
        n_epochs: Passes over the rows, each in a new order.
        lr: Learning rate of the prototypes; it does not depend on the data's scale.
        decay: ``"linear"`` lowers the rate to 0 during `fit`; ``"constant"`` keeps it.
        random_state: Seed of the start and of the orders.
        beta: β; the larger β, the more the rows near a border dominate.
        metric_share: Learning rate of Ω relative to ``lr``, below 1 in the paper; 0 keeps Ω
            constant.

    Attributes:
        classes_: The classes, sorted.
        prototypes_: The prototypes, ``(n_prototypes, n_features)``.
        prototype_labels_: The class of each prototype.
        omega_: Ω, ``(n_features, n_features)``; ``omega_.T @ omega_`` is Λ, whose diagonal
            holds the relevances of the columns.
        unit_: σ²; 0 until there have been rows of two classes.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: In `fit`, if an option or the data are invalid.

    Reference:
        Schneider, Biehl, Hammer, "Adaptive Relevance Matrices in Learning Vector Quantization",
        2009, section 3. There σ² is not in the steps.

    Example:
        >>> X = [[0, 0], [0, 9], [1, 4], [3, 0], [3, 9], [4, 5]]
        >>> model = GMLVQ(prototypes_per_class=1, random_state=0).fit(X, [0, 0, 0, 1, 1, 1])
        >>> model.score(X, [0, 0, 0, 1, 1, 1])
        1.0
        >>> relevances = np.diag(model.omega_.T @ model.omega_)
        >>> bool(relevances[0] > relevances[1])  # the first column tells the classes apart
        True
    """

    _: KW_ONLY
    metric_share: float = 0.03

    rules: ClassVar[Rules] = MarginLVQ.rules | {"metric_share": interval("[0, inf)")}
    learnt: ClassVar[dict[str, Any]] = MarginLVQ.learnt | {
        "omega_": array("float", "features features")
    }

    @override
    def prepare(self, X: Floats) -> None:
        super().prepare(X)
        self.require_room(3.0 * X.shape[1] ** 2)
        self.omega_ = np.eye(X.shape[1], dtype=X.dtype) / np.sqrt(X.dtype.type(X.shape[1]))

    @override
    def learn_pass(self, part: Pass, W: Floats, labels: Indices) -> None:
        unit = self.settle_unit(part, W, labels)
        # Centred at the mean of the prototypes, so that an offset of the data costs no digits.
        centre = W.mean(axis=1)
        centred, V = part._replace(X=part.X - centre), W - centre[:, None]
        rates, mapped = (float(self.metric_share), unit), np.ascontiguousarray(self.omega_ @ V)
        learn_metric(centred, V, labels, float(self.beta), self.omega_, mapped, *rates)
        W[:] = V + centre[:, None]

    @override
    def cost(self, X: Floats, y: Indices, W: Floats, labels: Indices) -> float:
        centre = W.mean(axis=1)
        seen = np.ascontiguousarray(self.omega_ @ (W - centre[:, None]))
        return super().cost((X - centre) @ self.omega_.T, y, seen, labels)

    @override
    def forget_learning(self, X: Floats, before: float, after: float) -> None:
        super().forget_learning(X, before, after)
        unit = self.unit_
        self.prepare(X)
        self.unit_ = unit

    @override
    def winners(self, X: Floats) -> Indices:
        centre = self.prototypes_.mean(axis=0)
        W = self.omega_ @ (self.prototypes_ - centre).T
        return nearest((X - centre) @ self.omega_.T, np.ascontiguousarray(W))
