"""Kohonen's learning vector quantisation: LVQ1, LVQ2, LVQ2.1 and LVQ3."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar, final

from typing_extensions import override

from neuropil.checks import interval
from neuropil.classic.competitive.lvq.base import PrototypeClassifier
from neuropil.classic.competitive.lvq.loops import learn_pairs, learn_winners

if TYPE_CHECKING:
    from neuropil.checks import Rules
    from neuropil.classic.base import Floats, Indices
    from neuropil.classic.competitive.lvq.loops import Pass


@final
class LVQ(PrototypeClassifier):
    """Learning vector quantisation (LVQ1): the nearest prototype is attracted or repelled.

    With w the prototype nearest to x: ``w ← w + lr (x − w)`` if both have the same class,
    ``w ← w − lr (x − w)`` if not.

    If `fit` misclassifies more of its rows at the end than at the start, the prototypes are
    reset to their start.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``.

    Args:
        prototypes_per_class: Prototypes per class, at most the number of its rows; or a dict
            with a number for each class, or a list of them in the order of the sorted classes.
        init: ``"kmeans"`` starts on the means of clusters within each class, ``"sample"`` on
            rows of each class; an array has the prototypes themselves, class by class.
        n_epochs: Passes over the rows, each in a new order.
        lr: Learning rate of the first step, the fraction of the way to x.
        decay: ``"linear"`` lowers the rate to 0 during `fit`; ``"constant"`` keeps it.
        random_state: Seed of the start and of the orders.

    Attributes:
        classes_: The classes, sorted.
        prototypes_: The prototypes, ``(n_prototypes, n_features)``.
        prototype_labels_: The class of each prototype.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: In `fit`, if an option or the data are invalid.

    Reference:
        Kohonen, "The Self-Organizing Map", Proceedings of the IEEE 78, 1990.

    Example:
        >>> X, y = [[0.0], [1.0], [8.0], [9.0]], ["low", "low", "high", "high"]
        >>> model = LVQ(prototypes_per_class=1, random_state=0).fit(X, y)
        >>> model.predict([[2.0], [100.0]]).tolist()
        ['low', 'high']
        >>> model = LVQ({"low": 1, "high": 2}, random_state=0).fit(X, y)
        >>> model.prototype_labels_.tolist()
        ['high', 'high', 'low']
        >>> LVQ(1, init=[[9.0], [0.0]], n_epochs=1).fit(X, y).score(X, y)
        1.0
    """

    @override
    def learn_pass(self, part: Pass, W: Floats, labels: Indices) -> None:
        learn_winners(part, W, labels)


@dataclass(eq=False, repr=False)
class PairLVQ(PrototypeClassifier):
    """Base class of LVQ2, LVQ2.1 and LVQ3: updates of the two nearest prototypes."""

    _: KW_ONLY
    window: float = 0.2

    rules: ClassVar[Rules] = PrototypeClassifier.rules | {"window": interval("(0, 1)")}
    only_mistakes: ClassVar[bool] = False

    @override
    def learn_pass(self, part: Pass, W: Floats, labels: Indices) -> None:
        if W.shape[1] < 2:
            return
        window = float(self.window)
        # Kohonen's window, squared, since the loops compare squared distances.
        within = ((1 - window) / (1 + window)) ** 2
        # Only LVQ3 moves two prototypes that both have the right class.
        share = float(getattr(self, "epsilon", 0.0))
        learn_pairs(part, W, labels, within, self.only_mistakes, share)


@final
class LVQ2(PairLVQ):
    """LVQ2: a misclassified row near the border of two classes moves the border.

    Let w_i be the prototype nearest to x, at the distance d_i, and w_j the second, at d_j. If
    w_i has the wrong class, w_j the right one, and x is in the window,
    ``d_i / d_j > (1 − window) / (1 + window)``:
    ``w_i ← w_i − lr (x − w_i)``, ``w_j ← w_j + lr (x − w_j)``.

    If `fit` misclassifies more of its rows at the end than at the start, the prototypes are
    reset to their start.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``.

    Args:
        prototypes_per_class: Prototypes per class, at most the number of its rows; or a dict
            with a number for each class, or a list of them in the order of the sorted classes.
        init: ``"kmeans"`` starts on the means of clusters within each class, ``"sample"`` on
            rows of each class; an array has the prototypes themselves, class by class.
        n_epochs: Passes over the rows, each in a new order.
        lr: Learning rate of the first step, the fraction of the way to x.
        decay: ``"linear"`` lowers the rate to 0 during `fit`; ``"constant"`` keeps it.
        random_state: Seed of the start and of the orders.
        window: Width of the window around the middle between two prototypes, 0.2 to 0.3 in
            the paper.

    Attributes:
        classes_: The classes, sorted.
        prototypes_: The prototypes, ``(n_prototypes, n_features)``.
        prototype_labels_: The class of each prototype.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: In `fit`, if an option or the data are invalid.

    Reference:
        Kohonen, Barna, Chrisley, "Statistical Pattern Recognition with Neural Networks:
        Benchmarking Studies", 1988. The window is that of 1990, relative to the distances.

    Example:
        >>> X, y = [[0.0], [1.0], [8.0], [9.0]], ["low", "low", "high", "high"]
        >>> model = LVQ2(prototypes_per_class=1, random_state=0).fit(X, y)
        >>> model.prototypes_.ravel().tolist()  # no mistake: the means stay
        [8.5, 0.5]
    """

    only_mistakes = True


@final
class LVQ21(PairLVQ):
    """LVQ2.1: of the two nearest prototypes, attract the right one and repel the wrong one.

    Let w_i and w_j be the two prototypes nearest to x, at the distances d_i ≤ d_j. If exactly
    one has the right class, and x is in the window,
    ``d_i / d_j > (1 − window) / (1 + window)``:
    ``w ← w + lr (x − w)`` for the right one, ``w ← w − lr (x − w)`` for the wrong one.

    If `fit` misclassifies more of its rows at the end than at the start, the prototypes are
    reset to their start.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``.

    Args:
        prototypes_per_class: Prototypes per class, at most the number of its rows; or a dict
            with a number for each class, or a list of them in the order of the sorted classes.
        init: ``"kmeans"`` starts on the means of clusters within each class, ``"sample"`` on
            rows of each class; an array has the prototypes themselves, class by class.
        n_epochs: Passes over the rows, each in a new order.
        lr: Learning rate of the first step, the fraction of the way to x.
        decay: ``"linear"`` lowers the rate to 0 during `fit`; ``"constant"`` keeps it.
        random_state: Seed of the start and of the orders.
        window: Width of the window around the middle between two prototypes, 0.2 to 0.3 in
            the paper.

    Attributes:
        classes_: The classes, sorted.
        prototypes_: The prototypes, ``(n_prototypes, n_features)``.
        prototype_labels_: The class of each prototype.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: In `fit`, if an option or the data are invalid.

    Reference:
        Kohonen, "Improved Versions of Learning Vector Quantization", IJCNN 1990.

    Example:
        >>> X, y = [[0.0], [1.0], [8.0], [9.0]], ["low", "low", "high", "high"]
        >>> model = LVQ21(prototypes_per_class=1, random_state=0).fit(X, y)
        >>> model.score(X, y)
        1.0
    """


@final
@dataclass(eq=False, repr=False)
class LVQ3(PairLVQ):
    """LVQ3: LVQ2.1 that also keeps prototypes within their class.

    Let w_i and w_j be the two prototypes nearest to x, at the distances d_i ≤ d_j. If exactly
    one has the right class, and ``d_i / d_j > (1 − window) / (1 + window)``:
    ``w ← w + lr (x − w)`` for the right one, ``w ← w − lr (x − w)`` for the wrong one. If both
    have the right class: ``w ← w + ε lr (x − w)`` for both.

    If `fit` misclassifies more of its rows at the end than at the start, the prototypes are
    reset to their start.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``.

    Args:
        prototypes_per_class: Prototypes per class, at most the number of its rows; or a dict
            with a number for each class, or a list of them in the order of the sorted classes.
        init: ``"kmeans"`` starts on the means of clusters within each class, ``"sample"`` on
            rows of each class; an array has the prototypes themselves, class by class.
        n_epochs: Passes over the rows, each in a new order.
        lr: Learning rate of the first step, the fraction of the way to x.
        decay: ``"linear"`` lowers the rate to 0 during `fit`; ``"constant"`` keeps it.
        random_state: Seed of the start and of the orders.
        window: Width of the window around the middle between two prototypes, 0.2 to 0.3 in
            the paper.
        epsilon: ε, 0.1 to 0.5 in the paper; smaller for narrower windows.

    Attributes:
        classes_: The classes, sorted.
        prototypes_: The prototypes, ``(n_prototypes, n_features)``.
        prototype_labels_: The class of each prototype.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: In `fit`, if an option or the data are invalid.

    Reference:
        Kohonen, "Improved Versions of Learning Vector Quantization", IJCNN 1990.

    Example:
        >>> X, y = [[0.0], [1.0], [8.0], [9.0]], ["low", "low", "high", "high"]
        >>> model = LVQ3(prototypes_per_class=1, random_state=0).fit(X, y)
        >>> model.score(X, y)
        1.0
    """

    _: KW_ONLY
    epsilon: float = 0.1

    rules: ClassVar[Rules] = PairLVQ.rules | {"epsilon": interval("[0, 1]")}
