"""The standing of a study whose runs end one by one."""

from dataclasses import replace

import numpy as np
import pytest

from neuropil.study.standing import standing

NAMES = ["better", "worse", "same", "noisy"]
GAINS = {"baseline": 0.0, "better": 4.0, "worse": -4.0, "same": 0.0, "noisy": 0.5}


def outcomes(seeds, rng):
    """Return values of 40 examples by variant and seed."""
    examples = rng.normal(size=40)
    return {
        name: {
            seed: gain + examples + rng.normal(size=40) + rng.normal(scale=0.3)
            for seed in range(seeds)
        }
        for name, gain in GAINS.items()
    }


def stand(known, seeds, earlier=None, given_up=()):
    ended = {name: set(own) for name, own in known.items()}
    return standing(
        known, ended, NAMES, baseline="baseline", seeds=seeds, smallest=0.1, level=0.95,
        given_up=given_up, earlier=earlier,
    )  # fmt: skip


@pytest.mark.parametrize("seeds", [1, 2, 3, 6])
@pytest.mark.parametrize("by_variant", [True, False])
def test_what_earlier_runs_told_changes_nothing(seeds, by_variant):
    rng = np.random.default_rng(seeds)
    values = outcomes(seeds, rng)
    order = [(name, seed) for name in values for seed in range(seeds)]
    if not by_variant:
        order.sort(key=lambda run: run[1])
    known, before, found = {}, None, []
    for name, seed in order:
        known.setdefault(name, {})[seed] = values[name][seed]
        anew = stand(known, seeds)
        before = stand(known, seeds, before)
        assert before == anew
        found.append(anew)
    assert found[-1].look is None
    assert set(found[-1].decisions) == set(NAMES)
    if seeds == 6:
        assert found[-1].decisions["better"].verdict == "helps"
        assert found[-1].decisions["worse"].verdict == "hurts"


def test_a_look_waits_for_all_of_its_runs():
    values = outcomes(3, np.random.default_rng(0))
    del values["noisy"][1]
    assert stand(values, 5).look == 3
    assert stand(values, 5).decisions == {}


def test_giving_up_a_variant_undoes_no_verdict():
    values = outcomes(5, np.random.default_rng(0))
    before = stand({name: dict(list(own.items())[:3]) for name, own in values.items()}, 5)
    assert {"better", "worse"} <= {*before.decisions}
    for lost in ("noisy", "same"):
        fewer = {**values, lost: {seed: values[lost][seed] for seed in range(3)}}
        found = stand(fewer, 5, given_up=[lost])
        assert found.look is None
        assert before.decisions.items() <= found.decisions.items()
        assert set(found.decisions) == set(NAMES) - {lost} | {*before.decisions}


def test_a_variant_that_is_taken_up_again_is_judged_and_the_others_stay_as_they_were():
    values = outcomes(3, np.random.default_rng(0))
    fewer = {**values, "worse": {0: values["worse"][0]}}
    first = stand(fewer, 3, given_up=["worse"])
    assert (first.look, "worse" in first.decisions) == (None, False)
    again = stand(values, 3, earlier=replace(first, look=1))
    assert again.decisions["worse"].verdict == "hurts"
    assert first.decisions.items() <= again.decisions.items()
