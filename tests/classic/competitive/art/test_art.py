"""ART1 and Fuzzy ART: against searches written out, hand-worked traces, and artlib."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neuropil.classic import ART1, FuzzyART
from neuropil.datasets import load_digits, make_digits


def art1_by_the_paper(X, vigilance, step, n_epochs, most=None):
    """Carpenter and Grossberg's search, reset by reset, in exact fractions."""
    categories, labels = [], [None] * len(X)
    ones = [frozenset(np.flatnonzero(row).tolist()) for row in X]
    step, vigilance = Fraction(step), Fraction(vigilance)
    for _ in range(n_epochs):
        for number, bits in enumerate(ones):
            choices = [
                (len(bits & known) / (step - 1 + len(known)), -place)
                for place, known in enumerate(categories)
            ]
            for _, minus_place in sorted(choices, reverse=True):
                known = categories[-minus_place]
                if len(bits & known) >= vigilance * len(bits):
                    categories[-minus_place], labels[number] = bits & known, -minus_place
                    break
            else:
                full = len(categories) == most
                labels[number] = -1 if full else len(categories)
                categories += [] if full else [bits]
    return labels, categories


def fuzzy_art_by_the_paper(coded, vigilance, choice, lr):
    """One pass of Carpenter, Grossberg and Rosen's search, reset by reset."""
    weights, labels = [], []
    for row in coded:
        overlaps = [np.minimum(row, w).sum() for w in weights]
        choices = [o / (choice + w.sum()) for o, w in zip(overlaps, weights, strict=True)]
        for place in np.argsort(choices)[::-1]:
            if overlaps[place] >= vigilance * len(row) / 2:
                weights[place] = (
                    lr * np.minimum(row, weights[place]) + (1 - lr) * weights[place]
                )
                labels.append(place)
                break
        else:
            labels.append(len(weights))
            weights.append(row)
    return labels, weights


@settings(max_examples=60, deadline=None)
@given(
    arrays(int, st.tuples(st.integers(1, 40), st.integers(1, 9)), elements=st.integers(0, 1)),
    st.sampled_from([0.25, 0.5, 0.625, 0.75, 1.0]),
    st.sampled_from([1.5, 2.0, 8.0]),
    st.integers(1, 3),
    st.sampled_from([None, 1, 2, 4, 17]),
)
def test_art1_is_the_search_of_the_paper(X, vigilance, step, n_epochs, most):
    X = X[X.any(axis=1)]
    if not len(X):
        return
    network = ART1(vigilance, step, n_epochs=n_epochs, n_clusters=most).fit(X)
    labels, categories = art1_by_the_paper(X, vigilance, step, n_epochs, most)
    assert network.labels_.tolist() == labels
    found = [frozenset(np.flatnonzero(row).tolist()) for row in network.weights_]
    assert found == categories


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("lr", [1.0, 0.3])
def test_fuzzy_art_is_the_search_of_the_paper(seed, lr):
    rng = np.random.default_rng(seed)
    X = rng.random((150, rng.integers(1, 8)))
    X = (X - X.min(axis=0)) / (X.max(axis=0) - X.min(axis=0))
    options = {"vigilance": rng.uniform(0.3, 0.95), "choice": 10 ** rng.uniform(-4, 0)}
    network = FuzzyART(**options, lr=lr, n_epochs=1).fit(X)
    labels, weights = fuzzy_art_by_the_paper(np.hstack([X, 1 - X]), lr=lr, **options)
    assert network.labels_.tolist() == labels
    np.testing.assert_allclose(network.weights_, weights, rtol=0, atol=1e-12)


def test_a_trace_by_hand():
    """Two bits of three are enough at 0.6, and the category keeps what is common."""
    rows = [[1, 1, 1, 0, 0], [0, 0, 0, 1, 1], [1, 1, 0, 0, 1], [0, 0, 1, 1, 1]]
    network = ART1(vigilance=0.6, step=2.0)
    network.partial_fit(rows[:2])
    assert network.weights_.tolist() == [[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]]
    # |I ∧ w| / (1 + |w|): 2/4 and 1/3; match 2/3.
    assert network.partial_fit(rows[2:3]).labels_.tolist() == [0]
    assert network.weights_.tolist() == [[1, 1, 0, 0, 0], [0, 0, 0, 1, 1]]
    # 0/3 and 2/3; match 2/3.
    assert network.partial_fit(rows[3:]).labels_.tolist() == [1]
    assert network.predict([[1, 1, 0, 0, 0], [1, 0, 0, 1, 0], [0, 0, 1, 0, 0]]).tolist() == [
        0, -1, -1,
    ]  # fmt: skip


