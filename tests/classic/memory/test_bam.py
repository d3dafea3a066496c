"""The bidirectional memory: a trace by hand, both directions, an energy that falls."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.exceptions import ConvergenceWarning

from neuropil.classic import DiscreteBAM
from neuropil.datasets import load_digits, make_digits

# Kosko's example of 1988: A = (101010), (111000) with B = (1100), (1010).
X = np.array([[1, 0, 1, 0, 1, 0], [1, 1, 1, 0, 0, 0]])
Y = np.array([[1, 1, 0, 0], [1, 0, 1, 0]])


def test_koskos_example():
    memory = DiscreteBAM().fit(X, Y)
    assert memory.weights_.tolist() == [
        [2, 0, 0, -2],
        [0, -2, 2, 0],
        [2, 0, 0, -2],
        [-2, 0, 0, 2],
        [0, 2, -2, 0],
        [-2, 0, 0, 2],
    ]
    np.testing.assert_array_equal(memory.predict(X), Y)
    np.testing.assert_array_equal(memory.recall(Y), X)
    assert memory.energy(X, Y).tolist() == [-24, -24]
    assert memory.energy(X).tolist() == [-24, -24]
    # (101011) has one bit too many; all the same it leads to its pair.
    np.testing.assert_array_equal(memory.predict([[1, 0, 1, 0, 1, 1]]), Y[:1])


@settings(max_examples=50, deadline=None)
@given(
    arrays(int, (2, 6), elements=st.sampled_from([-1, 1])),
    arrays(int, (2, 4), elements=st.sampled_from([-1, 1])),
    arrays(int, (4, 6), elements=st.sampled_from([-1, 1])),
)
def test_it_ends_in_pairs_that_support_each_other_and_lie_no_higher(X, Y, probes):
    memory = DiscreteBAM(binarize=0.0).fit(X, Y)
    x, W = probes, memory.weights_
    y = np.full((4, 4), -1.0)
    for _ in range(50):
        y = np.where(x @ W == 0, y, np.sign(x @ W))
        x = np.where(y @ W.T == 0, x, np.sign(y @ W.T))
    np.testing.assert_array_equal(np.where(memory.predict(probes) > 0, 1, -1), y)
    assert (y * (x @ W) >= 0).all()
    assert (x * (y @ W.T) >= 0).all()
    assert (memory.energy(x, y) <= memory.energy(probes, y)).all()


def test_digits_and_names_recall_each_other():
    digits = load_digits()[[1, 2, 4, 7]]
    names = np.eye(4, dtype=int)
    memory = DiscreteBAM().fit(digits, names)
    assert memory.score(digits, names) == 1.0
    np.testing.assert_array_equal(memory.recall(names), digits)
    noisy, classes = make_digits(400, noise_level=0.04, random_state=0)
    known = np.isin(classes, [1, 2, 4, 7])
    expected = np.searchsorted([1, 2, 4, 7], classes[known])
    assert memory.score(noisy[known], names[expected]) > 0.9


def test_pairs_learnt_in_pieces_give_the_same_weights():
    rng = np.random.default_rng(0)
    A, B = rng.integers(0, 2, (8, 20)), rng.integers(0, 2, (8, 6))
    parts = DiscreteBAM().partial_fit(A[:3], B[:3]).partial_fit(A[3:], B[3:])
    np.testing.assert_array_equal(parts.weights_, DiscreteBAM().fit(A, B).weights_)


def test_each_side_keeps_its_coding_and_its_axes():
    memory = DiscreteBAM().fit(np.where(X > 0, 1, -1), Y[:, 1])
    assert memory.predict(np.where(X > 0, 1, -1)).tolist() == [1, 0]
    assert memory.recall([1, 0]).shape == X.shape
    assert set(memory.recall([1, 0]).ravel()) == {-1, 1}
    assert memory.predict(np.where(X > 0, 1, -1).astype(np.float32)).dtype == np.float32


def test_rows_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(0)
    A, B = rng.integers(0, 2, (9, 12)), rng.integers(0, 2, (9, 10))
    memory, probes = DiscreteBAM().fit(A, B), rng.integers(0, 2, (30, 12))
    together = memory.predict(probes)
    for row, probe in zip(together, probes, strict=True):
        np.testing.assert_array_equal(memory.predict([probe])[0], row)


def test_recall_that_must_end_early_says_so():
    rng = np.random.default_rng(1)
    A, B = rng.integers(0, 2, (12, 60)), rng.integers(0, 2, (12, 60))
    memory = DiscreteBAM(max_steps=1).fit(A, B)
    with pytest.warns(ConvergenceWarning, match="after 1 steps"):
        memory.predict(rng.integers(0, 2, (20, 60)))


def test_wrong_input_is_said():
    memory = DiscreteBAM().fit(X, Y)
    with pytest.raises(ValueError, match=r"Y has 3 columns, but DiscreteBAM has learnt 4"):
        memory.recall([[1, 0, 1]])
    with pytest.raises(ValueError, match=r"Y has 3 columns"):
        memory.partial_fit(X, Y[:, :3])
    with pytest.raises(ValueError, match=r"got 2 rows of X and 1 of Y"):
        memory.energy(X, Y[:1])
    with pytest.raises(ValueError, match=r"got 0\.5 in row 0, column 0"):
        DiscreteBAM(binarize=None).fit(X, Y / 2)
    with pytest.raises(ValueError, match=r"NaN"):
        memory.recall([[np.nan, 0, 0, 0]])
    with pytest.raises(ValueError, match=r"max_steps"):
        DiscreteBAM(max_steps=0).fit(X, Y)
