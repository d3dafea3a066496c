"""The LVQ family: the papers' rules by hand, what they must never do, digits."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from neuropil.classic import GLVQ, GMLVQ, LVQ, LVQ2, LVQ3, LVQ21
from neuropil.classic.competitive.lvq.loops import Pass, learn_pairs

FAMILY = (LVQ, LVQ2, LVQ21, LVQ3, GLVQ, GMLVQ)
PAIRS = (LVQ2, LVQ21, LVQ3)
family = pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)


def placed(kind, prototypes, labels, **options):
    """Return a model whose prototypes stand where we want them: on the first rows it sees."""
    options = {"prototypes_per_class": 10, "init": "sample", "lr": 1e-12} | options
    lr, options["lr"] = options["lr"], 1e-12
    model = kind(random_state=0, **options).partial_fit(prototypes, labels, classes=[0, 1])
    return model.set_params(lr=lr)


def after(kind, prototypes, labels, x, y, **options):
    """Return where prototypes are after one step, in the order in which they were given."""
    model = placed(kind, prototypes, labels, **options)
    order = [np.abs(model.prototypes_ - row).sum(axis=1).argmin() for row in prototypes]
    assert sorted(order) == list(range(len(prototypes)))
    assert model.prototype_labels_[order].tolist() == list(labels)
    return model.partial_fit([x], [y]).prototypes_[order]


@pytest.mark.parametrize(
    ("y", "expected"), [(0, [[0.5, 0.0], [4.0, 0.0]]), (1, [[-0.5, 0.0], [4.0, 0.0]])]
)
def test_lvq1_moves_the_winner_alone(y, expected):
    moved = after(LVQ, [[0.0, 0.0], [4.0, 0.0]], [0, 1], [1.0, 0.0], y, lr=0.5)
    np.testing.assert_allclose(moved, expected, atol=1e-9)


# Prototypes of class 0 at 0 and of class 1 at 4, a row at x of class y: who stands where then.
# The window of 0.3 holds ratios of distances above 0.7 / 1.3 = 0.538: x from 1.4 to 2.6.
@pytest.mark.parametrize(
    ("x", "y", "lvq2", "lvq21"),
    [
        (1.5, 0, (0, 4), (0.75, 5.25)),  # right already: only LVQ2.1 moves the two
        (1.5, 1, (-0.75, 2.75), (-0.75, 2.75)),  # a mistake within the window
        (2.5, 0, (1.25, 4.75), (1.25, 4.75)),
        (2.5, 1, (0, 4), (-1.25, 3.25)),
        (1.3, 1, (0, 4), (0, 4)),  # a mistake outside of the window
        (-1.0, 1, (0, 4), (0, 4)),
    ],
)
def test_pairs_move_within_the_window(x, y, lvq2, lvq21):
    for kind, expected in ((LVQ2, lvq2), (LVQ21, lvq21), (LVQ3, lvq21)):
        moved = after(kind, [[0.0], [4.0]], [0, 1], [x], y, lr=0.5, window=0.3)
        np.testing.assert_allclose(moved.ravel(), expected, atol=1e-9)


def test_the_edge_of_the_window_lies_outside():
    """At x = 1 the squares of the two distances are 1 and 4, and their ratio is the edge."""
    for within, expected in ((0.25, [0.0, 3.0]), (0.24, [-0.5, 2.0])):
        W = np.array([[0.0, 3.0]])
        one = np.array([1])
        part = Pass(np.ones((1, 1)), one, one - 1, 0.5, 0.0)
        learn_pairs(part, W, np.arange(2), within, False, 0.0)
        assert W.ravel().tolist() == expected


def test_lvq3_draws_two_right_ones_by_a_part_of_the_rate():
    prototypes, labels = [[0.0], [4.0], [20.0]], [0, 0, 1]
    for x, expected in ((1.0, [0.1, 3.7, 20]), (-3.0, [-0.3, 3.3, 20])):
        moved = after(LVQ3, prototypes, labels, [x], 0, lr=0.5, epsilon=0.2)
        np.testing.assert_allclose(moved.ravel(), expected, atol=1e-9)
        unmoved = after(LVQ21, prototypes, labels, [x], 0, lr=0.5)
        np.testing.assert_allclose(unmoved.ravel(), [0, 4, 20], atol=1e-9)
    wrong = after(LVQ3, prototypes, labels, [1.0], 1, lr=0.5, epsilon=0.2)
    np.testing.assert_allclose(wrong.ravel(), [0, 4, 20], atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([LVQ, LVQ2, LVQ21, LVQ3, GLVQ]))
def test_no_right_prototype_ever_flees_and_no_wrong_one_comes(seed, kind):
    rng = np.random.default_rng(seed)
    prototypes = rng.normal(size=(6, 2))
    model = placed(kind, prototypes, [0, 0, 0, 1, 1, 1], lr=0.3)
    for x, y in zip(rng.normal(size=(10, 2)), rng.integers(0, 2, 10), strict=True):
        before = np.linalg.norm(model.prototypes_ - x, axis=1)
        now = np.linalg.norm(model.partial_fit([x], [y]).prototypes_ - x, axis=1)
        right = model.prototype_labels_ == y
        assert (now[right] <= before[right] + 1e-12).all()
        assert (now[~right] >= before[~right] - 1e-12).all()


def loss(prototypes, labels, x, y, beta, omega=None):
    """Return f(μ) of a row, and its gradients by central differences."""
    omega = np.eye(len(x)) if omega is None else omega
    distances = (((prototypes - x) @ omega.T) ** 2).sum(axis=1)
    right = distances[labels == y].min()
    wrong = distances[labels != y].min()
    return 1 / (1 + np.exp(-beta * (right - wrong) / (right + wrong)))


def gradient(function, at, step=1e-6):
    """Return the gradient by central differences."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[place] += step
        down[place] -= step
        found[place] = (function(up) - function(down)) / (2 * step)
    return found


