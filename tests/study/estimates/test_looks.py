"""Sequential decisions: laws, errors by simulation, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.study.estimates.differences import differences
from neuropil.study.estimates.looks import decide
from neuropil.study.estimates.verdicts import verdicts

LOOKS = [3, 4, 6]


def drawn(seed, gains=(0.0, 0.0, 3.0, -8.0), seeds=6, examples=5):
    """Return outcomes of a baseline and of one variant per gain."""
    generator = np.random.default_rng(seed)
    table = generator.normal(size=(len(gains) + 1, seeds, examples))
    table += generator.normal(size=(len(gains) + 1, seeds, 1))
    table += np.array([0.0, *gains])[:, None, None]
    names = ["baseline", *(f"v{row}" for row in range(len(gains)))]
    return {name: dict(enumerate(runs)) for name, runs in zip(names, table, strict=True)}


def first(outcomes, seeds):
    return {name: {s: runs[s] for s in range(seeds)} for name, runs in outcomes.items()}


@given(st.integers(0, 10**6), st.floats(0.1, 5))
def test_a_single_look_gives_the_verdicts(seed, smallest):
    outcomes = drawn(seed)
    found = decide(outcomes, looks=[6], smallest=smallest)
    assert {name: one.verdict for name, one in found.items()} == verdicts(
        differences(outcomes), smallest
    )
    assert all(one.next_look is None for one in found.values())


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_decisions_stay(seed):
    """What is decided at a look is what it was, whatever comes later."""
    outcomes = drawn(seed)
    before = {}
    for seeds in range(7):
        found = decide(first(outcomes, seeds), looks=LOOKS, smallest=1.5)
        for name, one in before.items():
            if one.verdict != "cannot tell":
                assert found[name] == one
        before = found


def test_seeds_are_asked_for_until_the_last_look():
    outcomes = drawn(0, gains=(0.3,))
    nexts = [
        decide(first(outcomes, seeds), looks=LOOKS, smallest=0.01)["v0"].next_look
        for seeds in range(7)
    ]
    assert nexts == [3, 3, 3, 4, 6, 6, None]


def test_clear_effects_stop_at_the_first_look_and_nulls_by_equivalence():
    outcomes = first(drawn(1, gains=(0.0, 60.0, -60.0)), 3)
    found = decide(outcomes, looks=LOOKS, smallest=30.0)
    assert {name: one.verdict for name, one in found.items()} == {
        "v0": "no difference",
        "v1": "helps",
        "v2": "hurts",
    }
    assert {(one.seeds, one.next_look) for one in found.values()} == {(3, None)}


def test_between_looks_nothing_is_tested():
    outcomes = drawn(2, gains=(50.0,))
    assert decide(first(outcomes, 2), looks=[3, 5], smallest=1.0)["v0"] == ("cannot tell", 2, 3)
    found = decide(first(outcomes, 4), looks=[5], smallest=1.0)
    assert found["v0"] == ("cannot tell", 4, 5)


def test_variants_may_lag_behind():
    """A variant that was stopped, one whose runs failed, and one that goes on."""
    outcomes = drawn(3, gains=(60.0, 0.0, 0.2))
    outcomes["v0"] = {s: outcomes["v0"][s] for s in range(3)}
    outcomes["v1"] = {}
    found = decide(outcomes, looks=LOOKS, smallest=0.01)
    assert found["v0"] == ("helps", 3, None)
    assert found["v1"] == ("cannot tell", 0, 3)
    assert found["v2"] == ("cannot tell", 6, None)


@given(st.integers(0, 10**6))
def test_the_order_of_variants_and_seeds_does_not_matter(seed):
    outcomes = drawn(seed)
    mixed = {name: dict(reversed(runs.items())) for name, runs in reversed(outcomes.items())}
    found = decide(outcomes, looks=LOOKS, smallest=1.0)
    assert decide(mixed, looks=LOOKS, smallest=1.0) == found


def test_looks_share_one_error():
    """Of 250 studies of null variants, sequential tests are wrong in about 5 % at most.

    Looking four times at the level of one test would be wrong in twice as many.
    """
    wrong = careless = 0
    for seed in range(250):
        outcomes = drawn(seed, gains=(0.0,) * 4, examples=1)
        found = decide(outcomes, looks=[3, 4, 5, 6], smallest=0.01)
        wrong += any(one.verdict in ("helps", "hurts") for one in found.values())
        careless += any(
            verdict in ("helps", "hurts")
            for seeds in (3, 4, 5, 6)
            for verdict in verdicts(differences(first(outcomes, seeds)), 0.01).values()
        )
    assert wrong / 250 <= 0.065
    assert careless > 1.5 * wrong


@pytest.mark.parametrize("looks", [[], [3, 3], [4, 3]])
def test_looks_must_increase(looks):
    with pytest.raises(ValueError, match="increasing numbers of seeds"):
        decide(drawn(0), looks=looks, smallest=1.0)


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"each of the looks .* from 2 .* got 1"):
        decide(drawn(0), looks=[1, 3], smallest=1.0)
    with pytest.raises(ValueError, match="decide: smallest"):
        decide(drawn(0), looks=[3], smallest=-1.0)
    with pytest.raises(ValueError, match="decide: level"):
        decide(drawn(0), looks=[3], smallest=1.0, level=0.0)
    with pytest.raises(ValueError, match="'plain' is not among"):
        decide(drawn(0), "plain", looks=[3], smallest=1.0)


def test_a_variant_that_lost_a_seed_is_judged_at_the_last_look():
    rng = np.random.default_rng(0)
    runs = {
        name: {seed: gain + rng.normal(0, 0.3, 50) for seed in range(3)}
        for name, gain in {"baseline": 0, "a": 0, "b": 0, "c": 0, "worse": -5}.items()
    }
    del runs["worse"][1]
    assert decide(runs, looks=[3, 4], smallest=0.1)["worse"].verdict == "cannot tell"
    assert decide(runs, looks=[3], smallest=0.1)["worse"].verdict == "hurts"
