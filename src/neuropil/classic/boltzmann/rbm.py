"""The restricted Boltzmann machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.special import expit
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import check_is_fitted
from typing_extensions import override

from neuropil.classic.base import COUNT, Floats, seed
from neuropil.classic.boltzmann.base import BoltzmannMachine
from neuropil.classic.boltzmann.generators import generator_of, words_of
from neuropil.classic.boltzmann.loops import (
    draw_hidden,
    draw_visible,
    hidden_probabilities,
    train_epoch,
)
from neuropil.classic.boltzmann.partition import (
    MOST_ENUMERATED,
    annealed_log_partition,
    exact_log_partition,
)
from neuropil.classic.boltzmann.softplus import softplus_sums
from neuropil.classic.fitted_state import array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from neuropil.checks import Rules

# The number of rows whose hidden units are held at once.
ROWS = 1024
# A larger weight makes no sense for bits, nor for units of variance 1.
DIVERGED = 1e8


def seed_or_generator(value: Any, what: str) -> Any:
    """Return a valid `random_state` unchanged; it may also be a `numpy.random.Generator`."""
    return value if isinstance(value, np.random.Generator) else seed(value, what)


@dataclass(eq=False, repr=False)
class RBM(BoltzmannMachine):
    """Restricted Boltzmann machine: hidden bits that model dependencies of visible units.

    ``p(v, h) = e^(−E(v, h)) / Z`` with ``E = −b·v − c·h − v·W h`` for visible bits, and
    ``E = ‖v − b‖² / 2 − c·h − v·W h`` for real numbers of variance 1. Either side is
    independent given the other: ``p(hⱼ = 1 | v) = σ(cⱼ + (v W)ⱼ)``. Training follows
    ``⟨v hᵀ⟩ of the data − ⟨v hᵀ⟩ of Gibbs chains``.

    Shape:
        ``X``: ``(n_samples, n_features)``.

    Args:
        n_hidden: The number of hidden units.
        visible: ``"bernoulli"`` for bits, or ``"gaussian"`` for real numbers, each column with
            a mean near 0 and a variance near 1 (`StandardScaler`).
        binarize: Values above it are 1. None takes numbers from 0 to 1 unchanged, as the
            probabilities of a 1, such as shades of grey. For bits only.
        n_epochs: Passes over the data.
        lr: Learning rate.
        batch_size: Rows per update; also the number of chains.
        n_steps: Gibbs steps per update, the k of CD-k.
        persistent: Whether chains continue from update to update, or restart from the data.
        decay: Whether the rate falls to 0 during `fit`, linearly from epoch to epoch. Without
            it, the last updates favour a few kinds of rows, and chains draw little else.
        random_state: Seed or generator of the first weights, the order of rows, and the chains.

    Attributes:
        components_: ``Wᵀ``, one row per hidden unit.
        intercept_hidden_: c.
        intercept_visible_: b.
        chains_: Hidden states of the chains.
        random_state_: The `numpy.random.Generator` of `partial_fit`.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option or the data are invalid, or the weights grow without bound.

    Reference:
        Tieleman, "Training Restricted Boltzmann Machines using Approximations to the Likelihood
        Gradient", 2008, is the default, persistent chains; the machine is Smolensky's,
        "Information Processing in Dynamical Systems: Foundations of Harmony Theory", 1986, and
        CD-k Hinton's, "Training Products of Experts by Minimizing Contrastive Divergence",
        2002. Visible biases start from the means of the data (Hinton, "A Practical
        Guide to Training Restricted Boltzmann Machines", 2010, section 8).

    Example:
        >>> import numpy as np
        >>> X = np.repeat([[0, 0, 1, 1], [1, 1, 0, 0]], 50, axis=0)
        >>> machine = RBM(2, lr=0.2, n_epochs=100, random_state=0).fit(X)
        >>> bool(machine.score([[0, 0, 1, 1]]) > machine.score([[0, 1, 0, 1]]) + 2)
        True
    """

    n_hidden: int = 256

    rules: ClassVar[Rules] = BoltzmannMachine.rules | {
        "n_hidden": COUNT,
        "random_state": seed_or_generator,
    }
    learnt: ClassVar[dict[str, Any]] = {
        "components_": array("float", "hidden features"),
        "intercept_hidden_": array("float", "hidden"),
        "intercept_visible_": array("float", "features"),
        "chains_": array("float", "chains hidden"),
        "generator": array("word", "6"),
    }

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn from all rows, in `n_epochs` passes.

        Args:
            X: Rows of examples.
            y: Ignored.
        """
        V = self.values(self.training_input(X))
        self.start(V)
        return self.train(V, self.n_epochs)

    def partial_fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn from rows once, continuing from the learnt weights.

        Args:
            X: Rows of examples.
            y: Ignored.
        """
        V = self.values(self.training_input(X, first=not self.fitted))
        if not self.fitted:
            self.start(V)
        return self.train(V.astype(self.components_.dtype, copy=False), 1)

    @override
    def learnt_values(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in self.learnt if name != "generator"}
        return own | {"generator": words_of(self.random_state_)}

    @override
    def set_learnt(self, values: Mapping[str, Any]) -> None:
        values = dict(values)
        own = isinstance(self.random_state, np.random.Generator)
        drawn = generator_of(values.pop("generator"))
        super().set_learnt(values | {"random_state_": self.random_state if own else drawn})

    def transform(self, X: Any) -> Floats:
        """Return ``p(h = 1 | v)``, one column per hidden unit."""
        return expit(self.hidden_inputs(self.values(self.input(X))))

    def inverse_transform(self, H: Any) -> Floats:
        """Return the expected visible units given the hidden ones.

        Args:
            H: States or probabilities of the hidden units, one row per example.

        Raises:
            ValueError: If the number of columns is wrong.
        """
        check_is_fitted(self)
        H = self.given_outputs(H, "hidden unit", self.components_.dtype)
        means = H @ self.components_ + self.intercept_visible_
        return means if self.gaussian else expit(means)

    def free_energy(self, X: Any) -> NDArray[np.float64]:
        """Return ``F(v) = −log Σₕ e^(−E(v, h))``: the lower, the likelier."""
        V = self.values(self.input(X))
        b = self.intercept_visible_
        # F(v) = −b·v − Σⱼ log(1 + exp(cⱼ + (v W)ⱼ)), with −‖v − b‖² / 2 in place of b·v for
        # real v.
        alone = ((V - b) ** 2).sum(1) / -2 if self.gaussian else V @ b
        blocks = gen_batches(len(V), ROWS)
        units = [softplus_sums(self.hidden_inputs(V[rows]), 1.0) for rows in blocks]
        return -(alone + np.concatenate(units))

    def log_partition(
        self, method: str = "auto", *, n_temperatures: int = 1000, n_chains: int = 100
    ) -> float:
        """Return ``log Z``.

        Args:
            method: ``"exact"`` sums over all states of one side, of at most 20 bits;
                ``"annealed"`` estimates it by annealed importance sampling; ``"auto"`` is
                exact where possible.
            n_temperatures: Steps of the estimate from the known Z of a machine without weights.
            n_chains: Chains of the estimate.

        Raises:
            ValueError: If the method is unknown, or ``"exact"`` needs more than 20 bits.

        Reference:
            Salakhutdinov, Murray, "On the Quantitative Analysis of Deep Belief Networks", 2008.
        """
        check_is_fitted(self)
        W, b, c = (values.astype(float, copy=False) for values in self.parameters())
        # Real visible units can only be integrated out, so the hidden ones are enumerated.
        bits = len(c) if self.gaussian else min(len(b), len(c))
        if method not in ("auto", "exact", "annealed"):
            raise ValueError(
                f"log_partition: `method` must be 'auto', 'exact' or 'annealed', got "
                f"{method!r}."
            )
        if method == "annealed" or (method == "auto" and bits > MOST_ENUMERATED):
            options = {"n_temperatures": n_temperatures, "n_chains": n_chains}
            return annealed_log_partition(W, b, c, gaussian=self.gaussian, **options)
        if bits > MOST_ENUMERATED:
            raise ValueError(
                f"log_partition('exact') needs at most {MOST_ENUMERATED} bits on one side, got "
                f"{bits}; use 'annealed' for an estimate."
            )
        return exact_log_partition(W, b, c, gaussian=self.gaussian)

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Return ``log p(v) = −F(v) − log Z`` of each row, log Z by `log_partition()`.

        Each call computes log Z; for several sets of rows, compute it once and take
        ``−free_energy(X) − log_z``.
        """
        return -self.free_energy(X) - self.log_partition()

    def score(self, X: Any, y: Any = None) -> float:  # noqa: ARG002 - scikit-learn passes it
        """Return the mean log-likelihood of the rows."""
        return float(self.score_samples(X).mean())

    def sample(
        self,
        n_samples: int = 1,
        *,
        n_steps: int = 500,
        expected: bool = False,
        random_state: Any = None,
    ) -> Floats:
        """Return rows sampled by Gibbs chains, which start from the final states of training.

        Args:
            n_samples: The number of rows, one per chain.
            n_steps: Steps of each chain.
            expected: Whether to return expected values in the last step instead of samples:
                shades of grey instead of bits.
            random_state: Seed or generator; None uses the machine's own.
        """
        check_is_fitted(self)
        rng = self.generator(random_state)
        self.require_room(2.0 * n_samples * sum(self.components_.shape))
        # The chains of training are close to equilibrium already.
        chains = self.chains_[rng.integers(len(self.chains_), size=n_samples)]
        W, b, c = self.parameters()
        V, H = np.empty((n_samples, len(b)), W.dtype), np.empty((n_samples, len(c)), W.dtype)
        for _ in range(n_steps):
            draw_visible(V, W, b, chains, self.gaussian, rng)
            hidden_probabilities(V, H, W, c)
            draw_hidden(H, chains, rng)
        return self.inverse_transform(chains) if expected else self.draw(chains, rng)

    def draw(self, H: Any, random_state: Any = None) -> Floats:
        """Return visible units sampled given the hidden ones.

        Args:
            H: States of hidden units, one row per example.
            random_state: Seed or generator; None uses the machine's own.
        """
        means, rng = self.inverse_transform(H), self.generator(random_state)
        if self.gaussian:
            return (means + rng.standard_normal(means.shape)).astype(means.dtype)
        return (rng.random(means.shape) < means).astype(means.dtype)

    def generator(self, random_state: Any) -> np.random.Generator:
        """Return the generator for a `random_state`; None uses the machine's own."""
        given = self.random_state if random_state is None else random_state
        if isinstance(given, np.random.Generator):
            return given
        random = check_random_state(given)
        return np.random.default_rng(random.randint(2**31, size=4))

    @property
    def gaussian(self) -> bool:
        """Whether visible units are real numbers."""
        return self.visible == "gaussian"

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def values(self, X: Floats) -> Floats:
        """Return checked input as values of visible units.

        Raises:
            ValueError: If they must be between 0 and 1 and are not.
        """
        if self.gaussian:
            return X
        if self.binarize is not None:
            return (float(self.binarize) < X).astype(X.dtype)
        wrong = np.argwhere((X < 0) | (X > 1))
        if len(wrong):
            row, column = wrong[0]
            raise ValueError(
                f"{type(self).__name__}(binarize=None) needs numbers from 0 to 1, got "
                f"{X[row, column]:g} in row {row}, column {column}; with binarize=0.0, values "
                f"above 0 count as 1; visible='gaussian' takes any numbers."
            )
        return X

    def start(self, V: Floats) -> None:
        """Set the parameters and chains at the start of training."""
        n_hidden, size = self.n_hidden, self.batch_size
        self.require_room(3.0 * V.shape[1] * n_hidden + size * (3.0 * n_hidden + V.shape[1]))
        rng = self.generator(self.random_state)
        # Small random weights with a deviation of 0.01, as in section 8 of Hinton's guide.
        W = rng.normal(0, 0.01, (V.shape[1], n_hidden)).astype(V.dtype)
        # Hinton's guide, section 8: log(p / (1 − p)). Counting each bit once more as 0 and once
        # as 1 keeps it finite.
        share = (V.sum(0) + 1) / (len(V) + 2)
        b = V.mean(0) if self.gaussian else np.log(share / (1 - share))
        self.random_state_ = rng
        self.components_ = W.T
        self.intercept_hidden_ = np.zeros(n_hidden, V.dtype)
        self.intercept_visible_ = b.astype(V.dtype)
        self.chains_ = np.zeros((size, n_hidden), V.dtype)

    def train(self, V: Floats, n_epochs: int) -> Self:
        """Train the weights in passes over the data.

        Raises:
            ValueError: If they grow without bound; the weights from before are kept.
        """
        lr, n_steps = float(self.lr), self.n_steps
        rates = (
            lr * np.linspace(1, 0, n_epochs, endpoint=False) if self.decay else [lr] * n_epochs
        )
        W, b, c = (values.copy() for values in self.parameters())
        chains, rng = self.chains_.copy(), self.random_state_
        for epoch, rate in enumerate(rates, 1):
            order = rng.permutation(len(V))
            options = (float(rate), n_steps, bool(self.persistent), self.gaussian, rng)
            train_epoch(V, order, W, b, c, chains, *options)
            if not all((np.abs(values) < DIVERGED).all() for values in (W, b, c)):
                advice = "; columns must have a variance near 1" if self.gaussian else ""
                raise ValueError(
                    f"{type(self).__name__}: the weights grow without bound in epoch {epoch} "
                    f"at lr={lr:g}; take a smaller one{advice}."
                )
        self.components_, self.intercept_visible_, self.intercept_hidden_ = W.T, b, c
        self.chains_ = chains
        return self

    def parameters(self) -> tuple[Floats, Floats, Floats]:
        """Return W (visible × hidden, contiguous), b and c."""
        W = np.ascontiguousarray(self.components_.T)
        return W, self.intercept_visible_, self.intercept_hidden_

    def hidden_inputs(self, V: Floats) -> Floats:
        """Return ``c + v W``."""
        return V @ self.components_.T + self.intercept_hidden_
