"""The answers of a classic estimator: class probabilities or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, final

import numpy as np

from neuropil.checks import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[Any]

Role: TypeAlias = Literal["classifier", "regressor", "groups", "features"]
# Probabilities are raised to at least this value, so that their logarithms are finite.
LEAST = 1e-12


@final
@dataclass(frozen=True)
class ClassAnswers:
    """Answers that are class probabilities.

    Args:
        count: Number of classes.
    """

    count: int

    # Arrays that a linear model of features has besides its weights.
    readout_arrays: ClassVar[dict[str, tuple[Any, ...]]] = {"classes_": ("classes",)}
    # The role of an estimator that does not fit, and the reason.
    refused: ClassVar = ("regressor", "predicts numbers, but these targets are classes")

    def check(self, known: Array | None, table: Array | None, weights: Array | None) -> None:
        """Check that the arrays of a file belong to these classes.

        Args:
            known: The classes that the estimator or its linear model predicts.
            table: The answer of each group.
            weights: The weights of the linear model, one row per score.

        Raises:
            ValueError: If they do not.
        """
        if known is not None:
            whole = known.dtype == np.int64 and bool((np.diff(known) > 0).all())
            if not whole or known[0] < 0 or known[-1] >= self.count:
                raise ValueError(f"{shown(known.tolist())} are not among {self.count} classes")
        scores = 0 if weights is None or known is None else len(known) - (len(known) == 2)
        if (table is not None and table.shape[1] != self.count) or (
            weights is not None and len(weights) != scores
        ):
            raise ValueError(f"its answers do not match {self.count} classes")

    def readout(self) -> Any:
        """Return the linear model that predicts classes from features."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(max_iter=1000)

    def rows(self, y: Array) -> Array:
        """Return labels as the correct answers, one per row."""
        return np.eye(self.count)[y]

    def of(self, model: Any, given: Array) -> Array:
        """Return the answers of a classifier, with a column for every class.

        Args:
            model: The fitted classifier.
            given: Its inputs.
        """
        shares = np.zeros((len(given), self.count))
        if hasattr(model, "predict_proba"):
            shares[:, model.classes_] = model.predict_proba(given)
        else:
            shares[np.arange(len(given)), model.predict(given)] = 1.0
        return shares

    def scores(self, answers: Tensor) -> Tensor:
        """Return log-probabilities, whose softmax gives the probabilities again."""
        return answers.clamp(min=LEAST).log()


@final
@dataclass(frozen=True)
class NumberAnswers:
    """Answers that are one or several standardised numbers."""

    readout_arrays: ClassVar[dict[str, tuple[Any, ...]]] = {}
    refused: ClassVar = ("classifier", "predicts classes, but these targets are numbers")

    def check(self, *arrays: Array | None) -> None:
        """Accept all arrays: any number may be an answer."""

    def readout(self) -> Any:
        """Return the linear model that predicts numbers from features."""
        from sklearn.linear_model import Ridge

        return Ridge()

    def rows(self, y: Array) -> Array:
        """Return labels as the correct answers, one per row."""
        return y.reshape(len(y), -1).astype(float)

    def of(self, model: Any, given: Array) -> Array:
        """Return the answers of a regressor.

        Args:
            model: The fitted regressor.
            given: Its inputs.
        """
        return np.asarray(model.predict(given)).reshape(len(given), -1)

    def scores(self, answers: Tensor) -> Tensor:
        """Return the numbers unchanged."""
        return answers


def group_table(groups: Array, targets: Array) -> Array:
    """Return the mean answer of each group, and the mean of all examples in the last row.

    Args:
        groups: The group of each example, negative for no group.
        targets: The correct answers, one per row.
    """
    inside = groups >= 0
    count = int(groups.max(initial=-1)) + 1
    sums = np.zeros((count, targets.shape[1]))
    np.add.at(sums, groups[inside], targets[inside])
    members = np.bincount(groups[inside], minlength=count)[:, None]
    overall = targets.mean(0, keepdims=True)
    means = np.where(members > 0, sums / np.maximum(members, 1), overall)
    return np.concatenate([means, overall])


def role_of(estimator: Any, answers: ClassAnswers | NumberAnswers) -> Role:
    """Return the role in which a classic network predicts.

    Raises:
        ValueError: If the network does not fit the kind of answers.
    """
    from sklearn.base import is_classifier, is_regressor
    from sklearn.utils import get_tags

    name = type(estimator).__name__
    refused, reason = answers.refused
    roles: dict[Role, bool] = {
        "classifier": is_classifier(estimator),
        "regressor": is_regressor(estimator),
    }
    if roles[refused]:
        raise ValueError(f"{name} {reason}.")
    for role, fits in roles.items():
        if fits:
            return role
    if get_tags(estimator).target_tags.required:
        raise ValueError(f"{name} associates patterns with signals: use it from Python.")
    return "groups" if hasattr(estimator, "predict") else "features"