def test_fuzzy_boxes_by_hand():
    network = FuzzyART(vigilance=0.5, lr=1.0, bounds=(0, 10))
    network.partial_fit([[2.0, 2.0], [4.0, 3.0]])
    assert network.labels_.tolist() == [0, 0]
    np.testing.assert_allclose(network.boxes_, [[[2, 2], [4, 3]]])
    # Its sides would add up to 7 + 6 of 20: more than half.
    network.partial_fit([[9.0, 8.0]])
    assert network.labels_.tolist() == [1]
    np.testing.assert_allclose(network.boxes_[1], [[9, 8], [9, 8]])
    half = FuzzyART(vigilance=0.5, lr=0.5, bounds=(0, 10)).partial_fit([[2.0, 2.0], [4.0, 3.0]])
    np.testing.assert_allclose(half.boxes_, [[[2, 2], [3, 2.5]]])


@pytest.mark.parametrize("kind", [ART1, FuzzyART])
@pytest.mark.parametrize("seed", range(5))
def test_categories_are_stable(kind, seed):
    """Presented again, every row finds its own category, and nothing is learnt any more."""
    X, _ = make_digits(200, noise_level=0.2, random_state=seed)
    if kind is FuzzyART:
        X = X + np.random.default_rng(seed).random(X.shape)
    network = kind(vigilance=0.6, n_epochs=100).fit(X)
    assert network.n_iter_ < 100
    assert network.labels_.tolist() == network.predict(X).tolist()
    before = network.weights_.copy()
    network.partial_fit(X)
    np.testing.assert_array_equal(network.weights_, before)


@pytest.mark.parametrize("kind", [ART1, FuzzyART])
def test_higher_vigilance_gives_finer_categories(kind):
    X, _ = make_digits(300, noise_level=0.1, random_state=0)
    X = X[X.any(axis=1)]
    counts = [len(kind(vigilance).fit(X).weights_) for vigilance in (0.1, 0.5, 0.8, 1.0)]
    assert counts == sorted(counts)
    assert counts[-1] == len(np.unique(X, axis=0))
    assert counts[0] < counts[-1]


def test_digits_that_differ_by_one_pixel_part_when_vigilance_asks_for_it():
    """6 and 8 differ in two of 24 pixels: they match in 22/24 = 0.917 of them."""
    digits = load_digits()
    assert FuzzyART(vigilance=0.93).fit_predict(digits).tolist() == list(range(10))
    together = FuzzyART(vigilance=0.91, n_epochs=1).fit_predict(digits)
    assert together.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 6, 8]


@pytest.mark.parametrize("kind", [ART1, FuzzyART])
def test_a_stream_in_pieces_is_one_pass(kind):
    X = np.random.default_rng(0).random((300, 6))
    X = (X > 0.5).astype(float) if kind is ART1 else X
    options = {} if kind is ART1 else {"bounds": (0, 1)}
    whole = kind(0.8, n_epochs=1, **options).fit(X)
    parts, labels = kind(0.8, **options), []
    for piece in np.array_split(X, [1, 2, 50, 51, 290]):
        labels += parts.partial_fit(piece).labels_.tolist()
    assert labels == whole.labels_.tolist()
    np.testing.assert_array_equal(parts.weights_, whole.weights_)


def test_far_from_the_data_nothing_resonates():
    network = FuzzyART(vigilance=0.3).fit(np.random.default_rng(0).random((50, 3)))
    far = [[5.0, 0.5, 0.5], [-1e300, 0, 0], [1e308, -1e308, 1e308]]
    assert network.predict(far).tolist() == [-1, -1, -1]


def test_an_empty_row_is_only_like_an_empty_category():
    network = ART1(vigilance=0.5).fit([[1, 1, 0], [0, 0, 0], [1, 1, 1]])
    assert network.labels_.tolist() == [0, 1, 0]
    assert network.weights_.tolist() == [[1, 1, 0], [0, 0, 0]]


def test_a_constant_column_plays_no_part():
    X = np.random.default_rng(0).random((60, 2))
    wider = np.column_stack([X, np.full(60, 7.0)])
    found = FuzzyART(vigilance=0.8).fit(wider)
    # The third column always overlaps entirely, which makes the match (2 m + 1) / 3.
    assert np.isfinite(found.weights_).all()
    assert found.predict([[*X[0], 8.0]]).tolist() == [-1]
    assert len(FuzzyART().fit(np.ones((5, 2))).weights_) == 1


