"""The errors of verification, by hand, by scikit-learn, and by what must hold for any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.spatial.distance import pdist
from sklearn.metrics import roc_curve
from tests.vision.faces.simulated_people import chord, draw_people, on_circle

from neuropil.vision import verification_curve
from neuropil.vision.faces import pair_distances
from neuropil.vision.faces import verification_curve as module


def all_pairs(embeddings, people):
    """Return the distance of every pair, and whether it is of one person, by SciPy."""
    rows = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    first, second = np.triu_indices(len(rows), 1)
    return pdist(rows), people[first] == people[second]


def test_by_hand():
    # One person at 0° and 30°, the other at 20° and 90°.
    curve = verification_curve(on_circle(0, 30, 20, 90), ["a", "a", "b", "b"])
    # 10° and 20° are impostors, 30° is genuine, 60° an impostor, 70° genuine, 90° an impostor.
    assert curve.distances == pytest.approx([chord(a) for a in (10, 20, 30, 60, 70, 90)])
    assert curve.false_accepts.tolist() == [0.25, 0.5, 0.5, 0.75, 0.75, 1]
    assert curve.true_accepts.tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert (curve.impostor_pairs, curve.genuine_pairs) == (4, 2)
    assert curve.equal_error_rate == 0.5
    assert [curve.accepted_at(far) for far in (0, 0.49, 0.5, 0.75, 1)] == [0, 0, 0.5, 1, 1]
    assert curve.accepted_within(chord(30) + 1e-6) == (0.5, 0.5)
    assert curve.accepted_within(0) == (0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_is_that_of_scikit_learn(seed):
    embeddings, people = draw_people(seed)
    distances, genuine = all_pairs(embeddings, people)
    wrong, right, _ = roc_curve(genuine, -distances, drop_intermediate=False)
    curve = verification_curve(embeddings, people)
    assert np.r_[0, curve.false_accepts] == pytest.approx(wrong)
    assert np.r_[0, curve.true_accepts] == pytest.approx(right)
    assert curve.distances == pytest.approx(np.sort(distances), abs=1e-6)
    equal = brentq(lambda rate: 1 - rate - np.interp(rate, wrong, right), 0, 1)
    assert curve.equal_error_rate == pytest.approx(equal)
    for far in (0, 0.01, 0.1, 0.5):
        assert curve.accepted_at(far) == pytest.approx(right[wrong <= far].max())


def test_bins_hold_the_same_pairs(monkeypatch):
    embeddings, people = draw_people(1, people=12)
    exact = verification_curve(embeddings, people)
    monkeypatch.setattr(module, "MOST_EXACT", 0)
    curve = verification_curve(embeddings, people)
    assert len(curve.distances) == 2 * module.BINS_PER_UNIT + 1
    for distance in (0.2, 0.5, 0.9, 1.3, 2):
        assert curve.accepted_within(distance) == pytest.approx(
            exact.accepted_within(np.floor(distance * 2**15) / 2**15)
        )
    assert curve.equal_error_rate == pytest.approx(exact.equal_error_rate, abs=1e-3)


def test_blocks_change_nothing(monkeypatch):
    embeddings, people = draw_people(2)
    whole = verification_curve(embeddings, people)
    monkeypatch.setattr(pair_distances, "MOST_AT_ONCE", 100)
    curve = verification_curve(embeddings, people)
    assert curve.distances == pytest.approx(whole.distances, abs=1e-6)
    assert curve.false_accepts == pytest.approx(whole.false_accepts)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(2, 4), st.floats(0.1, 3))
def test_laws(seed, people, pictures, noise):
    embeddings, numbers = draw_people(seed, people, pictures, noise)
    curve = verification_curve(embeddings, numbers)
    rates = [curve.accepted_at(far) for far in np.linspace(0, 1, 20)]
    assert rates == sorted(rates)
    assert rates[-1] == curve.true_accepts[-1] == curve.false_accepts[-1] == 1
    # Before the equal error rate fewer are accepted than rejected, and after it more.
    equal, rejected = curve.equal_error_rate, 1 - curve.true_accepts
    assert 0 <= equal <= 1
    before = np.maximum(curve.false_accepts, rejected)
    assert before.min() >= equal - 1e-12
    order = np.random.default_rng(seed).permutation(len(numbers))
    sizes = np.random.default_rng(seed).uniform(0.5, 2, (len(numbers), 1))
    other = verification_curve((embeddings * sizes)[order], [f"p{n}" for n in numbers[order]])
    assert other.equal_error_rate == pytest.approx(equal)
    assert other.distances == pytest.approx(curve.distances, abs=1e-6)


def test_large_and_tiny_embeddings_are_scaled():
    embeddings, people = draw_people(0)
    curve = verification_curve(embeddings, people)
    for scale in (1e200, 1e-200):
        assert verification_curve(scale * embeddings, people).equal_error_rate == (
            pytest.approx(curve.equal_error_rate)
        )


def test_equal_embeddings_cannot_be_told_apart():
    curve = verification_curve(np.full((6, 5), 0.3), [0, 0, 0, 1, 1, 1])
    assert curve.distances.tolist() == [0]
    assert curve.equal_error_rate == 0.5
    assert curve.accepted_at(0.1) == 0


@pytest.mark.parametrize(
    ("embeddings", "people", "message"),
    [
        (on_circle(1, 2), [0, 0], "needs two people.*got 2 embeddings of 1 people"),
        (on_circle(1, 2), [0, 1], "two embeddings of one of them"),
        ([[1, np.nan], [1, 0]], [0, 0], "NaN or infinity"),
        ([[np.inf, 1], [1, 0]], [0, 0], "NaN or infinity"),
        ([[0, 0], [1, 0]], [0, 0], "zero, so it has no direction"),
        ([1, 2], [0, 0], r"the shapes \(2,\) and \(2,\)"),
        (on_circle(1, 2), [0], r"the shapes \(2, 2\) and \(1,\)"),
        (np.empty((0, 2)), [], r"the shapes \(0, 2\) and \(0,\)"),
        (on_circle(1, 2), [0.5, 1], "names or whole numbers, got the type float64"),
        (on_circle(1, 2), ["a", None], "names or whole numbers, got the type object"),
    ],
)
def test_bad_input_is_one_line(embeddings, people, message):
    with pytest.raises(ValueError, match=f"^verification_curve: .*{message}") as caught:
        verification_curve(embeddings, people)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("far", [-0.1, 1.5, float("nan")])
def test_a_rate_is_from_0_to_1(far):
    curve = verification_curve(on_circle(0, 30, 20, 90), [0, 0, 1, 1])
    with pytest.raises(ValueError, match=r"accepted_at: `far` must be a number in \[0, 1\]"):
        curve.accepted_at(far)
