"""Differences against SciPy, formulas written out, laws, and cases at the edge."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from neuropil.study.estimates.differences import differences


def outcomes_of(table):
    """Return the outcomes of a table (variants, seeds, examples), the baseline first."""
    names = ["baseline", *(f"v{row}" for row in range(1, len(table)))]
    return {name: dict(enumerate(runs)) for name, runs in zip(names, table, strict=True)}


def drawn(seed, variants=4, seeds=3, examples=20):
    """Return values with effects of seeds and of examples."""
    generator = np.random.default_rng(seed)
    return (
        generator.normal(size=(variants, 1, 1))
        + generator.normal(size=(variants, seeds, 1))
        + generator.normal(size=(variants, 1, examples))
        + generator.normal(size=(variants, seeds, examples))
    )


def figures(found):
    return np.array([[one.gain, one.low, one.high, one.p, one.degrees] for one in found])


@pytest.mark.parametrize("seeds", [2, 3, 7])
def test_one_variant_of_one_value_is_scipys_paired_t_test(seeds):
    table = np.random.default_rng(seeds).normal(size=(2, seeds, 1))
    (found,) = differences(outcomes_of(table), level=0.9)
    expected = stats.ttest_rel(table[1, :, 0], table[0, :, 0])
    interval = expected.confidence_interval(0.9)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.degrees, found.seeds) == (pytest.approx(seeds - 1), seeds)


def test_one_variant_by_the_formulas_written_out():
    table = drawn(0, variants=2, seeds=4, examples=30)
    (found,) = differences(outcomes_of(table))
    d = table[1] - table[0]
    S, N = d.shape
    rest = d - d.mean(0) - d.mean(1, keepdims=True) + d.mean()
    ms_seed = N * np.var(d.mean(1), ddof=1)
    ms_example = S * np.var(d.mean(0), ddof=1)
    ms_rest = np.square(rest).sum() / ((S - 1) * (N - 1))
    assert ms_seed > ms_rest
    assert ms_example > ms_rest
    variance = (ms_seed + ms_example - ms_rest) / (S * N)
    parts = ms_seed**2 / (S - 1) + ms_example**2 / (N - 1) + ms_rest**2 / ((S - 1) * (N - 1))
    degrees = (ms_seed + ms_example - ms_rest) ** 2 / parts
    t = d.mean() / math.sqrt(variance)
    assert found.error == pytest.approx(math.sqrt(variance))
    assert found.degrees == pytest.approx(degrees)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(t), degrees))
    assert found.high == pytest.approx(d.mean() + stats.t.ppf(0.975, degrees) * found.error)
    assert found.seed_error**2 == pytest.approx(ms_seed / (S * N))
    assert found.seed_error**2 + found.example_error**2 == pytest.approx(variance)


def test_the_error_is_at_least_that_of_the_examples():
    """Two seeds that agree in their means: the residual bounds the part of the seeds."""
    base, other = np.zeros((2, 4)), np.array([[0.0, 1, 1, 0], [1.0, 0, 0, 1]])
    (found,) = differences(outcomes_of(np.array([base, other])))
    # The residuals are all ±1/2, so that their mean square is 8/4 / 3.
    assert found.seed_error**2 == pytest.approx(8 / 4 / 3 / 8)
    assert found.example_error == 0


def test_variants_share_their_variance():
    table = drawn(3, variants=9, examples=1)
    alone = [differences(outcomes_of(table[[0, row]]))[0] for row in range(1, 9)]
    shared = differences(outcomes_of(table))
    assert min(one.degrees for one in shared) > 2 * max(one.degrees for one in alone)
    assert np.std([one.error for one in shared]) < 0.5 * np.std([one.error for one in alone])


def test_an_unstable_variant_keeps_its_own_variance():
    table = drawn(2, variants=12, seeds=5)
    table[5] += 100 * np.arange(5)[:, None]
    found = differences(outcomes_of(table))
    assert found[4].seed_error == pytest.approx(100 * math.sqrt(2.5 / 5), rel=0.1)
    assert max(one.seed_error for one in found if one.name != "v5") < 2


seeds_of_tables = st.integers(0, 10**6)


@given(seeds_of_tables, st.floats(-1e3, 1e3))
def test_adding_a_constant_changes_nothing(seed, constant):
    table = drawn(seed)
    moved = figures(differences(outcomes_of(table + constant)))
    assert moved == pytest.approx(figures(differences(outcomes_of(table))), rel=1e-6)


@given(seeds_of_tables, st.floats(1e-6, 1e6))
def test_intervals_have_the_scale_of_the_values(seed, scale):
    table = drawn(seed)
    expected = figures(differences(outcomes_of(table))) * [scale, scale, scale, 1, 1]
    assert figures(differences(outcomes_of(scale * table))) == pytest.approx(expected, rel=1e-6)


@given(seeds_of_tables, st.sampled_from(["v1", "v2", "v3"]))
def test_swapping_variant_and_baseline_negates_the_difference(seed, variant):
    outcomes = outcomes_of(drawn(seed))
    there = next(one for one in differences(outcomes) if one.name == variant)
    back = next(one for one in differences(outcomes, variant) if one.name == "baseline")
    assert back.gain == pytest.approx(-there.gain)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert (back.p, back.degrees) == pytest.approx((there.p, there.degrees))


@given(seeds_of_tables, st.permutations(["baseline", "v1", "v2", "v3"]))
def test_the_order_of_variants_and_seeds_does_not_matter(seed, order):
    outcomes = outcomes_of(drawn(seed))
    mixed = {name: dict(reversed(outcomes[name].items())) for name in order}
    expected = {one.name: one for one in differences(outcomes)}
    found = differences(mixed)
    assert [one.name for one in found] == [name for name in order if name != "baseline"]
    for one in found:
        assert figures([one]) == pytest.approx(figures([expected[one.name]]))


@given(seeds_of_tables)
def test_negating_all_values_negates_the_differences(seed):
    found, negated = (figures(differences(outcomes_of(s * drawn(seed)))) for s in (1, -1))
    assert negated == pytest.approx(found[:, [0, 2, 1, 3, 4]] * [-1, -1, -1, 1, 1])


def test_one_seed_gives_no_interval():
    (found,) = differences(outcomes_of(np.array([[[1.0, 0.0]], [[1.0, 1.0]]])))
    assert (found.gain, found.low, found.high, found.p) == (0.5, -math.inf, math.inf, 1.0)
    assert (found.seeds, found.error, found.equivalence_p(100.0)) == (1, math.inf, 1.0)


@pytest.mark.parametrize("examples", [1, 50])
def test_runs_that_agree_in_everything_are_not_certain(examples):
    """Accuracies of 0.9 and 0.1 + 0.8, which differ by rounding."""
    table = np.full((3, 4, examples), 0.9)
    table[1] = 0.1 + 0.8
    for one in differences(outcomes_of(table)):
        assert (one.low, one.high, one.p) == (-math.inf, math.inf, 1.0)


def test_a_variant_that_changes_nothing_has_the_error_of_the_others():
    table = (np.random.default_rng(4).random((6, 3, 50)) < 0.8).astype(float)
    table[1] = table[0]
    found = differences(outcomes_of(table))
    assert found[0].gain == 0
    assert found[0].high > 0.3 * np.median([one.high - one.gain for one in found])


def test_seeds_are_paired_where_both_have_them():
    table = drawn(5)
    outcomes = outcomes_of(table)
    del outcomes["v2"][0]
    found = differences(outcomes)[1]
    assert found.seeds == 2
    assert found.gain == pytest.approx((table[2] - table[0])[1:].mean())


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e200])
def test_values_that_are_not_finite_are_refused(bad):
    table = drawn(6)
    table[2, 1, 7] = bad
    with pytest.raises(ValueError, match=r"'v2' with seed 1 .* got .* at position 7"):
        differences(outcomes_of(table))


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"'base' is not among the variants: 'a', 'b'"):
        differences({"a": {0: [1.0]}, "b": {0: [1.0]}}, "base")
    with pytest.raises(ValueError, match=r"'b' with seed 3 has 2, other runs have 1"):
        differences({"a": {0: [1.0]}, "b": {3: [1.0, 2.0]}}, "a")
    with pytest.raises(ValueError, match=r"'b' needs a seed in common with 'a': .*\[3\]"):
        differences({"a": {0: [1.0]}, "b": {3: [1.0]}}, "a")
    with pytest.raises(ValueError, match=r"seed 3 must be numbers, got \['x'\]"):
        differences({"a": {0: [1.0]}, "b": {3: ["x"]}}, "a")
    for shape in ([], [[1.0]], 1.0):
        with pytest.raises(ValueError, match="must be a vector of at least one number"):
            differences({"a": {0: shape}}, "a")
    with pytest.raises(ValueError, match=r"level must be a number in \(0, 1\), got 95"):
        differences({"a": {0: [1.0]}}, "a", level=95)


def test_without_variants_there_are_no_differences():
    assert differences({"baseline": {0: [1.0]}}) == []
    assert differences({"baseline": {}}) == []


@given(st.floats(-5, 5), st.floats(0.01, 3), st.floats(0.05, 0.45))
def test_equivalence_is_that_the_interval_lies_within(gain, smallest, alpha):
    noise = np.array([[-1.0, 0.0, 1.0], [0.3, -0.3, 0.0]])[:, :, None]
    table = noise + np.array([0.0, gain])[:, None, None]
    (found,) = differences(outcomes_of(table), level=1 - 2 * alpha)
    p = found.equivalence_p(smallest)
    if abs(p - alpha) > 1e-9:
        assert (p < alpha) == (-smallest < found.low and found.high < smallest)


def test_intervals_hold_the_truth_of_new_seeds_and_examples():
    generator = np.random.default_rng(7)
    held = []
    for _ in range(300):
        table = (
            0.5 * generator.normal(size=(9, 3, 1))
            + 3 * generator.normal(size=(9, 1, 40))
            + generator.normal(size=(9, 3, 40))
        )
        found = differences(outcomes_of(table))
        held.append(np.mean([one.low <= 0 <= one.high for one in found]))
    assert 0.93 < np.mean(held) < 0.97