def test_single_precision_finds_the_same():
    X = np.random.default_rng(0).random((200, 4))
    single, double = (FuzzyART(0.75).fit(X.astype(kind)) for kind in (np.float32, np.float64))
    assert single.weights_.dtype == np.float32
    np.testing.assert_array_equal(single.labels_, double.labels_)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (ART1(vigilance=1.5), r"ART1: `vigilance` must be a number in \[0, 1\], got 1.5"),
        (ART1(step=1.0), r"`step` must be a number in \(1, inf\), got 1.0"),
        (ART1(n_epochs=0), "`n_epochs` must be a whole number from 1 .*, got 0"),
        (FuzzyART(choice=0.0), r"`choice` must be a number in \(0, inf\)"),
        (FuzzyART(lr="fast"), r"`lr` must be a number in \(0, 1\], got 'fast'"),
        (FuzzyART(bounds=(1, 0)), "`bounds` must be finite, with low below high"),
        (
            FuzzyART(bounds=(0, [1, 2, 3])),
            r"`bounds` must be \(low, high\), each a number or 2",
        ),
        (FuzzyART(bounds=3), r"`bounds` must be \(low, high\)"),
    ],
)
def test_wrong_options_are_said(network, reason):
    with pytest.raises(ValueError, match=reason):
        network.fit([[0.0, 1.0], [1.0, 0.0]])


def test_wrong_rows_are_said():
    with pytest.raises(ValueError, match=r"got 0\.5 in row 1, column 0"):
        ART1(binarize=None).fit([[0, 1], [0.5, 1]])
    with pytest.raises(ValueError, match="range of column 1 overflows"):
        FuzzyART().fit([[0, -1e308], [1, 1e308]])
    with pytest.raises(ValueError, match="NaN"):
        FuzzyART().fit([[0, np.nan]])
    with pytest.raises(ValueError, match="3 features, but FuzzyART is expecting 2"):
        FuzzyART().fit([[0, 1], [1, 0]]).predict([[1, 2, 3]])


@pytest.mark.parametrize("seed", range(40))
def test_fuzzy_art_gives_what_artlib_gives(seed):
    artlib = pytest.importorskip("artlib")
    rng = np.random.default_rng(seed)
    X = rng.random((rng.integers(2, 60), rng.integers(1, 6)))
    X = np.round(X * 5) if seed % 2 else X
    vigilance, choice = rng.uniform(0.3, 0.95), 10 ** rng.uniform(-4, 0)
    lr, n_epochs = float(rng.choice([1.0, 0.5])), int(rng.integers(1, 4))
    theirs = artlib.FuzzyART(vigilance, choice, lr)
    theirs.fit(theirs.prepare_data(X), max_iter=n_epochs)
    ours = FuzzyART(vigilance, choice, lr=lr, n_epochs=n_epochs).fit(X)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_array_equal(ours.weights_, theirs.W)


@pytest.mark.parametrize("seed", range(40))
def test_art1_is_artlibs_fuzzy_art_on_coded_bits(seed):
    """On bits with their complements the two are the same with α = L − 1."""
    artlib = pytest.importorskip("artlib")
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 2, (rng.integers(2, 60), rng.integers(1, 9)))
    coded = np.hstack([X, 1 - X]).astype(float)
    vigilance, step = rng.uniform(0.2, 0.95), float(rng.choice([1.5, 2.0, 6.0]))
    theirs = artlib.FuzzyART(vigilance, step - 1, 1.0).fit(coded, max_iter=2)
    ours = ART1(vigilance, step, n_epochs=2).fit(coded)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)


@pytest.mark.parametrize("kind", [ART1, FuzzyART])
def test_categories_are_limited(kind):
    X, _ = make_digits(200, noise_level=0.2, random_state=0)
    free = kind(0.8).fit(X)
    assert len(free.weights_) > 20
    limited = kind(0.8, n_clusters=20).fit(X)
    assert len(limited.weights_) == 20
    outside = limited.labels_ == -1
    assert 0 < outside.sum() < len(X)
    np.testing.assert_array_equal(limited.predict(X[outside]), -1)
    limited.partial_fit(X[outside][:5])
    assert len(limited.weights_) == 20
    more = limited.set_params(n_clusters=23).partial_fit(X[outside])
    assert len(more.weights_) == 23
    wide = kind(0.8, n_clusters=10**6).fit(X)
    np.testing.assert_array_equal(wide.weights_, free.weights_)


def test_a_wrong_limit_is_refused():
    for value in (0, -1, 2.5, "two", True):
        with pytest.raises(ValueError, match="`n_clusters` must be a whole number from 1"):
            ART1(n_clusters=value).fit(np.eye(3))
