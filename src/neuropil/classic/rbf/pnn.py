"""The probabilistic neural network."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from typing_extensions import override

from neuropil.checks import one_of
from neuropil.classic.fitted_state import array
from neuropil.classic.rbf.leave_one_out import Search, cross_entropy, left_out
from neuropil.classic.rbf.windows import WindowNetwork

Floats = NDArray[np.floating[Any]]


@dataclass(eq=False, repr=False)
class PNN(ClassifierMixin, WindowNetwork):
    """Probabilistic neural network: Bayes' rule with a window estimate of each class's density.

    ``p(k | x) ∝ πₖ / nₖ · Σᵢ∈ₖ N(x; xᵢ, σ²)`` with Gaussian windows over the nₖ rows of a
    class, and priors πₖ. Probabilities are computed from logarithms, so they are correct
    however far a row is from all data.

    Shape:
        ``X``: ``(n_samples, n_features)``; ``y``: ``(n_samples)``.

    Args:
        sigma: Width of the windows: a positive number, or one per feature, or a dict with one
            per class. Or a rule to choose widths with which the class of each row is likeliest
            given all others: ``"class"``, one per class, ``"feature"``, one per feature, or
            ``"shared"``, a single width.
        priors: Probability of each class, in the order of ``classes_``. None uses their
            fractions of the rows.

    Attributes:
        classes_: The classes.
        sigma_: Width of the windows: one, one per feature, or one per class.
        class_log_prior_: log πₖ, ``(n_classes)``.
        class_sigma_: Width of each class's windows; 1 if the classes share their width.
        feature_sigma_: The divisor of the columns; 1 if there is one width per class.
        center_: Mean of each column, which is subtracted.
        windows_: The centred and scaled rows, class by class, ``(n_samples, n_features + 1)``;
            the last column is −½ of their squared length.
        bounds_: The first index of each class among them, and the end, ``(n_classes + 1)``.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If a width is not positive, or their number is wrong, or the priors are not
            probabilities of the classes.

    Reference:
        Specht, "Probabilistic Neural Networks", 1990. The widths are found by L-BFGS on the
        leave-one-out cross-entropy, over at most 2 million pairs of rows.

    Example:
        >>> network = PNN(sigma=1.0).fit([[-1.0], [1.0], [2.0]], ["left", "right", "right"])
        >>> network.predict([[-3.0], [1e9]])
        array(['left', 'right'], dtype='<U5')
    """

    sigma: str | ArrayLike | dict[Any, float] = "class"
    _: KW_ONLY
    priors: Any = None

    learnt: ClassVar[dict[str, Any]] = {
        "classes_": array("label", "classes"),
        "class_log_prior_": array("double", "classes"),
        "sigma_": array("float", "", "features", "classes"),
        "feature_sigma_": array("float", "", "features"),
        "class_sigma_": array("float", "classes"),
        "center_": array("float", "features"),
        "windows_": array("float", "rows coordinates"),
        "bounds_": array("whole", "ends"),
    }

    def fit(self, X: Any, y: Any) -> Self:
        """Store the rows, and choose the widths unless they are given.

        Args:
            X: Rows of examples.
            y: The class of each row.
        """
        X, y = self.training_input(X, y, order="C")
        check_classification_targets(y)
        self.check_magnitude(X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        # Sort the rows by class.
        order = np.argsort(codes, kind="stable")
        X, codes = X[order], codes[order]
        self.bounds_ = np.searchsorted(codes, np.arange(len(self.classes_) + 1))
        self.class_log_prior_ = self.log_priors()
        sigma = self.widths(X, codes)
        self.sigma_ = np.asarray(sigma, X.dtype)
        by_class = self.sigma == "class" if isinstance(self.sigma, str) else False
        # With one width per class, columns are not scaled; the widths enter the exponents
        # instead.
        self.class_sigma_ = np.ones(len(self.classes_), X.dtype)
        if by_class or isinstance(self.sigma, dict):
            self.class_sigma_ = self.sigma_
            sigma = np.ones(())
        self.place(X, sigma)
        return self

    def predict_log_proba(self, X: Any) -> Floats:
        """Return the logarithm of each class's probability."""
        Q = self.scale(self.input(X, order="C"))
        # Only the sums of the windows are needed, without targets.
        nothing = np.zeros((1, len(self.windows_)), Q.dtype)
        scales = (1 / self.class_sigma_**2).astype(Q.dtype)
        peaks, sums = self.window_sums(Q, nothing, self.bounds_, scales)
        # The part of −‖q − x‖² / 2σ² that depends on the query alone, which the sums leave out.
        far = (Q.astype(float) ** 2).sum(1, keepdims=True) / -2 * scales
        densities = peaks + np.log(sums[:, :, 0]) + far - np.log(np.diff(self.bounds_))
        # A Gaussian window over D features has the factor σ⁻ᴰ; (2π)^(−D/2) cancels between
        # classes.
        spread = Q.shape[1] * np.log(self.class_sigma_)
        joint = densities - spread + self.class_log_prior_
        return (joint - logsumexp(joint, axis=1, keepdims=True)).astype(Q.dtype)

    def predict_proba(self, X: Any) -> Floats:
        """Return each class's probability."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likeliest class."""
        likeliest = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[likeliest]

    @override
    def check_options(self) -> None:
        if isinstance(self.sigma, str):
            one_of(self.sigma, "PNN: `sigma`", ("shared", "feature", "class"))
        elif not isinstance(self.sigma, dict):
            self.fixed_sigma(None)
        if self.priors is not None:
            self.given_priors()

    @override
    def consistent(self) -> bool:
        rising = bool((np.diff(self.bounds_) > 0).all())
        ends = len(self.classes_) + 1, 0, len(self.windows_)
        whole = rising and (len(self.bounds_), *self.bounds_[[0, -1]]) == ends
        return whole and bool((self.class_sigma_ > 0).all()) and super().consistent()

    def widths(self, X: Floats, codes: NDArray[np.integer[Any]]) -> Floats:
        """Return the given widths, or choose them."""
        if isinstance(self.sigma, str):
            per = self.sigma
            counts = np.diff(self.bounds_)
            # The only row of a class carries no information once it is left out.
            accompanied = np.flatnonzero(counts[codes] > 1)
            if not len(accompanied):
                accompanied = np.arange(len(X))
            rule = cross_entropy(
                codes, self.class_log_prior_, X.shape[1], by_class=per == "class"
            )
            rows = left_out(len(X), among=accompanied)
            return Search(X, rule, rows, per, codes).best()
        if isinstance(self.sigma, dict):
            names = self.classes_.tolist()
            if set(self.sigma) != set(names) or not all(map(positive, self.sigma.values())):
                self.refuse("sigma", f"a positive number for each of {names}")
            return np.array([self.sigma[name] for name in names], float)
        return self.fixed_sigma(X.shape[1])

    def log_priors(self) -> Floats:
        """Return the logarithm of each class's prior."""
        if self.priors is None:
            counts = np.diff(self.bounds_)
            return np.log(counts / counts.sum())
        priors = self.given_priors()
        if priors.shape != self.classes_.shape:
            self.refuse("priors", f"{len(self.classes_)} positive numbers, one per class")
        return np.log(priors)

    def given_priors(self) -> Floats:
        """Return the given priors.

        Raises:
            ValueError: If they are not probabilities.
        """
        right = "positive numbers, one per class, that add up to 1"
        try:
            priors = np.asarray(self.priors, float)
        except (TypeError, ValueError):
            self.refuse("priors", right)
        if priors.ndim != 1 or not (priors > 0).all() or not np.isclose(priors.sum(), 1):
            self.refuse("priors", right)
        return priors

    @override
    def right_sigma(self, n_features: int | None) -> str:
        return super().right_sigma(n_features) + ", or 'class', or a dict with one per class"


def positive(value: Any) -> bool:
    """Tell whether a value is a finite number above 0."""
    real = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return real and 0 < float(value) < float("inf")
