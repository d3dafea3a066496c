"""The instar and Hebb's rule: row after row, textbook traces, and their limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neuropil.classic import HebbRule, Instar

rows = arrays(np.float64, (5, 3), elements=st.floats(-10, 10))
signals = arrays(np.float64, (5, 2), elements=st.floats(-3, 3))
part = st.floats(0.01, 1)
# Hagan's fruit: round or not, smooth or rough, heavy or light.
ORANGE = [1.0, -1.0, -1.0]


def instar_by_hand(X, y, lr, n_epochs):
    """Return weights after Grossberg's rule, row after row."""
    W = np.zeros((X.shape[1], y.shape[1]))
    for _ in range(n_epochs):
        for x, on in zip(X, y > 0, strict=True):
            W += lr * on * (x[:, None] - W)
    return W


def hebb_by_hand(X, y, lr, decay, n_epochs):
    """Return weights after Hebb's rule with decay, row after row."""
    W = np.zeros((X.shape[1], y.shape[1]))
    for _ in range(n_epochs):
        for x, targets in zip(X, y, strict=True):
            W += lr * np.outer(x, targets) - decay * W
    return W


@settings(max_examples=50, deadline=None)
@given(rows, signals, part)
def test_an_instar_is_its_rule_row_after_row(X, y, lr):
    model = Instar(lr=lr, n_epochs=3).fit(X, y)
    np.testing.assert_allclose(model.weights_, instar_by_hand(X, y, lr, 3), atol=1e-10)
    again = Instar(lr=lr)
    for _ in range(3):
        again.partial_fit(X[:2], y[:2]).partial_fit(X[2:], y[2:])
    np.testing.assert_allclose(again.weights_, model.weights_, atol=1e-10)


@settings(max_examples=50, deadline=None)
@given(rows, signals, part, st.floats(0, 1))
def test_hebbs_rule_is_itself_row_after_row(X, y, lr, decay):
    model = HebbRule(lr=lr, decay=decay, n_epochs=3).fit(X, y)
    np.testing.assert_allclose(
        model.weights_, hebb_by_hand(X, y, lr, decay, 3), rtol=1e-9, atol=1e-9
    )
    again = HebbRule(lr=lr, decay=decay)
    for _ in range(3):
        again.partial_fit(X[:2], y[:2]).partial_fit(X[2:], y[2:])
    np.testing.assert_allclose(again.weights_, model.weights_, rtol=1e-9, atol=1e-9)


def test_the_textbooks_orange():
    model = Instar(lr=1.0, bias=-2.0, n_epochs=1).fit([ORANGE, ORANGE], [0, 1])
    assert model.weights_.ravel().tolist() == ORANGE
    assert model.decision_function([ORANGE]).tolist() == [1.0]
    others = [[1.0, 1.0, -1.0], [-1.0, -1.0, -1.0], [-1.0, 1.0, 1.0]]
    assert model.predict([ORANGE, *others]).tolist() == [1, 0, 0, 0]


def test_the_textbooks_banana_is_smelt_once_it_was_seen():
    model = HebbRule(lr=1.0, decay=0.0)
    smell = [[0.0], [1.0], [0.0]]
    model.partial_fit(smell, [1, 0, 1])  # seen without smell, smelt without sight
    assert model.predict([[1.0]]).tolist() == [0]
    model.partial_fit([[1.0]], [1])
    assert model.weights_.tolist() == [[1.0]]
    assert model.predict([[1.0], [0.0]]).tolist() == [1, 0]


def test_an_instar_forgets_only_while_its_signal_is_on():
    model = Instar(lr=0.5).partial_fit([[4.0]], [1])
    model.partial_fit([[100.0], [-100.0]], [0, -1])
    assert model.weights_.tolist() == [[2.0]]
    model.partial_fit([[0.0]], [1])
    assert model.weights_.tolist() == [[1.0]]


def test_hebbs_rule_forgets_at_each_row_and_has_a_limit():
    model = HebbRule(lr=0.3, decay=0.1, n_epochs=500).fit([[1.0]], [1])
    assert model.weights_.item() == pytest.approx(0.3 / 0.1)
    model.partial_fit([[0.0]] * 3, [0, 0, 0])
    assert model.weights_.item() == pytest.approx(3 * 0.9**3)


def test_without_decay_orthonormal_inputs_recall_their_targets():
    X = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0][:4]
    y = np.random.default_rng(1).normal(size=(4, 3))
    model = HebbRule(lr=1.0, decay=0.0, bias=0.0, n_epochs=1).fit(X, y)
    np.testing.assert_allclose(model.weights_, X.T @ y)
    np.testing.assert_allclose(model.decision_function(X), y)
    np.testing.assert_array_equal(model.predict(X), y > 0)
    assert model.score(X, y) == 1


@pytest.mark.parametrize("kind", [Instar, HebbRule])
def test_one_column_of_signals_gives_one_of_responses(kind):
    X, y = np.eye(3, dtype=np.float32), np.array([1, 0, 1])
    model = kind(lr=0.5).fit(X, y)
    assert model.predict(X).shape == (3,)
    assert model.weights_.dtype == model.predict(X).dtype == np.float32
    many = kind(lr=0.5).fit(X, np.c_[y, 1 - y])
    assert many.predict(X).shape == (3, 2)
    np.testing.assert_array_equal(many.decision_function(X)[:, 0], model.decision_function(X))
    assert 0 <= many.score(X, np.c_[y, 1 - y]) <= 1


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Instar(lr=1.5), r"`lr` must be a number in \(0, 1\], got 1.5"),
        (Instar(n_epochs=0), "`n_epochs` must be a whole number from 1 .*, got 0"),
        (Instar(bias=None), "`bias` must be a number"),
        (Instar(binarize=None), r"Instar\(binarize=None\) needs 0 and 1, or -1 and 1, got 3"),
        (HebbRule(lr=-1), "`lr` must be a number in"),
        (HebbRule(decay=2), r"`decay` must be a number in \[0, 1\], got 2"),
        (HebbRule(lr=1e200), "HebbRule diverged: weights grew beyond float32"),
    ],
)
def test_what_is_wrong_is_named(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(np.array([[1.0], [2.0]], np.float32), [3.0, 1.0])


def test_signals_of_other_units_and_unfit_inputs_are_refused():
    model = HebbRule(lr=1e200, decay=0).fit([[1e100], [1.0]], [1.0, 0.0])
    with pytest.raises(ValueError, match="y needs 1 columns, as before, got 2"):
        model.partial_fit([[1.0]], [[1.0, 0.0]])
    with pytest.raises(ValueError, match=r"HebbRule needs smaller inputs: w·x is beyond"):
        model.predict([[1e100]])
    assert model.weights_.shape == (1, 1)