PROTOTYPES = np.array([[0.0, 0.0], [3.0, 1.0], [1.0, 4.0], [5.0, 5.0]])
LABELS = np.array([0, 0, 1, 1])
# Rows that prototypes stand on: d⁺ is 0, and d⁻ the way to the nearest of the other class.
WAYS = ((PROTOTYPES[:, None] - PROTOTYPES) ** 2).sum(axis=2)
OTHERS = np.not_equal.outer(LABELS, LABELS)
UNIT = min(
    PROTOTYPES.var(axis=0).sum(), 1 / np.mean(1 / np.where(OTHERS, WAYS, np.inf).min(axis=1))
)
ROW = np.array([1.5, 1.0])


def test_a_step_of_glvq_follows_the_gradient():
    moved = after(GLVQ, PROTOTYPES, LABELS, ROW, 1, lr=0.1, beta=2.0)
    down = gradient(lambda W: loss(W, LABELS, ROW, 1, 2.0), PROTOTYPES)
    # The gradient of d is 2 (w − x), and that of μ has another 2: 4 is part of the rate.
    np.testing.assert_allclose(moved, PROTOTYPES - 0.1 * UNIT * down / 4, atol=1e-7)


def test_a_step_of_gmlvq_follows_both_gradients():
    model = placed(GMLVQ, PROTOTYPES, LABELS, beta=2.0, metric_share=0.5, lr=0.1)
    start, omega = model.prototypes_.copy(), np.eye(2) / np.sqrt(2)
    np.testing.assert_allclose(model.omega_, omega, atol=1e-9)
    labels = model.prototype_labels_
    model.partial_fit([ROW], [1])
    down = gradient(lambda W: loss(W, labels, ROW, 1, 2.0, omega), start)
    np.testing.assert_allclose(model.prototypes_, start - 0.1 * UNIT * down / 4, atol=1e-7)
    turned = omega - 0.05 * gradient(lambda M: loss(start, labels, ROW, 1, 2.0, M), omega) / 4
    np.testing.assert_allclose(model.omega_, turned / np.linalg.norm(turned), atol=1e-7)


