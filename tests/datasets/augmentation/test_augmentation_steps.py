"""Changes to batches of training examples."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats
from tests.datasets.augmentation.batches import batch, seeded

from neuropil.datasets import DataError, augmentation
from neuropil.datasets.augmentation import Mixup, RandomAffine, RandomErasing, RandomShift


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(0, 3), st.integers(0, 50))
def test_a_shift_is_a_shift(pixels, seed):
    pictures, classes = batch(count=3)
    shifted, _ = RandomShift(pixels, fill=0.0)(pictures, classes, seeded(seed))
    ways = [(a, b) for a in range(-pixels, pixels + 1) for b in range(-pixels, pixels + 1)]
    for picture, moved in zip(pictures.numpy(), shifted.numpy(), strict=True):
        assert any(
            np.array_equal(ndimage.shift(picture, (0, a, b), order=0), moved) for a, b in ways
        )


def test_shifts_are_drawn_evenly():
    picture = torch.zeros(9000, 1, 3, 3)
    picture[:, :, 1, 1] = 1
    counts = RandomShift(1)(picture, torch.zeros(9000), seeded())[0].sum((0, 1))
    assert stats.chisquare(counts.flatten().numpy()).pvalue > 0.001


def test_a_flip_turns_its_share_round():
    pictures = torch.arange(6.0).reshape(1, 1, 2, 3).repeat(4000, 1, 1, 1)
    for axis, expected in ((-1, [2, 1, 0, 5, 4, 3]), (-2, [3, 4, 5, 0, 1, 2])):
        flipped, _ = augmentation.RandomFlip(0.3, axis=axis)(
            pictures, torch.zeros(4000), seeded()
        )
        changed = flipped.flatten(1)[(flipped != pictures).flatten(1).any(1)]
        assert (changed == torch.tensor(expected)).all()
        assert abs(len(changed) / 4000 - 0.3) < 0.03


def test_erasing_covers_one_rectangle_of_the_given_share():
    pictures = torch.ones(500, 3, 32, 32)
    erased, _ = RandomErasing(0.6, area=(0.1, 0.2), ratio=(0.5, 2.0), fill=7.0)(
        pictures, torch.zeros(500), seeded()
    )
    assert torch.equal(erased[:, 0], erased[:, 2])
    covered = erased[:, 0] == 7
    assert torch.equal(covered | (erased[:, 0] == 1), torch.ones(500, 32, 32, dtype=torch.bool))
    treated = covered[covered.flatten(1).any(1)]
    assert abs(len(treated) / 500 - 0.6) < 0.07
    for mask in treated:
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        tall, wide = rows.max() - rows.min() + 1, columns.max() - columns.min() + 1
        assert mask.sum() == tall * wide
        assert 0.08 <= mask.float().mean() <= 0.22
        assert 0.4 <= tall / wide <= 2.5


def test_any_place_may_be_erased_the_corners_too():
    erase = RandomErasing(1.0, area=(0.1, 0.3))
    erased, _ = erase(torch.ones(2000, 1, 8, 8), torch.zeros(2000), seeded())
    assert (erased == 0).any(0).all()


def test_nothing_drawn_is_nothing_changed():
    pictures, classes = batch()
    for augment in (
        RandomAffine(),
        augmentation.RandomRotation(0),
        RandomShift(0),
        augmentation.RandomFlip(0.0),
        RandomErasing(0.0),
    ):
        assert torch.equal(augment(pictures, classes, seeded())[0], pictures)


@pytest.mark.parametrize("size", [(33, 33), (25, 41)])
def test_a_turn_is_a_turn_in_pixels(size):
    y, x = np.mgrid[: size[0], : size[1]]
    middle = np.array(size) // 2
    blob = np.exp(-((y - middle[0] + 6) ** 2 + (x - middle[1] - 3) ** 2) / 8).astype(np.float32)
    pictures = torch.from_numpy(blob).repeat(64, 1, 1, 1)
    turned, _ = augmentation.RandomRotation(40)(pictures, torch.zeros(64), seeded())
    angles = []
    for picture in turned[:, 0].numpy():
        place = np.array(ndimage.center_of_mass(picture)) - middle
        assert np.hypot(*place) == pytest.approx(np.hypot(6, 3), abs=0.1)
        angles.append(math.degrees(math.atan2(*place) - math.atan2(-6, 3)))
    assert -40.5 < min(angles) < -30
    assert 30 < max(angles) < 40.5


def test_scale_and_shift_are_as_given():
    blob = np.zeros((41, 41), np.float32)
    blob[16:25, 16:25] = 1
    pictures = torch.from_numpy(blob).repeat(200, 1, 1, 1)
    scaled, _ = RandomAffine(scale=(0.5, 2.0))(pictures, torch.zeros(200), seeded())
    side = scaled.sum((1, 2, 3)).sqrt() / 9
    assert 0.45 < side.min() < 0.6
    assert 1.7 < side.max() < 2.05
    moved, _ = RandomAffine(shift=0.25)(pictures, torch.zeros(200), seeded())
    places = np.array([ndimage.center_of_mass(picture) for picture in moved[:, 0].numpy()]) - 20
    assert (np.abs(places) <= 0.25 * 41 + 0.1).all()
    assert (np.abs(places).max(0) > 0.2 * 41).all()


def test_outside_stands_the_fill():
    pictures = torch.full((16, 1, 9, 9), 50, dtype=torch.uint8)
    for augment in (RandomAffine(shift=0.5, fill=200.0), RandomShift(4, fill=200.0)):
        moved, _ = augment(pictures, torch.zeros(16), seeded())
        assert {50, 200} <= set(moved.unique().tolist())
        assert moved.min() == 50


def test_mixup_blends_inputs_and_targets_alike():
    pictures, classes = torch.eye(64).reshape(64, 1, 8, 8), torch.arange(64)
    inputs, targets = Mixup(1.0, classes=64)(pictures, classes, seeded())
    torch.testing.assert_close(inputs.flatten(1), targets)
    torch.testing.assert_close(targets.sum(1), torch.ones(64))
    own = targets.diagonal()
    share = Mixup(1.0, classes=64).shares(pictures, seeded())
    # An example may be its own partner.
    assert (torch.isclose(own, share) | torch.isclose(own, torch.ones(64))).all()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_draws_from_the_beta_distribution(alpha):
    share = Mixup(alpha).shares(torch.zeros(20000, 1), seeded()).numpy()
    for place in (0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999):
        expected = stats.beta(alpha, alpha).cdf(place)
        assert abs((share <= place).mean() - expected) < 4 * np.sqrt(0.25 / 20000)


def test_mixup_of_numbers_keeps_their_shape_and_of_classes_needs_their_number():
    inputs, targets = Mixup(0.4)(torch.zeros(5, 2), torch.arange(5.0), seeded())
    assert targets.shape == (5,)
    assert 0 <= targets.min() <= targets.max() <= 4
    with pytest.raises(DataError, match="Mixup needs `classes`"):
        Mixup(0.4)(inputs, torch.arange(5), seeded())
