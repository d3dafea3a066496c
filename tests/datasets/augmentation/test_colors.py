"""Colours changed by one matrix for each picture; `test_references.py` holds the formulas."""

import pytest
import torch
from tests.datasets.augmentation.batches import seeded
from typing_extensions import override

from neuropil.datasets import DataError
from neuropil.datasets.augmentation import ColorJitter, Compose, RandomFlip
from neuropil.datasets.augmentation.color_step import ColorStep


def test_whole_numbers_are_clipped_to_their_type_and_others_are_not():
    pictures = torch.full((50, 3, 2, 2), 200, dtype=torch.uint8)
    bright, _ = ColorJitter(1.0)(pictures, torch.zeros(50), seeded())
    free, _ = ColorJitter(1.0)(pictures.float(), torch.zeros(50), seeded())
    assert free.max() > 300
    assert torch.equal(bright, free.clamp(0, 255).round().to(torch.uint8))
    assert (bright == 255).any()


def test_factors_are_drawn_evenly_for_each_picture():
    ones = torch.ones(4000, 1, 1, 1)
    factors, _ = ColorJitter(0.4)(ones, torch.zeros(4000), seeded())
    shares = torch.histc(factors, 10, 0.6, 1.4) / 4000
    assert factors.min() >= 0.6
    assert factors.max() <= 1.4
    assert (shares - 0.1).abs().max() < 0.02


def test_grey_pictures_have_brightness_and_contrast_alone():
    grey = torch.rand(8, 1, 5, 5)
    coloured, _ = ColorJitter(0.3, 0.3, 0.9, 0.5)(grey, torch.zeros(8), seeded())
    plain, _ = ColorJitter(0.3, 0.3)(grey, torch.zeros(8), seeded())
    assert torch.equal(coloured, plain)
    # What is grey in three channels stays grey, by all four.
    three, _ = ColorJitter(0.3, 0.3, 0.9, 0.5)(
        grey.expand(8, 3, 5, 5), torch.zeros(8), seeded()
    )
    torch.testing.assert_close(three, plain.expand(8, 3, 5, 5))


def test_other_channels_have_no_hue():
    four = torch.rand(8, 4, 5, 5)
    assert ColorJitter(0.3, 0.3)(four, torch.zeros(8), seeded())[0].shape == four.shape
    with pytest.raises(
        DataError, match=r"ColorJitter\(hue=0.1\) .* 3 channels, or of 1, got 4"
    ):
        ColorJitter(hue=0.1)(four, torch.zeros(8), seeded())


def test_contrast_is_about_the_mean_of_the_content():
    pictures, mask = torch.rand(8, 3, 6, 6), torch.zeros(8, 6, 6)
    mask[:, :, :4] = 1
    step = ColorJitter(contrast=0.9)
    (padded, _), _ = step((pictures * mask[:, None], mask), torch.zeros(8), seeded())
    alone, _ = step(pictures[..., :4], torch.zeros(8), seeded())
    torch.testing.assert_close(padded[..., :4], alone)


def test_a_chain_of_colours_is_one_matrix_clipped_once():
    pictures = torch.randint(0, 256, (16, 3, 5, 7), generator=seeded(3)).to(torch.uint8)
    steps = [ColorJitter(0.9, 0.5), ColorJitter(0, 0.5, 0.8, 0.2), ColorJitter(0.9)]
    exact, generator = pictures.double(), seeded()
    for step in (RandomFlip(1.0), *steps):
        exact, _ = step(exact, torch.zeros(16), generator)
    chain = Compose(steps[0], RandomFlip(1.0), *steps[1:])
    joint, _ = chain(pictures, torch.zeros(16), seeded())
    expected = exact.clamp(0, 255)
    assert (joint - expected).abs().max() <= 0.501
    assert (exact > 255).any()


class Fixed(ColorStep):
    """A step whose matrix is given."""

    def __init__(self, gain: list[list[float]], offset: list[float]) -> None:
        self.gain, self.offset = torch.tensor(gain), torch.tensor(offset)

    @override
    def draw(self, mean, generator):
        return self.gain.expand(len(mean), -1, -1), self.offset.expand(len(mean), -1)


def test_matrices_are_applied_in_the_order_of_the_steps():
    steps = [Fixed([[0, 2], [1, 0]], [1, 0]), Fixed([[3, 1], [0, 1]], [0, 5])]
    pictures = torch.tensor([7.0, 11.0]).reshape(1, 2, 1, 1)
    # (7, 11) becomes (23, 7), and that (76, 12).
    joint, _ = Compose(*steps)(pictures, torch.zeros(1), seeded())
    assert joint.flatten().tolist() == [76, 12]
