"""Moderated variances: shrunk to their mean, and those that are not shared."""

import numpy as np
import pytest

from neuropil.study.estimates.moderation import moderated_variances
from neuropil.study.estimates.run_variances import run_variances
from neuropil.study.estimates.variance_prior import fit_prior


def drawn(deviations, seeds=4, seed=0):
    table = np.random.default_rng(seed).normal(size=(len(deviations), seeds))
    return {
        f"v{row}": dict(enumerate(values))
        for row, values in enumerate(np.array(deviations)[:, None] * table)
    }


def test_they_lie_between_their_own_and_the_mean():
    runs = drawn([1.0] * 8, seed=4)
    own = run_variances(runs)
    prior = fit_prior(own.values())
    found, total = moderated_variances(runs)
    assert total == pytest.approx(7 * 3)
    for name, one in found.items():
        s, d = own[name]
        expected = (prior.degrees * prior.variance + d * s) / (prior.degrees + d)
        assert one == pytest.approx((expected, prior.degrees + d))


def test_two_variants_have_nothing_to_share():
    runs = drawn([1.0, 5.0])
    found, total = moderated_variances(runs)
    assert [one.value for one in found.values()] == pytest.approx(
        [one.value for one in run_variances(runs).values()]
    )
    assert [one.degrees for one in found.values()] == pytest.approx([total, total])
    assert total == pytest.approx(3)


def test_a_variant_far_above_the_others_takes_no_part():
    runs = drawn([1.0] * 8, seed=4)
    calm, _ = moderated_variances(runs)
    runs["wild"] = {0: 0.0, 1: 500.0, 2: -300.0, 3: 100.0}
    found, _ = moderated_variances(runs)
    for name, one in calm.items():
        assert found[name] == pytest.approx(one)
    assert found["wild"].value == pytest.approx(np.var([0, 500, -300, 100], ddof=1), rel=0.02)
    assert found["wild"].degrees == pytest.approx(3 * 8 / 9)


def test_a_variant_clearly_above_the_others_is_used_alone_and_takes_part():
    runs = {**drawn([1.0] * 8, seed=4), "loud": {0: 0.0, 1: 4.0, 2: -2.0, 3: 2.0}}
    own = run_variances(runs)
    prior = fit_prior(own.values())
    found, _ = moderated_variances(runs)
    assert not prior.is_smaller(own["loud"], 0.01)
    # The estimate is (8 σ² + s₀²) / 9 on average.
    assert (8 * found["loud"].value + prior.variance) / 9 == pytest.approx(own["loud"].value)
    assert found["loud"].degrees == own["loud"].degrees
    assert found["v0"] == pytest.approx(prior.moderated(own["v0"]))


def test_two_variants_far_above_do_not_hide_each_other():
    runs = drawn([1.0] * 8 + [300.0, 400.0])
    found, _ = moderated_variances(runs)
    assert [name for name, one in found.items() if one.value > 100] == ["v8", "v9"]
    assert max(found[f"v{row}"].value for row in range(8)) < 3


def test_without_degrees_of_freedom_the_prior_is_used():
    runs = drawn([1.0] * 5)
    runs["once"] = {2: 7.0}
    found, _ = moderated_variances(runs)
    prior = fit_prior(run_variances(runs).values())
    assert found["once"] == pytest.approx((prior.variance, prior.degrees))


def test_one_seed_of_all_says_nothing():
    found, total = moderated_variances({"a": {0: 1.0}, "b": {0: 2.0}, "c": {0: 4.0}})
    assert total == 0
    assert set(found.values()) == {(0.0, 0.0)}


def test_a_lone_varying_variant_beside_constant_ones():
    runs = {name: dict.fromkeys(range(4), 1.0) for name in "abcd"}
    runs["e"] = {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}
    found, _ = moderated_variances(runs)
    assert found["e"].value == pytest.approx(5 / 3, rel=0.3)
    assert found["a"].value == pytest.approx(0)
