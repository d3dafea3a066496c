"""Base class of the LVQ family: labelled prototypes, their start, and prediction."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from typing_extensions import override

from neuropil.checks import choice, interval
from neuropil.classic.base import ClassicNetwork
from neuropil.classic.competitive.lvq.loops import Pass, nearest, settle
from neuropil.classic.competitive.lvq.prototype_starts import (
    check_counts,
    check_init,
    counts_by_class,
    given_prototypes,
)
from neuropil.classic.fitted_state import array

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from neuropil.checks import Rules
    from neuropil.classic.base import Floats, Indices

# The largest number of passes of k-means, which only finds the start of the prototypes.
PASSES = 10
# Arrays of one memory layout, so that loops are compiled only once per dtype.
COMPILED = {"order": "C", "force_writeable": True}


@dataclass(eq=False, repr=False)
class PrototypeClassifier(ClassifierMixin, ClassicNetwork):
    """A classifier that assigns to each row the class of its nearest prototype."""

    prototypes_per_class: int | Mapping[Any, int] | Sequence[int] = 5
    _: KW_ONLY
    init: str | ArrayLike = "kmeans"
    n_epochs: int = 10
    lr: float = 0.1
    decay: str = "linear"
    random_state: int | np.random.RandomState | None = None

    rules: ClassVar[Rules] = ClassicNetwork.rules | {
        "prototypes_per_class": check_counts,
        "init": check_init,
        "lr": interval("(0, 1]"),
        "decay": choice("linear", "constant"),
    }
    learnt: ClassVar[dict[str, Any]] = {
        "prototypes_": array("float", "prototypes features"),
        "classes_": array("label", "classes"),
        "prototype_labels_": array("label", "prototypes"),
    }

    def fit(self, X: Any, y: Any) -> Self:
        """Learn prototypes from rows and their classes.

        Args:
            X: Rows.
            y: The class of each.

        Raises:
            ValueError: If an option or the data are invalid, there is only one class, or the
                prototypes diverge.
        """
        X, y = self.rows(X, y, first=True)
        self.forget(y)
        codes = np.searchsorted(self.classes_, y)
        random = check_random_state(self.random_state)
        self.begin(X, codes, random)
        W, labels = self.columns()
        start, before = self.prototypes_, self.cost(X, codes, W, labels)
        lr = float(self.lr)
        fall = lr / (self.n_epochs * len(X)) if self.decay == "linear" else 0.0
        starts = (lr - epoch * len(X) * fall for epoch in range(self.n_epochs))
        self.learn(Pass(X, codes, random.permutation(len(X)), rate, fall) for rate in starts)
        after = self.cost(X, codes, *self.columns())
        # Training is not guaranteed to lower the cost: fall back to the start if it did not.
        if after > before:
            self.prototypes_ = start
            self.forget_learning(X, before, after)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """Continue learning from more rows, in their order, at the constant rate ``lr``.

        A class gets its prototypes in the first call that has rows of it.

        Args:
            X: Rows.
            y: The class of each.
            classes: All classes of all calls; those of the first `y` by default. Only the first
                call needs them.

        Raises:
            ValueError: If an option or the data are invalid, a class is unknown, or the
                prototypes diverge.
        """
        X, y = self.rows(X, y, first=not self.fitted)
        if not self.fitted:
            self.forget(y if classes is None else classes)
        for given in (y, classes):
            self.check_classes(given)
        codes = np.searchsorted(self.classes_, y)
        X = X.astype(getattr(self, "prototypes_", X).dtype, copy=False)
        self.begin(X, codes, check_random_state(self.random_state))
        self.learn([Pass(X, codes, np.arange(len(X)), float(self.lr), 0.0)])
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of the prototype that is nearest to each row."""
        X = self.check_magnitude(self.input(X, **COMPILED)).astype(
            self.prototypes_.dtype, copy=False
        )
        return self.prototype_labels_[self.winners(X)]

    def winners(self, X: Floats) -> Indices:
        """Return the index of the prototype that is nearest to each row."""
        return nearest(X, np.ascontiguousarray(self.prototypes_.T))

    @abstractmethod
    def learn_pass(self, part: Pass, W: Floats, labels: Indices) -> None:
        """Move the prototypes by one pass over the rows.

        Args:
            part: The rows, their order and learning rates.
            W: Prototypes, one per column; changed.
            labels: Index of each prototype's class.
        """

    def prepare(self, X: Floats) -> None:
        """Set the learnt state other than prototypes, from the first rows."""

    def forget_learning(self, X: Floats, before: float, after: float) -> None:
        """Reset the learnt state other than prototypes to that before the first pass.

        Args:
            X: Rows.
            before: The cost before the first pass.
            after: The cost after the last pass.
        """

    def cost(self, X: Floats, y: Indices, W: Floats, labels: Indices) -> float:
        """Return the cost that learning should lower: the number of misclassified rows.

        Args:
            X: Rows.
            y: Index of each row's class.
            W: Prototypes, one per column.
            labels: Index of each prototype's class.
        """
        return float((labels[nearest(X, W)] != y).sum())

    def columns(self) -> tuple[Floats, Indices]:
        """Return a copy of the prototypes as columns, and the index of each one's class."""
        labels = np.searchsorted(self.classes_, self.prototype_labels_)
        return np.array(self.prototypes_.T, order="C"), labels

    @override
    def consistent(self) -> bool:
        known, labels = np.unique(self.classes_), self.prototype_labels_
        sorted_classes = len(known) > 1 and np.array_equal(known, self.classes_)
        return sorted_classes and labels.dtype == known.dtype and set(labels) <= set(known)

    def rows(self, X: Any, y: Any, *, first: bool) -> tuple[Floats, NDArray[Any]]:
        """Return checked rows and their classes.

        Raises:
            ValueError: If the data are invalid.
        """
        X, y = self.training_input(X, y, first=first, **COMPILED)
        check_classification_targets(y)
        return self.check_magnitude(X), y

    def forget(self, classes: Any) -> None:
        """Drop the learnt state, and set new classes.

        Raises:
            ValueError: If there is only one class.
        """
        self.classes_ = np.unique(classes)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least two classes, got one class: "
                f"{self.classes_[0]}."
            )
        self.counts()  # raises an error before anything is dropped
        for name in ("prototypes_", "prototype_labels_"):
            if hasattr(self, name):
                delattr(self, name)

    def check_classes(self, given: Any) -> None:
        """Check that all classes are known; None passes.

        Raises:
            ValueError: If a class is unknown.
        """
        unknown = np.setdiff1d(self.classes_ if given is None else given, self.classes_)
        if len(unknown):
            known = ", ".join(map(str, self.classes_))
            raise ValueError(
                f"{type(self).__name__}.partial_fit: class {unknown[0]} is unknown; known: "
                f"{known}. Name all classes in the first call: classes=[…]."
            )

    def begin(self, X: Floats, codes: Indices, random: np.random.RandomState) -> None:
        """Add prototypes for the classes that have rows but no prototypes yet."""
        new = np.unique(codes)
        if self.fitted:
            have = np.searchsorted(self.classes_, self.prototype_labels_)
            new = np.setdiff1d(new, have)
        numbers = self.counts()
        given = given_prototypes(self.init, numbers, X, type(self).__name__)
        starts = [
            self.start(X[codes == code], numbers[code], random)
            if given is None
            else given[code]
            for code in new
        ]
        labels = np.repeat(self.classes_[new], [len(start) for start in starts])
        if self.fitted:
            starts.insert(0, self.prototypes_)
            labels = np.concatenate([self.prototype_labels_, labels])
        else:
            self.prepare(X)
        self.prototypes_, self.prototype_labels_ = np.concatenate(starts), labels

    def counts(self) -> list[int]:
        """Return the number of prototypes of each class.

        Raises:
            ValueError: If the option does not fit the classes.
        """
        return counts_by_class(self.prototypes_per_class, self.classes_, type(self).__name__)

    def start(self, rows: Floats, number: int, random: np.random.RandomState) -> Floats:
        """Return the first prototypes of a class, at most one for each of its rows."""
        drawn = rows[random.choice(len(rows), min(number, len(rows)), replace=False)]
        if self.init != "sample":
            # k-means within the class, from random rows.
            settle(rows, drawn, PASSES)
        return drawn

    def learn(self, passes: Iterable[Pass]) -> None:
        """Move the prototypes by passes over rows.

        Raises:
            ValueError: If they diverge.
        """
        W, labels = self.columns()
        for epoch, part in enumerate(passes, start=1):
            self.learn_pass(part, W, labels)
            if not np.isfinite(W).all():
                raise ValueError(
                    f"{type(self).__name__}: the prototypes diverged in epoch {epoch} at "
                    f"lr={self.lr}; use a smaller lr."
                )
        self.prototypes_ = np.array(W.T, order="C")
