"""The probabilistic neural network."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from typing_extensions import override

from neuropil.algorithms.rbf.leave_one_out import Search, cross_entropy, left_out
from neuropil.algorithms.rbf.windows import WindowNetwork

Floats = NDArray[np.floating[Any]]


class PNN(ClassifierMixin, WindowNetwork):
    """Probabilistic neural network: Bayes' rule, each class's density a mean of windows.

    ``p(k | x) ∝ πₖ / nₖ · Σᵢ∈ₖ N(x; xᵢ, σ²)`` with Gaussian windows over the nₖ rows of a
    class, and priors πₖ. Probabilities are taken of logarithms, so they are right however far
    a row is from all data.

    Args:
        sigma: Width of the windows: a positive number, or one a feature; a dict that gives one
            for each class; or what is to be chosen so that the class of each row is likeliest
            given all others: ``"class"``, one for each class, ``"feature"``, one for each
            feature, or ``"shared"``, one.
        priors: Probability of each class, in the order of ``classes_``. None takes their
            shares of the rows.

    Attributes:
        classes_: The classes.
        sigma_: Width of the windows: one, one a feature, or one a class.

    Raises:
        ValueError: When a width is not positive, or there are not as many as needed; when
            priors are no probabilities of the classes.

    Reference:
        Specht, "Probabilistic Neural Networks", 1990. The widths are found by L-BFGS along the
        gradient of the leave-one-out cross-entropy, of at most 2 million pairs.

    Example:
        >>> network = PNN(sigma=1.0).fit([[-1.0], [1.0], [2.0]], ["left", "right", "right"])
        >>> network.predict([[-3.0], [1e9]])
        array(['left', 'right'], dtype='<U5')
    """

    def __init__(
        self, sigma: str | ArrayLike | dict[Any, float] = "class", *, priors: Any = None
    ) -> None:
        self.sigma = sigma
        self.priors = priors

    def fit(self, X: Any, y: Any) -> Self:
        """Keep the rows, and choose the widths unless they are given.

        Args:
            X: Rows of examples.
            y: Their classes.
        """
        X, y = self.training_input(X, y, order="C")
        check_classification_targets(y)
        self.squarable(X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        # Rows of a class stand together.
        order = np.argsort(codes, kind="stable")
        X, codes = X[order], codes[order]
        self.bounds_ = np.searchsorted(codes, np.arange(len(self.classes_) + 1))
        self.class_log_prior_ = self.log_priors()
        sigma = self.widths(X, codes)
        self.sigma_ = np.asarray(sigma, X.dtype)
        by_class = self.sigma == "class" if isinstance(self.sigma, str) else False
        self.class_sigma_ = np.ones(len(self.classes_), X.dtype)
        if by_class or isinstance(self.sigma, dict):
            self.class_sigma_ = self.sigma_
            sigma = np.ones(())
        self.place(X, sigma)
        return self

    def predict_log_proba(self, X: Any) -> Floats:
        """Return the logarithm of each class's probability."""
        Q = self.scaled(self.input(X, order="C"))
        nothing = np.zeros((1, len(self.windows_)), Q.dtype)
        scales = (1 / self.class_sigma_**2).astype(Q.dtype)
        peaks, sums = self.window_sums(Q, nothing, self.bounds_, scales)
        far = (Q.astype(float) ** 2).sum(1, keepdims=True) / -2 * scales
        densities = peaks + np.log(sums[:, :, 0]) + far - np.log(np.diff(self.bounds_))
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

    def widths(self, X: Floats, codes: NDArray[np.integer[Any]]) -> Floats:
        """Return the widths that are given or chosen."""
        if isinstance(self.sigma, str):
            per = self.one_of("sigma", ("shared", "feature", "class"))
            counts = np.diff(self.bounds_)
            # A row that is alone in its class says nothing once it is left out.
            accompanied = np.flatnonzero(counts[codes] > 1)
            if not len(accompanied):
                accompanied = np.arange(len(X))
            rule = cross_entropy(
                codes, self.class_log_prior_, X.shape[1], by_class=per == "class"
            )
            rows = left_out(len(X), among=accompanied)
            return Search(X, rule, rows, per, codes).best()
        if isinstance(self.sigma, dict):
            known = set(self.sigma) == set(self.classes_.tolist())
            if not known or not all(width > 0 for width in self.sigma.values()):
                self.refuse("sigma", f"a positive number for each of {self.classes_.tolist()}")
            return np.array([self.sigma[name] for name in self.classes_.tolist()], float)
        return self.fixed_sigma(X.shape[1])

    def log_priors(self) -> Floats:
        """Return the logarithm of each class's prior."""
        if self.priors is None:
            counts = np.diff(self.bounds_)
            return np.log(counts / counts.sum())
        priors = np.asarray(self.priors, float)
        right = priors.shape == self.classes_.shape and (priors > 0).all()
        if not right or not np.isclose(priors.sum(), 1):
            self.refuse(
                "priors", f"{len(self.classes_)} positive numbers, one a class, that add to 1"
            )
        return np.log(priors)

    @override
    def right_sigma(self, n_features: int) -> str:
        return super().right_sigma(n_features) + ", or 'class', or a dict of one a class"
