"""The Hopfield network: patterns are minima of an energy, and recall descends into one."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.utils import check_random_state, gen_batches
from typing_extensions import override

from neuropil.checks import choice
from neuropil.classic.base import COUNT, ClassicNetwork, Floats
from neuropil.classic.fitted_state import WHOLE, array
from neuropil.classic.memory.capacity import CapacityCurve, measure_capacity
from neuropil.classic.memory.hopfield_recall import RecallPath, energy, follow, settle
from neuropil.classic.memory.hopfield_rules import RULES
from neuropil.classic.memory.signs import encode, lower_value, signs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from neuropil.checks import Rules

# The number of values in a block of rows: enough for a fast matrix product, little memory.
BLOCK = 1 << 21
# Patterns per unit at which capacity is measured.
LOADS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.13, 0.14, 0.15, 0.16, 0.18, 0.2, 0.25, 0.3)


@dataclass(eq=False, repr=False)
class DiscreteHopfieldNetwork(OneToOneFeatureMixin, TransformerMixin, ClassicNetwork):
    """An associative memory: recall usually corrects a noisy pattern to the stored one.

    With states s of −1 and 1, and symmetric weights W with a zero diagonal, the energy is
    ``E = −½ sᵀ W s``. Recall sets ``sᵢ ← sign(Σⱼ wᵢⱼ sⱼ)``; a unit whose field is 0 does not
    change. Units are updated one by one ("async"), which never raises E, or all at once
    ("sync"). Recall ends near the probe in a minimum of E: a stored pattern, a mixture of
    several, or a negated one.

    The rules for patterns ξ of n units: ``"hebb"``, ``W = Σ ξ ξᵀ / n``, holds about 0.138 n of
    them; ``"storkey"``, ``wᵢⱼ ← wᵢⱼ + (ξᵢ ξⱼ − ξᵢ hⱼᵢ − hᵢⱼ ξⱼ) / n`` with hᵢⱼ the field of i
    without i and j, holds more; ``"pseudo_inverse"``, the projection onto the patterns, keeps
    up to n − 1 of them stable, but corrects errors only up to about n/2 patterns.

    Shape:
        ``X``: ``(n_samples, n_units)``.

    Args:
        rule: ``"hebb"``, ``"storkey"`` or ``"pseudo_inverse"``.
        mode: ``"async"``: sweeps over all units, each in a new random order, until no unit
            changes; or ``"sync"``: until no unit changes, or two states alternate.
        max_sweeps: Sweeps, or synchronous steps, after which recall ends with a warning.
        binarize: Values above it are on; None takes 0 and 1, or −1 and 1, unchanged.
        random_state: Seed or generator of the order; all rows of a call share it.

    Attributes:
        weights_: W, ``(n_units, n_units)``, always in double precision.
        n_patterns_: The number of learnt patterns.
        diagonal_: The learnt diagonal, which recall does not use, ``(n_units)``.
        low_: The value of "off" in the patterns: 0 or −1.
        n_features_in_: Columns of the input.

    Raises:
        ValueError: If an option is invalid, or the input is not binary where it must be.

    Reference:
        Hopfield, "Neural networks and physical systems with emergent collective computational
        abilities", 1982; Storkey, "Increasing the capacity of a Hopfield network without
        sacrificing functionality", 1997; Personnaz, Guyon, Dreyfus, "Information storage and
        retrieval in spin-glass like neural networks", 1985. Ours keeps a unit's state when its
        field is 0, visits every unit, and has no thresholds. Recalled patterns have the coding
        of the learnt ones.

    Example:
        >>> from neuropil.datasets import load_digits
        >>> memory = DiscreteHopfieldNetwork("pseudo_inverse", random_state=0)
        >>> memory = memory.fit(load_digits())
        >>> probe = load_digits()[[2]]
        >>> probe[0, [1, 9]] = 1 - probe[0, [1, 9]]  # two pixels are wrong
        >>> bool((memory.transform(probe) == load_digits()[2]).all())
        True
        >>> memory.energy(load_digits()[[2]]) < memory.energy(probe)
        array([ True])
    """

    rule: str = "hebb"
    mode: str = "async"
    _: KW_ONLY
    max_sweeps: int = 1000
    binarize: float | None = 0.0
    random_state: int | np.random.RandomState | None = None

    rules: ClassVar[Rules] = ClassicNetwork.rules | {
        "rule": choice(*RULES),
        "mode": choice("async", "sync"),
        "max_sweeps": COUNT,
    }
    learnt: ClassVar[dict[str, Any]] = {
        "weights_": array("double", "features features"),
        "diagonal_": array("double", "features"),
        "low_": WHOLE,
        "n_patterns_": WHOLE,
    }

    def fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn patterns, from the start.

        Args:
            X: The patterns.
            y: Not used.
        """
        return self.learn(X, anew=True)

    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn passes it
        """Learn further patterns; the weights equal those of learning all at once.

        Args:
            X: The patterns.
            y: Not used.
        """
        return self.learn(X, anew=not self.fitted)

    def learn(self, X: ArrayLike, *, anew: bool) -> Self:
        """Add patterns to the weights, or start from none.

        Args:
            X: The patterns.
            anew: Whether to start from zero weights.
        """
        given = self.training_input(X, first=anew)
        self.require_room(3.0 * given.shape[1] ** 2)
        patterns = signs(self.bits(given, self.binarize))
        if anew:
            self.n_patterns_, self.low_ = 0, lower_value(given)
            matrix = np.zeros((given.shape[1],) * 2)
        else:
            matrix = self.weights_ + np.diag(self.diagonal_)
        matrix = RULES[self.rule](matrix, patterns)
        # The projection needs its diagonal for further patterns, but recall must not use it: a
        # positive wᵢᵢ would keep units from changing.
        self.diagonal_ = matrix.diagonal().copy()
        np.fill_diagonal(matrix, 0.0)
        self.weights_ = matrix
        self.n_patterns_ += len(patterns)
        return self

    @override
    def consistent(self) -> bool:
        return self.low_ in {-1, 0} and self.n_patterns_ >= 1

    def transform(self, X: ArrayLike) -> Floats:
        """Return the pattern that each row converges to, in the coding of the learnt patterns.

        Args:
            X: Probes.
        """
        given = self.input(X)
        states = signs(self.bits(given, self.binarize))
        mode, sweeps, seed = self.recall_options()
        moving = 0
        for rows in self.blocks(states):
            moving += settle(states[rows], self.weights_, mode, sweeps, seed)
        if moving:
            self.warn(f"{moving} rows still moved after {sweeps} sweeps; raise `max_sweeps`.")
        return encode(states, self.low_, given.dtype)

    def energy(self, X: ArrayLike) -> Floats:
        """Return each row's energy −½ sᵀ W s.

        Args:
            X: States.
        """
        given = self.input(X)
        states = signs(self.bits(given, self.binarize))
        energies = [energy(states[rows], self.weights_) for rows in self.blocks(states)]
        return np.concatenate(energies).astype(given.dtype)

    def score(self, X: ArrayLike, y: Any = None) -> float:  # noqa: ARG002 - scikit-learn passes it
        """Return the fraction of rows that recall does not change.

        Args:
            X: Patterns that should be remembered.
            y: Not used.
        """
        equal = self.bits(self.transform(X), 0.0) == self.bits(self.input(X), self.binarize)
        return float(equal.all(axis=1).mean())

    def recall_path(self, x: ArrayLike) -> RecallPath:
        """Return the states and energies of one recall, step by step.

        Args:
            x: One probe, ``(n_units)``.

        Raises:
            ValueError: If there is more than one probe.
        """
        given = self.input(np.atleast_2d(np.asarray(x)))
        state = signs(self.bits(given, self.binarize))
        if len(state) != 1:
            raise ValueError(f"recall_path follows one probe, got {len(state)}.")
        path = follow(state, self.weights_, *self.recall_options())
        return RecallPath(encode(path.states, self.low_, given.dtype), path.energies)

    def capacity_curve(
        self, n_units: int = 500, loads: ArrayLike = LOADS, *, flipped: float = 0.0
    ) -> CapacityCurve:
        """Measure the capacity of this kind of memory with random patterns.

        The fitted weights are not used.

        Args:
            n_units: n, the number of units of the measured networks.
            loads: Patterns per unit.
            flipped: The fraction of units flipped before recall.
        """
        network, rng = clone(self), check_random_state(self.random_state)
        network.set_params(random_state=rng)
        network.require_room(3.0 * n_units**2)
        return measure_capacity(
            network.partial_fit, network.transform, self.rule, n_units, loads, flipped, rng
        )

    def recall_options(self) -> tuple[str, int, int]:
        """Return the mode, the number of sweeps, and a seed of the order of units."""
        drawn = check_random_state(self.random_state).randint(2**31 - 1)
        return self.mode, self.max_sweeps, int(drawn)

    def blocks(self, states: Floats) -> list[slice]:
        """Return slices of rows that bound the memory of a product."""
        return list(gen_batches(len(states), max(1, BLOCK // states.shape[1])))
