"""The digits that come with the library."""

import numpy as np
import pytest
from sklearn.datasets import load_digits as bundled

from neuropil import datasets
from neuropil.datasets import load_digits, load_handwritten_digits, make_digits


def test_handwritten_digits_are_all_there_once():
    digits = load_handwritten_digits(seed=3)
    parts = [digits.train, digits.validation, digits.test]
    pixels = np.concatenate([part.inputs.numpy() for part in parts])
    labels = np.concatenate([part.targets.numpy() for part in parts])
    found = sorted((x.tobytes(), y) for x, y in zip(pixels, labels, strict=True))
    reference = bundled()
    images = reference.images.astype(np.uint8)
    assert found == sorted(
        (x.tobytes(), y) for x, y in zip(images, reference.target, strict=True)
    )


def test_handwritten_digits_are_split_by_seed():
    first, same, other = (load_handwritten_digits(seed=seed).test for seed in (0, 0, 1))
    assert np.array_equal(first.inputs, same.inputs)
    assert not np.array_equal(first.inputs, other.inputs)
    counts = np.bincount(first.targets)
    assert counts.max() - counts.min() <= 2


def test_handwritten_digits_know_their_range():
    preparation = load_handwritten_digits().preparation
    assert isinstance(preparation, datasets.PicturePreparation)
    assert (preparation.low, preparation.high, preparation.shape) == (0, 16, (1, 8, 8))


def test_glyphs_are_binary_and_distinct():
    digits = load_digits()
    assert digits.shape == (10, 24)
    assert set(digits.ravel()) == {0, 1}
    distances = (digits[:, None] != digits).sum(-1) + 24 * np.eye(10, dtype=int)
    assert distances.min() >= 2


def test_glyphs_look_like_digits():
    one, seven = load_digits()[[1, 7]].reshape(2, 6, 4)
    assert one.tolist() == [[0, 1, 0, 0], [1, 1, 0, 0], *[[0, 1, 0, 0]] * 3, [1, 1, 1, 0]]
    assert seven[0].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("noise_level", [0.0, 0.1, 0.5, 1.0])
def test_flipped_bits_have_the_given_share(noise_level):
    X, y = make_digits(2000, noise_level=noise_level, random_state=0)
    flipped = load_digits()[y] != X
    # Three standard errors of 48,000 draws.
    assert abs(flipped.mean() - noise_level) <= 3 * np.sqrt(0.25 / flipped.size)


def test_removing_never_adds_ink():
    X, y = make_digits(500, noise_level=0.3, mode="remove", random_state=1)
    clean = load_digits()[y]
    assert (clean >= X).all()
    assert abs(X.sum() / clean.sum() - 0.7) < 0.02


def test_digits_are_drawn_evenly_and_by_seed():
    first, same, other = (make_digits(1000, random_state=seed) for seed in (5, 5, 6))
    assert np.array_equal(first[0], same[0])
    assert not np.array_equal(first[0], other[0])
    assert np.bincount(first[1], minlength=10).min() > 60
