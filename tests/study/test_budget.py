"""What fits into a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuropil.study.budget import FEWEST_SEEDS, MOST_SEEDS, fit, round_of, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("1h30m", 5400), ("2 h", 7200), ("1d", 86400)],
)
def test_times_are_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "0m", "-5m", "5 minutes", "1h nothing", "5x"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="budget must be"):
        seconds_of(text)


COSTS = {"baseline": 10.0, "elu": 10.0, "dropout": 12.0, "wide": 40.0}


def test_time_that_is_left_goes_to_seeds():
    found = fit(COSTS, "baseline", 1000, None)
    assert found.names == ["elu", "dropout", "wide"]
    assert not found.dropped
    assert found.seeds == int(1.25 * 900 / (10 + 10 + 12 + 40 + 40))


def test_the_last_variants_are_dropped_when_five_seeds_do_not_fit():
    found = fit(COSTS, "baseline", 260, None)
    assert found.names == ["elu", "dropout"]
    assert found.dropped == ["wide"]
    assert found.seeds == int(1.25 * 234 / (10 + 10 + 12 + 12))
    assert fit(COSTS, "baseline", 400, 3).names == ["elu", "dropout", "wide"]


def test_three_seeds_must_do_for_the_first_variant():
    found = fit(COSTS, "baseline", 70, None)
    assert found.names == ["elu"]
    assert found.seeds == 3


def test_the_user_s_seeds_are_not_exceeded():
    assert fit(COSTS, "baseline", 1e6, 5).seeds == 5
    assert fit(COSTS, "baseline", 1e6, None).seeds == MOST_SEEDS
    assert fit(COSTS, "baseline", 1000, 1).seeds == 1


def test_a_budget_for_no_variant_is_refused():
    with pytest.raises(ValueError, match="too short"):
        fit(COSTS, "baseline", 60, None)


@given(
    st.lists(st.floats(0.1, 100), min_size=2, max_size=12),
    st.floats(1, 1e5),
    st.none() | st.integers(1, 9),
    st.sampled_from([0, 3]),
)
def test_what_is_planned_fits(costs, budget, seeds, tunings):
    named = {"baseline": costs[0]} | {f"v{n}": cost for n, cost in enumerate(costs[1:])}
    try:
        found = fit(named, "baseline", budget, seeds, tunings=tunings)
    except ValueError:
        least = min(FEWEST_SEEDS, seeds or FEWEST_SEEDS) + tunings
        assert least * round_of(named, "baseline", ["v0"]) > 0.9 * budget
        return
    assert found.seconds <= 1.25 * 0.9 * budget * (1 + 1e-9)
    assert [*found.names, *found.dropped] == list(named)[1:]
    assert found.seconds == pytest.approx(
        (found.seeds + tunings) * round_of(named, "baseline", found.names)
    )


def test_the_time_of_the_measurements_is_taken_from_the_budget():
    assert fit(COSTS, "baseline", 1000, None, spent=90) == fit(COSTS, "baseline", 900, None)
    with pytest.raises(ValueError, match=r"of 1 min 30 s is too short.* about 1 min 4\d s"):
        fit({"baseline": 10.0, "elu": 10.0}, "baseline", 90, None, spent=35)
