"""Principal components learnt from blocks of rows: Oja's and Sanger's rules."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import check_is_fitted
from typing_extensions import override

from neuropil.checks import choice, interval
from neuropil.classic.base import COUNT, Floats
from neuropil.classic.feature_transformer import FeatureTransformer
from neuropil.classic.fitted_state import WHOLE, array
from neuropil.classic.hebbian.hebbian_step import RULES, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from neuropil.checks import Rules

    Doubles = NDArray[np.float64]

# The number of rows transformed at once.
ROWS = 4096


@dataclass(eq=False, repr=False)
class Oja(FeatureTransformer):
    """Linear units that learn the principal components of a stream of rows.

    With ``y = Wᵀ(x − μ)``, units learn by Hebb's rule and exclude each other's variance:
    ``W ← W + (x yᵀ − W y yᵀ) H`` is Oja's rule, which finds the subspace of largest variance;
    ``W ← W + (x yᵀ − W triu(y yᵀ)) H`` is Sanger's rule, the generalised Hebbian algorithm,
    whose units are the components themselves, by decreasing variance. The rates H fall as 1/t
    and are inversely proportional to the units' variance: ``H = aₜ/(1 − aₜ) · M⁻¹`` with
    ``M ← (1 − aₜ) M + aₜ y yᵀ`` and ``aₜ = lr / (lr + t)``, where t is the number of earlier
    blocks; so nothing depends on the scale of the data. Each block is one step, with the means
    of ``x yᵀ`` and ``y yᵀ`` over its rows, after which W is orthonormalised, so that no rate
    can diverge.

    Shape:
        ``X``: ``(n_samples, n_features)``.

    Args:
        n_components: The number of units.
        rule: ``"sanger"`` learns the components in their order, ``"oja"`` a basis of their
            subspace.
        lr: c in the rate ``c / (c + t)``. Convergence is fastest for c ≥ 1/g, where
            ``g = 1 − λ_{k+1} / λ_k`` is the gap between the variance of the last component and
            that of the next; a much larger c averages over fewer rows.
        n_epochs: The number of passes of `fit` over all rows.
        batch_size: The number of rows in a block.
        random_state: Seed of the first weights, and of the order of rows in `fit`.

    Attributes:
        components_: ``Wᵀ``, orthonormal rows, ``(components, features)``.
        mean_: μ, the mean of all rows so far.
        covariance_: M, of the units' outputs; only its diagonal with Sanger's rule.
        n_samples_seen_: The number of rows so far, over all epochs and calls.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: From `fit`, if an option is invalid, or a value's square is not
            finite.

    Reference:
        E. Oja, "A simplified neuron model as a principal component analyzer", 1982, for one
        unit; "Neural networks, principal components, and subspaces", 1989; T. D. Sanger,
        "Optimal unsupervised learning in a single-layer linear feedforward neural network",
        1989. Ours orthonormalises W after each step, which the papers' rules do approximately
        for small rates, and takes rates from the variances, as Weng, Zhang and Hwang, "Candid
        covariance-free incremental principal component analysis", 2003.

    Example:
        >>> import numpy as np
        >>> X = np.array([[1.0, 2.0], [3.0, 6.0], [5.0, 10.0]])
        >>> model = Oja(1, random_state=0).fit(X)
        >>> np.abs(model.components_ * np.sqrt(5)).round(6)
        array([[1., 2.]])
        >>> bool(np.allclose(model.inverse_transform(model.transform(X)), X))
        True
    """

    n_components: int = 2
    _: KW_ONLY
    rule: str = "sanger"
    lr: float = 6.0
    n_epochs: int = 20
    batch_size: int = 128
    random_state: Any = None

    rules: ClassVar[Rules] = FeatureTransformer.rules | {
        "n_components": COUNT,
        "rule": choice(*RULES),
        "lr": interval("(0, 1000]"),
    }
    learnt: ClassVar[dict[str, Any]] = {
        "components_": array("float", "components features"),
        "mean_": array("double", "features"),
        "covariance_": array("double", "components components"),
        "n_samples_seen_": WHOLE,
    }

    def fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn the components of all rows, from the start.

        Args:
            X: Rows of features.
            y: Ignored.
        """
        rows = self.check_magnitude(self.training_input(X))
        rng = check_random_state(self.random_state)
        self.start(rows, rng)
        for _ in range(self.n_epochs):
            self.learn(rows, rng.permutation(len(rows)))
        return self

    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn from rows once, in their order, continuing from earlier calls.

        Args:
            X: Rows of features.
            y: Ignored.
        """
        rows = self.check_magnitude(self.training_input(X, first=not self.fitted))
        if not self.fitted:
            self.start(rows, check_random_state(self.random_state))
        self.learn(rows)
        return self

    @override
    def consistent(self) -> bool:
        return self.n_samples_seen_ >= 1

    def start(self, X: Floats, rng: np.random.RandomState) -> None:
        """Draw orthonormal weights.

        Raises:
            ValueError: If there are more components than columns.
        """
        count, features = self.n_components, X.shape[1]
        if count > features:
            self.refuse("n_components", f"at most n_features={features}")
        drawn = np.linalg.qr(rng.standard_normal((features, count)))[0]
        self.components_ = np.ascontiguousarray(drawn.T, X.dtype)
        self.mean_, self.covariance_ = np.zeros(features), np.zeros((count, count))
        self.n_samples_seen_ = 0

    def learn(self, X: Floats, order: NDArray[np.intp] | None = None) -> None:
        """Take a step for each block of rows.

        Args:
            X: Rows.
            order: The order of the rows; None keeps theirs.
        """
        lr = float(self.lr)
        W, M = self.components_.T.astype(np.float64), self.covariance_
        mean, seen = self.mean_, self.n_samples_seen_
        for rows in gen_batches(len(X), self.batch_size):
            block = X[rows] if order is None else X[order[rows]]
            # aₜ = lr / (lr + t) with t = seen / block size, also for a shorter last block.
            share = lr * len(block) / (lr * len(block) + seen)
            seen += len(block)
            mean = mean + (block.mean(axis=0, dtype=np.float64) - mean) * (len(block) / seen)
            W, M = step(block - mean.astype(X.dtype), W, M, share, self.rule)
        self.components_ = np.ascontiguousarray(W.T, self.components_.dtype)
        self.mean_, self.covariance_, self.n_samples_seen_ = mean, M, seen

    def transform(self, X: ArrayLike) -> Floats:
        """Return the outputs of the units, ``Wᵀ(x − μ)``.

        Args:
            X: Rows of features.
        """
        rows = self.check_magnitude(self.input(X))
        W = self.components_.T.astype(rows.dtype)
        return np.concatenate([block @ W for block in self.center(rows)])

    def inverse_transform(self, Y: ArrayLike) -> Floats:
        """Return the reconstruction ``W y + μ``, of the rows closest to μ with these outputs.

        Args:
            Y: Outputs of the units, one row per example.

        Raises:
            ValueError: If the number of columns is wrong.
        """
        check_is_fitted(self)
        outputs = self.given_outputs(Y, "component", (np.float64, np.float32))
        W, mean = self.components_.astype(outputs.dtype), self.mean_.astype(outputs.dtype)
        return outputs @ W + mean

    def score(self, X: ArrayLike, y: Any = None) -> float:  # noqa: ARG002 - scikit-learn passes it
        """Return the fraction of the variance that the components explain; 1 if there is none.

        Args:
            X: Rows of features.
            y: Ignored.
        """
        rows = self.check_magnitude(self.input(X))
        scale = max(float(abs(block).max()) for block in self.center(rows)) or 1.0
        explained, whole = 0.0, 0.0
        for block in self.center(rows):
            small = (block / scale).astype(np.float64)
            explained += float(np.square(small @ self.components_.T).sum())
            whole += float(np.square(small).sum())
        return min(explained / whole, 1.0) if whole else 1.0

    def center(self, X: Floats) -> Iterator[Floats]:
        """Yield the rows minus the mean, in blocks."""
        mean = self.mean_.astype(X.dtype)
        return (X[rows] - mean for rows in gen_batches(len(X), ROWS))

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)
