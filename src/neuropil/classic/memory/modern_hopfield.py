"""The modern Hopfield network: retrieval by attention over the stored patterns."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import gen_batches

from neuropil.checks import interval
from neuropil.classic.base import ClassicNetwork, Floats
from neuropil.classic.fitted_state import array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from neuropil.checks import Rules

# The number of values in a block of similarities.
BLOCK = 1 << 21


@dataclass(eq=False, repr=False)
class ModernHopfieldNetwork(OneToOneFeatureMixin, TransformerMixin, ClassicNetwork):
    """An associative memory of real-valued patterns that holds exponentially many of them.

    With the patterns xᵢ as the rows of X, recall repeats ``ξ ← Xᵀ softmax(β X ξ)``, which is
    attention, until ξ converges; it never raises the energy
    ``E = −log(Σᵢ exp(β xᵢ·ξ)) / β + ½ ξ·ξ + log(N) / β + ½ M²``, where M is the length of the
    longest pattern. A large β recalls single patterns; a small one, means of similar ones.

    Shape:
        ``X``: ``(n_samples, n_features)``.

    Args:
        beta: β, how sharply the most similar pattern is preferred. Patterns are separated if β
            times the difference of their products ``xᵢ·xᵢ − xᵢ·xⱼ`` is well above log N.
        max_steps: Updates after which recall ends with a warning.
        tol: ξ has converged when no component moves by more than this, relative to M.

    Attributes:
        patterns_: The stored patterns, ``(n_patterns, n_features)``.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option is out of its range, or products of the input overflow.

    Reference:
        Ramsauer et al., "Hopfield Networks is All You Need", 2021. Ours has no learnt
        projections.

    Example:
        >>> import numpy as np
        >>> patterns = np.array([[3.0, 1.0], [-2.0, 2.0], [0.0, -4.0]])
        >>> memory = ModernHopfieldNetwork(beta=4.0).fit(patterns)
        >>> memory.transform([[2.0, 2.0], [-1.0, -3.0]]).round(2).tolist()
        [[3.0, 1.0], [0.0, -4.0]]
    """

    beta: float = 1.0
    _: KW_ONLY
    max_steps: int = 100
    tol: float = 1e-4

    rules: ClassVar[Rules] = ClassicNetwork.rules | {
        "beta": interval("(0, inf)"),
        "tol": interval("[0, inf)"),
    }
    learnt: ClassVar[dict[str, Any]] = {"patterns_": array("float", "patterns features")}

    def fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Store patterns, from the start.

        Args:
            X: The patterns.
            y: Not used.
        """
        self.patterns_ = self.check_magnitude(self.training_input(X, copy=True))
        return self

    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Store further patterns.

        Args:
            X: The patterns.
            y: Not used.
        """
        if not self.fitted:
            return self.fit(X)
        more = self.check_magnitude(self.training_input(X, first=False))
        more = more.astype(self.patterns_.dtype)
        self.patterns_ = np.concatenate([self.patterns_, more])
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """Return the state that each row converges to.

        Args:
            X: Probes.
        """
        given = self.input(X, copy=True)
        limit = self.tol * self.longest
        for rows in self.blocks(given):
            given[rows] = self.settle(given[rows], limit)
        return given

    def energy(self, X: ArrayLike) -> Floats:
        """Return each row's energy.

        Args:
            X: States.
        """
        given = self.input(X)
        beta, count = float(self.beta), len(self.patterns_)
        energies = np.empty(len(given), given.dtype)
        for rows in self.blocks(given):
            state = given[rows]
            # The energy, eq. 2 of Ramsauer et al.
            nearness = logsumexp(self.similarities(state), axis=1) - np.log(count)
            energies[rows] = (
                0.5 * (state**2).sum(axis=1) + 0.5 * self.longest**2 - nearness / beta
            )
        return energies

    def score(self, X: ArrayLike, y: Any = None) -> float:  # noqa: ARG002 - scikit-learn passes it
        """Return minus the mean squared difference of rows and their recalled states.

        Args:
            X: Patterns that should be remembered.
            y: Not used.
        """
        return -float(np.mean((self.transform(X) - self.input(X)) ** 2))

    def settle(self, states: Floats, limit: float) -> Floats:
        """Return rows, each updated until it converges."""
        moving = np.arange(len(states))
        for _ in range(self.max_steps):
            now = states[moving]
            # The update rule, eq. 3 of Ramsauer et al., for one state per row.
            after = softmax(self.similarities(now), axis=1) @ self.patterns_
            states[moving] = after
            moving = moving[np.abs(after - now).max(axis=1) > limit]
            if not len(moving):
                return states
        self.warn(
            f"{len(moving)} rows still moved after {self.max_steps} updates; raise `max_steps` "
            f"or `tol`."
        )
        return states

    def similarities(self, states: Floats) -> Floats:
        """Return β times the product of each state with each pattern.

        Raises:
            ValueError: If they overflow.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            # Half of the largest number leaves room for differences and sums.
            found = float(self.beta) * (states @ self.patterns_.T)
        if not (np.abs(found) < np.finfo(found.dtype).max / 2).all():
            raise ValueError(
                f"ModernHopfieldNetwork: products of states and patterns overflow "
                f"{found.dtype}: the largest entries are {np.abs(states).max():.3g} and "
                f"{np.abs(self.patterns_).max():.3g}; scale them."
            )
        return found

    @property
    def longest(self) -> float:
        """M, the length of the longest pattern."""
        return float(np.linalg.norm(self.patterns_, axis=1).max())

    def blocks(self, states: Floats) -> list[slice]:
        """Return slices of rows that bound the memory of their similarities."""
        widest = max(self.patterns_.shape)
        return list(gen_batches(len(states), max(1, BLOCK // widest)))
