"""Differences of variants to a baseline, with intervals over seeds and examples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtr, stdtrit

from neuropil.checks import number
from neuropil.study.estimates.crossed_effects import mean_squares
from neuropil.study.estimates.moderation import moderated_variances
from neuropil.study.estimates.run_values import check_values
from neuropil.study.estimates.satterthwaite import MeanSquare, add

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# Standard errors below this share of the outcomes are rounding errors of zero.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Difference:
    """Estimated difference of a variant to the baseline.

    Attributes:
        name: The variant.
        gain: Mean difference over the common seeds and the examples; positive is better.
        low: Lower end of its confidence interval.
        high: Upper end.
        p: p-value of the two-sided test that the expected difference is 0.
        degrees: Degrees of freedom of the standard error (Satterthwaite).
        error: Standard error; infinite if nothing is known of it.
        seed_error: The part of it from seeds: error² = seed_error² + example_error².
        example_error: The part from examples, which further seeds do not reduce.
        seeds: Number of common seeds.
    """

    name: str
    gain: float
    low: float
    high: float
    p: float
    degrees: float
    error: float
    seed_error: float
    example_error: float
    seeds: int

    def equivalence_p(self, smallest: float) -> float:
        """Return the p-value of the two one-sided tests that the difference is not small.

        It is at most α if and only if the interval of level 1 − 2α lies within ±`smallest`.

        Args:
            smallest: Smallest difference that matters.

        Reference:
            D. J. Schuirmann, "A comparison of the two one-sided tests procedure and the power
            approach for assessing the equivalence of average bioavailability", Journal of
            Pharmacokinetics and Biopharmaceutics 15 (1987).
        """
        if math.isinf(self.error):
            return 1.0
        return float(stdtr(self.degrees, (abs(self.gain) - smallest) / self.error))


def differences(
    outcomes: Mapping[str, Mapping[int, NDArray[Any]]],
    baseline: str = "baseline",
    *,
    level: float = 0.95,
) -> list[Difference]:
    """Return the difference of each variant to the baseline, expected over seeds and examples.

    Seeds and examples are crossed random effects: the estimate varies with both, and its
    variance is σ²_seed/S + σ²_example/N + σ²_residual/(S N). Runs are paired by seed; a variant
    is compared over the seeds that it has in common with the baseline.

    The part of the examples is (MS_example − MS_residual)/(S N), at least 0, from the mean
    squares of the paired differences. The part of the seeds, which a few seeds of one variant
    hardly determine, is (s̃²_v + s̃²_0)/S, at least MS_residual/(S N), with the variances of the
    variant's and the baseline's runs moderated over all variants (`moderated_variances`).
    Intervals are of Student's t with Satterthwaite's degrees of freedom. With one variant this
    is the textbook's (MS_seed + MS_example − MS_residual)/(S N), and with one value per run the
    paired t-test.

    A variant with one common seed, or runs without any variance, have the interval (−∞, ∞) and
    a p-value of 1: that a few runs agree in everything does not make the next one certain.

    Args:
        outcomes: Values by variant and seed, larger is better. A value belongs to an example
            (or to a jackknife group); all runs have the same ones. A measure without examples,
            such as seconds, has one value.
        baseline: The variant that others are compared with.
        level: Confidence level of the intervals.

    Returns:
        One difference per variant other than the baseline, in the order given.

    Raises:
        ValueError: If the baseline is missing, a variant has no seed in common with it, values
            are not finite, or runs have different numbers of values.

    Reference:
        Searle, Casella and McCulloch (1992), see `mean_squares`; Smyth (2004), see
        `moderated_variances`.

    Example:
        >>> seconds = {
        ...     "baseline": {0: [5.0], 1: [6.0], 2: [7.0]},
        ...     "elu": {0: [8.0], 1: [8.0], 2: [11.0]},
        ... }
        >>> (elu,) = differences(seconds)
        >>> f"{elu.gain:.2f} ({elu.low:.2f} to {elu.high:.2f}), p = {elu.p:.3f}"
        '3.00 (0.52 to 5.48), p = 0.035'
    """
    number(level, "differences: level", "(0, 1)")
    runs = check_values(outcomes, baseline)
    pairs = {name: paired(runs, name, baseline) for name in runs if name != baseline}
    if not pairs:
        return []
    of_runs, total = moderated_variances(
        {name: {seed: run.mean() for seed, run in own.items()} for name, own in runs.items()}
    )
    size = max(float(np.abs(run).max()) for own in runs.values() for run in own.values())
    return [
        difference(
            name,
            values,
            add(of_runs[name], of_runs[baseline], most=total),
            level=level,
            rounding=ROUNDING * size,
        )
        for name, values in pairs.items()
    ]


def paired(runs: dict[str, dict[int, NDArray[Any]]], name: str, baseline: str) -> NDArray[Any]:
    """Return the differences of a variant to the baseline, one row per common seed.

    Raises:
        ValueError: If they have no seed in common.
    """
    common = [seed for seed in runs[name] if seed in runs[baseline]]
    if not common:
        raise ValueError(
            f"variant {name!r} needs a seed in common with {baseline!r}: it has the seeds "
            f"{[*runs[name]]}, the baseline {[*runs[baseline]]}."
        )
    return np.array([runs[name][seed] - runs[baseline][seed] for seed in common])


def difference(
    name: str, values: NDArray[Any], of_runs: MeanSquare, *, level: float, rounding: float
) -> Difference:
    """Return the estimate from the paired differences of the values.

    Shape:
        `values`: ``(S, N)``, one row per common seed.

    Args:
        name: The variant.
        values: The differences.
        of_runs: Variance over seeds of the difference of two runs.
        level: Confidence level of the interval.
        rounding: Standard errors up to this one are 0.
    """
    gain, (seeds, examples) = float(values.mean()), values.shape
    squares, free = mean_squares(values), (seeds - 1) * (examples - 1)
    residual = MeanSquare(squares.residual / values.size, free)
    of_seeds = max(MeanSquare(of_runs.value / seeds, of_runs.degrees), residual)
    of_examples = MeanSquare(0.0, 0.0)
    if squares.examples > squares.residual:
        most = MeanSquare(squares.examples / values.size, examples - 1)
        of_examples = add(most, MeanSquare(-residual.value, free))
    variance, degrees = add(of_seeds, of_examples)
    error = math.sqrt(variance)
    if seeds < 2 or error <= rounding:
        unknown = {"error": math.inf, "seed_error": math.inf, "example_error": math.inf}
        return Difference(
            name, gain, -math.inf, math.inf, 1.0, degrees=0.0, seeds=seeds, **unknown
        )
    reach = error * float(stdtrit(degrees, 0.5 + level / 2))
    return Difference(
        name,
        gain,
        gain - reach,
        gain + reach,
        p=2 * float(stdtr(degrees, -abs(gain) / error)),
        degrees=degrees,
        error=error,
        seed_error=math.sqrt(of_seeds.value),
        example_error=math.sqrt(of_examples.value),
        seeds=seeds,
    )
