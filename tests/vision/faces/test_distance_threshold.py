"""The fitted threshold: by definition, by leaving people out, and by what it promises."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import chi2, gamma
from tests.vision.faces.simulated_people import chord, draw_people, on_circle

from neuropil.vision import fit_threshold, smallest_false_accept_rate
from neuropil.vision.faces import pair_distances
from neuropil.vision.faces.false_accepts import any_accepts, gamma_interval


def accepted_pairs(embeddings, people, distance):
    """Return the share of accepted pictures for each pair of people, by SciPy."""
    rows = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    near = cdist(rows, rows) <= distance
    each = np.unique(people)
    shares = [[near[people == a][:, people == b].mean() for b in each] for a in each]
    return np.array(shares) * (1 - np.eye(len(each)))


def rate_of(shares):
    """Return the mean over pairs of two people."""
    return shares.sum() / (len(shares) * (len(shares) - 1))


def leave_one_out(shares):
    """Return the jackknife's variance of the rate."""
    without = [rate_of(np.delete(np.delete(shares, k, 0), k, 1)) for k in range(len(shares))]
    return (len(shares) - 1) * np.var(without)


def uneven(seed, people=9):
    """Return embeddings of people with one to four pictures."""
    embeddings, numbers = draw_people(seed, people, 4)
    kept = np.random.default_rng(seed).random(len(numbers)) < 0.7
    kept[::4] = True
    return embeddings[kept], numbers[kept]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("far", [0.03, 0.1, 0.3])
def test_it_is_the_greatest_distance_with_the_rate(seed, far):
    embeddings, people = uneven(seed)
    found = fit_threshold(embeddings, people, far=far)
    pair = 2 / (9 * 8)

    def expected(distance):
        shares = accepted_pairs(embeddings, people, distance)
        rate = rate_of(shares)
        return rate + max(leave_one_out(shares) / rate if rate else 0, pair)

    assert expected(found.distance) <= far < expected(found.distance + 1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_leaves_out_people(seed):
    embeddings, people = uneven(seed, people=15)
    found = fit_threshold(embeddings, people, far=0.1, level=0.9)
    shares = accepted_pairs(embeddings, people, found.distance)
    rate, variance = rate_of(shares), leave_one_out(shares)
    assert found.seen == pytest.approx(rate)
    assert found.low == pytest.approx(gamma.ppf(0.05, rate**2 / variance) * variance / rate)
    more = (2 + 2 * shares.sum(axis=1).max()) / (15 * 14)
    middle, spread = rate + more, variance + more**2
    assert found.high == pytest.approx(gamma.ppf(0.95, middle**2 / spread) * spread / middle)
    assert (found.far, found.level, found.people, found.enrolled) == (0.1, 0.9, 15, 1)


def test_by_hand():
    # Of 15 pairs the nearest is at 10°: the rate is 1/15. It is 0 without either of these two,
    # and 1/10 without another person, so V = 5/6 (2/15² + 4/30²) = 1/90, and V/θ = 1/6.
    embeddings, people = on_circle(0, 10, 50, 110, 180, 240), list("abcdef")
    found = fit_threshold(embeddings, people, far=1 / 15 + 1 / 6 + 1e-9)
    assert found.seen == pytest.approx(1 / 15)
    assert found.distance == pytest.approx(chord(40), abs=1e-5)
    assert found.distance < chord(40)
    stricter = fit_threshold(embeddings, people, far=1 / 15 + 1 / 6 - 1e-9)
    assert stricter.seen == 0
    assert stricter.distance == pytest.approx(chord(10), abs=1e-5)


def test_at_the_smallest_rate_nobody_seen_is_accepted():
    embeddings, people = draw_people(0)
    found = fit_threshold(embeddings, people, far=smallest_false_accept_rate(8))
    assert (found.seen, found.low) == (0, 0)
    assert accepted_pairs(embeddings, people, found.distance).max() == 0
    assert accepted_pairs(embeddings, people, found.distance + 1e-5).max() > 0
    # With no event, the upper end is −ln 0.025 of one pair of people.
    assert found.high == pytest.approx(-math.log(0.025) / 28)


@pytest.mark.parametrize("enrolled", [2, 3, 5])
def test_more_enrolled_people_are_every_choice_of_them(enrolled):
    embeddings, people = draw_people(4, people=7, pictures=1, noise=0)
    found = fit_threshold(embeddings, people, far=0.5, enrolled=enrolled)
    near = accepted_pairs(embeddings, people, found.distance) > 0
    chances = [
        near[who, list(others)].any()
        for who in range(7)
        for others in itertools.combinations(sorted({*range(7)} - {who}), enrolled)
    ]
    assert found.seen == pytest.approx(np.mean(chances))
    assert found.seen <= 0.5 < found.high
    assert found.distance < fit_threshold(embeddings, people, far=0.5).distance


def test_the_chance_of_one_of_several_is_hypergeometric():
    near = np.arange(8)
    others = [1 - math.comb(7 - a, 3) / math.comb(7, 3) for a in range(8)]
    assert any_accepts(near, 8, 3) == pytest.approx(others)
    # Between whole numbers it grows, and with one enrolled person it is the share.
    assert (np.diff(any_accepts(np.linspace(0, 7, 50), 8, 3)) >= 0).all()
    assert any_accepts(np.linspace(0, 7, 9), 8, 1) == pytest.approx(np.linspace(0, 1, 9))


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([1, 1, 2, 4]), st.floats(0, 1))
def test_a_larger_rate_has_no_smaller_threshold(seed, enrolled, place):
    embeddings, people = uneven(seed)
    least = smallest_false_accept_rate(9, enrolled)
    rates = sorted([least, least + place * (0.5 - least), 0.5])
    found = [fit_threshold(embeddings, people, far=far, enrolled=enrolled) for far in rates]
    assert [one.distance for one in found] == sorted(one.distance for one in found)
    for one in found:
        assert 0 <= one.low <= one.seen <= min(one.far, one.high) <= one.high <= 1


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([1, 3]))
def test_order_names_and_sizes_change_nothing(seed, enrolled):
    embeddings, people = uneven(seed)
    random = np.random.default_rng(seed)
    order, sizes = random.permutation(len(people)), random.uniform(0.5, 2, (len(people), 1))
    names = [f"person {90 - number}" for number in people[order]]
    found = fit_threshold(embeddings, people, far=0.2, enrolled=enrolled)
    other = fit_threshold((sizes * embeddings)[order], names, far=0.2, enrolled=enrolled)
    for name in ("distance", "seen", "low", "high"):
        assert getattr(other, name) == pytest.approx(getattr(found, name), rel=1e-4)


