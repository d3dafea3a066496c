"""CMAC: Albus's cells written out as a dictionary, generalisation by distance, a sine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.classic import CMAC


def dictionary_of_cells(levels, targets, probes, width, shifts, lr, n_epochs):
    """Return what a CMAC answers whose cells are entries of a dictionary."""
    weights = {}

    def cells(row):
        return [
            (
                c,
                *(
                    (level + c * s % width) // width
                    for level, s in zip(row, shifts, strict=True)
                ),
            )
            for c in range(width)
        ]

    for _ in range(n_epochs):
        for row, target in zip(levels, targets, strict=True):
            touched = cells(row)
            error = target - sum(weights.get(cell, 0.0) for cell in touched)
            for cell in touched:
                weights[cell] = weights.get(cell, 0.0) + lr * error / width
    return [sum(weights.get(cell, 0.0) for cell in cells(row)) for row in probes], len(weights)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 12), st.floats(0.1, 1.9), st.integers(0, 1000))
def test_it_is_a_dictionary_of_cells(columns, width, lr, seed):
    rng = np.random.default_rng(seed)
    levels = rng.integers(0, 30, (40, columns))
    levels[0], levels[1] = 0, 30
    y = rng.normal(size=40)
    model = CMAC(width, 30, lr=lr, n_epochs=3, shuffle=False).fit(levels, y)
    probes = rng.integers(-20, 60, (50, columns))
    answers, count = dictionary_of_cells(
        levels, y - y.mean(), probes, width, model.cells_.shifts, lr, 3
    )
    np.testing.assert_allclose(model.predict(probes), np.array(answers) + y.mean(), atol=1e-9)
    assert len(model.weights_) == count


@pytest.mark.parametrize("width", [1, 5, 9, 16])
@pytest.mark.parametrize("column", [0, 1])
def test_generalisation_falls_evenly_with_distance_along_every_column(width, column):
    """Albus: inputs k levels apart share C − k of C cells, whatever the column."""
    y = np.array([0.0, 0.0, 3.0])
    X = np.array([[-1000, -1000], [1000, 1000], [0, 0]])
    model = CMAC(width, 2000, lr=1.0, n_epochs=1, shuffle=False).fit(X, y)
    model.intercept_[:] = 0
    at = model.predict([[0, 0]])[0]
    for distance in range(-width - 2, width + 3):
        probe = np.zeros((1, 2))
        probe[0, column] = distance
        expected = max(0, width - abs(distance)) / width * at
        assert model.predict(probe)[0] == pytest.approx(expected, abs=1e-12)


def test_a_sine_is_learnt_to_the_published_error():
    x, probes = np.linspace(0, 2 * np.pi, 100), np.linspace(np.pi, 2 * np.pi, 50)
    model = CMAC(64, 628, lr=0.2, n_epochs=100, random_state=0).fit(x[:, None], np.sin(x))
    assert np.abs(model.predict(probes[:, None]) - np.sin(probes)).mean() <= 0.0024


def test_a_step_mends_its_share_of_the_error():
    model = CMAC(8, 20, lr=0.25).partial_fit([[0.0], [1.0]], [1.0, 1.0])
    for left in (0.75, 0.75**2, 0.75**3):
        model.partial_fit([[0.5]], [2.0])
        assert 2.0 - model.predict([[0.5]])[0] == pytest.approx(left)


def test_hashing_costs_little_while_there_is_room():
    rng = np.random.default_rng(0)
    X, probes = rng.random((3000, 3)), rng.random((500, 3))
    y, expected = (np.sin(4 * Z[:, 0]) * Z[:, 1] + Z[:, 2] for Z in (X, probes))
    scores = {}
    for n_cells in (None, 20_000, 100):
        model = CMAC(16, 40, n_cells=n_cells, random_state=0).fit(X, y)
        scores[n_cells] = model.score(probes, expected)
        assert n_cells in (None, len(model.weights_))
    assert scores[None] > 0.98
    assert scores[20_000] > scores[None] - 0.02
    assert scores[100] < scores[20_000]


def test_a_stream_in_pieces_is_one_pass_over_all():
    rng = np.random.default_rng(0)
    X, y = rng.random((500, 2)), rng.random(500)
    parts = CMAC().partial_fit(X, y)
    before = CMAC().partial_fit(X, y)
    for piece in np.array_split(np.arange(500), 7):
        parts.partial_fit(X[piece], y[piece])
    before.partial_fit(X, y)
    np.testing.assert_array_equal(parts.predict(X), before.predict(X))


def test_several_outputs_are_learnt_side_by_side():
    rng = np.random.default_rng(0)
    X, Y = rng.random((200, 2)), rng.random((200, 3))
    together = CMAC(random_state=0).fit(X, Y).predict(X)
    for output in range(3):
        alone = CMAC(random_state=0).fit(X, Y[:, output]).predict(X)
        np.testing.assert_allclose(together[:, output], alone)


def test_asking_far_away_gives_the_mean_and_makes_no_cells():
    rng = np.random.default_rng(0)
    X, y = rng.random((100, 2)), 100 + rng.random(100)
    model = CMAC(random_state=0).fit(X, y)
    cells = len(model.weights_), model.cells_.count
    far = model.predict([[50.0, 50.0], [-1e300, 0.5], [1e308, -1e308]])
    np.testing.assert_allclose(far, y.mean())
    assert cells == (len(model.weights_), model.cells_.count)


def test_constant_columns_and_single_rows_are_learnt():
    X = np.column_stack([np.linspace(0, 1, 50), np.full(50, 3.0)])
    model = CMAC(random_state=0, n_epochs=50).fit(X, X[:, 0])
    np.testing.assert_allclose(model.predict(X), X[:, 0], atol=0.02)
    assert CMAC().fit([[1.0, 2.0]], [5.0]).predict([[1.0, 2.0]]).tolist() == [5.0]


def test_single_precision_stays_single():
    X = np.random.default_rng(0).random((100, 2)).astype(np.float32)
    model = CMAC(random_state=0).fit(X, X[:, 0])
    assert model.weights_.dtype == model.predict(X).dtype == np.float32
    double = CMAC(random_state=0).fit(X.astype(float), X[:, 0])
    np.testing.assert_allclose(model.predict(X), double.predict(X.astype(float)), atol=1e-4)


def test_the_errors_of_the_passes_are_kept():
    x = np.linspace(0, 6, 100)[:, None]
    model = CMAC(n_epochs=30, random_state=0).fit(x, np.sin(x[:, 0]))
    assert len(model.errors_) == 30
    assert model.errors_[-1] < model.errors_[0] / 100


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"lr": 2.0}, r"CMAC: `lr` must be a number in \(0, 2\), got 2.0"),
        ({"width": 0}, "`width` must be a whole number from 1 .*, got 0"),
        ({"n_levels": 3.5}, "`n_levels` must be a whole number"),
        ({"n_cells": 0}, "`n_cells` must be a whole number from 1 .*, got 0"),
        ({"n_epochs": 0}, "`n_epochs` must be a whole number"),
    ],
)
def test_wrong_options_are_said(options, reason):
    with pytest.raises(ValueError, match=reason):
        CMAC(**options).fit([[0.0], [1.0]], [0.0, 1.0])


def test_wrong_rows_are_said():
    model = CMAC().fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(ValueError, match="learnt 1 outputs, got 2"):
        model.partial_fit([[0.0]], [[0.0, 1.0]])
    with pytest.raises(ValueError, match="NaN"):
        model.predict([[np.nan]])
    with pytest.raises(ValueError, match="2 features"):
        model.predict([[0.0, 1.0]])