def test_gmlvq_keeps_its_products_up_with_the_metric():
    """Many steps in one call are those of as many calls, which work Ω W out anew."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 5)), rng.integers(0, 3, 300)
    once = GMLVQ(2, lr=0.2, random_state=0).partial_fit(X[:50], y[:50])
    often = pickle.loads(pickle.dumps(once))
    once.partial_fit(X[50:], y[50:])
    for x, label in zip(X[50:], y[50:], strict=True):
        often.partial_fit([x], [label])
    np.testing.assert_allclose(once.prototypes_, often.prototypes_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(once.omega_, often.omega_, rtol=1e-7, atol=1e-9)
    assert np.linalg.norm(once.omega_) == pytest.approx(1)


def test_gmlvq_finds_the_columns_that_matter():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1000)
    X = rng.normal(size=(1000, 6))
    X[:, 2] += 3 * y
    model = GMLVQ(1, metric_share=0.3, n_epochs=20, random_state=0).fit(X, y)
    relevances = (model.omega_**2).sum(axis=0)
    assert relevances.argmax() == 2
    assert relevances[2] > 0.5
    assert model.score(X, y) > GLVQ(1, random_state=0).fit(X, y).score(X, y) - 0.005


@pytest.mark.parametrize(
    ("kind", "least"), [(LVQ, 0.955), (LVQ2, 0.96), (LVQ21, 0.96), (LVQ3, 0.96), (GLVQ, 0.975)]
)
def test_digits(kind, least):
    X, y = load_digits(return_X_y=True)
    splits = StratifiedShuffleSplit(10, test_size=0.25, random_state=0).split(X, y)
    scores = [
        kind(prototypes_per_class=5, n_epochs=10, random_state=seed)
        .fit(X[train], y[train])
        .score(X[test], y[test])
        for seed, (train, test) in enumerate(splits)
    ]
    assert np.mean(scores) >= least


@family
def test_the_answer_is_the_class_of_the_nearest(kind):
    X, y = load_digits(return_X_y=True)
    model = kind(3, n_epochs=2, random_state=0).fit(X[:500], y[:500])
    omega = getattr(model, "omega_", np.eye(64))
    judge = KNeighborsClassifier(1).fit(model.prototypes_ @ omega.T, model.prototype_labels_)
    np.testing.assert_array_equal(model.predict(X), judge.predict(X @ omega.T))


@family
@pytest.mark.parametrize(("scale", "shift"), [(2.0**-12, 0.0), (1.0, 1e6)])
def test_the_unit_and_the_origin_of_the_data_change_nothing(kind, scale, shift):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    X = rng.normal(size=(300, 3)) + 4 * y[:, None]
    plain = kind(2, random_state=0, n_epochs=3).fit(X, y)
    other = kind(2, random_state=0, n_epochs=3).fit(scale * X + shift, y)
    expected = scale * plain.prototypes_ + shift
    np.testing.assert_allclose(other.prototypes_, expected, rtol=0, atol=1e-6 * scale)
    np.testing.assert_array_equal(plain.predict(X), other.predict(scale * X + shift))


@family
def test_whatever_comes_is_answered_with_finite_prototypes(kind):
    for X in (np.ones((20, 2)), np.zeros((20, 2)), np.repeat([[0, 0], [1e-200, 0]], 10, 0)):
        y = np.arange(len(X)) % 2
        model = kind(random_state=0).fit(X, y)
        assert np.isfinite(model.prototypes_).all()
        assert set(model.predict(X)) <= {0, 1}
    X = np.random.default_rng(0).normal(size=(50, 3))
    wild = {"lr": 1e6} if issubclass(kind, GLVQ | GMLVQ) else {"lr": 1.0}
    model = kind(n_epochs=30, decay="constant", random_state=0, **wild)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert np.isfinite(model.fit(X, np.arange(50) % 3).prototypes_).all()


def many_classes(classes, spread, columns=2):
    """Return rows of many Gaussian classes, whose means are drawn."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(classes), 30)
    return rng.normal(size=(classes, columns))[y] + rng.normal(0, spread, (len(y), columns)), y


def far_class():
    """Return many classes side by side, and one so far away that all others are a point."""
    X, y = many_classes(40, 0.05)
    return np.vstack([X, X[:30] + 1e4]), np.append(y, [40] * 30)


CROWDS = {
    "40 tight classes": many_classes(40, 0.05),
    "40 loose classes": many_classes(40, 0.55, 10),
    "100 along a line": many_classes(100, 0.003, 1),
    "one far away": far_class(),
    "digits": tuple(part[:600] for part in load_digits(return_X_y=True)),
}
crowds = pytest.mark.parametrize("crowd", CROWDS)


@crowds
@pytest.mark.parametrize("kind", [GLVQ, GMLVQ])
@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")
def test_many_classes_are_told_apart_as_well_as_by_their_means(kind, crowd):
    X, y = CROWDS[crowd]
    means = NearestCentroid().fit(X, y).score(X, y)
    assert kind(1, random_state=0).fit(X, y).score(X, y) >= means - 0.005