def test_blocks_change_nothing(monkeypatch):
    embeddings, people = uneven(3)
    whole = fit_threshold(embeddings, people, far=0.2)
    monkeypatch.setattr(pair_distances, "MOST_AT_ONCE", 60)
    other = fit_threshold(embeddings, people, far=0.2)
    assert (other.seen, other.high) == pytest.approx((whole.seen, whole.high))


@pytest.mark.parametrize("events", [1, 4, 30])
def test_equal_events_have_the_exact_interval_of_a_poisson_mean(events):
    low, high = gamma_interval(events, events, 1, 0.95)
    assert low == pytest.approx(chi2.ppf(0.025, 2 * events) / 2)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * events + 2) / 2)


@pytest.mark.parametrize(("seen", "far"), [(10, 0.1), (20, 0.02)])
def test_the_promise_is_kept(seen, far):
    random = np.random.default_rng(7)
    centers = random.normal(size=(1500, 8))
    centers[:100] *= 0.4
    noise = 0.5 * np.exp(random.normal(0, 0.3, (1500, 1)))
    asking, enrolled = (centers + noise * random.normal(size=(1500, 8)) for _ in range(2))
    asking, enrolled = (
        a / np.linalg.norm(a, axis=1, keepdims=True) for a in (asking, enrolled)
    )
    strangers = np.sort(cdist(asking, enrolled)[~np.eye(1500, dtype=bool)])
    held, rates = [], []
    for _ in range(100):
        people = random.choice(1500, seen, replace=False).repeat(3)
        embeddings = centers[people] + noise[people] * random.normal(size=(len(people), 8))
        found = fit_threshold(embeddings, people, far=far)
        rates.append(np.searchsorted(strangers, found.distance) / len(strangers))
        held.append(found.low <= rates[-1] <= found.high)
    assert np.mean(held) >= 0.95
    assert 0.4 * far < np.mean(rates) <= far


@pytest.mark.parametrize(
    ("people", "options", "message"),
    [
        (
            10,
            {"far": 0.001},
            "10 people cannot show a false-accept rate of 0.001. The smallest",
        ),
        (10, {"far": 0.001}, "is 0.0222; for 0.001, 46 people are needed."),
        (2, {}, "2 people cannot show a false-accept rate; for 0.01, 15 are needed."),
        (1, {}, "1 people cannot show a false-accept rate"),
        (10, {"enrolled": 9}, "among 9 enrolled people; for 0.01, 43 are needed."),
        (10, {"enrolled": 4, "far": 0.05}, "of 0.05 among 4 enrolled people. The smallest"),
        (10, {"enrolled": 4, "far": 0.05}, "is 0.0889; for 0.05, 14 people are needed."),
        (10, {"far": 0.6}, "`far` must be a number in (0, 0.5], got 0.6"),
        (10, {"far": 0}, "`far` must be a number in (0, 0.5], got 0"),
        (10, {"level": 1}, "`level` must be a number in (0, 1), got 1"),
        (10, {"enrolled": 0}, "`enrolled` must be a whole number from 1"),
    ],
)
def test_what_cannot_be_promised_is_said(people, options, message):
    with pytest.raises(ValueError, match=r"^fit_threshold: ") as caught:
        fit_threshold(*draw_people(0, people), **options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_as_many_people_as_are_needed_are_enough():
    for people in (4, 15, 46):
        far = smallest_false_accept_rate(people)
        assert fit_threshold(*draw_people(0, people, 1), far=far).people == people
        with pytest.raises(ValueError, match=f", {people} people are needed"):
            fit_threshold(*draw_people(0, people - 1, 1), far=far)


def test_equal_embeddings_have_no_threshold():
    with pytest.raises(
        ValueError, match=r"^fit_threshold: no distance keeps a .* of 0\.2: too"
    ):
        fit_threshold(np.full((20, 3), 0.7), np.arange(20) // 2, far=0.2)


def test_embeddings_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match=r"^fit_threshold: an embedding holds NaN"):
        fit_threshold([[1, np.nan]] * 3, [1, 2, 3], far=0.5)
