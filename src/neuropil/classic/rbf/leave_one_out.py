"""Widths of Gaussian windows that best predict each row from all other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.neighbors import NearestNeighbors

if TYPE_CHECKING:
    from neuropil.classic.base import Floats, Integers

# The largest number of distances in one evaluation of the loss, and held at once.
PAIRS, PAIRS_AT_ONCE = 2_000_000, 1_000_000
# Multiples of the first guess that are tried as the start of the search.
GUESSES = 2.0 ** np.arange(-2, 7)
# The logarithms of the widths stay within this distance of the start of the search.
FARTHEST = 6.0
# Floor for a class's sum of windows, relative to the window of the nearest row.
FAINTEST = 1e-100


class Loss(NamedTuple):
    """The loss of some rows, and its derivatives.

    Attributes:
        total: The sum of the losses.
        slopes: Its derivative by the exponent of each window, rows × data.
        by_density: Its derivative by the logarithm of each class's density, rows × classes.
    """

    total: float
    slopes: Floats
    by_density: Floats


class Rule(Protocol):
    """The loss of a task, as a function of the exponents of the windows."""

    def __call__(self, powers: Floats, rows: Integers, log_sigma: Floats) -> Loss:
        """Return the loss of some rows, whose own windows have the exponent −∞."""
        ...


def squared_error(y: Floats) -> Rule:
    """Return the rule of regression: ``‖ŷ − y‖²``.

    Args:
        y: Targets, data × outputs.
    """

    def rule(powers: Floats, rows: Integers, log_sigma: Floats) -> Loss:
        del log_sigma
        # A softmax over the data: subtracting the largest exponent prevents overflow and 0/0.
        shares = np.exp(powers - powers.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        means = shares @ y
        errors = means - y[rows]
        # ∂ŷ/∂pᵢ = sᵢ (yᵢ − ŷ) for the softmax shares s, so that ∂‖ŷ − y‖²/∂pᵢ is
        # 2 sᵢ (ŷ − y)·(yᵢ − ŷ).
        slopes = 2 * shares * (errors @ y.T - (errors * means).sum(1, keepdims=True))
        return Loss(float((errors**2).sum()), slopes, np.zeros((len(rows), 1)))

    return rule


def cross_entropy(
    classes: Integers, log_priors: Floats, n_features: int, *, by_class: bool
) -> Rule:
    """Return the rule of classification: ``−log p(class | row)``.

    Args:
        classes: The class of each row of data.
        log_priors: Logarithm of each class's prior.
        n_features: The number of features.
        by_class: Whether each class has its own width.
    """
    member = np.eye(len(log_priors))[classes]
    counts = member.sum(0)

    def rule(powers: Floats, rows: Integers, log_sigma: Floats) -> Loss:
        own = np.arange(len(rows)), classes[rows]
        windows = np.exp(powers - powers.max(axis=1, keepdims=True))
        # The floor bounds the loss of a row that is far from its class.
        sums = np.maximum(windows @ member, FAINTEST)
        spread = n_features * log_sigma if by_class else 0.0
        others = np.maximum(counts - member[rows], 1)
        joint = np.log(sums / others) - spread + log_priors
        joint -= logsumexp(joint, axis=1, keepdims=True)
        by_density = np.exp(joint)
        # The gradient of cross-entropy by log densities: p − 1 for the row's class, p for the
        # others.
        by_density[own] -= 1
        slopes = windows * ((by_density / sums) @ member.T)
        return Loss(float(-joint[own].sum()), slopes, by_density)

    return rule


class Search:
    """The leave-one-out loss as a function of the windows' widths.

    Args:
        X: Data.
        rule: The loss of the task.
        rows: Rows that are left out in turn.
        per: One width for all (``"shared"``), per ``"feature"`` or per ``"class"``.
        classes: The class of each row of data, if each class has its own width.
    """

    def __init__(
        self, X: Floats, rule: Rule, rows: Integers, per: str, classes: Integers | None = None
    ) -> None:
        self.X = X.astype(float) - X.mean(axis=0, dtype=float)
        self.rule, self.rows, self.per = rule, rows, per
        self.classes = np.zeros(len(X), int) if classes is None else classes

    def best(self) -> Floats:
        """Return the widths of least loss: the best of a few guesses, refined by L-BFGS."""
        log_sigma = self.start()
        if len(self.X) > 1:
            guesses = (log_sigma + np.log(times) for times in GUESSES)
            # The loss may have several minima: a coarse scan chooses the one to descend into.
            first = min(guesses, key=lambda guess: self(guess)[0])
            around = [(width - FARTHEST, width + FARTHEST) for width in first]
            limits = {"maxiter": 30, "ftol": 1e-7}
            log_sigma = minimize(
                self, first, jac=True, method="L-BFGS-B", bounds=around, options=limits
            ).x
        widths = np.exp(log_sigma)
        return widths[0] if self.per == "shared" else widths

    def start(self) -> Floats:
        """Return the logarithms of the first guess: the median distance to the nearest row."""
        spread = self.X.std(axis=0)
        spread[spread == 0] = 1.0
        units = spread if self.per == "feature" else np.ones(1)
        scaled = self.X / units
        neighbors = NearestNeighbors(n_neighbors=min(2, len(scaled))).fit(scaled)
        near = neighbors.kneighbors(scaled[self.rows])[0][:, -1]
        distance = np.median(near) or near.mean() or 1.0
        if self.per == "class":
            units = np.ones(self.classes.max() + 1)
        return np.log(distance * units)

    def __call__(self, log_sigma: Floats) -> tuple[float, Floats]:
        """Return the mean loss and its derivatives by the logarithms of the widths."""
        total, slopes = 0.0, np.zeros(len(log_sigma))
        block = max(PAIRS_AT_ONCE // len(self.X), 1)
        for first in range(0, len(self.rows), block):
            loss, more = self.of_rows(self.rows[first : first + block], log_sigma)
            total += loss
            slopes += more
        return total / len(self.rows), slopes / len(self.rows)

    def of_rows(self, rows: Integers, log_sigma: Floats) -> tuple[float, Floats]:
        """Return the loss of some rows and its derivatives."""
        sigma = np.exp(log_sigma)
        of_class = self.per == "class"
        Z = self.X if of_class else self.X / sigma
        norms = (Z**2).sum(1)
        # ‖a − b‖² expanded to one matrix product; rounding may make it slightly negative.
        squares = np.maximum(norms[rows, None] + norms - 2 * Z[rows] @ Z.T, 0)
        if of_class:
            squares /= sigma[self.classes] ** 2
        powers = squares / -2
        # Leave each row out: its own window vanishes.
        powers[np.arange(len(rows)), rows] = -np.inf
        # An exponent is −‖x − xᵢ‖² / 2σ²; its derivative by log σ is ‖x − xᵢ‖² / σ². The rest
        # is the chain rule, with the square expanded so that no matrix per feature is needed.
        loss = self.rule(powers, rows, log_sigma)
        C = loss.slopes
        if self.per == "feature":
            spread = C.sum(1) @ Z[rows] ** 2 + C.sum(0) @ Z**2
            return loss.total, spread - 2 * (Z[rows] * (C @ Z)).sum(0)
        if of_class:
            # A density over D features also has the factor σ⁻ᴰ.
            each = np.bincount(self.classes, (C * squares).sum(0), len(sigma))
            return loss.total, each - self.X.shape[1] * loss.by_density.sum(0)
        return loss.total, np.array([(C * squares).sum()])


def left_out(n: int, *, among: Integers | None = None) -> Integers:
    """Return the rows to leave out in turn: all, or a random subset within `PAIRS` distances.

    Args:
        n: The number of rows of data.
        among: The candidates; None means all rows.
    """
    rows = np.arange(n) if among is None else among
    most = max(PAIRS // n, 50)
    return (
        rows
        if len(rows) <= most
        else np.random.default_rng(0).choice(rows, most, replace=False)
    )