@crowds
@family
@pytest.mark.parametrize("options", [{}, {"lr": 1.0}, {"decay": "constant", "init": "sample"}])
def test_learning_never_makes_it_worse(kind, crowd, options):
    X, y = CROWDS[crowd]
    options = {"prototypes_per_class": 2, "random_state": 0, "n_epochs": 4} | options
    at_first = kind(**options | {"lr": 1e-12}).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = kind(**options).fit(X, y)
    costs = [each.cost(X, y, *each.columns()) for each in (model, at_first)]
    assert costs[0] <= costs[1] * (1 + 1e-9)
    if kind not in {GLVQ, GMLVQ}:
        assert model.score(X, y) >= at_first.score(X, y)


@pytest.mark.parametrize("kind", [GLVQ, GMLVQ])
def test_a_rate_that_only_does_harm_is_said(kind):
    X, y = CROWDS["40 loose classes"]
    with pytest.warns(ConvergenceWarning, match="reset to their start; use an lr below"):
        model = kind(1, lr=100.0, random_state=0).fit(X, y)
    assert model.score(X, y) == kind(1, lr=1e-12, random_state=0).fit(X, y).score(X, y)


@family
def test_a_class_gets_its_prototypes_when_it_comes(kind):
    model = kind(2, random_state=0).partial_fit([[0.0], [1.0]], ["a", "a"], classes=["a", "b"])
    assert model.prototype_labels_.tolist() == ["a", "a"]
    model.partial_fit([[8.0], [9.0], [10.0]], ["b", "b", "b"])
    assert model.prototype_labels_.tolist() == ["a", "a", "b", "b"]
    assert model.predict([[-5.0], [20.0]]).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="class c is unknown; known: a, b"):
        model.partial_fit([[1.0]], ["c"])


@pytest.mark.parametrize("init", ["kmeans", "sample"])
def test_prototypes_start_within_their_class(init):
    X, y = load_digits(return_X_y=True)
    model = LVQ(4, init=init, lr=1e-12, random_state=0).fit(X, y)
    assert np.bincount(model.prototype_labels_).tolist() == [4] * 10
    for prototype, label in zip(model.prototypes_, model.prototype_labels_, strict=True):
        rows = X[y == label]
        if init == "sample":
            assert (np.abs(rows - prototype).max(axis=1) < 1e-6).any()
        else:
            own = model.prototypes_[model.prototype_labels_ == label]
            nearest = ((rows[:, None] - own) ** 2).sum(axis=2).argmin(axis=1)
            members = rows[nearest == np.abs(own - prototype).sum(axis=1).argmin()]
            assert np.abs(members.mean(axis=0) - prototype).max() < 1.5


def test_few_rows_give_few_prototypes():
    model = LVQ(5).fit([[0.0], [1.0], [5.0]], [0, 0, 1])
    assert model.prototype_labels_.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (LVQ, {"lr": 2.0}, r"`lr` must be a number in \(0, 1\], got 2.0"),
        (LVQ, {"init": "random"}, "`init` must be 'kmeans' or 'sample', got 'random'"),
        (LVQ, {"decay": None}, "`decay` must be 'linear' or 'constant', got None"),
        (LVQ2, {"window": 1.0}, r"`window` must be a number in \(0, 1\), got 1.0"),
        (LVQ3, {"epsilon": -1}, r"`epsilon` must be a number in \[0, 1\], got -1"),
        (LVQ21, {"prototypes_per_class": 0}, "`prototypes_per_class` must be a whole number"),
        (GLVQ, {"beta": 0.0}, r"`beta` must be a number in \(0, inf\), got 0.0"),
        (GMLVQ, {"metric_share": -0.1}, r"`metric_share` must be a number in \[0, inf\)"),
    ],
)
def test_options_that_cannot_be_are_refused(kind, options, message):
    with pytest.raises(ValueError, match=message):
        kind(**options).fit([[0.0], [1.0]], [0, 1])


@family
@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[0.0], [1.0]], [1, 1], "at least two classes, got one class: 1"),
        ([[0.0], [np.nan]], [0, 1], "NaN"),
        ([[0.0], [1e200]], [0, 1], "values up to .* in float64"),
        ([[0.0], [1.0]], [0.5, 1.25], "Unknown label type: continuous"),
    ],
)
def test_data_that_cannot_be_are_refused(kind, X, y, message):
    with pytest.raises(ValueError, match=message):
        kind().fit(X, y)


