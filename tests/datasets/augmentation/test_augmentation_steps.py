"""Changes to batches of training examples."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats
from tests.datasets.augmentation.batches import batch, seeded

from neuropil.datasets import augmentation
from neuropil.datasets.augmentation import (
    ColorJitter,
    Compose,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomResizedCrop,
    RandomShift,
)


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
        RandomCrop((7, 6)),
        RandomResizedCrop(scale=(1, 1), ratio=(6 / 7, 6 / 7)),
        ColorJitter(),
        Compose(RandomAffine(), ColorJitter()),
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


def test_a_crop_is_a_window_of_the_picture_or_the_picture_in_a_frame():
    pictures = torch.arange(30).reshape(1, 1, 5, 6).repeat(3000, 1, 1, 1) + 1
    cropped, _ = RandomCrop((3, 4))(pictures, torch.zeros(3000), seeded())
    corners, counts = cropped[:, 0, 0, 0].unique(return_counts=True)
    assert corners.tolist() == [1, 2, 3, 7, 8, 9, 13, 14, 15]
    assert stats.chisquare(counts.numpy()).pvalue > 0.001
    window = torch.tensor([[0, 1, 2, 3], [6, 7, 8, 9], [12, 13, 14, 15]])
    assert torch.equal(cropped[:, 0], cropped[:, 0, :1, :1] + window)
    framed, _ = RandomCrop(7, fill=9)(pictures[:, :, :1], torch.zeros(3000), seeded())
    places = (framed[:, 0] == 1).nonzero()[:, 1:]
    assert len(places) == 3000
    assert {*map(tuple, places.tolist())} == {(y, x) for y in range(7) for x in range(2)}
    assert (framed.sum((1, 2, 3)) == 21 + 9 * 43).all()


def test_resized_crops_have_their_area_ratio_and_place():
    y, x = torch.meshgrid(torch.arange(20.0) + 0.5, torch.arange(30.0) + 0.5, indexing="ij")
    pictures = torch.stack([x, y]).double().repeat(2000, 1, 1, 1)
    crop = RandomResizedCrop(60, scale=(0.1, 0.3), ratio=(0.5, 2.0))
    cropped, _ = crop(pictures, torch.zeros(2000), seeded())
    # The ramps are flat within half a pixel of the edge, hence the slope at the centre.
    wide = 60 * (cropped[:, 0, 30, 30] - cropped[:, 0, 30, 29])
    tall = 60 * (cropped[:, 1, 30, 30] - cropped[:, 1, 29, 30])
    area, ratio = wide * tall / 600, wide / tall
    assert 0.1 - 1e-4 <= area.min() < 0.102
    assert 0.298 < area.max() <= 0.3 + 1e-4
    assert 0.5 - 1e-4 <= ratio.min() < 0.52
    assert 1.95 < ratio.max() <= 2 + 1e-4
    # Spread evenly: uniform area, uniform place within what the window leaves free.
    left = (cropped[:, 0, 30, 29:31].mean(1) - wide / 2) / (30 - wide)
    top = (cropped[:, 1, 29:31, 30].mean(1) - tall / 2) / (20 - tall)
    for drawn in ((area - 0.1) / 0.2, ratio.log2() / 2 + 0.5, left, top):
        assert stats.kstest(drawn.numpy(), "uniform").pvalue > 0.001


def test_a_window_that_does_not_fit_is_cut_to_the_picture():
    kept = []
    crop = RandomResizedCrop((6, 9), scale=(0.5, 1.0), ratio=(0.2, 5.0))
    crop.bind(lambda targets, matrix, size: kept.append(matrix) or targets)(
        torch.zeros(500, 1, 20, 30), torch.zeros(500), seeded()
    )
    # Each side of the window, in pixels of the picture.
    (x_scale, _, x), (_, y_scale, y) = (row.unbind(1) for row in kept[0].unbind(1))
    for low, high, most in ((-x, 9 - x, 30 * x_scale), (-y, 6 - y, 20 * y_scale)):
        assert (low / most).min() > -1e-5
        assert (high / most).max() < 1 + 1e-5
        whole = torch.isclose(high - low, most).double().mean()
        assert 0.05 < whole < 0.6


def test_a_resized_crop_at_the_edge_has_no_dark_rim():
    pictures = torch.full((50, 1, 8, 8), 200, dtype=torch.uint8)
    for step in (
        RandomResizedCrop(),
        Compose(RandomResizedCrop(16), augmentation.RandomFlip()),
    ):
        assert (step(pictures, torch.zeros(50), seeded())[0] == 200).all()
