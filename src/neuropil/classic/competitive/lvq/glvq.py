"""Generalised learning vector quantisation: gradient descent on margins."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from typing_extensions import override

from neuropil.checks import interval
from neuropil.classic.competitive.lvq.base import PrototypeClassifier
from neuropil.classic.competitive.lvq.glvq_loops import learn_margins, weigh_margins
from neuropil.classic.fitted_state import NUMBER

if TYPE_CHECKING:
    from neuropil.checks import Rules
    from neuropil.classic.base import Floats, Indices
    from neuropil.classic.competitive.lvq.loops import Pass


@dataclass(eq=False, repr=False)
class MarginLVQ(PrototypeClassifier):
    """Base class of GLVQ and GMLVQ: the sigmoid of the margin, and the scale of the steps."""

    _: KW_ONLY
    lr: float = 0.3
    beta: float = 10.0

    rules: ClassVar[Rules] = PrototypeClassifier.rules | {
        "lr": interval("(0, inf)"),
        "beta": interval("(0, inf)"),
    }
    learnt: ClassVar[dict[str, Any]] = PrototypeClassifier.learnt | {"unit_": NUMBER}

    @override
    def consistent(self) -> bool:
        return super().consistent() and self.unit_ >= 0

    @override
    def prepare(self, X: Floats) -> None:
        self.unit_ = 0.0

    @override
    def cost(self, X: Floats, y: Indices, W: Floats, labels: Indices) -> float:
        return weigh_margins(X, y, W, labels, float(self.beta))[0]

    @override
    def forget_learning(self, X: Floats, before: float, after: float) -> None:
        self.warn(
            f"the sum of f(μ) over {len(X)} rows grew from {before:.4g} to {after:.4g}, so the "
            f"prototypes were reset to their start; use an lr below {self.lr:g}."
        )

    def settle_unit(self, part: Pass, W: Floats, labels: Indices) -> float:
        """Return σ², which is set once rows and prototypes have two classes."""
        if self.unit_ == 0:
            _, slopes, per_distance = weigh_margins(part.X, part.y, W, labels, float(self.beta))
            where_classes_meet = slopes / per_distance if per_distance > 0 else 0.0
            self.unit_ = min(float(part.X.var(axis=0).sum()), where_classes_meet)
        return self.unit_


@final
class GLVQ(MarginLVQ):
    """Generalised LVQ: stochastic gradient descent on the margins of the rows.

    Minimises ``Σ f(μ(x))`` with ``μ = (d⁺ − d⁻) / (d⁺ + d⁻)`` and ``f(μ) = 1 / (1 + e^(−βμ))``,
    where d⁺ = ‖x − w⁺‖² is the squared distance to the nearest prototype of the right class and
    d⁻ = ‖x − w⁻‖² that to the nearest of any other class. Up to a constant factor the steps
    follow the gradient,

    ``w⁺ ← w⁺ + lr σ² f′(μ) d⁻ / (d⁺ + d⁻)² (x − w⁺)``,
    ``w⁻ ← w⁻ − lr σ² f′(μ) d⁺ / (d⁺ + d⁻)² (x − w⁻)``,

    where σ² is the variance of the first rows, or ``Σ f′(μ) / Σ (f′(μ) / (d⁺ + d⁻))``, their
    squared distances where classes meet, if that is less. No step is longer than the distance
    to x. If the sum is larger at the end of `fit` than at its start, the prototypes are reset
    to their start, with a warning.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``.

    Args:
        prototypes_per_class: Prototypes per class, at most the number of its rows; or a dict
            with a number for each class, or a list of them in the order of the sorted classes.
        init: ``"kmeans"`` starts on the means of clusters within each class, ``"sample"`` on
            rows of each class; an array has the prototypes themselves, class by class.
        n_epochs: Passes over the rows, each in a new order.
        lr: Learning rate; since the steps contain σ², it does not depend on the data's scale.
        decay: ``"linear"`` lowers the rate to 0 during `fit`; ``"constant"`` keeps it.
        random_state: Seed of the start and of the orders.
        beta: β; the larger β, the more the rows near a border dominate.

    Attributes:
        classes_: The classes, sorted.
        prototypes_: The prototypes, ``(n_prototypes, n_features)``.
        prototype_labels_: The class of each prototype.
        unit_: σ²; 0 until there have been rows of two classes.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: In `fit`, if an option or the data are invalid.

    Reference:
        Sato, Yamada, "Generalized Learning Vector Quantization", 1995. There β grows with
        time, and σ² is not in the steps.

    Example:
        >>> X, y = [[0.0], [1.0], [8.0], [9.0]], ["low", "low", "high", "high"]
        >>> model = GLVQ(prototypes_per_class=1, random_state=0).fit(X, y)
        >>> model.score(X, y)
        1.0
    """

    @override
    def learn_pass(self, part: Pass, W: Floats, labels: Indices) -> None:
        unit = self.settle_unit(part, W, labels)
        # The factor σ² makes a step proportional to the data's scale: f′ / (d⁺ + d⁻) has its
        # inverse square.
        scaled = part._replace(rate=part.rate * unit, fall=part.fall * unit)
        learn_margins(scaled, W, labels, float(self.beta))
