"""Resized pictures: means over what a pixel covers, and the types that were."""

import numpy as np
import pytest
import torch
from PIL import Image

from neuropil.datasets import Dataset
from neuropil.study.setups.resized import resized

PICTURES = torch.randint(0, 256, (3, 2, 16, 12), dtype=torch.uint8)


@pytest.mark.parametrize("size", [(8, 6), (5, 7), (32, 24)])
def test_it_is_the_antialiased_interpolation_of_pillow(size):
    floats = PICTURES.float()
    ours = resized(Dataset(floats), size).inputs
    theirs = [
        [
            np.asarray(Image.fromarray(c).resize(size[::-1], Image.Resampling.BILINEAR))
            for c in p
        ]
        for p in floats.numpy()
    ]
    torch.testing.assert_close(ours, torch.from_numpy(np.array(theirs)), atol=1e-3, rtol=0)


def test_bytes_stay_bytes():
    ours = resized(Dataset(PICTURES), (8, 8)).inputs
    exact = resized(Dataset(PICTURES.float()), (8, 8)).inputs
    assert ours.dtype == torch.uint8
    assert torch.equal(ours, exact.round().to(torch.uint8))


def test_a_constant_picture_stays_constant():
    grey = torch.full((1, 1, 9, 9), 7, dtype=torch.uint8)
    for side in (3, 4, 20):
        assert (resized(Dataset(grey), (side, side)).inputs == 7).all()


def test_targets_and_names_stay():
    data = Dataset(PICTURES, [2, 0, 1], names=["x", "y", "z"])
    new = resized(data, (4, 4))
    assert new.names == ["x", "y", "z"]
    assert new.targets.tolist() == [2, 0, 1]
