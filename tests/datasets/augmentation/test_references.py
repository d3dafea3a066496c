"""Pictures changed as Kornia and Pillow change them."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests.datasets.augmentation.batches import seeded

from neuropil.datasets.augmentation import (
    ColorJitter,
    Compose,
    RandomAffine,
    RandomFlip,
    RandomResizedCrop,
    RandomShift,
)
from neuropil.datasets.augmentation.warping import sample


def matrix_of(step, pictures, seed):
    """Return what a step draws, as matrices."""
    kept = []
    step.bind(lambda targets, matrix, size: kept.append(matrix) or targets)(
        pictures, torch.zeros(len(pictures)), seeded(seed)
    )
    return kept[0]


@pytest.fixture(scope="module")
def kornia():
    return pytest.importorskip("kornia")


@pytest.fixture
def pictures():
    return torch.rand(6, 3, 24, 31, generator=seeded(7))


@pytest.mark.parametrize("fill", [0.0, 0.7])
@pytest.mark.parametrize("shape", [(24, 31), (17, 40)])
def test_any_matrix_moves_pixels_as_kornia_does(kornia, pictures, shape, fill):
    matrix = torch.eye(2, 3) + 0.3 * torch.randn(6, 2, 3, generator=seeded(1))
    matrix[:, :, 2] *= 20
    # Kornia counts from the centre of the first pixel, we from its corner.
    theirs = matrix.clone()
    theirs[:, :, 2] += matrix[:, :, :2].sum(2) / 2 - 0.5
    expected = kornia.geometry.warp_affine(
        pictures, theirs, shape, padding_mode="fill", fill_value=torch.full((3,), fill)
    )
    torch.testing.assert_close(
        sample(pictures, matrix, shape, fill), expected, atol=1e-4, rtol=0
    )


def test_a_random_affine_chain_is_one_warp_of_kornia(kornia, pictures):
    chain = Compose(RandomAffine(30, scale=(0.8, 1.2), shift=0.1), RandomFlip(), RandomShift(2))
    matrix = matrix_of(chain, pictures, 3)
    moved, _ = chain(pictures, torch.zeros(6), seeded(3))
    matrix[:, :, 2] += matrix[:, :, :2].sum(2) / 2 - 0.5
    expected = kornia.geometry.warp_affine(pictures, matrix, (24, 31))
    torch.testing.assert_close(moved, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(48, 62), (37, 90)])
def test_a_resized_crop_is_that_of_pillow(pictures, size):
    step = RandomResizedCrop(size, scale=(0.1, 0.9))
    cropped, _ = step(pictures, torch.zeros(6), seeded(2))
    matrix = matrix_of(step, pictures, 2).double()
    for given, found, ((x_scale, _, x), (_, y_scale, y)) in zip(
        pictures, cropped, matrix.tolist(), strict=True
    ):
        left, top = -x / x_scale, -y / y_scale
        box = (left, top, left + size[1] / x_scale, top + size[0] / y_scale)
        # Rounding may put the edge of the window a little outside of the picture.
        box = (max(0, box[0]), max(0, box[1]), min(31, box[2]), min(24, box[3]))
        for channel, ours in zip(given.numpy(), found.numpy(), strict=True):
            resized = Image.fromarray(channel).resize(
                size[::-1], Image.Resampling.BILINEAR, box
            )
            np.testing.assert_allclose(ours, resized, atol=2e-4)


def theirs(kornia, name, factors):
    """Return Kornia's function for a change, without a range to clip to."""
    enhance = kornia.enhance

    def hue(pictures):
        yuv = kornia.color.rgb_to_yuv(pictures)
        angle = (2 * torch.pi * factors)[:, None, None]
        u, v = yuv[:, 1], yuv[:, 2]
        turned = [
            yuv[:, 0],
            u * angle.cos() - v * angle.sin(),
            u * angle.sin() + v * angle.cos(),
        ]
        return kornia.color.yuv_to_rgb(torch.stack(turned, 1))

    return {
        "brightness": lambda x: enhance.adjust_brightness_accumulative(x, factors),
        "contrast": lambda x: enhance.adjust_contrast_with_mean_subtraction(x, factors),
        "saturation": lambda x: enhance.adjust_saturation_with_gray_subtraction(x, factors),
        "hue": hue,
    }[name]


STRENGTH = {"brightness": 0.5, "contrast": 0.8, "saturation": 0.9, "hue": 0.3}


def drawn(name):
    """Return the factors of a change, in the order in which all four are drawn."""
    row = list(STRENGTH).index(name)
    part = (2 * torch.rand(4, 6, generator=seeded(4)) - 1)[row] * STRENGTH[name]
    return part if name == "hue" else 1 + part


@pytest.mark.parametrize("name", STRENGTH)
def test_each_change_of_colour_is_that_of_kornia(kornia, pictures, name):
    pictures = 0.4 + 0.2 * pictures  # Kornia clips to 0 and 1
    changed, _ = ColorJitter(**{name: STRENGTH[name]})(pictures, torch.zeros(6), seeded(4))
    expected = theirs(kornia, name, drawn(name))(pictures)
    assert (expected - pictures).abs().max() > 0.05
    # Kornia's coefficients of YUV are rounded to three digits.
    torch.testing.assert_close(changed, expected, atol=1e-3 if name == "hue" else 1e-5, rtol=0)


def test_all_four_are_made_in_the_order_stated(kornia, pictures):
    pictures = 0.45 + 0.1 * pictures
    changed, _ = ColorJitter(**STRENGTH)(pictures, torch.zeros(6), seeded(4))
    expected = pictures
    for name in STRENGTH:
        expected = theirs(kornia, name, drawn(name))(expected)
    torch.testing.assert_close(changed, expected, atol=2e-3, rtol=0)