# Counts per class, and prototypes that are given

THREE = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1], [9, 9], [9, 8], [20, 0], [21, 0]])
NAMES = np.array(["c", "c", "c", "c", "a", "a", "b", "b"])


@family
@pytest.mark.parametrize("init", ["kmeans", "sample"])
def test_each_class_has_its_number_of_prototypes(kind, init):
    for counts in ({"c": 3, "a": 1, "b": 2}, [1, 2, 3], (1, 2, 3)):
        model = kind(counts, init=init, random_state=0).fit(THREE, NAMES)
        assert model.prototype_labels_.tolist() == ["a", "b", "b", "c", "c", "c"]
        assert (model.predict(THREE) == NAMES).all()
        again = pickle.loads(pickle.dumps(clone(model).fit(THREE, NAMES)))
        np.testing.assert_array_equal(again.prototypes_, model.prototypes_)
    numbers = kind({0: 3, 1: 1}, init=init, random_state=0).fit(THREE, NAMES == "c")
    assert numbers.prototype_labels_.tolist() == [False] * 3 + [True]
    capped = kind({"a": 9, "b": 1, "c": 1}, init=init).fit(THREE, NAMES)
    assert capped.prototype_labels_.tolist() == ["a", "a", "b", "c"]


@family
def test_given_prototypes_are_the_start(kind):
    given = np.array([[9.0, 8.5], [20.0, 1.0], [0.0, 0.5], [1.0, 0.5]])
    counts = {"a": 1, "b": 1, "c": 2}
    options = {"init": given, "lr": 1e-9, "n_epochs": 1}
    model = kind(counts, **options).fit(THREE, NAMES)
    np.testing.assert_allclose(model.prototypes_, given, atol=1e-6)
    assert model.prototype_labels_.tolist() == ["a", "b", "c", "c"]
    single = kind(counts, **options).fit(THREE.astype("f"), NAMES)
    assert single.prototypes_.dtype == np.float32
    # In `partial_fit` a class gets its prototypes with its first rows.
    late = kind(counts, **options).partial_fit(THREE[:4], NAMES[:4], classes=["a", "b", "c"])
    np.testing.assert_allclose(late.prototypes_, given[2:], atol=1e-6)
    late.partial_fit(THREE[4:], NAMES[4:])
    np.testing.assert_allclose(late.prototypes_, given[[2, 3, 0, 1]], atol=1e-6)
    np.testing.assert_array_equal(given[0], [9.0, 8.5])


def test_the_nearest_given_prototype_is_scikit_learns_centroid():
    """With the means of the classes given and no step to speak of, LVQ is NearestCentroid."""
    X, y = load_iris(return_X_y=True)
    means = np.stack([X[y == kind].mean(axis=0) for kind in range(3)])
    model = LVQ(1, init=means, lr=1e-12, n_epochs=1).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), NearestCentroid().fit(X, y).predict(X))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"prototypes_per_class": {"a": 1, "b": 2}},
            "each class and for no other",
        ),
        (
            {"prototypes_per_class": {"a": 1, "b": 2, "c": 1, "d": 1}},
            "classes are a, b, c.",
        ),
        ({"prototypes_per_class": [1, 2]}, r"each of the 3 classes, got \[1, 2\]"),
        (
            {"prototypes_per_class": [1, 2, 0]},
            "`prototypes_per_class` must be a whole number from 1",
        ),
        ({"prototypes_per_class": "many"}, "`prototypes_per_class` must be a whole number"),
        ({"prototypes_per_class": []}, "each of the 3 classes"),
        ({"init": "random"}, "`init` must be 'kmeans' or 'sample', got 'random'"),
        ({"init": [1.0, 2.0]}, "`init` must be 'kmeans', 'sample', or an array of finite"),
        ({"init": [[np.nan, 2.0]]}, "an array of finite numbers"),
        ({"init": object()}, "an array of finite numbers"),
        (
            {"init": [[1.0, 2.0]]},
            r"`init` has the shape \(1, 2\), and must have \(15, 2\): `prototypes_per_class`",
        ),
    ],
)
def test_wrong_numbers_and_prototypes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LVQ(**options).fit(THREE, NAMES)
